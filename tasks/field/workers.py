"""The local operation that says who worked on an order on site: so that work is not repaired by whom it is to be checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.ports import LocalCall, Operation, Repeat
from tasks.model import Task

ON_SITE = ("FC", "PT")


class DoneByRequest(Schema):
    """Which order, by its number."""

    order = fields.String(required=True, allow_none=True)


class DoneByResponse(Schema):
    """Logins and crews, whoever came last first."""

    people = fields.List(fields.String(), required=True)
    crews = fields.List(fields.String(), required=True)


class WhoDidIt:
    """Who completed the tasks of field crews of an order."""

    operation = Operation(
        "task.done_by", "施工人", "Who did the work", DoneByRequest, DoneByResponse, Repeat.NATIVE
    )
    reads_only = True

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """An order that nobody has worked on, or that there is not, gives nobody."""
        query = (
            select(Task.closed_by, Task.crew_id)
            .where(Task.business_key == call.args["order"], Task.state == "completed", Task.role.in_(ON_SITE))
            .order_by(Task.closed_at.desc(), Task.id.desc())
        )
        rows = session.execute(query).all()
        people, crews = (list(dict.fromkeys(one for one in column if one)) for column in _columns(rows))
        return {"people": people, "crews": crews}


def _columns(rows: Any) -> tuple[list[Any], list[Any]]:
    return [row.closed_by for row in rows], [row.crew_id for row in rows]
