"""Exclusive, parallel, inclusive and event-based gateways."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from SpiffWorkflow.bpmn.specs import defaults as spiff

from bpmn.specs.contract import Scope, Token
from bpmn.specs.nodes import FUTURE, WAITING, Flow, Node, NoFlowTrue


def first_of_each_flow(scope: Scope, node: Node) -> dict[str, Token]:
    """Tokens that wait at a join, the oldest of each incoming flow."""
    first: dict[str, Token] = {}
    for waiting in scope.waiting_at(node):
        first.setdefault(waiting.internal_data["flow"], waiting)
    return first


class Exclusive(Node, spiff.ExclusiveGateway):
    """The first flow whose condition is true, else the default flow, else an incident."""

    def route(self, token: Token) -> Sequence[Flow]:
        top = token.workflow.top_workflow
        for flow in self.flows_out:
            if not flow.is_default and (flow.condition is None or top.evaluate(token, flow.condition)):
                return [flow]
        default = [flow for flow in self.flows_out if flow.is_default]
        if self.flows_out and not default:
            raise NoFlowTrue("no condition is true and there is no default flow")
        return default


class Parallel(Node, spiff.ParallelGateway):
    """Waits for one token on each incoming flow; two tokens of one flow are not two branches."""

    is_join = True

    def route(self, token: Token) -> Sequence[Flow]:
        """All of them: conditions do not count here."""
        return self.flows_out

    def _update_hook(self, token: Token) -> bool:
        if len(self.flows_in) < 2:
            return True
        token._set_state(WAITING)
        scope, first = token.workflow, first_of_each_flow(token.workflow, self)
        if len(first) < len(self.flows_in):
            return False
        if token.id not in {
            t.id for t in first.values()
        }:  # a second token of one flow stays for the next round
            token = next(iter(first.values()))
        scope.merge(token, first.values())
        token._ready()
        return False


class Inclusive(Node, spiff.InclusiveGateway):
    """All flows whose condition is true. As a join it waits as long as a token can still arrive (BPMN 2.0.2, 13.4.3)."""

    is_join = True
    reach: Mapping[str, Collection[str]] = MappingProxyType({})
    """Incoming flow → nodes from which a token can get to it without passing this gateway."""

    def _update_hook(self, token: Token) -> bool:
        if len(self.flows_in) < 2:
            return True
        token._set_state(WAITING)
        token.workflow.wait_to_join(self)
        return False

    def try_join(self, scope: Scope) -> bool:
        """Joins if nothing can arrive any more on a flow that is empty; asked whenever something in the scope moved."""
        first = first_of_each_flow(scope, self)
        missing = [f.id for f in self.flows_in if f.id not in first]
        if not first or (missing and self._may_arrive(scope, missing, first)):
            return False
        token = next(iter(first.values()))
        scope.merge(token, first.values())
        token._ready()
        return True

    def _may_arrive(self, scope: Scope, missing: Collection[str], present: Collection[str]) -> bool:
        """Whether some token can get to a missing flow, and not as well to one that has a token already."""
        for token in scope.frontier():
            at = token.task_spec
            if at is self:
                if token._state == FUTURE and token.internal_data.get("flow") in missing:
                    return True
            elif any(at.name in self.reach[f] for f in missing) and not any(
                at.name in self.reach[f] for f in present
            ):
                return True
        return False


class EventBased(Node, spiff.EventBasedGateway):
    """Goes on at the one of the events behind it that happens first; these wait as children of its token."""

    passive = True

    def _update_hook(self, token: Token) -> bool:
        token._set_state(WAITING)
        scope = token.workflow
        for flow in self.flows_out:
            target = scope.spec.node(flow.target)
            scope.top_workflow.arm(scope.put(target, parent=token, state=WAITING, flow=flow.id, gate=True))
        return False
