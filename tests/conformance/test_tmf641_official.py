"""TMF641 beside the published description and drawings, where they lie next to the project; skipped where they do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from engine.orders.callbacks import EVENT_TYPES
from engine.orders.lifecycle import CANCELLATION, ORDER, Lifecycle
from engine.store import Store
from tests.listening import asks, heard, listen
from tests.machines import CANCEL, Machines, an_order, running_machines

OFFICIAL = Path(__file__).resolve().parents[3] / "shared/tmf"
DESCRIPTION = "openapi/TMF641-ServiceOrdering-v4.1.0.swagger.json"
pytestmark = pytest.mark.skipif(not OFFICIAL.exists(), reason="the published description is not here")


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def mistakes(name: str, value: Any) -> list[str]:
    """Where a value differs from the published definition."""
    definitions = json.loads((OFFICIAL / DESCRIPTION).read_text(encoding="utf-8"))["definitions"]
    schema = {"$ref": f"#/definitions/{name}", "definitions": definitions}
    return [f"{name} {list(e.path)}: {e.message}" for e in Draft4Validator(schema).iter_errors(value)]


@pytest.mark.parametrize(("name", "cycle"), [("ServiceOrder", ORDER), ("CancelServiceOrder", CANCELLATION)])
def test_states_follow_each_other_as_the_drawings_have_it(name: str, cycle: Lifecycle) -> None:
    drawn = json.loads((OFFICIAL / "lifecycles.json").read_text(encoding="utf-8"))[f"TMF641.{name}"]

    assert drawn["initial"] == [cycle.initial]
    assert set(drawn["final"]) == cycle.final
    assert {state: set(ways) for state, ways in cycle.arrows.items() if ways} == {
        state: set(ways) for state, ways in drawn["transitions"].items()
    }


def test_the_names_of_our_events_are_published() -> None:
    definitions = json.loads((OFFICIAL / DESCRIPTION).read_text(encoding="utf-8"))["definitions"]

    assert sorted(EVENT_TYPES - set(definitions)) == []


def test_orders_cancellations_and_every_kind_of_event_fit_the_published_description(
    machines: Machines,
) -> None:
    listen(machines)
    machines.deliver()
    asks(machines, "note")
    late = machines.place(an_order("LATE"))
    machines.ask("PATCH", late["href"], json={"priority": "1"})
    machines.site.work()
    machines.site.clock.advance(timedelta(hours=49))
    machines.site.sweep()
    machines.site.work()
    wish = machines.post(CANCEL, {"serviceOrder": {"id": late["id"]}}).json
    machines.site.work()

    shown = machines.get(late["href"])
    assert {"milestone", "jeopardyAlert", "cancellationDate"} <= set(shown)
    found = [*mistakes("ServiceOrder", shown), *mistakes("CancelServiceOrder", machines.get(wish["href"]))]
    assert {event["eventType"] for event in heard(machines)} == EVENT_TYPES
    for event in heard(machines):
        found += mistakes(event["eventType"], event)
    assert found == []
