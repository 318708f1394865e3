"""Business errors: from the failing token outwards to the nearest boundary event that catches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpmn.specs import Boundary, End, ErrorCatch
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
    if catcher is None:
        top.fail(token.task_spec.name, code, message)
        return
    top.waiting.fire(catcher, {"error": {"code": code, "message": message, "element": token.task_spec.name}})
    if token.alive:
        top.kill(token)


def lookup(token: Token, code: str) -> Token | None:
    """The armed boundary event that would catch this error of this token."""
    current = token
    while True:
        found = _best(current, code)
        if found is not None:
            return found
        scope = current.workflow
        if current.is_round:
            current = current.parent
        elif isinstance(scope, SubScope):
            current = scope.owner
        else:
            return None


def _best(activity: Token, code: str) -> Token | None:
    """The boundary with exactly this code before one that catches any."""
    any_code: Token | None = None
    child: Token
    for child in activity.children:
        if not isinstance(child.task_spec, Boundary) or child._state != WAITING:
            continue
        for definition in child.task_spec.events:
            if isinstance(definition, ErrorCatch):
                if definition.code == code:
                    return child
                if not definition.code:
                    any_code = any_code or child
    return any_code
