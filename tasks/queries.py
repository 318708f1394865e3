"""Reading the worklist: soonest due first, by page, each view with its count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Select, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import Session

from engine.events import Event
from engine.identity.actor import Actor
from engine.identity.model import Person
from engine.identity.scope import visible_tasks
from engine.store.paging import read_mark, write_mark
from engine.store.prepared import Prepared
from tasks.columns import TASK_COLUMNS
from tasks.field.model import Crew
from tasks.model import Task, TaskFacts

View = Literal["mine", "crew", "open", "late", "all"]
VIEWS: tuple[View, ...] = ("mine", "crew", "open", "late")
SOON = timedelta(hours=2)


def _query(actor: Actor, view: View, now: datetime) -> Select[Task]:
    query = visible_tasks(select(Task).where(Task.closed_at.is_(None)), actor, TASK_COLUMNS)
    if view == "mine":
        return query.where(Task.assignee_id == actor.person_id)
    if view == "crew":
        return (
            query.where(Task.crew_id == actor.crew_id)
            if actor.crew_id
            else query.where(Task.crew_id.is_not(None))
        )
    if view == "open":
        return query.where(Task.assignee_id.is_(None))
    if view == "late":
        return query.where(Task.rank_at <= now, Task.due_at <= now)  # the first finds it by an index
    return query


def worklist(
    session: Session,
    actor: Actor,
    view: View,
    *,
    now: datetime,
    text: str | None = None,
    order: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[Sequence[Task], str | None]:
    """A page of open tasks and the cursor of the next. `text` matches order, customer or task name from the start."""
    query = _query(actor, view, now)
    if order:
        query = query.where(or_(Task.business_key == order, Task.business_key.startswith(f"{order}.")))
    if text:
        query = query.where(
            or_(
                Task.business_key.startswith(text.upper()),
                Task.customer.startswith(text, autoescape=True),
                Task.name.startswith(text, autoescape=True),
            )
        )
    if after:
        query = query.where(tuple_(Task.rank_at, Task.id) > read_mark(after))
    found = session.scalars(query.order_by(Task.rank_at, Task.id).limit(limit + 1)).all()
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], write_mark(last.rank_at, last.id) if last else None


def counts(session: Session, actor: Actor, now: datetime) -> dict[str, int]:
    """How many tasks each view holds."""
    return {view: count(session, actor, view, now) for view in VIEWS}


def count(session: Session, actor: Actor, view: View, now: datetime) -> int:
    """How many tasks one view holds; a thousand stands for more."""
    inner = _query(actor, view, now).with_only_columns(Task.id).limit(1000).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def open_count(session: Session, most: int) -> int:
    """How many tasks are open in all, counted up to `most`."""
    inner = select(Task.id).where(Task.closed_at.is_(None)).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(inner)) or 0


def tasks_of(session: Session, actor: Actor, instances: Sequence[int]) -> Sequence[Task]:
    """All tasks of some instances that the actor may see, oldest first."""
    query = visible_tasks(select(Task).where(Task.instance_id.in_(instances)), actor, TASK_COLUMNS)
    return session.scalars(query.order_by(Task.created_at, Task.id)).all()


_PERSON = Prepared(select(Person.name).where(Person.id == bindparam("id")))
_CREW = Prepared(select(Crew.name, Crew.name_en).where(Crew.id == bindparam("id")))


def names(session: Session, tasks: Sequence[TaskFacts]) -> tuple[dict[int, str], dict[str, tuple[str, str]]]:
    """Names of the assignees and (zh, en) of the crews of some tasks."""
    people = {t.assignee_id for t in tasks if t.assignee_id is not None}
    crews = {t.crew_id for t in tasks if t.crew_id is not None}
    person = {ident: found.name for ident in people if (found := _PERSON.first(session, id=ident))}
    crew = {
        ident: (found.name, found.name_en) for ident in crews if (found := _CREW.first(session, id=ident))
    }
    return person, crew


def history(session: Session, task: Task, limit: int = 1000) -> list[Event]:
    """What happened to one task, newest first."""
    query = select(Event).where(Event.instance_id == task.instance_id, Event.element == task.element)
    found = session.scalars(query.order_by(Event.id.desc()).limit(limit))
    return [event for event in found if event.data.get("task") == task.id]


def open_tasks_of(session: Session, orders: Collection[str]) -> Sequence[Task]:
    """Open tasks of some orders, soonest due first; scoped by whoever found the orders."""
    query = select(Task).where(Task.closed_at.is_(None), Task.business_key.in_(set(orders)))
    return session.scalars(query.order_by(Task.rank_at, Task.id)).all()
