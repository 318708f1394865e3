"""The statements on tasks that every order runs through, prepared."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from engine.store.base import table_of
from engine.store.prepared import Prepared, inserting
from tasks.model import Task

_task = table_of(Task)
_c = _task.c
_OF_TOKEN = (
    _c.instance_id == bindparam("instance"),
    _c.token_id == bindparam("token"),
    _c.closed_at.is_(None),
)
_MORE = {"version": _c.version + 1}

BY_ID = Prepared(select(_task).where(_c.id == bindparam("id")))
BY_ID_LOCKED = Prepared(select(_task).where(_c.id == bindparam("id")).with_for_update())
OPEN_OF_INSTANCE = Prepared(
    select(_task)
    .where(_c.instance_id == bindparam("instance"), _c.closed_at.is_(None))
    .order_by(_c.rank_at, _c.id)
    .limit(bindparam("most"))
)
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
