"""Event sub-processes: one start with a trigger, and no flows to or from them. Calls: of what is there, in no circle."""

from __future__ import annotations

from bpmn import calls, loops
from bpmn.diagram import Scope, event_definitions
from bpmn.lint.report import Report
from bpmn.xml import is_true, kind_of


def check(report: Report) -> None:
    """Every event sub-process."""
    for scope in report.diagram.scopes():
        if scope.is_event_sub and scope.parent is not None:
            _event_sub(report, scope, scope.parent)
    executable = {p.id for p in report.diagram.processes if is_true(p.element, "isExecutable")}
    for process in report.diagram.processes:
        _calls(report, process, executable)


def _calls(report: Report, process: Scope, executable: set[str]) -> None:
    found = dict(calls.of(process))
    elements = {i: e for s in process.all() for i, e in s.nodes.items() if i in found}
    for ident, target in found.items():
        if target not in executable:
            report.add("CALLED_PROCESS", elements[ident], target=target or "nothing")
    circle = calls.cycle(process, report.diagram)
    if circle:
        first = next(e for i, e in elements.items() if found[i] == circle[1])
        report.add("CALL_CYCLE", first, path=" → ".join(circle))


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
