"""Orders over the kernel: an order with several items is cancelled whole or not at all, and its state follows its items."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError

from engine.orders.cancel import NotCancellable, request_cancel
from engine.orders.model import CancelRequest, OrderItem, ServiceOrder
from engine.orders.states import OrderStates, state_of_order
from engine.store import Store
from tests.bpmn_xml import end, flows, on_message, on_timer, service, start, sub, user
from tests.command_parts import Site

ORDER = "BB-20261122-000001"


@pytest.fixture
def site(store: Store) -> Site:
    """Up to the end of the sub-process an item may be cancelled."""
    inside = start("is"), user("early"), end("ie"), flows("is early ie")
    body = start(), sub("S", *inside), on_message("c", "S", "cancel"), user("late"), end("e")
    ending = end("stopped", _outcome="cancelled"), flows("s S late e", "c stopped")
    return Site(store, *body, *ending, listeners=(OrderStates([]),))


def place(site: Site, items: int) -> None:
    with site.store.write() as session:
        session.add(
            ServiceOrder(
                id=ORDER, source="crm", order_type="BB", state="acknowledged", product="P", tier="NORMAL",
                area="YT-E", customer="王", phone="1", address="x", document={}, placed_at=site.now,
            )
        )  # fmt: skip
        session.flush()
        for n in range(items):
            key = ORDER if n == 0 else f"{ORDER}.{n + 1}"
            row = site.kernel.start(
                session, site.definition_id, key, {}, at=site.now, actor="crm", order_id=ORDER
            )
            session.add(
                OrderItem(
                    order_id=ORDER, item_id=str(n), position=n, action="add", product="P",
                    state="acknowledged", instance_id=row.id,
                )
            )  # fmt: skip


def cancel(site: Site) -> CancelRequest:
    with site.store.write() as session:
        request = request_cancel(
            session, session.get_one(ServiceOrder, ORDER), site.kernel, OrderStates([]),
            reason="moved", document={}, at=site.now, zone=ZoneInfo("Asia/Shanghai"), actor="crm",
        )  # fmt: skip
    site.check()
    return request


def order(site: Site) -> ServiceOrder:
    (row,) = site.rows(ServiceOrder)
    return row  # type: ignore[no-any-return]


def complete(site: Site, element: str, item: int) -> None:
    """Completes a task of the n-th item."""
    (row,) = site.rows(OrderItem, OrderItem.position == item)
    (task,) = [t for t in site.tasks_of(row.instance_id) if t.element == element]
    with site.store.write() as session:
        site.kernel.complete_task(session, row.instance_id, task.token_id, {}, at=site.now, actor="li")
    site.check()


def test_an_order_is_cancelled_when_every_item_still_can_be(site: Site) -> None:
    place(site, 2)
    request = cancel(site)
    assert (request.state, order(site).state) == ("done", "cancelled")
    assert {i.state for i in site.rows(OrderItem)} == {"cancelled"}


def test_one_item_past_the_point_keeps_the_whole_order_going(site: Site) -> None:
    place(site, 2)
    complete(site, "early", 1)
    request = cancel(site)
    assert request.state == "terminatedWithError"
    assert request.message
    assert order(site).state == "inProgress"
    assert sorted(t for t in site.open_tasks()) == ["early", "late"]  # no item was told to stop


def test_a_finished_item_does_not_hold_up_the_cancelling_of_the_others(site: Site) -> None:
    place(site, 2)
    complete(site, "early", 1)
    complete(site, "late", 1)
    assert (
        cancel(site).state == "terminatedWithError"
    )  # the order as a whole was not cancelled, one part of it was
    assert order(site).state == "partial"


def test_an_order_that_has_ended_cannot_be_cancelled(site: Site) -> None:
    place(site, 1)
    cancel(site)
    with pytest.raises(NotCancellable):
        cancel(site)


def test_an_incident_holds_the_order_and_its_end_lets_it_go_on(store: Store) -> None:
    site = Site(
        store, start(), service("v"), on_timer("b", "v", "PT1H"), user("u"), end(), flows("s v e", "b u e"),
        listeners=(OrderStates([]),),
    )  # fmt: skip
    place(site, 1)
    (item,) = site.rows(OrderItem)
    site.instance_id = item.instance_id
    site.give_up("v")
    assert order(site).state == "held"
    site.pass_time(timedelta(hours=2))
    assert order(site).state == "inProgress"


@pytest.mark.parametrize(
    ("items", "before", "after"),
    [
        (["completed", "completed"], "inProgress", "completed"),
        (["completed", "failed"], "inProgress", "partial"),
        (["completed", "acknowledged"], "acknowledged", "inProgress"),
        (["held", "completed"], "inProgress", "held"),
        (["pending", "inProgress"], "inProgress", "pending"),
        (["acknowledged"], "acknowledged", "acknowledged"),
        (["inProgress"], "assessingCancellation", "assessingCancellation"),
        (["cancelled"], "pendingCancellation", "cancelled"),
    ],
)
def test_the_state_of_an_order_follows_its_items(items: list[str], before: str, after: str) -> None:
    assert state_of_order(items, before) == after


def test_two_instances_with_one_key_never_share_a_job(store: Store) -> None:
    site = Site(store, start(), service("v"), end(), flows("s v e"))
    site.start(key="K-1")
    with pytest.raises(IntegrityError):
        site.start(key="K-1")
    site.check()
