"""One token: a SpiffWorkflow `Task` whose id is a small number of its instance and which says when it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.task import Task

from bpmn.specs import Boundary, EventSubProcess, Node
from bpmn.specs.nodes import FUTURE, READY, STARTED, WAITING

if TYPE_CHECKING:
    from engine.runtime.scope import ScopeMixin


class Children(dict[int, None]):
    """Ids of child tokens, with removal in constant time; the library expects a list's `append` and `remove`."""

    def append(self, ident: int) -> None:
        self[ident] = None

    def remove(self, ident: int) -> None:
        self.pop(ident, None)


class Token(Task):
    """Plain data in `internal_data` only: it is what the codec stores.

    Keys: flow (the flow it came by), due (when its timer fires, ISO), cycle (how often that timer still comes, and how far
    apart), message and signal (what it waits for), holds (its condition, as it was asked last), gate (it waits behind an
    event-based gateway), incident (code and message of its fault), phase (what a retry repeats: enter, run, leave or route),
    faults (how often it has failed); at a loop total and done; at its body nth (which round, from 0) and local (variables
    that only this round sees).
    """

    id: int
    task_spec: Node
    internal_data: dict[str, Any]
    _state: int
    packed: str | None = None
    """How it is stored, as long as nothing of it has changed; a wide instance is not encoded anew for one token."""

    def __init__(
        self,
        workflow: ScopeMixin,
        node: Node,
        parent: Token | None = None,
        state: int = FUTURE,
        internal: dict[str, Any] | None = None,
    ) -> None:
        top = workflow.top_workflow
        super().__init__(workflow, node, parent, state, top.new_id())
        self._children = Children()
        self.internal_data = internal if internal is not None else {}
        top.born(self)

    @property
    def alive(self) -> bool:
        """Whether the token is still part of its instance."""
        return self.id in self.workflow.top_workflow.by_id

    @property
    def is_watch(self) -> bool:
        """Whether it only waits for something that may happen beside the flow: a boundary event, an event sub-process."""
        return self._state == WAITING and isinstance(self.task_spec, Boundary | EventSubProcess)

    @property
    def is_round(self) -> bool:
        """Whether it is one round of a loop; the loop's own token is its parent."""
        return "nth" in self.internal_data

    def _set_state(self, value: int) -> None:
        if value != self._state and self.alive:
            self._state = value
            self.workflow.top_workflow.moved(self)

    def run(self) -> bool | None:
        """Executes the node; a token that its own run has cancelled or put into error stays as it is."""
        result = self.task_spec._run(self)
        if result:
            self.complete()
        elif self.alive and self._state == READY:
            self._set_state(STARTED)
        return result
