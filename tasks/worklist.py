"""The worklist: what people do with tasks: claim, release, complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bpmn.forms import Form
from engine.deploy.definitions import Definitions
from engine.errors import NotFound, RuleViolation
from engine.identity.actor import Actor
from engine.identity.model import Person
from engine.identity.scope import sees_task, visible_tasks
from engine.runtime.kernel import Kernel
from engine.runtime.lock import Recorded
from tasks import rows
from tasks.columns import TASK_COLUMNS
from tasks.following import record_task
from tasks.model import Task, TaskFacts


class TaskAlreadyClaimed(RuleViolation):
    """{owner} has already claimed this task."""

    code = "task.already_claimed"


class TaskClosed(RuleViolation):
    """The task {task} is already {state}."""

    code = "task.closed"


class NotYourTask(RuleViolation):
    """The task belongs to another person or crew."""

    code = "task.not_yours"


class SamePerson(RuleViolation):
    """{person} has done the other half of this work: it takes two persons."""

    code = "task.same_person"


# ---- what people do


def get_task(session: Session, actor: Actor, task_id: str, *, lock: bool = False) -> Task:
    """One task that the actor may see. Raises `NotFound`."""
    query = visible_tasks(select(Task).where(Task.id == task_id), actor, TASK_COLUMNS)
    if lock:  # what was read before waiting for the lock no longer counts
        query = query.with_for_update().execution_options(populate_existing=True)
    task = session.scalars(query).one_or_none()
    if task is None:
        raise NotFound(what="task", id=task_id)
    return task


def may_claim(task: TaskFacts, actor: Actor) -> bool:
    """Whether the task is open and meant for somebody like the actor."""
    if task.closed_at is not None or task.assignee_id is not None or not actor.can("complete_task"):
        return False
    if task.crew_id is not None and task.crew_id == actor.crew_id:
        return True
    return (task.role in actor.roles and task.crew_id is None) or bool(actor.roles & {"AD", "SV", "DP"})


def claim(session: Session, actor: Actor, task_id: str, *, at: datetime) -> Task:
    """Gives the task to the actor; claiming what one has changes nothing."""
    task = get_task(session, actor, task_id, lock=True)
    _refuse_closed(task)
    if task.assignee_id == actor.person_id:
        return task
    if task.assignee_id is not None:
        owner = session.get(Person, task.assignee_id)
        raise TaskAlreadyClaimed(owner=owner.name if owner is not None else task.assignee_id)
    if not may_claim(task, actor):
        raise NotYourTask()
    task.assignee_id, task.state, task.claimed_at = actor.person_id, "claimed", at
    task.version += 1
    record_task(session, "TaskClaimed", task, at=at, actor=actor.login, person=actor.name)
    return task


def release(session: Session, actor: Actor, task_id: str, *, at: datetime) -> Task:
    """Gives the task back to its crew; releasing an open one changes nothing."""
    task = get_task(session, actor, task_id, lock=True)
    _refuse_closed(task)
    if task.assignee_id is None:
        return task
    if not may_release(task, actor):
        raise NotYourTask()
    task.assignee_id, task.state, task.claimed_at = None, "open", None
    task.version += 1
    record_task(session, "TaskReleased", task, at=at, actor=actor.login)
    return task


def may_release(task: Task, actor: Actor) -> bool:
    """The holder may, and who directs the area."""
    if task.closed_at is not None or task.assignee_id is None:
        return False
    return task.assignee_id == actor.person_id or bool(actor.roles & {"AD", "SV", "DP"})


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """A completion. `request_id` makes a repeat harmless; `html` says that the values are texts of an HTML form."""

    task_id: str
    values: Any
    request_id: str | None = None
    html: bool = False


def complete(
    session: Session, kernel: Kernel, actor: Actor, command: CompleteTask, *, at: datetime
) -> TaskFacts:
    """Checks the form and moves the process on. Raises `bpmn.forms.FormInvalid`; on any error nothing has changed."""
    task = rows.LOCKED.first(session, id=command.task_id)
    if task is None or not _sees(session, actor, task):
        raise NotFound(what="task", id=command.task_id)
    before: TaskFacts = task
    if task.closed_at is not None:
        if command.request_id and task.request_id == command.request_id:
            return before
        raise TaskClosed(task=task.id, state=task.state)
    taken = _take(session, task, actor, at)
    if is_for_another(session, kernel.definitions, task, actor.login):
        raise SamePerson(person=actor.name)
    values = _clean(session, kernel, task, command)
    done = {"state": "completed", "closed_at": at, "closed_by": actor.login, "request_id": command.request_id}
    rows.COMPLETE.run(session, ident=task.id, answers=values, **done, **taken)
    record_task(session, "TaskCompleted", task, at=at, actor=actor.login, person=actor.name)
    held = rows.held_with(task)
    held.recorded = Recorded(task.token_id, is_limited=task.due_at is not None)
    kernel.complete_task(session, held, task.token_id, values, at=at, actor=actor.login)
    changed: TaskFacts = task._replace(**done, **taken)
    return changed


def _sees(session: Session, actor: Actor, row: TaskFacts) -> bool:
    seen = sees_task(actor, row.assignee_id, row.crew_id, row.area, row.role)
    if seen is None:  # only the database knows who works for whom
        query = visible_tasks(select(Task.id).where(Task.id == row.id), actor, TASK_COLUMNS)
        return session.scalar(query) is not None
    return seen


def _take(session: Session, task: Any, actor: Actor, at: datetime) -> dict[str, Any]:
    """Who completes a task that nobody has claimed has it from this moment. Raises `NotYourTask`."""
    if task.assignee_id is not None and task.assignee_id != actor.person_id:
        raise NotYourTask()
    if task.assignee_id is None:
        if not may_claim(task, actor):
            raise NotYourTask()
        return {"assignee_id": actor.person_id, "claimed_at": at}
    return {"assignee_id": task.assignee_id, "claimed_at": task.claimed_at}


def is_for_another(session: Session, definitions: Definitions, task: TaskFacts, login: str) -> bool:
    """Whether this person has done the task that this one must be done by somebody else than."""
    node = definitions.executable(session, task.definition_id).nodes[task.element]
    other = node.attributes.get("otherThan")
    if other is None:
        return False
    last = rows.LAST_OF_ELEMENT.first(session, instance=task.instance_id, element=other)
    return last is not None and last.closed_by == login


def next_tasks(session: Session, actor: Actor, task: TaskFacts, most: int = 20) -> Sequence[TaskFacts]:
    """Open tasks of the same instance that the actor may see, soonest due first; no more than `most`."""
    found = rows.OPEN_OF_INSTANCE.rows(session, instance=task.instance_id, most=most)
    return [row for row in found if _sees(session, actor, row)]


def form_of(session: Session, definitions: Definitions, task: TaskFacts) -> Form | None:
    """The form of the version that the task's instance runs on."""
    if task.form_key is None:
        return None
    return definitions.form(session, task.definition_id, task.form_key)


def _clean(session: Session, kernel: Kernel, task: TaskFacts, command: CompleteTask) -> dict[str, Any]:
    form = form_of(session, kernel.definitions, task)
    if form is None:
        return {}
    return form.validate_html(command.values) if command.html else form.validate(command.values)


def _refuse_closed(task: Task) -> None:
    if task.closed_at is not None:
        raise TaskClosed(task=task.id, state=task.state)


class Holders:
    """Who holds a task, and who supervises an area: for warnings."""

    def holder_ids(self, session: Session, business_key: str, token_id: int) -> Sequence[int]:
        """The person who claimed the task, else its crew; for an order (token 0) those of its open tasks."""
        query = select(Task).where(Task.closed_at.is_(None))
        if token_id:
            query = query.where(Task.business_key == business_key, Task.token_id == token_id)
        else:  # later items of an order have keys of their own
            mine = or_(Task.business_key == business_key, Task.business_key.startswith(f"{business_key}."))
            query = query.where(mine)
        found: set[int] = set()
        for task in session.scalars(query):
            if task.assignee_id is not None:
                found.add(task.assignee_id)
            elif task.crew_id is not None:
                people = select(Person.id).where(Person.crew_id == task.crew_id, Person.active.is_(True))
                found |= set(session.scalars(people))
        return sorted(found)

    def supervisor_ids(self, session: Session, area: str | None) -> Sequence[int]:
        """Active supervisors of the area."""
        people = session.scalars(select(Person).where(Person.active.is_(True)))
        return [p.id for p in people if "SV" in p.roles and (not p.areas or area is None or area in p.areas)]
