"""Clocks of orders and tasks: when they start, what they take from a policy, how they end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.ports import ClosedTask
from engine.store import Store
from sla.clocks import Clocks, orders_of
from sla.model import SlaPolicy, SlaRung
from sla.policy import choose
from tests.integration.sla_parts import (
    START,
    a_step,
    an_instance,
    an_item,
    an_order,
    clocks,
    hours,
    opened_task,
    promise,
)


def test_an_order_is_promised_the_limit_of_its_policy(store: Store) -> None:
    with store.write() as session:
        promise(session, order_type="BB")
        order = an_order(session)
        Clocks().on_order_placed(session, order, START)
        assert order.expected_at == START + hours(48)
    with store.read() as session:
        (clock,) = clocks(session)
        assert (clock.state, clock.area, clock.label, clock.label_en) == (
            "running",
            "YT-E",
            "承诺 HOME48",
            "Promise HOME48",
        )
        rungs = session.execute(select(SlaRung.percent, SlaRung.due_at).order_by(SlaRung.percent)).all()
        assert [tuple(row) for row in rungs] == [
            (50, START + hours(24)),
            (80, START + hours(38.4)),
            (100, START + hours(48)),
        ]


def test_an_order_without_a_policy_has_no_clock_and_no_date(store: Store) -> None:
    with store.write() as session:
        promise(session, order_type="DL")
        order = an_order(session)
        Clocks().on_order_placed(session, order, START)
        assert order.expected_at is None
        assert clocks(session) == []


def test_a_newer_policy_does_not_move_a_running_clock(store: Store) -> None:
    with store.write() as session:
        promise(session, order_type="BB")
        Clocks().on_order_placed(session, an_order(session, 1), START)
        promise(session, "HOME24", limit=hours(24), order_type="BB", valid_from=START + hours(1))
        Clocks().on_order_placed(session, an_order(session, 2), START + hours(2))
    with store.read() as session:
        assert [clock.due_at for clock in clocks(session)] == [START + hours(48), START + hours(26)]


def test_a_task_with_a_policy_gets_a_due_time_and_one_without_gets_none(store: Store) -> None:
    with store.write() as session:
        promise(session, "VISIT", limit=hours(2), subject="task", process="broadband", element="construct")
        instance = an_item(session, an_order(session))
        limited, free = opened_task(7, "construct"), opened_task(8, "follow_up")
        Clocks().on_step(session, a_step(instance, START, opened=[limited, free]))
        assert (limited.due_at, free.due_at) == (START + hours(2), None)
        (clock,) = clocks(session)
        assert (clock.token_id, clock.element, clock.area, clock.label) == (
            7,
            "construct",
            "YT-E",
            "上门施工",
        )


def test_each_item_of_an_order_has_the_clocks_of_its_own_product(store: Store) -> None:
    with store.write() as session:
        promise(session, "LINE", limit=hours(2), subject="task", order_type="BB", product="BB-500")
        promise(session, "TV", limit=hours(3), subject="task", order_type="BB", product="TV-4K")
        order = an_order(session)
        line, tv = opened_task(7), opened_task(7)
        Clocks().on_step(session, a_step(an_item(session, order, "BB-500"), START, opened=[line]))
        Clocks().on_step(session, a_step(an_item(session, order, "TV-4K"), START, opened=[tv]))
        assert (line.due_at, tv.due_at) == (START + hours(2), START + hours(3))
        assert set(orders_of(session, clocks(session)).values()) == {order.id}


def test_an_instance_without_an_order_may_be_limited_too(store: Store) -> None:
    with store.write() as session:
        promise(session, "ANY", limit=hours(1), subject="task")
        task = opened_task()
        Clocks().on_step(session, a_step(an_instance(session, "check-1"), START, opened=[task]))
        assert task.due_at == START + hours(1)


@pytest.mark.parametrize(
    ("how", "after", "state"),
    [
        ("completed", hours(2), "met"),
        ("completed", hours(2) + timedelta(milliseconds=1), "breached"),
        ("cancelled", hours(1), "dropped"),
        ("cancelled", hours(3), "dropped"),
    ],
)
def test_a_task_clock_ends_with_its_task(store: Store, how: str, after: timedelta, state: str) -> None:
    with store.write() as session:
        promise(session, "VISIT", limit=hours(2), subject="task", element="construct")
        instance = an_item(session, an_order(session))
        Clocks().on_step(session, a_step(instance, START, opened=[opened_task(7)]))
        closed = ClosedTask(7, "construct", "cancelled" if how == "cancelled" else "completed")
        Clocks().on_step(session, a_step(instance, START + after, closed=[closed]))
    with store.read() as session:
        (clock,) = clocks(session)
        assert (clock.state, clock.ended_at) == (state, START + after)
        assert _unfired(session) == 0


@pytest.mark.parametrize(
    ("order_state", "after", "state"),
    [
        ("completed", hours(48), "met"),
        ("completed", hours(49), "breached"),
        ("failed", hours(49), "breached"),
        ("cancelled", hours(49), "dropped"),
        ("rejected", hours(0), "dropped"),
    ],
)
def test_an_order_clock_ends_with_its_order(
    store: Store, order_state: str, after: timedelta, state: str
) -> None:
    with store.write() as session:
        promise(session, order_type="BB")
        order = an_order(session)
        Clocks().on_order_placed(session, order, START)
        order.state = order_state
        Clocks().on_order_ended(session, order, START + after)
    with store.read() as session:
        (clock,) = clocks(session)
        assert (clock.state, clock.ended_at) == (state, START + after)
        assert _unfired(session) == 0


def test_telling_the_same_again_changes_nothing(store: Store) -> None:
    with store.write() as session:
        promise(session, order_type="BB")
        promise(session, "VISIT", limit=hours(2), subject="task", element="construct")
        order = an_order(session)
        instance = an_item(session, order)
    closed = ClosedTask(7, "construct", "completed")
    for later in (hours(0), hours(1)):
        with store.write() as session:
            Clocks().on_order_placed(session, order, START + later)
            task = opened_task(7)
            Clocks().on_step(session, a_step(instance, START + later, opened=[task]))
            assert task.due_at == START + hours(2)
    for later in (hours(1), hours(50)):
        with store.write() as session:
            Clocks().on_step(session, a_step(instance, START + later, closed=[closed]))
            Clocks().on_order_ended(session, order, START + later)
    with store.read() as session:
        assert [(c.state, c.ended_at) for c in clocks(session)] == [("met", START + hours(1))] * 2


def test_closing_a_task_that_never_had_a_clock_is_harmless(store: Store) -> None:
    with store.write() as session:
        instance = an_item(session, an_order(session))
        Clocks().on_step(session, a_step(instance, START, closed=[ClosedTask(9, "x", "completed")]))
        assert clocks(session) == []


def test_the_policy_that_matches_most_columns_wins_over_a_newer_general_one(store: Store) -> None:
    with store.write() as session:
        promise(session, "PRECISE", order_type="BB", product="BB-500")
        promise(session, "OLDER", order_type="BB")
        promise(session, "NEWER", order_type="BB", valid_from=START - hours(1))
        promise(session, "FUTURE", order_type="BB", product="BB-500", valid_from=START + hours(1))
        promise(session, "OTHER", order_type="BB", product="TV-4K")
        promise(session, "TASK", subject="task", order_type="BB", product="BB-500")
        assert _chosen(session, "BB-500") == "PRECISE"
        assert _chosen(session, "BB-300") == "NEWER"


def test_a_policy_is_valid_from_its_first_moment(store: Store) -> None:
    with store.write() as session:
        promise(session, "NOW", order_type="BB", valid_from=START)
        assert _chosen(session, "BB-500") == "NOW"
        assert _chosen(session, "BB-500", at=START - timedelta(milliseconds=1)) is None


def _chosen(session: Session, product: str, at: datetime = START) -> str | None:
    policy: SlaPolicy | None = choose(
        session, "order", order_type="BB", product=product, process=None, element=None, at=at
    )
    return policy.code if policy else None


def _unfired(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(SlaRung).where(SlaRung.fired_at.is_(None))) or 0
