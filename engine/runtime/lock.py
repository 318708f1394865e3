"""The lock that every command takes first: the instance's row, then whatever else it changes. So nobody waits in a ring."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.runtime.model import ProcessInstance


def lock_instance(session: Session, instance_id: int) -> ProcessInstance | None:
    """The row as it is now, held until the transaction ends; on SQLite the writer's transaction is the lock."""
    query = select(ProcessInstance).where(ProcessInstance.id == instance_id).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
