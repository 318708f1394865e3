"""One simulation: starts a process, answers for everybody, and lets time pass until it ends or nothing more happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bpmn.lint import Catalogue
from bpmn.specs import Node
from engine.config import Settings
from engine.deploy.definitions import Definitions, Upload
from engine.deploy.model import ProcessDefinition
from engine.errors import NotFound
from engine.jobs import queue
from engine.jobs.model import Incident, Job
from engine.jobs.queue import Claim
from engine.jobs.worker import Worker
from engine.ports import Step
from engine.runtime import codec
from engine.runtime.kernel import STEP_BUDGET, Kernel
from engine.runtime.model import InstanceHistory, InstanceTimer, ProcessInstance
from engine.runtime.routing import Router
from engine.simulation.answers import Answer, Answers
from engine.store import Store
from engine.store.migrate import upgrade
from engine.testing import FakeClock

MOST_STEPS = 10_000
STUCK = "instance.stuck"
_SHOWN = {"round": "completed"}  # an instance of a loop was completed


@dataclass(frozen=True)
class Trial:
    """What is to be tried: the process (the first of the file, if empty) and others that are started before it."""

    upload: Upload
    process: str = ""
    also: Sequence[str] = ()
    values: Mapping[str, Any] | None = None
    until: timedelta = timedelta(days=365)


@dataclass(frozen=True)
class Simulation:
    """How it went. `error` has code, message and element. `trace` and `instances` are plain data, ready to print."""

    outcome: Literal["completed", "waiting", "failed"]
    error: Mapping[str, Any] | None
    trace: Sequence[Mapping[str, Any]]
    instances: Sequence[Mapping[str, Any]]


def simulate(trial: Trial, answers: Answers | None = None) -> Simulation:
    """Runs it. Raises `bpmn.problems.DiagramRefused`, and `NotFound` for a process that the file does not have."""
    store = Store("sqlite://")
    try:
        upgrade(store)
        return _Run(store, trial, answers or Answers()).run()
    finally:
        store.close()


@dataclass(slots=True)
class _Due:
    """An answer on its way."""

    at: datetime
    instance_id: int
    token_id: int
    answer: Answer


class _Run:
    """Everybody whom a process meets: people, services, time."""

    def __init__(self, store: Store, trial: Trial, answers: Answers) -> None:
        self.store, self.trial, self.answers, self.clock = store, trial, answers, FakeClock()
        self.definitions = Definitions(lambda _session: Catalogue())
        self.kernel = Kernel(self.definitions, [self], common_key="simulation")
        self.router = Router(store, self.clock, self.kernel)
        handlers = {
            "advance": self._advance,
            "service": self._service,
            "message": self.router.message,
            "signal": self.router.signal,
        }
        self.worker = Worker(store, self.clock, self.kernel, handlers, Settings())
        self.end = self.clock.now() + trial.until
        self.due: list[_Due] = []
        self.steps = 0
        """Commands, and what an instance moved by itself when it could not stop."""

    def run(self) -> Simulation:
        """Until the process has ended, or only `until` would bring more."""
        with self.store.write() as session:
            versions = {v.key: v.id for v in self._deployed(session)}
        main = self.trial.process or next(iter(versions))
        for name in self.trial.also:
            self._start(versions, name, {})
        ident = self._start(versions, main, self.trial.values or {})
        while self.steps <= MOST_STEPS:
            if self.worker.run_once() or self._answer_due():
                continue  # what the process has sent still arrives when it has ended
            if self._ended(ident) or self._is_broken(ident) or not self._pass_time():
                break
        return self._result(ident)

    # ---- what happens

    def on_step(self, session: Session, step: Step) -> None:
        """A task has opened: somebody will answer it."""
        self.steps += 1
        executable = self.definitions.executable(session, step.definition_id)
        for opened in step.opened:
            self._expect(executable.nodes[opened.element], step.instance_id, opened.token_id)

    def _expect(self, node: Node, instance_id: int, token_id: int) -> None:
        answer = self.answers.of(node)
        if not answer.never:
            self.due.append(_Due(self.clock.now() + answer.after, instance_id, token_id, answer))

    def _deployed(self, session: Session) -> list[ProcessDefinition]:
        versions = self.definitions.upload(
            session, self.trial.upload, at=self.clock.now(), actor="simulation"
        )
        return [
            self.definitions.deploy(session, v.id, at=self.clock.now(), actor="simulation") for v in versions
        ]

    def _start(self, versions: Mapping[str, int], process: str, values: Mapping[str, Any]) -> int:
        if process not in versions:
            raise NotFound(what="process", id=process)
        with self.store.write() as session:
            number = (session.scalar(select(func.count()).select_from(ProcessInstance)) or 0) + 1
            return self.kernel.start(
                session, versions[process], f"SIM-{number}", values, at=self.clock.now(), actor="simulation"
            ).id

    def _advance(self, claim: Claim) -> None:
        self.steps += STEP_BUDGET
        self.router.advance(claim)

    def _service(self, claim: Claim) -> None:
        """A service task begins: its answer comes later, even if at once."""
        instance_id, token_id = queue.place_of(claim)
        with self.store.write() as session:
            job = queue.held(session, claim)
            if job is None:
                return
            top = self.kernel.inspect(session, instance_id, self.clock.now())
            self._expect(top.by_id[token_id].task_spec, instance_id, token_id)
            job.state = "called"  # nobody claims it again

    def _answer_due(self) -> bool:
        """Gives the first answer whose time has come; one that nobody waits for any more is dropped."""
        ready = [d for d in self.due if d.at <= self.clock.now()]
        if not ready:
            return False
        first = min(ready, key=lambda d: d.at)
        self.due.remove(first)
        with self.store.write() as session:
            self._give(session, first)
        return True

    def _give(self, session: Session, due: _Due) -> None:
        now, answer = self.clock.now(), due.answer
        top = self.kernel.inspect(session, due.instance_id, now)
        if due.token_id not in top.by_id:
            return
        query = select(Job).where(Job.instance_id == due.instance_id, Job.token_id == due.token_id)
        job = session.scalars(query.where(Job.state == "called")).first()
        if job is None:
            self.kernel.complete_task(
                session, due.instance_id, due.token_id, answer.values, at=now, actor="simulation"
            )
        elif answer.error is not None:
            self.kernel.business_error(session, job, answer.error, "so answered", at=now)
        else:
            queue.finish(job, now)
            self.kernel.complete_service(session, due.instance_id, due.token_id, answer.values, at=now)

    def _pass_time(self) -> bool:
        """To the next timer or answer, unless it lies behind the end."""
        with self.store.read() as session:
            timer = session.scalar(select(func.min(InstanceTimer.due_at)))
        moments = [d.at for d in self.due] + ([timer] if timer is not None else [])
        if not moments or min(moments) > self.end:
            return False
        self.clock.advance(max(min(moments) - self.clock.now(), timedelta(0)))
        return True

    # ---- what came out

    def _row(self, session: Session, ident: int) -> ProcessInstance:
        return session.get_one(ProcessInstance, ident)

    def _ended(self, ident: int) -> bool:
        with self.store.read() as session:
            return self._row(session, ident).state != "active"

    def _is_broken(self, ident: int) -> bool:
        return self._incident(ident) is not None

    def _incident(self, ident: int) -> Mapping[str, Any] | None:
        with self.store.read() as session:
            found = session.scalars(
                select(Incident).where(Incident.instance_id == ident, Incident.state == "open")
            ).first()
        return None if found is None else _error(found.code, found.message, found.element)

    def _result(self, ident: int) -> Simulation:
        incident = self._incident(ident)
        with self.store.read() as session:
            row = self._row(session, ident)
            keys = dict(session.execute(select(ProcessDefinition.id, ProcessDefinition.key)).all())
            rows = session.scalars(select(ProcessInstance).order_by(ProcessInstance.id)).all()
            shown = [_shown(one, keys[one.definition_id]) for one in rows]
            trace = list(_trace(session))
        outcome, error = _outcome(row, incident, self.steps)
        return Simulation(outcome, error, trace, shown)


def _outcome(
    row: ProcessInstance, incident: Mapping[str, Any] | None, steps: int
) -> tuple[Literal["completed", "waiting", "failed"], Mapping[str, Any] | None]:
    if row.state in ("completed", "cancelled"):
        return "completed", None
    if row.state == "failed":
        return "failed", _error(row.end_code, row.end_message, row.end_element)
    if incident is not None:
        return ("waiting" if incident["code"] == STUCK else "failed"), incident
    if steps > MOST_STEPS:
        return "failed", _error("simulation.steps", f"It is still moving after {MOST_STEPS} steps.", None)
    return "waiting", None


def _error(code: str | None, message: str | None, element: str | None) -> dict[str, Any]:
    return {"code": code, "message": message, "element": element}


def _shown(row: ProcessInstance, process: str) -> dict[str, Any]:
    spaces, _ = codec.unpack(row.variables)
    return {"id": row.id, "process": process, "state": row.state, "variables": spaces[0][1]}


def _trace(session: Session) -> Any:
    query = select(InstanceHistory).order_by(
        InstanceHistory.at, InstanceHistory.instance_id, InstanceHistory.seq
    )
    for row in session.scalars(query):
        for what, element, _ in codec.unpack(row.body)["notes"]:
            event = _SHOWN.get(what, what)
            yield {"instance": row.instance_id, "element": element, "event": event, "at": row.at.isoformat()}
