"""Compensation: what is recorded when an activity is done, and how it is taken back, last first, one at a time.

A scope keeps a record for each activity that is done and has a handler, and for each finished sub-process that has records
inside or a compensation event sub-process. Each is compensated once. The standard: BPMN 2.0.2, 10.7 and 13.5.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpmn.specs import (
    Boundary,
    CallActivity,
    CancelCatch,
    CompensationThrow,
    EventSubProcess,
    Loop,
    Transaction,
)
from bpmn.specs.nodes import READY, STARTED
from bpmn.specs.process import COMPENSATOR
from engine.runtime.scope import ScopeMixin, SubScope
from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance

Record = dict[str, Any]
"""activity, and either its handler, or inner (records of a sub-process), data and local (its variables then)."""


def leave_record(scope: SubScope) -> None:
    """A sub-process is done: what is inside it may still have to be compensated."""
    owner = scope.owner
    if isinstance(owner.task_spec, EventSubProcess) or "back" in owner.internal_data:
        return
    if scope.undo or scope.spec.compensation_sub is not None:
        owner.internal_data["left"] = {
            "activity": owner.task_spec.name,
            "inner": scope.undo,
            "data": scope.data if isinstance(owner.task_spec, CallActivity) else {},
            "local": owner.internal_data.get("local"),
            "nth": owner.internal_data.get("nth"),
        }


def record_done(top: Instance, token: Token) -> None:
    """An activity is done."""
    node, scope = token.task_spec, token.workflow
    left = token.internal_data.pop("left", None)
    if node.handler:
        scope.undo.append({"activity": node.name, "handler": node.handler})
    elif left is not None:
        scope.undo.append(left)
    else:
        scope.undo.extend(top.recall(token).get("left", ()))


def compensate(top: Instance, token: Token, definition: CompensationThrow) -> bool | None:
    """A token asks for compensation. True: it goes on; None: it waits until all is done."""
    top.note("thrown", token)
    records = _take(token, definition.activity)
    if not definition.wait:
        _compensator(token.workflow, records)
        return True
    token.internal_data["undo"] = records
    return next_compensation(top, token) or None


def next_compensation(top: Instance, token: Token) -> bool:
    """Begins the compensation of the last record of a token; True: there is none left."""
    records: list[Record] = token.internal_data["undo"]
    top.touch(token)
    if not records:
        token.internal_data.pop("waits", None)
        return True
    record = records.pop()
    root = top.by_id.get(record["scope"])
    scope = root.workflow if root is not None else token.workflow
    token.internal_data["waits"] = _begin(top, scope, record, token.id).id
    return False


def compensated(top: Instance, handler: Token) -> None:
    """A handler is done: whoever asked takes the next record, or goes on."""
    asked = top.by_id.get(handler.internal_data["back"])
    top.completed_at(handler)
    if asked is not None:
        top.guard(asked, "run", lambda: _go_on(top, asked))


def compensator_done(top: Instance, token: Token) -> None:
    """Nobody waits for a compensator, but the cancelled transaction whose scope it is in."""
    scope, cancels = token.workflow, "cancels" in token.internal_data
    top.forget(token)
    if cancels:
        owner = scope.owner
        outer = owner.parent if owner.is_round else owner
        top.waiting.fire(next(t for t in outer.children if _is_cancel(t)))


def cancel_transaction(top: Instance, token: Token) -> None:
    """Ends everything in the transaction around the token, and compensates what it has done."""
    scope = token.workflow
    while not isinstance(scope.owner.task_spec, Transaction):
        scope = scope.owner.workflow
    top.completed_at(token)
    scope.clear()
    records, scope.undo = [r | {"scope": scope.task_tree.id} for r in scope.undo], []
    _compensator(scope, records, cancels=True)


def _is_cancel(token: Token) -> bool:
    node = token.task_spec
    return isinstance(node, Boundary) and any(isinstance(d, CancelCatch) for d in node.events)


def _go_on(top: Instance, asked: Token) -> None:
    if next_compensation(top, asked):
        asked.complete()


def _take(token: Token, activity: str | None) -> list[Record]:
    """The matching records, taken out. A handler of the scope also reaches what the scope around it has done."""
    scope, found = token.workflow, list[Record]()
    while True:
        mine = [r for r in scope.undo if activity in (None, r["activity"])]
        scope.undo = [r for r in scope.undo if activity not in (None, r["activity"])]
        found = [r | {"scope": scope.task_tree.id} for r in mine] + found
        if not (isinstance(scope, SubScope) and isinstance(scope.owner.task_spec, EventSubProcess)):
            return found
        scope = scope.owner.workflow


def _compensator(scope: ScopeMixin, records: list[Record], **more: Any) -> Token:
    return scope.put(scope.spec.node(COMPENSATOR), state=READY, undo=records, **more)


def _begin(top: Instance, scope: ScopeMixin, record: Record, back: int) -> Token:
    """The handler of an activity, or a finished sub-process once more, without a start."""
    if "handler" in record:
        return scope.put(scope.spec.node(record["handler"]), back=back)
    node: Any = scope.spec.node(record["activity"])
    rounds = {} if record["nth"] is None else {"nth": record["nth"], "local": record["local"]}
    again = scope.put(node.body if isinstance(node, Loop) else node, state=STARTED, back=back, **rounds)
    inner = top.reopen(again, record["data"])
    if inner.spec.compensation_sub is not None:
        inner.undo = record["inner"]
        top.open_scope(inner.put(inner.spec.compensation_sub, state=STARTED))
    else:
        _compensator(inner, [r | {"scope": inner.task_tree.id} for r in record["inner"]])
    return again
