"""The local operation that dispatches (派单): a crew is chosen before its first task opens, and keeps the order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.ports import LocalCall, LocalOperation, Operation, Repeat
from tasks.field.dispatch import Dispatch
from tasks.field.workers import WhoDidIt

NO_CREW = "NO_CREW"


class DispatchRequest(Schema):
    """Where, what the crew must be able to do, and which crews it must not be."""

    area = fields.String(required=True)
    skill = fields.String(required=True)
    without = fields.List(fields.String(), load_default=list, allow_none=True)


class DispatchResponse(Schema):
    """The crew's id."""

    crew = fields.String(required=True)


class DispatchCrew:
    """The crew of the area with the skill; of several, the one with the fewest open tasks."""

    operation = Operation(
        "crew.dispatch",
        "派单",
        "Choose a crew",
        DispatchRequest,
        DispatchResponse,
        Repeat.NATIVE,
        errors={NO_CREW: "无匹配班组 no crew fits"},
    )
    reads_only = True

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """The process keeps the crew as a variable; the worklist gives it the tasks that need a skill."""
        area, skill = call.args["area"], call.args["skill"]
        crew = Dispatch(session).choose(area, skill, call.args["without"] or ())
        if crew is None:
            raise Permanent(NO_CREW, target="crews", detail=f"no active crew of {area} has {skill}")
        return {"crew": crew}


def operations() -> dict[str, LocalOperation]:
    """All of them by name."""
    return {DispatchCrew.operation.name: DispatchCrew(), WhoDidIt.operation.name: WhoDidIt()}
