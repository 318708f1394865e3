"""The lock that every command takes first: the instance's row, then whatever else it changes. So nobody waits in a ring."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.runtime.model import ProcessInstance
from engine.store.base import table_of
from engine.store.prepared import Prepared

_table = table_of(ProcessInstance).c
_LOCK = Prepared(
    select(
        _table.id,
        _table.definition_id,
        _table.business_key,
        _table.order_id,
        _table.state,
        _table.version,
        _table.task_count,
        _table.has_incident,
    )
    .where(_table.id == bindparam("id"))
    .with_for_update()
)


@dataclass(slots=True)
class Held:
    """An instance that is ours until the transaction ends: the small columns of its row, as they are now."""

    id: int
    definition_id: int
    business_key: str
    order_id: str | None
    state: str
    version: int
    task_count: int
    has_incident: bool
    recorded_task: int | None = None  # the token of a task whose row this command's caller has closed already


def lock_instance(session: Session, instance_id: int) -> Held | None:
    """The row as it is now, held until the transaction ends; on SQLite the writer's transaction is the lock."""
    found = _LOCK.first(session, id=instance_id)
    return None if found is None else Held(*found)
