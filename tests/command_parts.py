"""A database with a deployed diagram and the kernel's commands on it; after each command every row is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.lint import Catalogue
from engine.deploy.definitions import Definitions, Upload
from engine.jobs import queue
from engine.jobs.lease import LeaseClock
from engine.jobs.model import Incident, Job
from engine.jobs.queue import Claim
from engine.ports import Step, StepListener
from engine.runtime import codec
from engine.runtime.changes import standing
from engine.runtime.instance import Instance
from engine.runtime.kernel import Kernel
from engine.runtime.live import LiveInstances
from engine.runtime.model import InstanceHistory, InstanceTimer, ProcessInstance, Subscription
from engine.store import Store
from engine.testing import FakeClock
from tasks.following import Worklist
from tasks.model import Task
from tests.bpmn_xml import process

LIVE_JOBS = ("ready", "running", "incident")


class Steps:
    """Remembers what the listeners were told."""

    def __init__(self) -> None:
        self.seen: list[Step] = []

    def on_step(self, session: Session, step: Step) -> None:
        self.seen.append(step)


class Site:
    """Commands by element name, each in a transaction of its own."""

    def __init__(self, store: Store, *body: str, listeners: tuple[StepListener, ...] = ()) -> None:
        self.store, self.clock, self.steps = store, FakeClock(), Steps()
        self.definitions = Definitions(lambda _session: Catalogue())
        self.kernel = Kernel(self.definitions, (Worklist(), self.steps, *listeners))
        self.lease = LeaseClock(self.clock)
        with store.write() as session:
            upload = Upload("p.bpmn", process(*body), {})
            (version,) = self.definitions.upload(session, upload, at=self.now, actor="pd")
            self.definitions.deploy(session, version.id, at=self.now, actor="pd")
            self.definition_id = version.id
        self.instance_id = 0

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def restart(self) -> None:
        """Nothing is known any more but what the rows say, as in a process that has just begun."""
        self.kernel.live = LiveInstances()

    def command(self, call: Callable[[Session], Any]) -> Any:
        """One transaction; afterwards all rows are what the live tokens call for."""
        with self.store.write() as session:
            result = call(session)
        self.check()
        return result

    # ---- commands

    def start(
        self, values: Mapping[str, Any] | None = None, *, key: str = "BB-1", advance: bool = True
    ) -> int:
        def call(session: Session) -> int:
            return self.kernel.start(
                session, self.definition_id, key, values or {}, at=self.now, actor="crm", advance=advance
            ).id

        self.instance_id = self.command(call)
        return self.instance_id

    def advance(self) -> None:
        self.command(lambda s: self.kernel.advance(s, self.instance_id, at=self.now))

    def complete(self, element: str, **values: Any) -> None:
        token = self.open_task(element).token_id
        self.command(
            lambda s: self.kernel.complete_task(s, self.instance_id, token, values, at=self.now, actor="wang")
        )

    def result(self, element: str, **output: Any) -> None:
        def call(session: Session) -> None:
            job = self.live_job(session, element)
            _, token = queue.place_of(job)
            queue.finish(job, self.now)
            self.kernel.complete_service(session, self.instance_id, token, output, at=self.now)

        self.command(call)

    def refuse(self, element: str, code: str) -> None:
        self.command(
            lambda s: self.kernel.business_error(s, self.live_job(s, element), code, "no", at=self.now)
        )

    def give_up(self, element: str) -> None:
        self.command(
            lambda s: self.kernel.job_incident(s, self.live_job(s, element), "target.away", "x", at=self.now)
        )

    def message(self, name: str, key: str = "BB-1", **values: Any) -> int:
        caught: int = self.command(
            lambda s: self.kernel.correlate(s, name, key, values, at=self.now, actor="crm")
        )
        return caught

    def pass_time(self, by: timedelta) -> None:
        self.clock.advance(by)
        self.command(lambda s: self.kernel.fire_timers(s, self.instance_id, at=self.now))

    def retry(self, incident: Incident) -> None:
        self.command(
            lambda s: self.kernel.retry(s, s.get_one(Incident, incident.id), at=self.now, actor="op")
        )

    def claim(self, worker: str = "w1", lease_ms: int = 30_000) -> Claim | None:
        with self.store.write() as session:
            return queue.claim(session, worker, lease=self.lease, now=self.now, lease_ms=lease_ms)

    # ---- what is there

    def rows(self, table: type[Any], *conditions: Any) -> list[Any]:
        with self.store.read() as session:
            return list(session.scalars(select(table).where(*conditions)))

    def instance(self) -> ProcessInstance:
        (row,) = self.rows(ProcessInstance, ProcessInstance.id == self.instance_id)
        return row  # type: ignore[no-any-return]

    def variables(self) -> dict[str, Any]:
        return codec.unpack(self.instance().variables)[0][0][1]  # type: ignore[no-any-return]

    def open_tasks(self) -> list[str]:
        return sorted(t.element for t in self.rows(Task, Task.closed_at.is_(None)))

    def tasks_of(self, instance_id: int) -> list[Task]:
        return self.rows(Task, Task.instance_id == instance_id, Task.closed_at.is_(None))

    def open_task(self, element: str) -> Task:
        return self.rows(Task, Task.element == element, Task.closed_at.is_(None))[0]  # type: ignore[no-any-return]

    def incidents(self, state: str = "open") -> list[Incident]:
        return self.rows(Incident, Incident.state == state)

    def live_job(self, session: Session, element: str) -> Job:
        query = select(Job).where(Job.element == element, Job.state.in_(LIVE_JOBS))
        return session.scalars(query.order_by(Job.id)).first() or _no(f"there is no job of {element}")

    # ---- the checker

    def check(self) -> None:
        """Compares tables with the tokens, for every instance."""
        with self.store.read() as session:
            for row in session.scalars(select(ProcessInstance)):
                self._check(session, row)

    def _check(self, session: Session, row: ProcessInstance) -> None:
        top = self.kernel.inspect(session, row.id, self.now)
        assert (codec.encode_tokens(top), codec.unpack(codec.encode_variables(top))) == (
            row.tokens,
            codec.unpack(row.variables),
        )
        assert (row.state == "active") == bool(top.by_id)
        assert _stored(session, row.id) == _called_for(top)
        stuck = top.stuck() if top.by_id and not top.queue else None
        assert _incidents(session, row.id, top, None if stuck is None else stuck.id)
        history = select(InstanceHistory.seq).where(InstanceHistory.instance_id == row.id)
        assert sorted(session.scalars(history)) == list(range(1, row.version + 1))


def _no(text: str) -> Any:
    raise AssertionError(text)


def _called_for(top: Instance) -> dict[str, set[Any]]:
    live = {t.id: standing(t) for t in top.by_id.values()}
    return {
        "tasks": {i for i, s in live.items() if s.task},
        "jobs": {i for i, s in live.items() if s.job},
        "timers": {(i, _millis(datetime.fromisoformat(s.due))) for i, s in live.items() if s.due},
        "subscriptions": {(i, *s.hears) for i, s in live.items() if s.hears},
    }


def _stored(session: Session, instance_id: int) -> dict[str, set[Any]]:
    def of(table: type[Any], *conditions: Any) -> list[Any]:
        return list(session.scalars(select(table).where(table.instance_id == instance_id, *conditions)))

    jobs = [j.token_id for j in of(Job, Job.kind == "service", Job.state.in_(LIVE_JOBS))]
    assert len(jobs) == len(set(jobs))
    return {
        "tasks": {t.token_id for t in of(Task, Task.closed_at.is_(None))},
        "jobs": set(jobs),
        "timers": {(t.token_id, _millis(t.due_at)) for t in of(InstanceTimer)},
        "subscriptions": {(s.token_id, s.kind, s.name, s.key) for s in of(Subscription)},
    }


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _incidents(session: Session, instance_id: int, top: Instance, stuck: int | None) -> bool:
    """Each fault has one open incident, each open incident its fault."""
    query = select(Incident).where(Incident.instance_id == instance_id, Incident.state == "open")
    found = sorted((i.token_id, i.job_id is not None) for i in session.scalars(query))
    jobs = select(Job.token_id).where(Job.instance_id == instance_id, Job.state == "incident")
    faults = [(t.id, False) for t in top.by_id.values() if standing(t).incident]
    called = sorted([*faults, *((token, True) for token in session.scalars(jobs))])
    return found == called or (stuck is not None and not called and found == [(stuck, False)])
