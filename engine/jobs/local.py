"""Operations whose effect is rows in our own database: run in the transaction of the step itself.

So effect, result and the next step are one: nothing can be lost between them, and no worker has to be woken. Each call is
written to the ledger like a call to the outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.jobs.ledger import checked
from engine.jobs.model import AdapterCall
from engine.ports import LocalCall, LocalOperation, Operation, Repeat
from engine.store.base import table_of
from engine.store.prepared import inserting

TARGET = "local"

_INSERT = inserting(table_of(AdapterCall), without=["id"])


@dataclass(frozen=True, slots=True)
class LocalDone:
    """A call that was made in this step, for the ledger."""

    call: LocalCall
    element: str
    output: Mapping[str, Any]


def run_local(session: Session, local: LocalOperation, call: LocalCall, element: str) -> LocalDone:
    """Checks the input and does the work. Raises `NeedsHuman`, `Permanent`; then nothing of it has been written.

    But a `Permanent` that `keeps` leaves what was written: a port that is marked faulty although there is no other one.
    """
    args = checked(local.operation, call.args)
    call = LocalCall(call.operation, call.key, args, call.instance_id, call.business_key, call.now)
    if local.reads_only:
        return LocalDone(call, element, local.run(session, call))
    refused: Permanent | None = None
    output: Mapping[str, Any] = {}
    with session.begin_nested():
        try:
            output = local.run(session, call)
        except Permanent as e:
            if not e.keeps:
                raise
            refused = e
    if refused is not None:
        raise refused
    return LocalDone(call, element, output)


def write_ledger(session: Session, calls: Sequence[LocalDone]) -> None:
    """The rows of the calls of a step, in its transaction."""
    if calls:
        _INSERT.many(session, [_row(done) for done in calls])


def _row(done: LocalDone) -> dict[str, Any]:
    call = done.call
    return {
        "key": call.key,
        "state": "DONE",
        "operation": call.operation,
        "target": TARGET,
        "instance_id": call.instance_id,
        "element": done.element,
        "request": dict(call.args),
        "plan": None,
        "result": dict(done.output),
        "attempts": 1,
        "error_code": None,
        "error": None,
        "created_at": call.now,
        "changed_at": call.now,
    }


class Nothing(Schema):
    """No data."""


class Noop:
    """Does nothing, at once: for trying a diagram out, and for measuring what a step itself costs."""

    operation = Operation("demo.noop", "空操作", "Do nothing", Nothing, Nothing, Repeat.NATIVE)
    reads_only = True

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Nothing is written but the ledger's row."""
        return {}
