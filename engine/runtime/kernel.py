"""The commands on process instances. Each is one call inside the caller's transaction; serial per instance.

The instance row is locked first (PostgreSQL: FOR UPDATE; SQLite: the writer's transaction), the live instance is built
from it, moved, and written back under its version, with its rows and the listeners' rows in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bpmn.specs import ServiceActivity, UserActivity
from bpmn.specs.nodes import ERROR, READY, STARTED
from engine.deploy.definitions import Definitions
from engine.errors import NotFound, RuleViolation
from engine.events import record
from engine.jobs import queue
from engine.jobs.model import Incident, Job
from engine.ports import Step, StepListener
from engine.runtime import catching, codec, rows
from engine.runtime.instance import Instance
from engine.runtime.lock import lock_instance
from engine.runtime.model import InstanceTimer, ProcessInstance, Subscription
from engine.runtime.token import Token

STEP_BUDGET = 1000


class InstanceEnded(RuleViolation):
    """The process instance {instance} has already ended."""

    code = "instance.ended"


class NotWaiting(RuleViolation):
    """The step is no longer waiting: somebody else was faster, or the order has moved on."""

    code = "step.not_waiting"


class Kernel:
    """Starts and moves instances. Holds no state of its own besides the definitions' cache."""

    def __init__(self, definitions: Definitions, listeners: Sequence[StepListener] = ()) -> None:
        self.definitions, self.listeners = definitions, tuple(listeners)

    # ---- commands

    def start(
        self,
        session: Session,
        definition_id: int,
        business_key: str,
        values: Mapping[str, Any],
        *,
        at: datetime,
        actor: str,
        advance: bool = True,
    ) -> ProcessInstance:
        """A new instance. With `advance=False` a job moves it on later."""
        executable = self.definitions.executable(session, definition_id)
        row = ProcessInstance(
            definition_id=definition_id,
            business_key=business_key,
            state="active",
            version=0,
            tokens=b"",
            variables=b"",
            created_at=at,
        )
        session.add(row)
        session.flush()
        top = Instance(executable, business_key, at)
        top.start(values)
        record(session, "InstanceStarted", at=at, actor=actor, business_key=business_key, instance_id=row.id)
        self._save(session, row, top, actor, budget=STEP_BUDGET if advance else 0, started=True)
        return row

    def advance(self, session: Session, instance_id: int, *, at: datetime, actor: str = "system") -> None:
        """Moves on an instance that had used up its budget, or was started without moving."""
        with self._open(session, instance_id, at, actor, must_live=False):
            pass

    def complete_task(
        self,
        session: Session,
        instance_id: int,
        token_id: int,
        values: Mapping[str, Any],
        *,
        at: datetime,
        actor: str,
    ) -> None:
        """A person has done a user task; the values become variables. Raises `NotWaiting`."""
        with self._open(session, instance_id, at, actor) as top:
            token = self._token(top, token_id, READY)
            if not isinstance(token.task_spec, UserActivity):
                raise NotWaiting()
            top.assign(token, values)
            top.guard(token, "route", token.complete)

    def complete_service(
        self, session: Session, instance_id: int, token_id: int, output: Mapping[str, Any], *, at: datetime
    ) -> None:
        """A worker has done a service task; its output mappings decide which variables change.

        A result that comes after a timer has ended the task no longer counts.
        """
        with self._open(session, instance_id, at, "system") as top:
            token = self._service(top, token_id)
            if token is not None:
                top.take_result(token, output)

    def business_error(self, session: Session, job: Job, code: str, message: str, *, at: datetime) -> None:
        """A service task got a business no: to its boundary event. Where none catches it, an incident; the task waits.

        An order is not lost because a designer forgot a boundary event (docs/decisions/003-uncaught-refusals.md).
        """
        instance_id, token_id = queue.place_of(job)
        with self._open(session, instance_id, at, "system") as top:
            token = self._service(top, token_id)
            if token is None:
                queue.cancel(job, at)
            elif catching.lookup(token, code) is not None:
                top.throw_error(token, code, message)
                queue.finish(job, at)
            else:
                _open_job_incident(session, top, token, job, code, message)

    def fire_timers(self, session: Session, instance_id: int, *, at: datetime) -> None:
        """Fires what is due. A timer that somebody else fired is no error."""
        with self._open(session, instance_id, at, "timer", must_live=False, only_if_moved=True):
            pass  # opening an instance fires its due timers first

    def correlate(
        self, session: Session, name: str, key: str, values: Mapping[str, Any], *, at: datetime, actor: str
    ) -> int:
        """Delivers a message to every instance that waits for exactly this name and key. Returns how many caught it."""
        found = session.scalars(
            select(Subscription.instance_id)
            .where(Subscription.name == name, Subscription.key == key)
            .distinct()
            .order_by(Subscription.instance_id)  # everybody locks in the same order
        ).all()
        caught = 0
        for instance_id in found:
            with self._open(session, instance_id, at, actor, must_live=False) as top:
                for token_id in list(top.waiting.messages.get((name, key), ())):
                    if token_id in top.by_id:
                        top.waiting.fire(top.by_id[token_id], dict(values))
                        caught += 1
        return caught

    def retry(self, session: Session, incident: Incident, *, at: datetime, actor: str) -> None:
        """Repeats what failed: the step itself, or the job behind it with the same key. Raises `NotWaiting`."""
        if incident.state != "open" or incident.instance_id is None or incident.token_id is None:
            raise NotWaiting()
        with self._open(session, incident.instance_id, at, actor) as top:
            session.refresh(incident)  # somebody may have been faster while we waited for the instance
            token = top.by_id.get(incident.token_id)
            if token is None or incident.state != "open":
                raise NotWaiting()
            job = session.get(Job, incident.job_id) if incident.job_id is not None else None
            if job is not None:
                queue.again(job, at)
            elif token._state == ERROR:
                top.retry(token)
            incident.state, incident.resolved_at, incident.resolved_by = "resolved", at, actor
            record(
                session,
                "IncidentRetried",
                at=at,
                actor=actor,
                business_key=incident.business_key,
                instance_id=incident.instance_id,
                element=incident.element,
                incident=incident.id,
            )

    def job_incident(self, session: Session, job: Job, code: str, message: str, *, at: datetime) -> None:
        """A job has failed for good: the token keeps waiting, an incident tells a person."""
        instance_id, token_id = queue.place_of(job)
        with self._open(session, instance_id, at, "system") as top:
            token = self._service(top, token_id)
            if token is None:
                queue.cancel(job, at)
            else:
                _open_job_incident(session, top, token, job, code, message)

    def inspect(self, session: Session, instance_id: int, at: datetime) -> Instance:
        """A live copy to look at; it is not written back."""
        row = session.get(ProcessInstance, instance_id)
        if row is None:
            raise NotFound(what="process instance", id=instance_id)
        return self._decode(session, row, at)

    # ---- how a command is done

    @contextmanager
    def _open(
        self,
        session: Session,
        instance_id: int,
        at: datetime,
        actor: str,
        must_live: bool = True,
        only_if_moved: bool = False,
    ) -> Iterator[Instance]:
        row = lock_instance(session, instance_id)
        if row is None:
            raise NotFound(what="process instance", id=instance_id)
        if row.state != "active":
            if must_live:
                raise InstanceEnded(instance=row.business_key)
            yield Instance(self.definitions.executable(session, row.definition_id), row.business_key, at)
            return
        top = self._decode(session, row, at)
        top.fire_due()  # what ran out before this command comes first
        yield top
        if only_if_moved and not top.notes:
            return
        top.settle()
        self._save(session, row, top, actor, STEP_BUDGET)

    def _decode(self, session: Session, row: ProcessInstance, at: datetime) -> Instance:
        executable = self.definitions.executable(session, row.definition_id)
        return codec.decode(row.tokens, row.variables, executable, row.business_key, at)

    def _save(
        self,
        session: Session,
        row: ProcessInstance,
        top: Instance,
        actor: str,
        budget: int,
        started: bool = False,
    ) -> None:
        idle = top.run(budget) if top.end is None else True
        rows.save_instance(session, row, top, actor)
        written = rows.save_changes(session, row, top)
        troubled = rows.has_incidents(session, row, top)
        if not idle:
            session.add(_advance_job(row, top.now))
        elif top.end is None and not troubled:
            troubled = _refuse_stuck(session, row, top)
        session.flush()
        step = Step(
            row.id,
            row.definition_id,
            top.executable.process,
            row.business_key,
            top.now,
            actor,
            opened=written.opened,
            closed=written.closed,
            milestones=_milestones(top),
            incidents=top.troubled,
            started=started,
            end=top.end,
            open_incidents=troubled,
        )
        if step.end is not None:
            record(
                session,
                "InstanceEnded",
                at=top.now,
                actor=actor,
                business_key=row.business_key,
                instance_id=row.id,
                state=step.end.state,
                code=step.end.code,
            )
        for listener in self.listeners:
            listener.on_step(session, step)

    @staticmethod
    def _service(top: Instance, token_id: int) -> Token | None:
        """The token of a service task at work; None if a timer that was due has just ended it. Raises `NotWaiting`."""
        token = top.by_id.get(token_id)
        if token is None and any(n.token == token_id and n.what == "cancelled" for n in top.notes):
            return None
        if token is None or token._state != STARTED or not isinstance(token.task_spec, ServiceActivity):
            raise NotWaiting()
        return token

    @staticmethod
    def _token(top: Instance, token_id: int, state: int) -> Token:
        token = top.by_id.get(token_id)
        if token is None or token._state != state:
            raise NotWaiting()
        return token


def _open_job_incident(
    session: Session, top: Instance, token: Token, job: Job, code: str, message: str
) -> None:
    queue.give_up(job, code, message)
    row = session.get_one(ProcessInstance, job.instance_id)
    rows.open_incident_row(session, row, top, token, job, code=code, message=message)
    top.note("failed", token)


def _advance_job(row: ProcessInstance, at: datetime) -> Job:
    return Job(
        kind="advance",
        key=f"advance:{row.id}:{row.version}",
        state="ready",
        instance_id=row.id,
        payload={},
        due_at=at,
        created_at=at,
    )


def _milestones(top: Instance) -> list[str]:
    nodes: Callable[[str], Any] = top.executable.nodes.get
    reached = (nodes(e) for e in rows.elements_of(top.notes, "completed"))
    return [n.attributes["milestone"] for n in reached if n is not None and n.attributes.get("milestone")]


def _refuse_stuck(session: Session, row: ProcessInstance, top: Instance) -> bool:
    """Neither finished nor waiting for anything must never pass in silence: an incident at what is left."""
    token = top.stuck()
    if token is None:
        return False
    text = "Not all branches of this join can still arrive."
    rows.open_incident_row(session, row, top, token, code="instance.stuck", message=text)
    return True


def waits_for(session: Session, name: str, key: str) -> bool:
    """Whether an instance waits for a message of this name and key."""
    query = select(Subscription.instance_id).where(Subscription.name == name, Subscription.key == key)
    return session.scalar(query.limit(1)) is not None


def due_instances(session: Session, now: datetime, limit: int) -> Sequence[int]:
    """Instances with a timer that is due, earliest first."""
    query = (
        select(InstanceTimer.instance_id, func.min(InstanceTimer.due_at).label("due"))
        .where(InstanceTimer.due_at <= now)
        .group_by(InstanceTimer.instance_id)
        .order_by("due")
        .limit(limit)
    )
    return [r.instance_id for r in session.execute(query)]
