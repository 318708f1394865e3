"""The node: what stands in front of every library spec class, and sequence flows with an identity.

Life of a token (a SpiffWorkflow `Task`): FUTURE (arrived) → WAITING (join or event) → READY (runnable, or open for a
person) → STARTED (a worker or a scope below it is at work) → COMPLETED or CANCELLED, both of which leave the tree at
once; or ERROR (an incident, stays).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.util.task import TaskState

from bpmn.specs.contract import Token

if TYPE_CHECKING:
    from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition

    from bpmn.expressions import Expression
    from bpmn.specs.events import Boundary

FUTURE, WAITING, READY, STARTED = TaskState.FUTURE, TaskState.WAITING, TaskState.READY, TaskState.STARTED
COMPLETED, CANCELLED, ERROR = TaskState.COMPLETED, TaskState.CANCELLED, TaskState.ERROR


class BpmnError(Exception):
    """A business error, thrown by a script, an operation or an error end event."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code} {message}".strip())
        self.code, self.message = code, message


class NoFlowTrue(Exception):
    """No condition is true and there is no default flow."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One sequence flow. The library keeps only names of targets; tokens need to know which flow they came by."""

    id: str
    source: str
    target: str
    condition: Expression | None
    is_default: bool


class Node:
    """Replaces prediction and tree growth by token moves. All state is in the token; a node may be shared by threads."""

    name: str
    manual: bool
    kind: str = ""
    label: str = ""
    label_en: str = ""
    attributes: Mapping[str, str] = MappingProxyType({})
    events: Sequence[EventDefinition] = ()
    flows_in: Sequence[Flow] = ()
    flows_out: Sequence[Flow] = ()
    boundaries: Sequence[Boundary] = ()
    handler = ""
    """The activity that compensates this one, when it is done."""
    is_join = False
    """Whether a token that waits here waits for other tokens, and for nothing else."""
    has_scope = False
    """Whether what it does is in a scope of its own, named like the element."""
    passive = False
    """Entering the node is waiting: done before anything runs, so that nothing thrown meanwhile is missed."""

    def _predict(self, token: Token, *_args: Any, **_kwargs: Any) -> None:
        """Nothing is predicted: the tree holds live tokens only."""

    def test(self) -> None:
        """The library's own structural test does not apply; `bpmn.lint` has checked the diagram."""

    def _update(self, token: Token) -> None:
        if self._update_hook(token):
            token._ready()

    def _update_hook(self, token: Token) -> bool:
        """True: runnable. False: the node has put the token into another state itself."""
        return True

    def _on_ready(self, token: Token) -> None:
        pass

    def _on_cancel(self, token: Token) -> None:
        pass

    def _run(self, token: Token) -> bool | None:
        """Called by `Token.run`: True completes the token, None leaves it to whoever has it now."""
        top = token.workflow.top_workflow
        try:
            result = self._run_hook(token)
        except BpmnError as e:
            top.throw_error(token, e.code, e.message)
            return None
        except Exception as e:  # whatever a step raises becomes an incident at that step
            top.open_incident(token, e)
            return None
        return result if token.alive else None

    def _run_hook(self, token: Token) -> bool | None:
        return True

    def _on_complete(self, token: Token) -> None:
        token.workflow.emit(token, self.route(token))

    def route(self, token: Token) -> Sequence[Flow]:
        """The flows that leave the node now: plain ones always, conditional ones if true, the default if none was true."""
        flows = self.flows_out
        if all(f.condition is None and not f.is_default for f in flows):
            return flows
        true = self.true_flows(token)
        plain = [f for f in flows if f.condition is None and not f.is_default]
        default = [f for f in flows if f.is_default] if not true else []
        if not (true or plain or default):
            raise NoFlowTrue("no condition is true and there is no default flow")
        return [*plain, *true, *default]

    def true_flows(self, token: Token) -> list[Flow]:
        """The conditional flows whose condition is true, in the order of the file; the default's is not asked."""
        ask = token.workflow.top_workflow.evaluate
        asked = (f for f in self.flows_out if f.condition is not None and not f.is_default)
        return [f for f in asked if f.condition is not None and ask(token, f.condition)]
