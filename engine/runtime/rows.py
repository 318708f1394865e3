"""Writes what a step changed: the instance row, its history, and the rows that follow its tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from engine.errors import Conflict
from engine.events import record
from engine.jobs import queue
from engine.jobs.model import Incident, Job
from engine.ports import ClosedTask, OpenedTask
from engine.runtime import codec, variables
from engine.runtime.changes import Change
from engine.runtime.instance import Instance
from engine.runtime.model import InstanceHistory, InstanceTimer, ProcessInstance, Subscription


@dataclass
class Written:
    """What the listeners of the step are told."""

    opened: list[OpenedTask]
    closed: list[ClosedTask]


def save_instance(session: Session, row: ProcessInstance, top: Instance, actor: str) -> None:
    """The instance row under its version, and one history row. Raises `Conflict` if somebody was faster."""
    values: dict[str, Any] = {"version": row.version + 1, "tokens": codec.encode_tokens(top)}
    if top.differences or top.with_data() != top.stored_with_data or not row.variables:
        values["variables"] = codec.encode_variables(top)
    if top.end is not None:
        values |= {"state": top.end.state, "ended_at": top.now, "end_element": top.end.element}
        values |= {"end_code": top.end.code, "end_message": (top.end.message or "")[:500] or None}
    table = ProcessInstance.__table__
    result = session.execute(
        update(ProcessInstance)
        .where(table.c.id == row.id, table.c.version == row.version)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict()
    for name, value in values.items():
        set_committed_value(row, name, value)
    session.execute(insert(InstanceHistory).values(_history(row, top, actor)))


def _history(row: ProcessInstance, top: Instance, actor: str) -> dict[str, Any]:
    body = {
        "notes": [[n.what, n.element, n.token] for n in top.notes],
        "variables": [[d.name, d.before, d.after, d.element] for d in top.differences],
    }
    return {
        "instance_id": row.id,
        "seq": row.version,
        "at": top.now,
        "actor": actor[:200],
        "body": codec.pack(body),
    }


def save_changes(session: Session, row: ProcessInstance, top: Instance) -> Written:
    """Tasks are told to the listeners; jobs, timers, subscriptions and incidents are written here."""
    written = Written([], [])
    completed = {n.token for n in top.notes if n.what == "completed"}
    for change in top.changes.take(top):
        _task(top, change, written, completed)
        _job(session, row, top, change)
        _timer(session, row, change)
        _subscription(session, row, change)
        if change.after.incident not in (0, change.before.incident):
            open_incident_row(session, row, top, change.token)
    return written


def _task(top: Instance, change: Change, written: Written, completed: set[int]) -> None:
    node, ident = change.token.task_spec, change.token.id
    if change.after.task and not change.before.task:
        seen = variables.view(top, change.token)
        written.opened.append(OpenedTask(ident, node.name, node.label, node.label_en, node.attributes, seen))
    elif change.before.task and not change.after.task:
        how = "completed" if ident in completed or ident in top.by_id else "cancelled"
        written.closed.append(ClosedTask(ident, node.name, how))  # type: ignore[arg-type]


def _job(session: Session, row: ProcessInstance, top: Instance, change: Change) -> None:
    token, node = change.token, change.token.task_spec
    if change.after.job and not change.before.job:
        _service_job(session, row, top, token, node.attributes["operation"])
    elif change.before.job and not change.after.job and token.id not in top.by_id:
        session.execute(
            update(Job)
            .where(
                Job.instance_id == row.id,
                Job.token_id == token.id,
                Job.state.in_(("ready", "running", "incident")),
            )
            .values(state="cancelled", ended_at=top.now)
            .execution_options(synchronize_session=False)
        )


def _service_job(session: Session, row: ProcessInstance, top: Instance, token: Any, operation: str) -> None:
    """A token that runs again uses the job it had, with the same key, so that nothing outside happens twice."""
    key = f"{row.business_key}:{token.task_spec.name}:{token.id}"
    job = session.scalars(select(Job).where(Job.key == key, Job.instance_id == row.id)).first()
    if job is not None:
        queue.again(job, top.now)
        return
    job = Job(
        kind="service",
        key=key,
        state="ready",
        instance_id=row.id,
        token_id=token.id,
        element=token.task_spec.name,
        payload={"operation": operation},
        due_at=top.now,
        created_at=top.now,
    )
    session.add(job)


def _timer(session: Session, row: ProcessInstance, change: Change) -> None:
    if change.before.due == change.after.due:
        return
    if change.before.due is not None:
        session.execute(
            delete(InstanceTimer).where(
                InstanceTimer.instance_id == row.id, InstanceTimer.token_id == change.token.id
            )
        )
    if change.after.due is not None:
        due = datetime.fromisoformat(change.after.due)
        session.execute(
            insert(InstanceTimer).values(instance_id=row.id, token_id=change.token.id, due_at=due)
        )


def _subscription(session: Session, row: ProcessInstance, change: Change) -> None:
    if change.before.message == change.after.message:
        return
    if change.before.message is not None:
        session.execute(
            delete(Subscription).where(
                Subscription.instance_id == row.id, Subscription.token_id == change.token.id
            )
        )
    if change.after.message is not None:
        name, key = change.after.message
        session.execute(
            insert(Subscription).values(
                instance_id=row.id, token_id=change.token.id, position=0, name=name, key=key
            )
        )


def open_incident_row(
    session: Session, row: ProcessInstance, top: Instance, token: Any, job: Job | None = None, **given: str
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


def has_incidents(session: Session, row: ProcessInstance, top: Instance) -> bool:
    """Whether an incident of the instance is open. Those of tokens that are gone are cancelled first."""
    query = select(Incident).where(Incident.instance_id == row.id, Incident.state == "open")
    found = session.scalars(query).all()
    gone = [i for i in found if i.token_id not in top.by_id]
    for incident in gone:
        incident.state, incident.resolved_at, incident.resolved_by = "cancelled", top.now, "system"
    return len(gone) < len(found)


def elements_of(notes: Sequence[Any], what: str) -> list[str]:
    """Elements of the notes of one kind, in order."""
    return [n.element for n in notes if n.what == what]
