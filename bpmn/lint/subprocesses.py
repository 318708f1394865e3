"""Event sub-processes: one start with a trigger, and no flows to or from them."""

from __future__ import annotations

from bpmn import loops
from bpmn.diagram import Scope, event_definitions
from bpmn.lint.report import Report
from bpmn.xml import is_true, kind_of


def check(report: Report) -> None:
    """Every event sub-process."""
    for scope in report.diagram.scopes():
        if scope.is_event_sub and scope.parent is not None:
            _event_sub(report, scope, scope.parent)


def _event_sub(report: Report, scope: Scope, around: Scope) -> None:
    element = scope.element
    if any(scope.id in (flow.source, flow.target) for flow in around.flows):
        report.add("EVENT_SUBPROCESS_FLOW", element)
    if loops.of(element):
        report.add("FEATURE", element, feature="a loop of an event sub-process")
    starts = [e for e in scope.nodes.values() if kind_of(e) == "startEvent"]
    if len(starts) != 1:
        return  # bpmn.lint.flows
    kinds = [kind_of(d) for d in event_definitions(starts[0])]
    if "errorEventDefinition" in kinds and not is_true(starts[0], "isInterrupting", default=True):
        report.add("ERROR_NOT_INTERRUPTING", starts[0])
