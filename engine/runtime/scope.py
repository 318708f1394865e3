"""A scope that runs: the instance itself, or an embedded sub-process in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow

from bpmn.specs import Flow, Node, ProcessSpec
from bpmn.specs.nodes import FUTURE, WAITING
from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance


class ScopeMixin:
    """Tokens of one scope. Finished ones are forgotten in the same step: a scope is as large as what goes on in it."""

    spec: ProcessSpec
    data: dict[str, Any]
    task_tree: Token
    tasks: dict[int, Token]
    top_workflow: Instance
    depth: int
    undo: list[dict[str, Any]]
    """What has been done here and may have to be compensated (`engine.runtime.compensating`)."""
    joins: dict[str, None]
    """Gateways at which tokens wait as long as others may arrive; derived from the tokens."""

    def put(self, node: Node, parent: Token | None = None, state: int = FUTURE, **internal: Any) -> Token:
        """A new token at a node."""
        return Token(self, node, parent or self.task_tree, state, internal)

    def waiting_at(self, node: Node) -> Sequence[Token]:
        """Tokens that wait at a join, oldest first."""
        return [t for t in self.task_tree.children if t.task_spec is node and t._state == WAITING]

    def frontier(self) -> Iterable[Token]:
        """Every token that may still get somewhere: a boundary event that is armed goes where its activity goes."""
        return (t for t in self.tasks.values() if t is not self.task_tree and not t.is_watch)

    def wait_to_join(self, node: Node) -> None:
        """A token waits at the gateway until the tokens elsewhere let it go on."""
        self.joins[node.name] = None
        self.top_workflow.touched[self] = None

    def try_joins(self) -> bool:
        """Lets one gateway join, if one can."""
        for name in list(self.joins):
            node: Any = self.spec.node(name)
            if not self.waiting_at(node):
                del self.joins[name]
            elif node.try_join(self):
                return True
        return False

    def merge(self, keep: Token, others: Iterable[Token]) -> None:
        """One token goes on, the others have done their part."""
        for token in list(others):
            if token is not keep:
                self.top_workflow.forget(token)

    def emit(self, token: Token, flows: Iterable[Flow]) -> None:
        """A token has completed: new ones at the ends of the given flows."""
        self.top_workflow.completed_at(token)
        for flow in flows:
            self.put(self.spec.node(flow.target), flow=flow.id)

    def clear(self) -> None:
        """Cancels everything in the scope; it is then finished."""
        for token in list(self.task_tree.children):
            self.top_workflow.kill(token)

    def is_finished(self) -> bool:
        """No token is left but those that wait for the triggers of event sub-processes."""
        return all(token.is_watch for token in self.task_tree.children)

    def arm_event_subs(self) -> None:
        """Each start of the scope waits for the triggers of its event sub-processes."""
        for node in self.spec.event_subs:
            self.put(node)


class SubScope(ScopeMixin, BpmnSubWorkflow):
    """The scope of a running embedded sub-process; belongs to the STARTED token of its activity."""

    def __init__(self, spec: ProcessSpec, parent_token_id: int, top: Instance) -> None:
        super().__init__(spec, parent_token_id, top, deserializing=True)
        self.joins, self.undo = {}, []

    def _calculate_depth(self) -> int:
        above: ScopeMixin = self.owner.workflow
        return above.depth + 1

    @property
    def owner(self) -> Token:
        """The token of the sub-process activity."""
        found: Token = self.top_workflow.by_id[self.parent_task_id]
        return found
