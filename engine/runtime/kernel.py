"""The commands on process instances. Each is one call inside the caller's transaction; serial per instance.

The instance row is locked first (PostgreSQL: FOR UPDATE; SQLite: the writer's transaction). The live instance is taken
from the cache if its version is that of the row, else built from the row; it is moved, and written back under its
version, with its rows and the listeners' rows in the same transaction.
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
from engine.ids import new_id
from engine.jobs import queue
from engine.jobs.model import Incident, Job
from engine.jobs.recalling import recall
from engine.ports import LocalOperation, Step, StepListener
from engine.runtime import buffer, catching, codec, routing, rows
from engine.runtime.instance import Instance
from engine.runtime.live import LiveInstances
from engine.runtime.lock import Held, lock_instance
from engine.runtime.model import InstanceTimer, Subscription
from engine.runtime.moving import Moving
from engine.runtime.token import Token

STEP_BUDGET = 1000


class InstanceEnded(RuleViolation):
    """The process instance {instance} has already ended."""

    code = "instance.ended"


class NotWaiting(RuleViolation):
    """The step is no longer waiting: somebody else was faster, or the order has moved on."""

    code = "step.not_waiting"


class Kernel:
    """Starts and moves instances. All that it keeps are caches that the rows are asked about."""

    def __init__(
        self,
        definitions: Definitions,
        listeners: Sequence[StepListener] = (),
        local: Mapping[str, LocalOperation] | None = None,
        live: LiveInstances | None = None,
        common_key: str = "",
        step_budget: int = STEP_BUDGET,
    ) -> None:
        """`common_key`: the key of messages that name none, in place of each instance's own; for simulations.

        `step_budget`: how many steps one transaction moves; with 1 an instance is stored between every two.
        """
        self.definitions, self.listeners = definitions, tuple(listeners)
        self.local = local or {}
        self.live = live or LiveInstances()
        self.common_key, self.step_budget = common_key, step_budget

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
        order_id: str | None = None,
        follows: int | None = None,
    ) -> Held:
        """A new instance, of an order or of its own. With `advance=False` a job moves it on later.

        `follows`: the instance with the same key that has ended before it. Numbers of tokens and tasks go on from there,
        so that no key of a call and no number of a task is used twice.
        """
        executable = self.definitions.executable(session, definition_id)
        row = rows.create(session, definition_id, business_key, order_id, at)
        top = Instance(executable, self.common_key or business_key, at)
        if follows is not None:
            top.last_id, row.task_count = rows.numbers_of(session, follows)
        top.start(values)
        record(session, "InstanceStarted", at=at, actor=actor, business_key=business_key, instance_id=row.id)
        self._save(session, row, top, actor, budget=self.step_budget if advance else 0, started=True)
        return row

    def advance(self, session: Session, instance_id: int, *, at: datetime, actor: str = "system") -> None:
        """Moves on an instance that had used up its budget, or was started without moving."""
        with self._open(session, instance_id, at, actor, must_live=False) as (_, top):
            waiting = [top.by_id[i] for ids in top.waiting.messages.values() for i in ids]
            buffer.give(session, top, waiting)

    def change(
        self, session: Session, instance_id: int, values: Mapping[str, Any], *, at: datetime, actor: str
    ) -> None:
        """Somebody outside changes variables of the instance; its history says who, when, and what they were before.

        They are written where each name lives, otherwise at the instance; what is so already changes nothing. Jobs whose
        input a worker has read, but not sent, are taken back. Raises `InstanceEnded`.
        """
        with self._open(session, instance_id, at, actor) as (_, top):
            top.assign(top.task_tree, values)
            recall(session, instance_id, at)

    def complete_task(
        self,
        session: Session,
        instance: int | Held,
        token_id: int,
        values: Mapping[str, Any],
        *,
        at: datetime,
        actor: str,
    ) -> None:
        """A person has done a user task; the values become variables. Raises `NotWaiting`.

        `instance` is an id, or the row if the caller has locked it.
        """
        with self._open(session, instance, at, actor) as (_, top):
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
        with self._open(session, instance_id, at, "system") as (_, top):
            token = self._service(top, token_id)
            if token is not None:
                top.take_result(token, output)

    def business_error(self, session: Session, job: Job, code: str, message: str, *, at: datetime) -> None:
        """A service task got a business no: to its boundary event. Where none catches it, an incident; the task waits.

        An order is not lost because a designer forgot a boundary event (docs/decisions/003-uncaught-refusals.md).
        """
        instance_id, token_id = queue.place_of(job)
        with self._open(session, instance_id, at, "system") as (row, top):
            token = self._service(top, token_id)
            if token is None:
                queue.cancel(job, at)
            elif catching.lookup(token, code) is not None:
                top.throw_error(token, code, message)
                queue.finish(job, at)
            else:
                _open_job_incident(session, row, top, token, job, code, message)

    def fire_timers(self, session: Session, instance_id: int, *, at: datetime) -> None:
        """Fires what is due. A timer that somebody else fired is no error."""
        with self._open(session, instance_id, at, "timer", must_live=False, only_if_moved=True):
            pass  # opening an instance fires its due timers first

    def correlate(
        self, session: Session, name: str, key: str, values: Mapping[str, Any], *, at: datetime, actor: str
    ) -> int:
        """Delivers a message to every instance that waits for exactly this name and key. Returns how many caught it."""
        caught = 0
        for instance_id in _subscribers(session, name, key):
            with self._open(session, instance_id, at, actor, must_live=False) as (_, top):
                for token_id in list(top.waiting.messages.get((name, key), ())):
                    if token_id in top.by_id:
                        top.waiting.fire(top.by_id[token_id], dict(values))
                        caught += 1
        return caught

    def publish(
        self,
        session: Session,
        name: str,
        key: str,
        values: Mapping[str, Any],
        *,
        at: datetime,
        actor: str,
        until: datetime,
        message_id: str | None = None,
    ) -> int:
        """As `correlate`; a message that nobody catches is kept until then for whoever waits for it later.

        Returns how many caught it now. Do it last in a transaction: no instance may be locked after it.
        """
        caught = self.correlate(session, name, key, values, at=at, actor=actor)
        if caught or not buffer.keep(session, name, key, values, at=at, until=until, message_id=message_id):
            return caught
        for instance_id in _subscribers(session, name, key):  # began to wait at this very moment
            job = f"kept:{new_id('m')}:{instance_id}"
            queue.add(session, kind="advance", key=job, payload={}, at=at, instance_id=instance_id)
        return 0

    def signal(self, session: Session, instance_id: int, name: str, *, at: datetime) -> None:
        """Tells one instance of a signal; that it no longer waits for it is no error."""
        with self._open(session, instance_id, at, "system", must_live=False, only_if_moved=True) as (_, top):
            top.waiting.signal(name)

    def retry(self, session: Session, incident: Incident, *, at: datetime, actor: str) -> None:
        """Repeats what failed: the step itself, or the job behind it with the same key. Raises `NotWaiting`."""
        if incident.state != "open" or incident.instance_id is None or incident.token_id is None:
            raise NotWaiting()
        with self._open(session, incident.instance_id, at, actor) as (_, top):
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
        with self._open(session, instance_id, at, "system") as (row, top):
            token = self._service(top, token_id)
            if token is None:
                queue.cancel(job, at)
            else:
                _open_job_incident(session, row, top, token, job, code, message)

    def is_live(self, session: Session, instance_id: int) -> bool:
        """Whether the instance has not ended; the answer stays true as long as the caller holds its row."""
        row = rows.find(session, instance_id)
        return row is not None and row.state == "active"

    def inspect(self, session: Session, instance_id: int, at: datetime) -> Instance:
        """A live copy to look at; it is not written back."""
        row = rows.find(session, instance_id)
        if row is None:
            raise NotFound(what="process instance", id=instance_id)
        return self._decode(session, row, at)

    # ---- how a command is done

    @contextmanager
    def _open(
        self,
        session: Session,
        instance: int | Held,
        at: datetime,
        actor: str,
        must_live: bool = True,
        only_if_moved: bool = False,
    ) -> Iterator[tuple[Held, Instance]]:
        row = instance if isinstance(instance, Held) else lock_instance(session, instance)
        if row is None:
            raise NotFound(what="process instance", id=instance)
        if row.state != "active":
            if must_live:
                raise InstanceEnded(instance=row.business_key)
            executable = self.definitions.executable(session, row.definition_id)
            yield row, Instance(executable, row.business_key, at)
            return
        top = self._live(session, row, at)
        top.fire_due()  # what ran out before this command comes first
        yield row, top
        if only_if_moved and not top.notes:
            return
        top.settle()
        self._save(session, row, top, actor, self.step_budget)

    def _live(self, session: Session, row: Held, at: datetime) -> Instance:
        return self.live.take(row, at) or self._decode(session, row, at)

    def _decode(self, session: Session, row: Held, at: datetime) -> Instance:
        executable = self.definitions.executable(session, row.definition_id)
        tokens, stored = rows.stored(session, row.id)
        return codec.decode(tokens, stored, executable, self.common_key or row.business_key, at)

    def _save(
        self, session: Session, row: Held, top: Instance, actor: str, budget: int, started: bool = False
    ) -> None:
        moving = Moving(session, self.local, row, top)
        idle = moving.run(budget) if top.end is None else True
        while buffer.give(session, top, _armed(top, moving)):
            idle = moving.run(budget)
        changes = moving.changes()
        written = rows.follow(session, row, top, changes)
        if idle and top.end is None and not row.has_incident:
            _refuse_stuck(session, row, top)
        rows.save(session, row, top, actor, changes, moving.calls)
        routing.send(session, row, top)
        if not idle:
            key = f"advance:{row.id}:{row.version}"
            queue.add(session, kind="advance", key=key, payload={}, at=top.now, instance_id=row.id)
        step = Step(
            row.id,
            row.definition_id,
            top.executable.process,
            row.business_key,
            row.order_id,
            top.now,
            actor,
            opened=written.opened,
            closed=written.closed,
            milestones=_milestones(top),
            incidents=top.troubled,
            started=started,
            end=top.end,
            open_incidents=row.has_incident,
            is_held=_is_held(top),
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
        self.live.keep_after_commit(session, row, top)

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
    session: Session, row: Held, top: Instance, token: Token, job: Job, code: str, message: str
) -> None:
    queue.give_up(job, code, message)
    rows.open_incident_row(session, row, top, token, job, code=code, message=message)
    top.note("failed", token)


def _milestones(top: Instance) -> list[str]:
    nodes: Callable[[str], Any] = top.executable.nodes.get
    reached = (nodes(e) for e in rows.elements_of(top.notes, "completed"))
    return [n.attributes["milestone"] for n in reached if n is not None and n.attributes.get("milestone")]


def _is_held(top: Instance) -> bool:
    holding = top.executable.holding
    return bool(holding) and any(token.task_spec.name in holding for token in top.by_id.values())


def _refuse_stuck(session: Session, row: Held, top: Instance) -> None:
    """Neither finished nor waiting for anything must never pass in silence: an incident at what is left."""
    token = top.stuck()
    if token is not None:
        text = "Not all branches of this join can still arrive."
        rows.open_incident_row(session, row, top, token, code="instance.stuck", message=text)
        row.has_incident = True


def _armed(top: Instance, moving: Moving) -> list[Token]:
    """Tokens that have begun to wait for a message in this command."""
    if top.end is not None or not top.waiting.messages:
        return []
    began = (c.token for c in moving.changes() if c.after.hears not in (None, c.before.hears))
    return [token for token in began if token.alive and "message" in token.internal_data]


def _messages(name: str, key: str) -> tuple[Any, ...]:
    return Subscription.kind == "message", Subscription.name == name, Subscription.key == key


def _subscribers(session: Session, name: str, key: str) -> Sequence[int]:
    """Instances that wait for this message; everybody locks them in this order."""
    query = select(Subscription.instance_id).where(*_messages(name, key))
    return session.scalars(query.distinct().order_by(Subscription.instance_id)).all()


def waits_for(session: Session, name: str, key: str) -> bool:
    """Whether an instance waits for a message of this name and key."""
    query = select(Subscription.instance_id).where(*_messages(name, key))
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
