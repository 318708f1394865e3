"""TMF621 beside the published description and drawing, where they lie next to the project; skipped where they do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from engine.orders.callbacks import TICKET_EVENT_TYPES
from engine.store import Store
from engine.tickets.lifecycle import TICKET
from tests.listening import heard
from tests.tickets import TICKET_HUB, TICKETS, Reports, running_reports

OFFICIAL = Path(__file__).resolve().parents[3] / "shared/tmf"
DESCRIPTION = "openapi/TMF621-TroubleTicket-v4.0.0.swagger.json"
pytestmark = pytest.mark.skipif(not OFFICIAL.exists(), reason="the published description is not here")


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Iterator[Reports]:
    with running_reports(store, tmp_path) as found:
        yield found


def definitions() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((OFFICIAL / DESCRIPTION).read_text(encoding="utf-8"))["definitions"]
    return found


def mistakes(name: str, value: Any) -> list[str]:
    """Where a value differs from the published definition."""
    schema = {"$ref": f"#/definitions/{name}", "definitions": definitions()}
    return [f"{name} {list(e.path)}: {e.message}" for e in Draft4Validator(schema).iter_errors(value)]


def test_statuses_follow_each_other_as_the_drawing_has_it() -> None:
    drawn = json.loads((OFFICIAL / "lifecycles.json").read_text(encoding="utf-8"))["TMF621.TroubleTicket"]

    assert drawn["initial"] == [TICKET.initial]
    assert set(drawn["final"]) == TICKET.final
    assert {status: set(ways) for status, ways in TICKET.arrows.items() if ways} == {
        status: set(ways) for status, ways in drawn["transitions"].items()
    }


def test_the_names_of_our_events_are_published() -> None:
    assert sorted(TICKET_EVENT_TYPES - set(definitions())) == []


def test_tickets_and_every_kind_of_event_fit_the_published_description(reports: Reports) -> None:
    callback = f"{reports.site.simulators.crm_url}/listener"
    assert reports.machines.post(TICKET_HUB, {"callback": callback}).status_code == 201
    ticket = reports.report(symptom="unclear", note=[{"text": "请尽快"}], relatedParty=[{"id": 7}])
    reports.patch(ticket, priority="high")
    reports.do(ticket, "TT_03")
    reports.do(ticket, "TT_09")
    reports.do(ticket, "TT_11")

    told = reports.machines.get(TICKETS)
    assert [mistake for one in told for mistake in mistakes("TroubleTicket", one)] == []
    events = heard(reports.machines)
    assert {e["eventType"] for e in events} == TICKET_EVENT_TYPES
    assert [mistake for e in events for mistake in mistakes(e["eventType"], e)] == []
