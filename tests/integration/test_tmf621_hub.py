"""TMF621 hub: a listener hears of tickets what a listener to orders does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.store import Store
from tests.listening import heard, listen
from tests.tickets import TICKET_HUB, Reports, running_reports

STATUS, RESOLVED = "TroubleTicketStatusChangeEvent", "TroubleTicketResolvedEvent"


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Iterator[Reports]:
    with running_reports(store, tmp_path) as found:
        yield found


def _listen(reports: Reports, **more: str) -> Any:
    body = {"callback": f"{reports.site.simulators.crm_url}/listener"} | more
    answer = reports.machines.post(TICKET_HUB, body)
    assert answer.status_code == 201, answer.text
    return answer.json


def _told(reports: Reports) -> list[tuple[str, str]]:
    return [
        (e["eventType"].removeprefix("TroubleTicket"), e["event"]["troubleTicket"]["status"])
        for e in heard(reports.machines)
    ]


def test_a_listener_hears_every_change_of_its_tickets_in_order(reports: Reports) -> None:
    _listen(reports)
    ticket = reports.report()
    reports.patch(ticket, priority="high")
    reports.do(ticket, "TT_09")
    reports.do(ticket, "TT_11")

    assert _told(reports) == [
        ("CreateEvent", "acknowledged"),
        ("StatusChangeEvent", "inProgress"),
        ("AttributeValueChangeEvent", "inProgress"),
        ("StatusChangeEvent", "resolved"),
        ("ResolvedEvent", "resolved"),
        ("AttributeValueChangeEvent", "resolved"),
        ("StatusChangeEvent", "closed"),
    ]
    events = heard(reports.machines)
    assert {e["domain"] for e in events} == {"troubleTicket"}
    assert [e.get("fieldPath") for e in events if "Attribute" in e["eventType"]] == ["priority", "cause"]
    assert {e["event"]["troubleTicket"]["id"] for e in events} == {ticket}
    assert len({e["eventId"] for e in events}) == len(events)


def test_a_question_is_told_with_its_attribute(reports: Reports) -> None:
    _listen(reports, query="eventType=TroubleTicketInformationRequiredEvent")

    reports.report(symptom="unclear")

    (event,) = heard(reports.machines)
    assert (event["fieldPath"], event["event"]["troubleTicket"]["status"]) == ("symptom", "pending")


def test_a_filter_lets_only_its_events_through(reports: Reports) -> None:
    _listen(reports, query=f"eventType={RESOLVED}")

    reports.do(reports.report(), "TT_09")

    assert _told(reports) == [("ResolvedEvent", "resolved")]


def test_listeners_of_one_interface_hear_nothing_of_the_other(reports: Reports) -> None:
    listen(reports.machines)
    reports.report()
    assert heard(reports.machines) == []

    _listen(reports)
    reports.machines.place()
    assert {e["eventType"] for e in heard(reports.machines)} <= {"ServiceOrderCreateEvent"}


def test_each_interface_ends_its_own_listeners_and_knows_its_own_events(reports: Reports) -> None:
    made = _listen(reports)
    orders = made["href"].replace("troubleTicket", "serviceOrdering")

    assert reports.machines.ask("DELETE", orders).status_code == 404
    assert reports.machines.ask("DELETE", made["href"], "crm2").status_code == 404
    assert reports.machines.ask("DELETE", made["href"]).status_code == 204
    wrong = {"callback": "http://127.0.0.1/x", "query": "eventType=ServiceOrderCreateEvent"}
    refused = reports.machines.post(TICKET_HUB, wrong)
    assert refused.status_code == 400
    assert STATUS in refused.text
