"""TMF641 hub: who is told of an order, in what order and in what words, when listeners are away, and how it is given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.events import Event
from engine.jobs.model import Job
from engine.store import Store
from tests.machines import HUB, V1, Machines, an_order, running_machines, sample

STATE_CHANGE = "ServiceOrderStateChangeEvent"
STATES = f"eventType=ServiceOrderCreateEvent&eventType={STATE_CHANGE}"


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def _listen(machines: Machines, who: str = "crm", **more: str) -> Any:
    """Somebody who wants to know of states, unless the test says of what."""
    body = {"callback": f"{machines.site.simulators.crm_url}/listener", "query": STATES}
    answer = machines.post(HUB, body | more, who)
    assert answer.status_code == 201, answer.text
    return answer.json


def _heard(machines: Machines) -> list[tuple[str, str]]:
    events = machines.site.simulators.crm.events()
    return [(e["eventType"], e["body"]["event"]["serviceOrder"]["state"]) for e in events]


def _callbacks(machines: Machines) -> list[Job]:
    with machines.site.store.read() as db:
        return list(db.scalars(select(Job).where(Job.kind == "callback").order_by(Job.id)))


def test_a_listener_hears_every_state_of_its_order_in_order(machines: Machines) -> None:
    _listen(machines)

    machines.deliver()

    assert _heard(machines) == [
        ("ServiceOrderCreateEvent", "acknowledged"),
        (STATE_CHANGE, "inProgress"),
        (STATE_CHANGE, "completed"),
    ]


def test_an_event_holds_the_whole_order_and_the_envelope_of_the_standard(machines: Machines) -> None:
    _listen(machines)
    order = machines.deliver(sample("broadband-order"))

    bodies = [e["body"] for e in machines.site.simulators.crm.events()]

    for body in bodies:
        assert set(body) == {
            "eventId",
            "eventTime",
            "eventType",
            "timeOcurred",
            "title",
            "domain",
            "correlationId",
            "event",
        }
        assert datetime.fromisoformat(body["eventTime"]).utcoffset() == timedelta(0)
        told = body["event"]["serviceOrder"]
        assert (told["id"], told["externalId"]) == (order, "CRM-2026-000417")
        for item in told["serviceOrderItem"]:
            assert item.keys() >= {"id", "action", "service", "state"}
            for given in item["service"]["serviceCharacteristic"]:
                assert given.keys() >= {"name", "value"}
        for party in told["relatedParty"]:
            assert party.keys() >= {"id", "@type", "@referredType"}
        for note in told["note"]:
            assert note.keys() >= {"id", "text", "author", "date"}
    assert len({body["eventId"] for body in bodies}) == len(bodies)


def test_a_filter_lets_only_its_events_through(machines: Machines) -> None:
    made = _listen(machines, query=f"eventType={STATE_CHANGE}")
    assert made["query"] == f"eventType={STATE_CHANGE}"

    machines.deliver()

    assert {kind for kind, _ in _heard(machines)} == {STATE_CHANGE}


def test_a_listener_hears_nothing_of_the_orders_of_others(machines: Machines) -> None:
    _listen(machines, "crm2")

    machines.deliver()

    assert _heard(machines) == []


def test_a_listener_that_left_hears_nothing_more(machines: Machines) -> None:
    made = _listen(machines)

    assert machines.ask("DELETE", made["href"], "crm2").status_code == 404
    assert machines.ask("DELETE", made["href"]).status_code == 204
    assert machines.ask("DELETE", made["href"]).status_code == 404
    machines.deliver()

    assert _heard(machines) == []


def test_an_event_never_overtakes_an_earlier_one(machines: Machines) -> None:
    _listen(machines)
    machines.site.simulators.crm.fault("unavailable", times=1, operation="crm.event")

    machines.deliver()
    assert _heard(machines) == []
    for _ in range(6):
        machines.site.clock.advance(timedelta(minutes=1))
        machines.site.work()

    assert [state for _, state in _heard(machines)] == ["acknowledged", "inProgress", "completed"]


def test_an_answer_that_was_lost_is_no_second_event(machines: Machines) -> None:
    _listen(machines)
    machines.site.simulators.crm.fault("lost_answer", times=1, operation="crm.event")

    machines.deliver()
    for _ in range(6):
        machines.site.clock.advance(timedelta(minutes=1))
        machines.site.work()

    events = machines.site.simulators.crm.events()
    assert [e["body"]["event"]["serviceOrder"]["state"] for e in events] == [
        "acknowledged",
        "inProgress",
        "completed",
    ]
    assert [e["repeats"] for e in events] == [1, 0, 0]


def test_a_listener_that_is_away_is_tried_for_a_day_and_then_given_up(machines: Machines) -> None:
    _listen(machines, query="eventType=ServiceOrderCreateEvent")
    machines.site.simulators.crm.fault("unavailable", times=-1, operation="crm.event")
    order = machines.place()["id"]

    for _ in range(10):
        machines.site.work()
        machines.site.clock.advance(timedelta(minutes=5))
    (job,) = _callbacks(machines)
    assert (job.state, job.attempts) == ("ready", 0)
    assert job.due_at - machines.site.clock.now() <= timedelta(minutes=5)

    machines.site.clock.advance(timedelta(hours=24))
    machines.site.work()
    (job,) = _callbacks(machines)
    assert job.state == "incident"
    with machines.site.store.read() as db:
        told = db.scalars(select(Event).where(Event.kind == "CallbackGivenUp")).one()
    assert told.business_key == order


def test_a_listener_that_says_no_is_not_asked_again(machines: Machines) -> None:
    _listen(machines, query="eventType=ServiceOrderCreateEvent")
    machines.site.simulators.crm.fault("refuse", times=1, operation="crm.event")

    machines.place()
    machines.site.work()

    (job,) = _callbacks(machines)
    assert (job.state, job.error_code) == ("incident", "adapter.refused")


def test_the_delivery_goes_on_while_a_listener_is_away(machines: Machines) -> None:
    _listen(machines)
    machines.site.simulators.crm.fault("unavailable", times=-1, operation="crm.event")

    order = machines.deliver(an_order())

    assert machines.get(f"{V1}/orders/{order}")["state"] == "completed"


def test_only_addresses_that_the_operator_allows_are_called(machines: Machines) -> None:
    machines.token("crm")
    before = machines.rows()
    for callback in (
        "http://example.com/listener",
        "https://127.0.0.1@example.com/",
        "ftp://127.0.0.1/",
        "http://[::1/",
        "http://127.0.0.1\\@example.com/",
        "listener",
        "",
        7,
        None,
        "http://127.0.0.1/" + "x" * 600,
    ):
        answer = machines.post(HUB, {"callback": callback})

        assert answer.status_code == 400, callback
        assert answer.json is not None
        assert "callback" in answer.json["message"]
    assert machines.post(HUB, {}).status_code == 400
    assert machines.rows() == before


def test_a_filter_that_we_do_not_know_is_refused(machines: Machines) -> None:
    for query in ("eventType=Nonsense", "state=completed", "nonsense"):
        answer = machines.post(HUB, {"callback": "http://127.0.0.1/x", "query": query})

        assert answer.status_code == 400
        assert answer.json is not None
        assert "query" in answer.json["message"]
