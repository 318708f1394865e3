"""The statements on tasks that every order runs through, prepared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select, update

from engine.runtime.lock import HELD, Held
from engine.runtime.model import ProcessInstance
from engine.store.base import table_of
from engine.store.prepared import Prepared, inserting
from tasks.model import Task

_task, _instance = table_of(Task), table_of(ProcessInstance)
_c = _task.c
_OF_TOKEN = (
    _c.instance_id == bindparam("instance"),
    _c.token_id == bindparam("token"),
    _c.closed_at.is_(None),
)
_MORE = {"version": _c.version + 1}

LOCKED = Prepared(  # the instance comes first, as in every command
    select(_task, *HELD)
    .select_from(_instance.join(_task, _c.instance_id == _instance.c.id))
    .where(_c.id == bindparam("id"))
    .with_for_update()
)
"""A task and its instance, both locked, as they are once the locks are ours."""
OPEN_OF_INSTANCE = Prepared(
    select(_task)
    .where(_c.instance_id == bindparam("instance"), _c.closed_at.is_(None))
    .order_by(_c.rank_at, _c.id)
    .limit(bindparam("most"))
)

LAST_OF_ELEMENT = Prepared(
    select(_task)
    .where(
        _c.instance_id == bindparam("instance"),
        _c.element == bindparam("element"),
        _c.state == "completed",
    )
    .order_by(_c.closed_at.desc(), _c.id.desc())
    .limit(1)
)
"""Who has done an element last."""


def held_with(task: Any) -> Held:
    """The instance in a row of `LOCKED`."""
    return Held(*task[-len(HELD) :])


INSERT = inserting(_task)
CLOSE = Prepared(update(_task).where(*_OF_TOKEN).values(_MORE), ["state", "closed_at", "closed_by"])
CANCEL = Prepared(
    update(_task)
    .where(*_OF_TOKEN)
    .values(_MORE)
    .returning(_c.id, _c.instance_id, _c.business_key, _c.element, _c.name, _c.name_en),
    ["state", "closed_at", "closed_by"],
)
COMPLETE = Prepared(
    update(_task).where(_c.id == bindparam("ident")).values(_MORE),
    ["state", "assignee_id", "claimed_at", "closed_at", "closed_by", "answers", "request_id"],
)
