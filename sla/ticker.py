"""The ticker: calls the sweep and housekeeping again and again. It owns no deadline, so nothing is lost when it stops.

APScheduler only counts the seconds (docs/reference/sla.md says why no more). It computes with the machine's wall clock
and stands still when that clock is set back; the watchdog compares it with a clock that only counts forward.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.store import Store
from sla.sweep import Sweep, is_due

log = logging.getLogger(__name__)

_JUMP = timedelta(seconds=2)
_WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class TickJob:
    """Something to be called every so many seconds; the name is for the log."""

    name: str
    seconds: float
    run: Callable[[], object]


def sweep_job(
    store: Store,
    sweep: Sweep,
    clock: Clock,
    seconds: float,
    *,
    limit: int = 500,
    stopping: Callable[[], bool] = lambda: False,
) -> TickJob:
    """The job that fires the warnings that are due."""
    batches = Batches("sla.sweep", is_due, sweep.sweep)
    return batch_job(store, batches, clock, seconds, limit=limit, stopping=stopping)


@dataclass(frozen=True, slots=True)
class Batches:
    """Work on deadlines that are rows: a look, and a batch that says how many it did (fewer than asked: all done)."""

    name: str
    is_due: Callable[[Session, datetime], bool]
    sweep: Callable[[Session, datetime, int], int]


def batch_job(
    store: Store,
    batches: Batches,
    clock: Clock,
    seconds: float,
    *,
    limit: int = 500,
    stopping: Callable[[], bool] = lambda: False,
) -> TickJob:
    """One transaction per batch, until nothing is left or `stopping` says so.

    It looks before it writes: an idle ticker never takes the write lock of SQLite.
    """

    def run() -> None:
        with store.read() as session:
            if not batches.is_due(session, clock.now()):
                return
        while not stopping():
            with store.write() as session:
                done = batches.sweep(session, clock.now(), limit)
            if done < limit:
                return

    return TickJob(batches.name, seconds, run)


class Ticker:
    """Runs jobs in turn with their own rhythm, each at most once at a time, whatever the wall clock does."""

    def __init__(
        self, jobs: Sequence[TickJob], clock: Clock, *, watch_seconds: float = _WATCH_SECONDS
    ) -> None:
        self._jobs = tuple(jobs)
        self._clock = clock
        self._watch_seconds = watch_seconds

    def run(self, stop: threading.Event) -> None:
        """Blocks until `stop` is set, then lets running jobs finish. Can be called again afterwards."""
        scheduler = self._scheduler()
        watchdog = threading.Thread(target=self._watch, args=(scheduler, stop), name="clock-watchdog")
        scheduler.start()
        watchdog.start()
        try:
            stop.wait()
        finally:
            stop.set()
            watchdog.join()
            scheduler.shutdown(wait=True)

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        for job in self._jobs:
            scheduler.add_job(
                _guarded, _Every(job.seconds), args=(job,), name=job.name, next_run_time=self._clock.now()
            )
        return scheduler

    def _watch(self, scheduler: BackgroundScheduler, stop: threading.Event) -> None:
        watch = ClockWatch(self._clock)
        while not stop.wait(self._watch_seconds):
            jump = watch.jump()
            if abs(jump) > _JUMP:
                log.warning("clock.jumped", extra={"seconds": jump.total_seconds()})
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=self._clock.now())


class ClockWatch:
    """Finds out by how much the wall clock was set, by comparing it with ticks that only count forward."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._ticks = clock.now(), clock.ticks_ms()

    def jump(self) -> timedelta:
        """What the wall clock gained (or lost, if negative) against the ticks since the last call."""
        wall, ticks = self._clock.now(), self._clock.ticks_ms()
        gained = (wall - self._wall) - timedelta(milliseconds=ticks - self._ticks)
        self._wall, self._ticks = wall, ticks
        return gained


class _Every(BaseTrigger):
    """So many seconds from now. Unlike an interval counted from the last run it has nothing to catch up after a jump."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now + self._interval


def _guarded(job: TickJob) -> None:
    """The edge of the process: a failed tick is logged, the next one comes."""
    try:
        job.run()
    except Exception:
        log.exception("tick.failed", extra={"job": job.name})
