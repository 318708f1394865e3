"""Errors and escalations: from the token that throws outwards to the nearest event that catches them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bpmn.specs import Boundary, End, ErrorCatch, EscalationCatch, EventSubProcess
from bpmn.specs.nodes import WAITING
from engine.runtime.scope import SubScope
from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance


def throw_error(top: Instance, token: Token, code: str, message: str) -> None:
    """Fires the nearest matching boundary event; nobody catches it: the instance fails and says so."""
    top.note("thrown", token)
    catcher = lookup(token, code)
    if isinstance(token.task_spec, End):
        top.completed_at(token)  # an error end event has done what it is for
        message = _known(top, code) or message
    if catcher is None:
        top.fail(token.task_spec.name, code, message)
        return
    top.waiting.fire(catcher, {"error": {"code": code, "message": message, "element": token.task_spec.name}})
    if token.alive:
        top.kill(token)


def throw_escalation(top: Instance, token: Token, code: str) -> None:
    """Fires the nearest event that catches it; nobody has to. Whoever throws goes on, unless the catcher interrupts him."""
    top.note("thrown", token)
    catcher = lookup(token, code, EscalationCatch)
    if catcher is not None:
        told = {"code": code, "element": token.task_spec.name}
        top.waiting.fire(catcher, {"escalation": told})


def lookup(token: Token, code: str, kind: type[Any] = ErrorCatch) -> Token | None:
    """The armed event that would catch this error of this token.

    From inside out: its own boundary events, those of its loop, the event sub-processes of its scope, the boundary events
    of the activity that owns the scope, and so on. A handler does not catch what it throws itself.
    """
    current = token
    while True:
        found = _best(current.children, code, kind, Boundary)
        if found is not None:
            return found
        if current.is_round:
            current = current.parent
            continue
        scope = current.workflow
        handler = current.task_spec
        others = (t for t in scope.task_tree.children if t.task_spec is not handler)
        found = _best(others, code, kind, EventSubProcess)
        if found is not None or not isinstance(scope, SubScope):
            return found
        current = _whoever_asked(scope.owner)


def _whoever_asked(owner: Token) -> Token:
    """Out of a sub-process that is compensated the way leads to the token that asked for it."""
    asked: Token | None = owner.workflow.top_workflow.by_id.get(owner.internal_data.get("back", 0))
    return owner if asked is None else asked


def _best(tokens: Iterable[Token], code: str, kind: type[Any], place: type[Any]) -> Token | None:
    """One that waits for exactly this code before one that catches any."""
    any_code: Token | None = None
    for token in tokens:
        if not isinstance(token.task_spec, place) or token._state != WAITING:
            continue
        for definition in token.task_spec.events:
            if isinstance(definition, kind):
                if definition.code == code:
                    return token
                if not definition.code:
                    any_code = any_code or token
    return any_code


def _known(top: Instance, code: str) -> str | None:
    """What was said when this very error was caught before: the end event that throws it again says so too."""
    before = top.data.get("error")
    return str(before["message"]) if isinstance(before, dict) and before.get("code") == code else None
