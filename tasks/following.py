"""Tasks follow the steps of their instances: one row per open user task, in the transaction of the step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from engine.events import record
from engine.orders.urging import VARIABLE
from engine.ports import OpenedTask, Step
from engine.store.prepared import batch
from tasks import rows
from tasks.field.dispatch import Dispatch

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=4)


class Worklist:
    """The listener that keeps the rows."""

    def on_step(self, session: Session, step: Step) -> None:
        """Closed ones first: a loop may open the same element again."""
        for closed in step.closed:
            if closed.how == "cancelled":
                _cancel(session, step, closed.token_id)
        done = [c.token_id for c in step.closed if c.how == "completed" and not c.is_recorded]
        dispatch = Dispatch(session)
        crews = [_crew(dispatch, opened) for opened in step.opened]
        if not done and not step.opened:
            return
        with batch(session):
            for token_id in done:
                rows.CLOSE.run(session, **_closing(step, token_id, "completed"))
            for opened, crew_id in zip(step.opened, crews, strict=True):
                _open(session, step, opened, crew_id)


def rank_of(due_at: datetime | None, is_urged: bool) -> datetime:
    """Where a task stands in the worklists: one of an urged order as if it were due some hours earlier."""
    rank = due_at or NEVER
    return rank - AHEAD if is_urged else rank


def _closing(step: Step, token_id: int, state: str) -> dict[str, Any]:
    where = {"instance": step.instance_id, "token": token_id}
    return where | {"state": state, "closed_at": step.at, "closed_by": step.actor}


def _cancel(session: Session, step: Step, token_id: int) -> None:
    task = rows.CANCEL.first(session, **_closing(step, token_id, "cancelled"))
    if task is not None:
        record_task(session, "TaskCancelled", task, at=step.at, actor=step.actor)


def _crew(dispatch: Dispatch, opened: OpenedTask) -> str | None:
    """The crew that the process has chosen already; else the one that fits best."""
    area, skill = opened.variables.get("area"), opened.attributes.get("skill")
    if not skill or not area:
        return None
    chosen = opened.variables.get("crew")
    if isinstance(chosen, str) and dispatch.is_crew(chosen):
        return chosen
    return dispatch.choose(str(area), skill)


def _open(session: Session, step: Step, opened: OpenedTask, crew_id: str | None) -> None:
    area, customer = opened.variables.get("area"), opened.variables.get("customer")
    task_id = f"{step.business_key}-W{opened.number:02d}"
    rows.INSERT.run(
        session,
        id=task_id,
        instance_id=step.instance_id,
        token_id=opened.token_id,
        definition_id=step.definition_id,
        business_key=step.business_key,
        element=opened.element,
        name=opened.name,
        name_en=opened.name_en,
        role=opened.attributes["role"],
        area=str(area) if area else None,
        skill=opened.attributes.get("skill"),
        customer=str(customer)[:200] if customer else None,
        crew_id=crew_id,
        assignee_id=None,
        state="open",
        form_key=opened.attributes.get("formKey"),
        due_at=opened.due_at,
        rank_at=rank_of(opened.due_at, opened.variables.get(VARIABLE) is True),
        created_at=step.at,
        claimed_at=None,
        closed_at=None,
        closed_by=None,
        answers=None,
        request_id=None,
        version=1,
    )
    record(
        session,
        "TaskOpened",
        at=step.at,
        actor=step.actor,
        business_key=step.business_key,
        instance_id=step.instance_id,
        element=opened.element,
        task=task_id,
        name=opened.name,
        name_en=opened.name_en,
        crew=crew_id,
    )


def record_task(session: Session, kind: str, task: Any, *, at: datetime, actor: str, **data: Any) -> None:
    """An event of one task."""
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
