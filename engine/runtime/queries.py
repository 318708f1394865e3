"""Looking at process instances from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.specs.nodes import ERROR, READY, STARTED, WAITING
from engine.deploy.model import ProcessDefinition
from engine.errors import NotFound
from engine.runtime.kernel import Kernel
from engine.runtime.model import ProcessInstance

_WORDS = {READY: "ready", STARTED: "started", WAITING: "waiting", ERROR: "failed"}


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token that rests at an element: ready (for a person), started (a job is out), waiting (for an event), failed."""

    element: str
    state: str


def get_instance(session: Session, instance_id: int) -> tuple[ProcessInstance, ProcessDefinition]:
    """An instance and the version that it runs on. Raises `NotFound`."""
    row = session.get(ProcessInstance, instance_id)
    if row is None:
        raise NotFound(what="process instance", id=instance_id)
    query = select(ProcessDefinition).where(ProcessDefinition.id == row.definition_id)
    return row, session.scalars(query).one()


def look_inside(
    session: Session, kernel: Kernel, row: ProcessInstance, at: datetime
) -> tuple[list[TokenView], dict[str, Any]]:
    """Where an instance rests, and its variables; an ended one rests nowhere."""
    live = kernel.inspect(session, row.id, at)
    tokens = [] if row.state != "active" else list(live.by_id.values())
    drawn = (t for t in tokens if t._state in _WORDS and not t.task_spec.name.startswith("("))
    resting = [TokenView(t.task_spec.name, _WORDS[t._state]) for t in drawn]
    return resting, dict(live.data)
