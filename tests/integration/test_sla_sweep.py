"""Rungs: each fires once, whoever sweeps and however often, and tells the people who have to know."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.events import Event
from engine.identity.model import InboxMessage
from engine.orders.model import ServiceOrder
from engine.ports import ClosedTask
from engine.store import Store
from engine.testing import FakeClock
from sla.clocks import Clocks
from sla.sweep import Sweep, is_due
from sla.ticker import sweep_job
from tests.integration.sla_parts import (
    START,
    Duty,
    a_step,
    an_item,
    an_order,
    clocks,
    hire,
    history,
    hours,
    opened_task,
    promise,
    told,
)

ROOT = Path(__file__).resolve().parents[2]
ONE_PROCESS = """
import sys
from datetime import datetime
from engine.store import Store
from sla.sweep import Sweep
from tests.integration.sla_parts import Duty

store, now = Store(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
sys.stdin.readline()
while True:
    with store.write() as session:
        if not Sweep(Duty()).sweep(session, now, limit=5):
            break
"""


def test_a_48_hour_order_warns_at_24_and_38_4_hours_and_is_late_at_48(store: Store) -> None:
    _place(store)
    clock = FakeClock(START)
    seen: list[tuple[timedelta, str, object]] = []
    for _ in range(50 * 60 // 6):
        clock.advance(timedelta(minutes=6))
        _sweep(store, clock.now())
        with store.read() as session:
            seen += [(clock.now() - START, *entry) for entry in history(session)[len(seen) :]]
    assert seen == [
        (hours(24), "SlaWarned", 50),
        (hours(38.4), "SlaWarned", 80),
        (hours(48), "SlaBreached", 100),
    ]
    with store.read() as session:
        assert told(session) == [
            (1, "sla.warning", "warn", 50),
            (8, "sla.warning", "warn", 80),
            (9, "sla.warning", "warn", 80),
            (8, "sla.breach", "late", 100),
            (9, "sla.breach", "late", 100),
        ]


def test_a_rung_fires_neither_a_millisecond_early_nor_twice(store: Store) -> None:
    _place(store)
    assert _sweep(store, START + hours(24) - timedelta(milliseconds=1)) == 0
    assert _sweep(store, START + hours(24)) == 1
    assert _sweep(store, START + hours(24)) == 0
    with store.read() as session:
        assert clocks(session)[0].level == 50


def test_a_message_and_an_event_say_what_is_late_and_until_when(store: Store) -> None:
    _place(store)
    _sweep(store, START + hours(48))
    with store.read() as session:
        message = session.scalars(select(InboxMessage)).first()
        event = session.scalars(select(Event).where(Event.kind == "SlaBreached")).one()
    assert message is not None
    assert message.facts == {
        "order": "BB-20261122-000123",
        "area": "YT-E",
        "element": None,
        "subject": "order",
        "percent": 100,
        "due": "2026-11-24T01:12:00+00:00",
        "label": "承诺 HOME48",
        "label_en": "Promise HOME48",
    }
    assert (event.business_key, event.actor) == ("BB-20261122-000123", "sla")
    assert event.data["due"] == "2026-11-24T01:12:00+00:00"
    assert event.data["priority"] is True


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_of_three_rungs_overdue_at_once_all_fire_but_only_the_highest_tells(store: Store, limit: int) -> None:
    _place(store)
    assert _sweep(store, START + hours(60), limit) == 3
    assert _sweep(store, START + hours(61), limit) == 0
    with store.read() as session:
        assert history(session) == [("SlaWarned", 50), ("SlaWarned", 80), ("SlaBreached", 100)]
        assert told(session) == [(8, "sla.breach", "late", 100), (9, "sla.breach", "late", 100)]
        assert clocks(session)[0].level == 100


def test_a_rung_beyond_the_limit_fires_on_the_late_order(store: Store) -> None:
    _place(store, rungs=(100, 150))
    _sweep(store, START + hours(48))
    _sweep(store, START + hours(72))
    with store.read() as session:
        assert history(session) == [("SlaBreached", 100), ("SlaBreached", 150)]
        assert clocks(session)[0].level == 150


def test_a_sweep_that_is_killed_before_its_commit_is_done_again(store: Store) -> None:
    _place(store)
    with pytest.raises(KeyboardInterrupt):
        _sweep_and_die(store, START + hours(24))
    assert _sweep(store, START + hours(24)) == 1
    with store.read() as session:
        assert (history(session), len(told(session))) == ([("SlaWarned", 50)], 1)


def test_two_processes_together_fire_each_rung_once(store: Store, database_url: str) -> None:
    with store.write() as session:
        hire(session)
        promise(session, order_type="BB")
        for number in range(40):
            Clocks().on_order_placed(session, an_order(session, number), START)
    now = (START + hours(40)).isoformat()
    command = [sys.executable, "-c", ONE_PROCESS, database_url, now]
    both = [subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) for _ in range(2)]
    for process in both:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    with store.read() as session:
        assert sorted(history(session)) == [("SlaWarned", 50)] * 40 + [("SlaWarned", 80)] * 40
        assert len(told(session)) == 80


def test_an_order_that_ended_does_not_fire_any_more(store: Store) -> None:
    order = _place(store)
    with store.write() as session:
        order = session.get_one(ServiceOrder, order.id)
        order.state = "completed"
        Clocks().on_order_ended(session, order, START + hours(23))
    assert _sweep(store, START + hours(60)) == 0
    with store.read() as session:
        assert (history(session), told(session)) == ([], [])


def test_a_task_tells_its_holder_at_half_time_and_is_quiet_when_done(store: Store) -> None:
    with store.write() as session:
        hire(session)
        promise(session, "VISIT", limit=hours(2), subject="task", element="construct")
        instance = an_item(session, an_order(session))
        Clocks().on_step(session, a_step(instance, START, opened=[opened_task(7)]))
    assert _sweep(store, START + hours(1)) == 1
    with store.write() as session:
        closed = ClosedTask(7, "construct", "completed")
        Clocks().on_step(session, a_step(instance, START + hours(1.5), closed=[closed]))
    assert _sweep(store, START + hours(5)) == 0
    with store.read() as session:
        event = session.scalars(select(Event).where(Event.kind == "SlaWarned")).one()
        assert (event.instance_id, event.element, event.data["label"]) == (
            instance.id,
            "construct",
            "上门施工",
        )
        assert told(session) == [(1, "sla.warning", "warn", 50)]


def test_news_of_a_later_item_names_its_order(store: Store) -> None:
    with store.write() as session:
        hire(session)
        promise(session, "VISIT", limit=hours(2), subject="task")
        order = an_order(session)
        an_item(session, order)
        second = an_item(session, order, "TV-4K")
        Clocks().on_step(session, a_step(second, START, opened=[opened_task(7)]))
    _sweep(store, START + hours(2))
    with store.read() as session:
        event = session.scalars(select(Event).where(Event.kind == "SlaBreached")).one()
        assert (event.business_key, event.instance_id) == (order.id, second.id)
        assert {m.facts["order"] for m in session.scalars(select(InboxMessage))} == {order.id}


@pytest.mark.postgresql  # SQLite has one writer at a time
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_sweep_does_not_wait_for_a_clock_that_is_just_being_ended(store: Store) -> None:
    order_id = _place(store).id
    with store.write() as ending:
        order = ending.get_one(ServiceOrder, order_id)
        order.state = "completed"
        Clocks().on_order_ended(ending, order, START + hours(30))
        ending.flush()
        assert _sweep(store, START + hours(30)) == 0
    assert _sweep(store, START + hours(30)) == 0
    with store.read() as session:
        assert history(session) == []


def test_the_tick_fires_a_backlog_in_batches(store: Store) -> None:
    with store.write() as session:
        hire(session)
        promise(session, order_type="BB")
        for number in range(7):
            Clocks().on_order_placed(session, an_order(session, number), START)
    sweep_job(store, Sweep(Duty()), FakeClock(START + hours(60)), 5, limit=6).run()
    with store.read() as session:
        assert len(history(session)) == 21
        assert not is_due(session, START + hours(60))


def test_an_idle_tick_does_not_wait_for_a_writer(store: Store) -> None:
    _place(store)
    with store.write() as writer:
        promise(writer, "OTHER", order_type="DL")
        sweep_job(store, Sweep(Duty()), FakeClock(START), 5).run()


def _place(store: Store, rungs: tuple[int, ...] = (50, 80, 100)) -> ServiceOrder:
    with store.write() as session:
        hire(session)
        promise(session, order_type="BB", rungs=rungs)
        order = an_order(session)
        Clocks().on_order_placed(session, order, START)
    return order


def _sweep(store: Store, now: datetime, limit: int = 500) -> int:
    with store.write() as session:
        return Sweep(Duty()).sweep(session, now, limit)


def _sweep_and_die(store: Store, now: datetime) -> None:
    with store.write() as session:
        Sweep(Duty()).sweep(session, now)
        raise KeyboardInterrupt
