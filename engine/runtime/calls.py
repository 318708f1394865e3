"""Variables on their way into a called process and back: copies, so that caller and called share nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpmn.specs import CallActivity
from engine.runtime import variables
from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance
    from engine.runtime.scope import SubScope


def given(top: Instance, owner: Token) -> dict[str, Any]:
    """What the scope of an activity begins with: a called process with what is mapped, or with all that the caller sees."""
    node = owner.task_spec
    if not isinstance(node, CallActivity):
        return {}
    seen = variables.view(top, owner)
    if node.input_map:
        seen = {name: e.evaluate(seen, now=top.now) for name, e in node.input_map}
    copied: dict[str, Any] = variables.plain(seen, "the call")
    return copied


def give_back(top: Instance, owner: Token, scope: SubScope) -> None:
    """What comes back is assigned to the caller: what is mapped, or all."""
    node = owner.task_spec
    if not isinstance(node, CallActivity):
        return
    back: dict[str, Any] = scope.data
    if node.output_map:
        back = {name: e.evaluate(scope.data, now=top.now) for name, e in node.output_map}
    top.assign(owner, back)
