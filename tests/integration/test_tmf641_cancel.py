"""TMF641 cancelServiceOrder: before and after the point of no return, and who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.resources.model import Resource
from engine.store import Store
from tests.listening import heard, listen
from tests.machines import CANCEL, HUB, ORDERS, V1, Machines, an_order, running_machines


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def _wish(order: str) -> dict[str, object]:
    return {"serviceOrder": {"id": order}, "cancellationReason": "客户改变主意"}


def _taken_ports(machines: Machines) -> int:
    with machines.site.store.read() as db:
        return len(
            db.scalars(select(Resource).where(Resource.kind == "port", Resource.state != "free")).all()
        )


def test_an_order_is_cancelled_before_the_point_of_no_return(machines: Machines) -> None:
    machines.post(HUB, {"callback": f"{machines.site.simulators.crm_url}/listener"})
    order = machines.place()["id"]
    machines.site.work()
    assert _taken_ports(machines) == 1

    answer = machines.post(CANCEL, _wish(order))

    assert answer.status_code == 201, answer.text
    wish = answer.json
    assert wish is not None
    assert answer.headers["Location"] == wish["href"]
    assert (wish["state"], wish["serviceOrder"]["id"]) == ("inProgress", order)
    assert wish["cancellationReason"] == "客户改变主意"
    assert machines.get(f"{ORDERS}/{order}")["state"] == "pendingCancellation"

    machines.site.work()
    done = machines.get(wish["href"])
    assert (done["state"], done["effectiveCancellationDate"]) == ("done", "2026-11-22T01:12:00.000Z")
    shown = machines.get(f"{ORDERS}/{order}")
    assert (shown["state"], shown["cancellationDate"]) == ("cancelled", "2026-11-22T01:12:00.000Z")
    assert shown["serviceOrderItem"][0]["state"] == "cancelled"
    assert _taken_ports(machines) == 0
    assert machines.get(f"{V1}/tasks?order={order}", "crew-e1")["items"] == []


def _told(machines: Machines) -> list[tuple[str, str]]:
    """Whose state changed, the order's or the wish's, and to what."""
    return [
        (name, resource["state"])
        for event in heard(machines)
        if event["eventType"] != "ServiceOrderMilestoneEvent"
        for name, resource in event["event"].items()
    ]


def test_a_listener_hears_of_a_cancellation_in_states_that_the_standard_draws(machines: Machines) -> None:
    listen(machines)
    order = machines.place()["id"]
    machines.site.work()
    machines.post(CANCEL, _wish(order))
    machines.site.work()

    assert _told(machines) == [
        ("serviceOrder", "acknowledged"),
        ("serviceOrder", "inProgress"),
        ("cancelServiceOrder", "accepted"),
        ("serviceOrder", "assessingCancellation"),
        ("cancelServiceOrder", "inProgress"),
        ("serviceOrder", "pendingCancellation"),
        ("serviceOrder", "cancelled"),
        ("cancelServiceOrder", "done"),
    ]
    last = heard(machines)[-1]
    assert last["eventType"] == "CancelServiceOrderStateChangeEvent"
    assert last["event"]["cancelServiceOrder"]["serviceOrder"]["id"] == order
    assert last["event"]["cancelServiceOrder"]["effectiveCancellationDate"] == "2026-11-22T01:12:00.000Z"


def test_a_listener_hears_why_a_wish_came_too_late(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    machines.site.simulators.crm.fault("unavailable", times=-1, operation="crm.order.report")
    machines.complete(machines.task(order)["id"])
    machines.site.work()
    listen(machines)

    machines.post(CANCEL, _wish(order))
    machines.site.work()

    assert _told(machines) == [
        ("cancelServiceOrder", "accepted"),
        ("serviceOrder", "assessingCancellation"),
        ("cancelServiceOrder", "inProgress"),
        ("cancelServiceOrder", "terminatedWithError"),
        ("serviceOrder", "inProgress"),
    ]
    wish = heard(machines)[3]["event"]["cancelServiceOrder"]
    assert "point up to which" in wish["errorMessage"]["message"]


def test_an_order_that_has_not_made_its_first_step_is_cancelled(machines: Machines) -> None:
    order = machines.place()["id"]

    wish = machines.post(CANCEL, _wish(order)).json
    machines.site.work()

    assert wish is not None
    assert machines.get(wish["href"])["state"] == "done"
    assert machines.get(f"{ORDERS}/{order}")["state"] == "cancelled"


def test_past_the_point_of_no_return_the_wish_ends_with_the_reason(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    machines.site.simulators.crm.fault("unavailable", times=-1, operation="crm.order.report")
    machines.complete(machines.task(order)["id"])
    machines.site.work()
    assert machines.get(f"{ORDERS}/{order}")["state"] == "inProgress"

    answer = machines.post(CANCEL, _wish(order))

    assert answer.status_code == 201
    wish = machines.get(answer.headers["Location"])
    assert wish["state"] == "terminatedWithError"
    assert wish["errorMessage"]["code"] == "order.not_cancellable"
    assert machines.get(f"{ORDERS}/{order}")["state"] == "inProgress"


def test_a_finished_order_cannot_be_cancelled(machines: Machines) -> None:
    order = machines.deliver()
    before = machines.rows()

    answer = machines.post(CANCEL, _wish(order))

    assert answer.status_code == 409
    assert machines.rows() == before


def test_a_second_wish_while_the_first_is_at_work_is_a_conflict(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    machines.post(CANCEL, _wish(order))
    before = machines.rows()

    assert machines.post(CANCEL, _wish(order)).status_code == 409
    assert machines.rows() == before


def test_a_wish_that_names_no_order_of_ours_is_refused(machines: Machines) -> None:
    machines.token("crm")
    before = machines.rows()
    for body, named in (
        (_wish("BB-1"), "serviceOrder.id"),
        ({}, "serviceOrder"),
        ({"serviceOrder": {}}, "serviceOrder.id"),
        ({"serviceOrder": "BB-1"}, "serviceOrder"),
        ({"serviceOrder": {"id": "x"}, "cancellationReason": 5}, "cancellationReason"),
    ):
        answer = machines.post(CANCEL, body)

        assert answer.status_code == 400, body
        assert answer.json is not None
        assert named in answer.json["message"]
    assert machines.rows() == before


def test_wishes_are_listed_and_filtered(machines: Machines) -> None:
    orders = [machines.place(an_order(f"C-{n}"))["id"] for n in range(3)]
    for order in orders:
        machines.post(CANCEL, _wish(order))
    machines.site.work()

    page = machines.ask("GET", f"{CANCEL}?limit=2&fields=id,serviceOrder.id")
    assert [one["serviceOrder"]["id"] for one in page.json] == [orders[2], orders[1]]  # type: ignore[union-attr]
    assert page.headers["X-Total-Count"] == "3"
    (one,) = machines.get(f"{CANCEL}?serviceOrder.id={orders[0]}&state=done")
    assert one["serviceOrder"]["id"] == orders[0]
    assert machines.get(f"{CANCEL}?state=accepted") == []
    assert machines.ask("GET", f"{CANCEL}?reason=x").status_code == 400


def test_a_crm_neither_sees_nor_touches_the_orders_of_another(machines: Machines) -> None:
    order = machines.place()["id"]
    wish = machines.post(CANCEL, _wish(order)).json
    assert wish is not None

    assert machines.get(ORDERS, "crm2") == []
    assert machines.get(CANCEL, "crm2") == []
    assert machines.ask("GET", f"{ORDERS}/{order}", "crm2").status_code == 404
    assert machines.ask("GET", wish["href"], "crm2").status_code == 404
    assert machines.ask("GET", f"{V1}/orders/{order}", "crm2").status_code == 404
    assert machines.ask("GET", f"{V1}/orders/{order}/timeline", "crm2").status_code == 404
    assert machines.post(CANCEL, _wish(order), "crm2").status_code == 400
    note = {"note": [{"text": "x"}]}
    assert machines.ask("PATCH", f"{ORDERS}/{order}", "crm2", json=note).status_code == 404
    assert machines.post(f"{V1}/orders/{order}/cancel", {}, "crm2").status_code == 404
    assert machines.get(f"{ORDERS}?externalId=CRM-1", "crm2") == []
