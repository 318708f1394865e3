"""The worklist: tasks follow the steps of their instances, and people claim, release and complete them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bpmn.forms import Form
from engine.deploy.definitions import Definitions
from engine.errors import NotFound, RuleViolation
from engine.events import record
from engine.identity.actor import Actor
from engine.identity.model import Person
from engine.identity.scope import visible_tasks
from engine.ports import ClosedTask, OpenedTask, Step
from engine.runtime.kernel import Kernel
from engine.runtime.lock import lock_instance
from tasks.columns import TASK_COLUMNS
from tasks.field.dispatch import choose_crew
from tasks.model import Task

NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class TaskAlreadyClaimed(RuleViolation):
    """{owner} has already claimed this task."""

    code = "task.already_claimed"


class TaskClosed(RuleViolation):
    """The task {task} is already {state}."""

    code = "task.closed"


class NotYourTask(RuleViolation):
    """The task belongs to another person or crew."""

    code = "task.not_yours"


class Worklist:
    """Keeps one row per open user task, in the transaction of the step."""

    def on_step(self, session: Session, step: Step) -> None:
        """Closed ones first: a loop may open the same element again."""
        for closed in step.closed:
            _close(session, step, closed)
        for opened in step.opened:
            _open(session, step, opened)


def _open(session: Session, step: Step, opened: OpenedTask) -> None:
    area, skill = opened.variables.get("area"), opened.attributes.get("skill")
    crew = choose_crew(session, str(area), skill) if skill and area else None
    count = select(func.count()).select_from(Task).where(Task.business_key == step.business_key)
    customer = opened.variables.get("customer")
    task = Task(
        id=f"{step.business_key}-W{(session.scalar(count) or 0) + 1:02d}",
        instance_id=step.instance_id,
        token_id=opened.token_id,
        definition_id=step.definition_id,
        business_key=step.business_key,
        element=opened.element,
        name=opened.name,
        name_en=opened.name_en,
        role=opened.attributes["role"],
        area=str(area) if area else None,
        skill=skill,
        customer=str(customer)[:200] if customer else None,
        crew_id=crew.id if crew is not None else None,
        state="open",
        form_key=opened.attributes.get("formKey"),
        due_at=opened.due_at,
        rank_at=opened.due_at or NEVER,
        created_at=step.at,
    )
    session.add(task)
    session.flush()
    _record(session, "TaskOpened", task, at=step.at, actor=step.actor, crew=task.crew_id)


def _close(session: Session, step: Step, closed: ClosedTask) -> None:
    query = select(Task).where(Task.instance_id == step.instance_id, Task.token_id == closed.token_id)
    task = session.scalars(query).one_or_none()
    if task is not None and task.closed_at is None:
        task.state, task.closed_at, task.closed_by = closed.how, step.at, step.actor
        task.version += 1
        if closed.how == "cancelled":
            _record(session, "TaskCancelled", task, at=step.at, actor=step.actor)


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


def may_claim(task: Task, actor: Actor) -> bool:
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
    _record(session, "TaskClaimed", task, at=at, actor=actor.login, person=actor.name)
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
    _record(session, "TaskReleased", task, at=at, actor=actor.login)
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


def complete(session: Session, kernel: Kernel, actor: Actor, command: CompleteTask, *, at: datetime) -> Task:
    """Checks the form and moves the process on. Raises `bpmn.forms.FormInvalid`; on any error nothing has changed."""
    lock_instance(session, get_task(session, actor, command.task_id).instance_id)
    task = get_task(session, actor, command.task_id, lock=True)
    if task.closed_at is not None:
        if command.request_id and task.request_id == command.request_id:
            return task
        raise TaskClosed(task=task.id, state=task.state)
    if task.assignee_id is None:
        claim(session, actor, task.id, at=at)
    elif task.assignee_id != actor.person_id:
        raise NotYourTask()
    values = _clean(session, kernel, task, command)
    task.state, task.closed_at, task.closed_by = "completed", at, actor.login
    task.answers, task.request_id = values, command.request_id
    task.version += 1
    _record(session, "TaskCompleted", task, at=at, actor=actor.login, person=actor.name)
    session.flush()
    kernel.complete_task(session, task.instance_id, task.token_id, values, at=at, actor=actor.login)
    return task


def next_tasks(session: Session, actor: Actor, task: Task) -> Sequence[Task]:
    """Open tasks of the same instance that the actor may see."""
    query = select(Task).where(Task.instance_id == task.instance_id, Task.closed_at.is_(None))
    return session.scalars(visible_tasks(query, actor, TASK_COLUMNS).order_by(Task.rank_at, Task.id)).all()


def form_of(session: Session, definitions: Definitions, task: Task) -> Form | None:
    """The form of the version that the task's instance runs on."""
    if task.form_key is None:
        return None
    return definitions.form(session, task.definition_id, task.form_key)


def _clean(session: Session, kernel: Kernel, task: Task, command: CompleteTask) -> dict[str, Any]:
    form = form_of(session, kernel.definitions, task)
    if form is None:
        return {}
    return form.validate_html(command.values) if command.html else form.validate(command.values)


def _refuse_closed(task: Task) -> None:
    if task.closed_at is not None:
        raise TaskClosed(task=task.id, state=task.state)


def _record(session: Session, kind: str, task: Task, *, at: datetime, actor: str, **data: Any) -> None:
    record(
        session,
        kind,
        at=at,
        actor=actor,
        business_key=task.business_key,
        instance_id=task.instance_id,
        element=task.element,
        task=task.id,
        name=task.name,
        name_en=task.name_en,
        **data,
    )


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
