"""Exclusive and parallel gateways."""

from __future__ import annotations

from collections.abc import Sequence

from SpiffWorkflow.bpmn.specs import defaults as spiff

from bpmn.specs.contract import Token
from bpmn.specs.nodes import WAITING, Flow, Node, NoFlowTrue


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

    def _update_hook(self, token: Token) -> bool:
        if len(self.flows_in) < 2:
            return True
        token._set_state(WAITING)
        scope, first = token.workflow, dict[str, Token]()
        for waiting in scope.waiting_at(self):
            first.setdefault(waiting.internal_data["flow"], waiting)
        if len(first) < len(self.flows_in):
            return False
        if token.id not in {
            t.id for t in first.values()
        }:  # a second token of one flow stays for the next round
            token = next(iter(first.values()))
        scope.merge(token, first.values())
        token._ready()
        return False
