"""The lock that every command takes first: the instance's row, then whatever else it changes. So nobody waits in a ring."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.runtime.model import ProcessInstance
from engine.store.base import table_of
from engine.store.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Recorded:
    """A task that the command's caller completes, and whose row he has closed already."""

    token_id: int
    is_limited: bool  # whether a clock measures it


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
    recorded: Recorded | None = None


_table = table_of(ProcessInstance).c
HELD = [_table[f.name] for f in fields(Held) if f.name in _table]
"""What a `Held` is made of, in its order."""
_LOCK = Prepared(select(*HELD).where(_table.id == bindparam("id")).with_for_update())


def lock_instance(session: Session, instance_id: int) -> Held | None:
    """The row as it is now, held until the transaction ends; on SQLite the writer's transaction is the lock."""
    found = _LOCK.first(session, id=instance_id)
    return None if found is None else Held(*found)
