"""TMF641: milestones, jeopardy and questions, in the order and as events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.orders.model import ServiceOrder
from engine.store import Store
from tests.listening import asks, heard, listen
from tests.machines import CANCEL, ORDERS, V1, Machines, an_order, running_machines

BROADBAND = ["accepted", "resourceReserved", "onSite", "activated", "tested", "closed"]


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def told(machines: Machines) -> list[dict[str, Any]]:
    return [event["event"]["serviceOrder"] for event in heard(machines)]


# ---- milestones


def test_an_order_names_every_milestone_with_its_time_and_item(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    machines.site.clock.advance(timedelta(hours=5))
    assert machines.complete(machines.task(order)["id"]).status_code == 200
    machines.site.work()

    reached = machines.get(f"{ORDERS}/{order}")["milestone"]

    assert [m["name"] for m in reached] == BROADBAND
    assert [m["milestoneDate"][:16] for m in reached] == ["2026-11-22T01:12"] * 2 + ["2026-11-22T06:12"] * 4
    for milestone in reached:
        assert milestone["status"] == "completed"
        (item,) = milestone["serviceOrderItem"]
        assert (item["itemId"], item["serviceOrderId"]) == ("1", order)
    assert len({m["id"] for m in reached}) == len(reached)
    (listed,) = machines.get(f"{ORDERS}?fields=milestone.name")
    assert [m["name"] for m in listed["milestone"]] == BROADBAND


def test_each_line_of_an_order_has_milestones_of_its_own(machines: Machines) -> None:
    body = an_order()
    body["serviceOrderItem"].append(body["serviceOrderItem"][0] | {"id": "2"})
    order = machines.place(body)["id"]
    machines.site.work()

    reached = machines.get(f"{ORDERS}/{order}")["milestone"]

    pairs = sorted((m["serviceOrderItem"][0]["itemId"], m["name"]) for m in reached)
    assert pairs == [(n, name) for n in "12" for name in ("accepted", "resourceReserved")]


def test_a_listener_hears_of_one_milestone_at_a_time_in_order(machines: Machines) -> None:
    listen(machines, "ServiceOrderMilestoneEvent")

    machines.deliver()

    assert [[m["name"] for m in order["milestone"]] for order in told(machines)] == [[n] for n in BROADBAND]
    assert len({event["eventId"] for event in heard(machines)}) == len(BROADBAND)


def test_milestones_and_states_reach_a_listener_in_the_order_in_which_they_happened(
    machines: Machines,
) -> None:
    listen(machines)

    machines.deliver()

    events = [(event["eventType"], event["event"]["serviceOrder"]["state"]) for event in heard(machines)]
    versions = [int(event["eventId"].split(":")[1]) for event in heard(machines)]
    assert versions == sorted(set(versions))
    assert events[0] == ("ServiceOrderCreateEvent", "acknowledged")
    assert events[-1] == ("ServiceOrderStateChangeEvent", "completed")
    assert [kind for kind, _ in events].count("ServiceOrderMilestoneEvent") == len(BROADBAND)


def test_a_step_that_is_rolled_back_leaves_no_milestone(machines: Machines) -> None:
    machines.site.simulators.aaa.fault("refuse", times=-1, operation="aaa.subscriber.open")
    order = machines.place()["id"]
    machines.site.work()
    machines.complete(machines.task(order)["id"])
    machines.site.work()

    shown = machines.get(f"{ORDERS}/{order}")

    assert "activated" not in [m["name"] for m in shown["milestone"]]


# ---- jeopardy


def test_a_date_in_danger_and_a_date_that_has_passed_are_alerts_once_each(machines: Machines) -> None:
    listen(machines, "ServiceOrderJeopardyEvent")
    order = machines.place()["id"]
    machines.site.work()
    assert "jeopardyAlert" not in machines.get(f"{ORDERS}/{order}")

    for hours in (25, 14, 1, 9, 1):  # 25, 39, 40, 49, 50 of 48
        machines.site.clock.advance(timedelta(hours=hours))
        machines.site.sweep()
        machines.site.sweep()
        machines.site.work()

    alerts = machines.get(f"{ORDERS}/{order}")["jeopardyAlert"]
    assert [a["jeopardyType"] for a in alerts] == ["Hazard", "Critical"]
    assert [a["alertDate"] for a in alerts] == ["2026-11-23T16:12:00.000Z", "2026-11-24T02:12:00.000Z"]
    assert "2026-11-24T01:12:00.000Z" in alerts[0]["message"]
    assert [[a["jeopardyType"] for a in o["jeopardyAlert"]] for o in told(machines)] == [
        ["Hazard"],
        ["Critical"],
    ]


def test_an_order_that_ended_before_its_alert_was_written_gets_none(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    machines.site.clock.advance(timedelta(hours=40))
    machines.site.sweep()
    with machines.site.store.write() as db:
        db.get_one(ServiceOrder, order).state = "completed"
    machines.site.work()

    assert "jeopardyAlert" not in machines.get(f"{ORDERS}/{order}")


# ---- questions


def test_an_order_that_waits_for_its_sender_is_pending_and_names_the_field(machines: Machines) -> None:
    asks(machines, "serviceOrderItem[0].service.place")
    listen(machines)
    order = machines.place()["id"]
    machines.site.work()

    shown = machines.get(f"{ORDERS}/{order}")

    assert (shown["state"], shown["serviceOrderItem"][0]["state"]) == ("pending", "pending")
    (named,) = shown["errorMessage"]
    assert (named["code"], named["message"]) == ("informationRequired", "serviceOrderItem[0].service.place")
    last = heard(machines)[-1]
    assert last["eventType"] == "ServiceOrderInformationRequiredEvent"
    assert last["fieldPath"] == "serviceOrderItem[0].service.place"
    assert last["event"]["serviceOrder"]["state"] == "pending"
    timeline = machines.get(f"{V1}/orders/{order}/timeline", "operator")["items"]
    (event,) = [e for e in timeline if e["kind"] == "InformationAsked"]
    assert event["data"] == {"field": "serviceOrderItem[0].service.place"}

    machines.complete(machines.task(order)["id"])
    machines.site.work()
    shown = machines.get(f"{ORDERS}/{order}")
    assert (shown["state"], "errorMessage" in shown) == ("completed", False)
    states = [e["event"]["serviceOrder"]["state"] for e in heard(machines) if "StateChange" in e["eventType"]]
    assert states == ["inProgress", "pending", "inProgress", "completed"]


def test_one_line_that_waits_makes_the_order_pending_until_it_goes_on(machines: Machines) -> None:
    asks(machines, "note")
    body = an_order()
    body["serviceOrderItem"].append(body["serviceOrderItem"][0] | {"id": "2"})
    order = machines.place(body)["id"]
    machines.site.work()
    machines.complete(machines.task(order)["id"])
    machines.site.work()

    shown = machines.get(f"{ORDERS}/{order}")

    assert shown["state"] == "pending"
    assert sorted(item["state"] for item in shown["serviceOrderItem"]) == ["completed", "pending"]
    assert len(shown["errorMessage"]) == 1


def test_a_pending_order_is_cancelled(machines: Machines) -> None:
    asks(machines, "note")
    order = machines.place()["id"]
    machines.site.work()

    machines.post(CANCEL, {"serviceOrder": {"id": order}})
    machines.site.work()

    shown = machines.get(f"{ORDERS}/{order}")
    assert (shown["state"], "errorMessage" in shown) == ("cancelled", False)
