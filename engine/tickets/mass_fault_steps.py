"""The local operations of the process of a mass fault, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from engine.ports import LocalCall, LocalOperation, Operation, Repeat
from engine.tickets import closing, gathering

Act = Callable[[Session, LocalCall], Mapping[str, Any]]


class FaultRequest(Schema):
    """Which mass fault."""

    fault = fields.String(required=True)


class ChildrenResponse(Schema):
    """How many children wait."""

    children = fields.Integer(required=True)


class TellRequest(FaultRequest):
    """What all of them hear."""

    words = fields.String(required=True, validate=validate.Length(min=1, max=500))
    expected_at = fields.AwareDateTime(format="iso", load_default=None, allow_none=True)


class CloseFaultRequest(FaultRequest):
    """The cause."""

    cause_code = fields.String(required=True)
    segment = fields.String(required=True)


class CloseFaultResponse(Schema):
    """How many lines came back with it, and how many left it."""

    good = fields.Integer(required=True)
    bad = fields.Integer(required=True)


@dataclass(slots=True)
class FaultStep:
    """An operation and what it does."""

    operation: Operation
    act: Act
    reads_only: bool = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Writes rows only."""
        return self.act(session, call)


def _gather(session: Session, call: LocalCall) -> Mapping[str, Any]:
    return {"children": gathering.gather(session, call.args["fault"], call.now)}


def _telling(zone: ZoneInfo) -> Act:
    def act(session: Session, call: LocalCall) -> Mapping[str, Any]:
        told = call.args
        found = gathering.spread(session, told["fault"], told["words"], told["expected_at"], call.now, zone)
        return {"children": found}

    return act


def _over(session: Session, call: LocalCall) -> Mapping[str, Any]:
    return {"children": gathering.over(session, call.args["fault"], call.now)}


def _remind(session: Session, call: LocalCall) -> Mapping[str, Any]:
    return {"children": gathering.remind(session, call.args["fault"], call.now)}


def _close(session: Session, call: LocalCall) -> Mapping[str, Any]:
    told = call.args
    return gathering.close(session, told["fault"], told["cause_code"], told["segment"], call.now)


def _dissolve(session: Session, call: LocalCall) -> Mapping[str, Any]:
    return {"children": gathering.dissolve(session, call.args["fault"], call.now)}


_TABLE: tuple[tuple[str, str, str, type[Schema], Act], ...] = (
    ("mass_fault.gather", "收拢申告", "Take in open reports", FaultRequest, _gather),
    ("mass_fault.over", "群障恢复", "Have every line tested", FaultRequest, _over),
    ("mass_fault.remind", "催测", "Ask for missing tests", FaultRequest, _remind),
    ("mass_fault.dissolve", "撤销群障", "Let the reports go", FaultRequest, _dissolve),
)
_TELL = Operation(
    "mass_fault.tell", "统一答复", "Tell all customers the same", TellRequest, ChildrenResponse, Repeat.NATIVE
)
_CLOSE = Operation(
    "mass_fault.close",
    "群障归档",
    "Close a mass fault",
    CloseFaultRequest,
    CloseFaultResponse,
    Repeat.NATIVE,
    errors={
        gathering.UNTESTED: "有未测线路 lines have not been tested",
        closing.UNKNOWN_CAUSE: "原因代码无效 no code of a cause",
        closing.VAGUE: "描述含糊 the text says nothing",
    },
)


def operations(zone: ZoneInfo) -> dict[str, LocalOperation]:
    """All of them by name."""
    steps = [
        FaultStep(Operation(name, zh, en, request, ChildrenResponse, Repeat.NATIVE), act)
        for name, zh, en, request, act in _TABLE
    ]
    return {
        step.operation.name: step
        for step in [*steps, FaultStep(_TELL, _telling(zone)), FaultStep(_CLOSE, _close)]
    }
