"""Commands that wait for SQLite's writer share one commit, and nothing else."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.orders.model import NumberSeries
from engine.orders.numbering import next_serial
from engine.store import Store
from engine.store.group import GroupLost
from engine.store.hooks import after_commit

DAY = "20261122"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'x.db'}")
    with found.write() as session:
        NumberSeries.__table__.create(session.connection())  # type: ignore[attr-defined]
    yield found
    found.close()


def series(store: Store) -> dict[str, int]:
    with store.read() as session:
        return {row.prefix: row.last for row in session.scalars(select(NumberSeries))}


def together(store: Store, *works: Callable[[Session], Any]) -> list[Future[Any]]:
    """Calls all of them while the writer is busy, so that they are done in one transaction."""
    busy, go = threading.Event(), threading.Event()

    def hold(_: Session) -> None:
        busy.set()
        assert go.wait(30)

    with ThreadPoolExecutor(len(works) + 1) as pool:
        first = pool.submit(store.run, hold)
        assert busy.wait(30)
        found = []
        for n, work in enumerate(works, 1):
            found.append(pool.submit(store.run, work))
            while len(store._group._waiting) < n:  # type: ignore[union-attr]
                threading.Event().wait(0.001)
        go.set()
        first.result(30)
    return found


def test_commands_that_wait_share_one_transaction(store: Store) -> None:
    seen: list[dict[str, int]] = []

    def last(session: Session) -> int:
        seen.append(series(store))
        return next_serial(session, "C", DAY)

    done = together(store, lambda s: next_serial(s, "A", DAY), lambda s: next_serial(s, "B", DAY), last)
    assert [d.result() for d in done] == [1, 1, 1]
    assert seen == [{}]  # the last one ran before anything was committed
    assert series(store) == {"A": 1, "B": 1, "C": 1}


def test_one_that_fails_takes_back_its_own_changes_only(store: Store) -> None:
    told: list[str] = []

    def good(session: Session) -> int:
        after_commit(session, lambda: told.append("good"))
        return next_serial(session, "A", DAY)

    def bad(session: Session) -> None:
        after_commit(session, lambda: told.append("bad"))
        next_serial(session, "A", DAY)
        next_serial(session, "B", DAY)
        raise ValueError("no")

    one, two, three = together(store, good, bad, good)
    assert (one.result(), three.result()) == (1, 2)
    with pytest.raises(ValueError, match="no"):
        two.result()
    assert series(store) == {"A": 2}
    assert told == ["good", "good"]


def test_nobody_is_told_done_when_the_commit_fails(store: Store) -> None:
    told: list[str] = []

    def good(session: Session) -> int:
        after_commit(session, lambda: told.append("good"))
        return next_serial(session, "A", DAY)

    def ruin(session: Session) -> None:
        """As SQLite does by itself when the disk is full: the whole transaction is taken back."""
        driver: Any = session.connection().connection.driver_connection
        driver.execute("ROLLBACK")

    one, two = together(store, good, ruin)
    for failed in (one, two):
        with pytest.raises(Exception):  # noqa: B017, PT011
            failed.result()
    assert isinstance(one.exception(), GroupLost)
    assert (series(store), told) == ({}, [])
    assert store.run(good) == 1


def test_a_command_runs_in_the_context_of_whoever_asked(store: Store) -> None:
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who")

    def ask(name: str) -> str:
        who.set(name)
        return store.run(lambda _: who.get())

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, "abcdefgh")) == list("abcdefgh")


def test_many_threads_lose_nothing(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: store.run(lambda s: next_serial(s, "A", DAY)), range(200)))
    assert sorted(numbers) == list(range(1, 201))


def test_writing_outside_the_group_waits_its_turn(store: Store) -> None:
    def old_way(_: int) -> int:
        with store.write() as session:
            session.execute(text("SELECT 1"))
            return next_serial(session, "A", DAY)

    with ThreadPoolExecutor(4) as pool:
        one = [pool.submit(old_way, n) for n in range(40)]
        two = [pool.submit(store.run, lambda s: next_serial(s, "A", DAY)) for _ in range(40)]
        assert sorted(f.result() for f in one + two) == list(range(1, 81))
