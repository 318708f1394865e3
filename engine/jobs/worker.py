"""The worker: claims jobs, hands them to their handlers, fires due timers. Any number of them may run on one database."""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.config import Settings
from engine.errors import KaitongError
from engine.jobs import heartbeat, queue
from engine.jobs.lease import LeaseClock
from engine.jobs.model import Job
from engine.jobs.queue import Claim
from engine.runtime.kernel import Kernel, due_instances
from engine.store import Store

log = logging.getLogger("kaitong.worker")

Handler = Callable[[Claim], None]
IDLE_SECONDS = 0.2
BROKEN_PAUSE = timedelta(minutes=1)
HEARTBEAT = timedelta(seconds=5)


@dataclass(frozen=True)
class Retries:
    """When a failed job is tried again, and when it is given up."""

    first_pause: timedelta
    max_attempts: int

    @classmethod
    def from_settings(cls, settings: Settings) -> Retries:
        return cls(timedelta(seconds=settings.retry_seconds), settings.max_attempts)

    def pause(self, attempts: int) -> timedelta:
        """The pause after so many failures; spread, so that a recovered target is not hit by all at once."""
        return queue.pause_before(attempts, self.first_pause, random.random())  # noqa: S311


class Worker:
    """One worker process: `run` works until stopped, `run_once` does one piece of work."""

    def __init__(
        self, store: Store, clock: Clock, kernel: Kernel, handlers: Mapping[str, Handler], settings: Settings
    ) -> None:
        self.store, self.clock, self.kernel, self.handlers = store, clock, kernel, handlers
        self.threads, self.lease_ms = settings.worker_threads, int(settings.lease_seconds * 1000)
        self.retries = Retries.from_settings(settings)
        self.lease = LeaseClock(clock)
        self.name = f"worker-{os.getpid()}"
        self._broken: dict[
            int, datetime
        ] = {}  # instances whose timers could not be fired → when to try again

    def run(self, stop: threading.Event) -> None:
        """Blocks until `stop` is set; a job in hand is finished first."""
        others = [
            threading.Thread(target=self._loop, args=(stop,), name=f"job-{n}") for n in range(1, self.threads)
        ]
        for thread in others:
            thread.start()
        self._loop(stop, housekeeping=True)
        for thread in others:
            thread.join()

    def _loop(self, stop: threading.Event, housekeeping: bool = False) -> None:
        last_beat = None
        while not stop.is_set():
            try:
                if housekeeping and (last_beat is None or self.clock.now() - last_beat >= HEARTBEAT):
                    last_beat = self.clock.now()
                    heartbeat.beat(self.store, self.clock, "worker")
                if not self.run_once(timers=housekeeping):
                    stop.wait(IDLE_SECONDS)
            except Exception:  # the process edge: a database that is away must not end the worker
                log.exception("worker.failed")
                stop.wait(1.0)

    def run_once(self, timers: bool = True) -> bool:
        """Fires due timers and does one job. False: there was nothing to do."""
        fired = self._fire_timers() if timers else 0
        claimed = self._claim()
        if claimed is None:
            return fired > 0
        self._work(claimed)
        return True

    def _fire_timers(self) -> int:
        """How many instances were moved. One that cannot be moved holds up no other, and is tried again later."""
        now, fired = self.clock.now(), 0
        with self.store.read() as session:
            due = due_instances(session, now, limit=50 + len(self._broken))
        for instance_id in due:
            if self._broken.get(instance_id, now) > now:
                continue
            try:
                with self.store.write() as session:
                    self.kernel.fire_timers(session, instance_id, at=now)
                self._broken.pop(instance_id, None)
                fired += 1
            except Exception:  # the process edge: whatever is wrong with one instance
                self._broken[instance_id] = now + BROKEN_PAUSE
                log.exception("timer.failed", extra={"facts": {"instance": instance_id}})
        return fired

    def _claim(self) -> Claim | None:
        with self.store.read() as session:
            if not self._has_work(session):
                return None
        with self.store.write() as session:
            return queue.claim(
                session, self.name, lease=self.lease, now=self.clock.now(), lease_ms=self.lease_ms
            )

    def _has_work(self, session: Session) -> bool:
        """A look without the writer's lock, so that idle workers hold nobody up."""
        waiting = or_((Job.state == "ready") & (Job.due_at <= self.clock.now()), Job.state == "running")
        return session.scalar(select(Job.id).where(waiting).limit(1)) is not None

    def _work(self, claimed: Claim) -> None:
        if claimed.claims > queue.POISON_CLAIMS:
            self.fail(claimed, "job.poison", "The job ended its worker several times.", final=True)
            return
        started = self.clock.ticks_ms()
        facts = {"job": claimed.job_id, "kind": claimed.kind, "key": claimed.key}
        try:
            self.handlers[claimed.kind](claimed)
        except KaitongError as e:
            log.warning("job.failed", extra={"facts": facts | {"code": e.code, "error": str(e)}})
            self.fail(claimed, e.code, str(e))
            return
        except Exception as e:  # the process edge: whatever a handler raises is recorded with its job
            log.exception("job.failed", extra={"facts": facts})
            self.fail(claimed, "internal", f"{type(e).__name__}: {e}")
            return
        log.info(
            "job.done",
            extra={
                "facts": {"job": claimed.job_id, "kind": claimed.kind, "ms": self.clock.ticks_ms() - started}
            },
        )

    def fail(self, claimed: Claim, code: str, message: str, *, final: bool = False) -> None:
        """Records a failure: try again later, or an incident when it has been tried often enough."""
        now = self.clock.now()
        with self.store.write() as session:
            job = queue.held(session, claimed)
            if job is None:  # somebody else has the job now, or it was cancelled: our part of it is over
                queue.let_go(session, claimed)
                return
            # nobody sees an advance that was given up: it is tried until the cause is mended
            lasting = job.kind == "advance" or job.attempts + 1 < self.retries.max_attempts
            if lasting and not final:
                queue.postpone(job, code, message, due_at=now + self.retries.pause(job.attempts))
            elif job.kind == "service":
                job.attempts += 1
                self.kernel.job_incident(session, job, code, message, at=now)
            else:
                job.attempts += 1
                queue.give_up(job, code, message)
