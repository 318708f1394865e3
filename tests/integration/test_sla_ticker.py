"""The ticker keeps ticking: after a failure, after the wall clock was set, until it is told to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from queue import Queue

import apscheduler.schedulers.base
import pytest

from sla.ticker import Ticker, TickJob

PATIENCE = 20.0


class WallClock:
    """The machine's clock, which somebody may set."""

    def __init__(self) -> None:
        self.set_by = timedelta(0)

    def now(self, tz: tzinfo = UTC) -> datetime:
        return datetime.now(tz) + self.set_by

    def ticks_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def boot_id(self) -> str:
        return "boot"


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """APScheduler reads the same clock as we do."""
    clock = WallClock()

    class Datetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock.now(tz or UTC)

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Datetime)
    return clock


@contextmanager
def ticking(wall: WallClock, *jobs: TickJob) -> Iterator[threading.Thread]:
    stop = threading.Event()
    ticker = Ticker(jobs, wall, watch_seconds=0.05)
    thread = threading.Thread(target=ticker.run, args=(stop,))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def beating(seconds: float = 0.05) -> tuple[TickJob, Queue[None]]:
    beats: Queue[None] = Queue()
    return TickJob("beat", seconds, lambda: beats.put(None)), beats


def expect(beats: Queue[None], count: int) -> None:
    for _ in range(count):
        beats.get(timeout=PATIENCE)


def test_the_first_tick_comes_at_once(wall: WallClock) -> None:
    job, beats = beating(seconds=3600)
    with ticking(wall, job):
        expect(beats, 1)


def test_each_job_has_its_own_rhythm(wall: WallClock) -> None:
    fast, fast_beats = beating()
    slow, slow_beats = beating(seconds=3600)
    with ticking(wall, fast, slow):
        expect(slow_beats, 1)
        expect(fast_beats, 5)
    assert slow_beats.empty()


@pytest.mark.parametrize("by", [timedelta(hours=-1), timedelta(days=-400), timedelta(days=20_000)])
def test_it_keeps_ticking_when_the_wall_clock_is_set(
    wall: WallClock, by: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    job, beats = beating()
    with ticking(wall, job):
        expect(beats, 3)
        wall.set_by = by
        expect(beats, 10)
    (jumped,) = [record for record in caplog.records if record.message == "clock.jumped"]
    assert abs(getattr(jumped, "seconds") - by.total_seconds()) < 2  # noqa: B009 - an extra of the record


def test_a_tick_that_fails_is_logged_once_and_the_next_one_comes(
    wall: WallClock, caplog: pytest.LogCaptureFixture
) -> None:
    beats: Queue[int] = Queue()
    calls = iter(range(1_000_000))

    def run() -> None:
        count = next(calls)
        beats.put(count)
        if count == 0:
            raise OSError("the database is gone")

    with ticking(wall, TickJob("sweep", 0.05, run)):
        assert [beats.get(timeout=PATIENCE) for _ in range(3)] == [0, 1, 2]
    (failure,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert failure.message == "tick.failed"
    assert failure.exc_info is not None


def test_stopping_waits_for_the_tick_that_is_running(wall: WallClock) -> None:
    entered, leave, left = threading.Event(), threading.Event(), threading.Event()

    def run() -> None:
        entered.set()
        leave.wait(PATIENCE)
        left.set()

    stop = threading.Event()
    thread = threading.Thread(
        target=Ticker([TickJob("long", 3600, run)], wall, watch_seconds=0.05).run, args=(stop,)
    )
    thread.start()
    assert entered.wait(PATIENCE)
    stop.set()
    assert thread.is_alive()
    leave.set()
    thread.join(PATIENCE)
    assert left.is_set()
    assert not thread.is_alive()
