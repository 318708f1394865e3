"""Writes what a step changed: the instance row, its history, and the rows that follow its tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from engine.errors import Conflict
from engine.events import record
from engine.jobs import queue
from engine.jobs.local import LocalDone, write_ledger
from engine.jobs.model import Incident, Job
from engine.ports import ClosedTask, OpenedTask
from engine.runtime import codec, variables
from engine.runtime.changes import Change
from engine.runtime.instance import Instance
from engine.runtime.lock import HELD, Held
from engine.runtime.model import InstanceHistory, InstanceTimer, ProcessInstance, Subscription
from engine.runtime.moving import key_of
from engine.runtime.token import Token
from engine.store.base import table_of
from engine.store.prepared import Batch, Prepared, batch, deleting, inserting, updating


@dataclass
class Written:
    """What the listeners of the step are told."""

    opened: list[OpenedTask]
    closed: list[ClosedTask]


_instance = table_of(ProcessInstance)
_timer_table, _subscription_table = table_of(InstanceTimer), table_of(Subscription)
_CREATE = inserting(_instance, returning="id", without=["id"])
_FIND = Prepared(select(*HELD).where(_instance.c.id == bindparam("id")))
_STORED = Prepared(select(_instance.c.tokens, _instance.c.variables).where(_instance.c.id == bindparam("id")))
_SAME = {"id": "ident", "version": "was"}
_STEP = updating(_instance, _SAME, "version", "tokens", "task_count", "has_incident")
_STEP_AND_VARIABLES = updating(
    _instance, _SAME, "version", "tokens", "task_count", "has_incident", "variables"
)
_LAST_STEP = updating(
    _instance,
    _SAME,
    *("version", "tokens", "task_count", "has_incident", "variables", "state"),
    *("ended_at", "end_element", "end_code", "end_message"),
)
_HISTORY = inserting(table_of(InstanceHistory))
_ARM = inserting(_timer_table)
_DISARM = deleting(_timer_table, "instance_id", "token_id")
_SUBSCRIBE = inserting(_subscription_table)
_UNSUBSCRIBE = deleting(_subscription_table, "instance_id", "token_id")
_OPEN_INCIDENTS = Prepared(
    select(Incident.id, Incident.token_id).where(
        Incident.instance_id == bindparam("instance_id"), Incident.state == "open"
    )
)


def create(
    session: Session, definition_id: int, business_key: str, order_id: str | None, at: datetime
) -> Held:
    """The row of a new instance; its first step is saved like every other."""
    ident = _CREATE.value(
        session,
        definition_id=definition_id,
        business_key=business_key,
        order_id=order_id,
        state="active",
        version=0,
        tokens=b"",
        variables=b"",
        task_count=0,
        has_incident=False,
        created_at=at,
        ended_at=None,
        end_element=None,
        end_code=None,
        end_message=None,
    )
    assert ident is not None  # noqa: S101  (an insert that returns gives a row)
    return Held(ident, definition_id, business_key, order_id, "active", 0, 0, False)


def find(session: Session, instance_id: int) -> Held | None:
    """An instance to look at, without a lock."""
    found = _FIND.first(session, id=instance_id)
    return None if found is None else Held(*found)


def stored(session: Session, instance_id: int) -> tuple[bytes, bytes]:
    """Tokens and variables as they are stored."""
    found = _STORED.first(session, id=instance_id)
    assert found is not None  # noqa: S101  (the caller holds the row)
    return found.tokens, found.variables


def numbers_of(session: Session, instance_id: int) -> tuple[int, int]:
    """The last number of a token, and how many user tasks there were, of an instance that has ended."""
    row = find(session, instance_id)
    tokens, _ = stored(session, instance_id)
    return codec.last_id(tokens), row.task_count if row is not None else 0


def follow(session: Session, row: Held, top: Instance, changes: Sequence[Change]) -> Written:
    """The rows that follow the tokens: jobs and incidents are written, tasks are told to the listeners, who write them."""
    written = Written([], [])
    completed = {n.token for n in top.notes if n.what in ("completed", "round")}
    for change in changes:
        if change.after.incident not in (0, change.before.incident):
            open_incident_row(session, row, top, change.token)
        if change.before.job and not change.after.job and change.token.id not in top.by_id:
            _cancel_job(session, row, top, change.token.id)
        elif change.after.job and not change.before.job:
            _service_job(session, row, top, change.token)
        _task(row, top, change, written, completed)
    row.has_incident = bool(row.has_incident or top.troubled) and has_incidents(session, row, top)
    return written


def save(
    session: Session,
    row: Held,
    top: Instance,
    actor: str,
    changes: Sequence[Change],
    calls: Sequence[LocalDone],
) -> None:
    """The instance under its version, its history, timers and subscriptions, and the ledger's rows.

    Raises `Conflict` if somebody was faster.
    """
    with batch(session) as sent:
        _save_instance(session, sent, row, top, actor)
        for change in changes:
            _timer(session, row, change)
            _subscription(session, row, change)
        write_ledger(session, calls)


def _save_instance(session: Session, sent: Batch, row: Held, top: Instance, actor: str) -> None:
    was, row.version = row.version, row.version + 1
    values = {
        "ident": row.id,
        "was": was,
        "version": row.version,
        "tokens": codec.encode_tokens(top),
        "task_count": row.task_count,
        "has_incident": row.has_incident,
    }
    statement = _STEP
    if top.end is not None:
        statement, row.state = _LAST_STEP, top.end.state
        values |= {"variables": codec.encode_variables(top), "state": top.end.state, "ended_at": top.now}
        values |= {"end_element": top.end.element, "end_code": top.end.code}
        values["end_message"] = (top.end.message or "")[:500] or None
    elif top.differences or top.memory_changed or top.with_data() != top.stored_with_data or was == 0:
        statement, values["variables"] = _STEP_AND_VARIABLES, codec.encode_variables(top)
    sent.exactly_one(session, statement, Conflict, **values)
    _HISTORY.run(
        session, instance_id=row.id, seq=row.version, at=top.now, actor=actor[:200], body=_history(top)
    )


def _history(top: Instance) -> bytes:
    return codec.pack(
        {
            "notes": [[n.what, n.element, n.token] for n in top.notes],
            "variables": [[d.name, d.before, d.after, d.element] for d in top.differences],
        }
    )


def _task(row: Held, top: Instance, change: Change, written: Written, completed: set[int]) -> None:
    node, ident = change.token.task_spec, change.token.id
    if change.after.task and not change.before.task:
        seen = variables.view(top, change.token)
        row.task_count += 1
        names = node.name, node.label, node.label_en, node.attributes
        written.opened.append(OpenedTask(ident, row.task_count, *names, seen))
    elif change.before.task and not change.after.task:
        how = "completed" if ident in completed or ident in top.by_id else "cancelled"
        mine = row.recorded if row.recorded is not None and row.recorded.token_id == ident else None
        is_limited = mine is None or mine.is_limited
        written.closed.append(ClosedTask(ident, node.name, how, mine is not None, is_limited))  # type: ignore[arg-type]


def _cancel_job(session: Session, row: Held, top: Instance, token_id: int) -> None:
    session.execute(
        update(Job)
        .where(
            Job.instance_id == row.id,
            Job.token_id == token_id,
            Job.state.in_(("ready", "running", "incident")),
        )
        .values(state="cancelled", ended_at=top.now)
        .execution_options(synchronize_session=False)
    )


def _service_job(session: Session, row: Held, top: Instance, token: Token) -> None:
    """A token that runs again uses the job it had, with the same key, so that nothing outside happens twice."""
    key = key_of(row, token)
    if token.internal_data.get("faults"):
        job = session.scalars(select(Job).where(Job.key == key, Job.instance_id == row.id)).first()
        if job is not None:
            queue.again(job, top.now)
            return
    queue.add(
        session,
        kind="service",
        key=key,
        payload={"operation": token.task_spec.attributes["operation"]},
        at=top.now,
        instance_id=row.id,
        token_id=token.id,
        element=token.task_spec.name,
    )


def _timer(session: Session, row: Held, change: Change) -> None:
    if change.before.due == change.after.due:
        return
    if change.before.due is not None:
        _DISARM.run(session, instance_id=row.id, token_id=change.token.id)
    if change.after.due is not None:
        due = datetime.fromisoformat(change.after.due)
        _ARM.run(session, instance_id=row.id, token_id=change.token.id, due_at=due)


def _subscription(session: Session, row: Held, change: Change) -> None:
    if change.before.hears == change.after.hears:
        return
    if change.before.hears is not None:
        _UNSUBSCRIBE.run(session, instance_id=row.id, token_id=change.token.id)
    if change.after.hears is not None:
        kind, name, key = change.after.hears
        _SUBSCRIBE.run(
            session, instance_id=row.id, token_id=change.token.id, position=0, kind=kind, name=name, key=key
        )


def open_incident_row(
    session: Session, row: Held, top: Instance, token: Token, job: Job | None = None, **given: str
) -> Incident:
    """An incident at a token: its own fault, or that of its job."""
    node = token.task_spec
    fault = given or token.internal_data["incident"]
    area = top.data.get("area")
    incident = Incident(
        state="open",
        instance_id=row.id,
        token_id=token.id,
        job_id=job.id if job is not None else None,
        element=node.name,
        element_name=node.label,
        business_key=row.business_key,
        area=str(area)[:64] if area is not None else None,
        code=fault["code"][:64],
        message=fault["message"][:1000],
        fingerprint=fingerprint(fault["code"], node.name, str(node.attributes.get("operation", ""))),
        attempts=job.attempts if job is not None else token.internal_data.get("faults", 1),
        created_at=top.now,
    )
    session.add(incident)
    top.troubled.append(node.name)
    record(
        session,
        "IncidentOpened",
        at=top.now,
        actor="system",
        business_key=row.business_key,
        instance_id=row.id,
        element=node.name,
        code=incident.code,
        message=incident.message,
    )
    return incident


def fingerprint(*parts: str) -> str:
    """Incidents with the same cause share it."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16]


def has_incidents(session: Session, row: Held, top: Instance) -> bool:
    """Whether an incident of the instance is open. Those of tokens that are gone are cancelled first."""
    found = _OPEN_INCIDENTS.rows(session, instance_id=row.id)
    gone = [i.id for i in found if i.token_id not in top.by_id]
    for incident in gone:
        session.get_one(Incident, incident).cancel(top.now)
    return len(gone) < len(found)


def elements_of(notes: Sequence[Any], what: str) -> list[str]:
    """Elements of the notes of one kind, in order."""
    return [n.element for n in notes if n.what == what]
