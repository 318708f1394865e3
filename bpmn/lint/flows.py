"""Sequence flows: where they lead, what they ask, and whether everything can be reached."""

from __future__ import annotations

from lxml import etree

from bpmn.diagram import ACTIVITY_KINDS, FlowXml, Scope, is_compensation, link_of
from bpmn.lint.report import Report
from bpmn.xml import is_true, kind_of

_DECIDES = {"exclusiveGateway", "inclusiveGateway"} | ACTIVITY_KINDS


def check(report: Report) -> None:
    """Ends of flows, conditions and defaults, starts, reachability."""
    for scope in report.diagram.scopes():
        _ends(report, scope)
        for ident in scope.nodes:
            _conditions(report, scope, ident)
        _starts(report, scope)
        _reachable(report, scope)


def _ends(report: Report, scope: Scope) -> None:
    for flow in scope.flows:
        source, target = scope.nodes.get(flow.source), scope.nodes.get(flow.target)
        wrong = (
            source is None
            or target is None
            or kind_of(source) == "endEvent"
            or kind_of(target) in ("startEvent", "boundaryEvent")
            or (kind_of(source) == "intermediateThrowEvent" and _leaves_link(flow, source))
        )
        if wrong:
            report.add("FLOW_END", flow.element, id=flow.id, source=flow.source, target=flow.target)


def _leaves_link(flow: FlowXml, source: etree._Element) -> bool:
    """A thrown link is the end of its way: what goes on goes on where it is caught."""
    return link_of(source) is not None and flow.element is not source


def _conditions(report: Report, scope: Scope, ident: str) -> None:
    element, flows = scope.nodes[ident], scope.outgoing(ident)
    kind, default = kind_of(element), element.get("default")
    if default and default not in [f.id for f in flows]:
        report.add("DEFAULT_FLOW", element, id=default)
    if kind == "exclusiveGateway" and len(flows) > 1:
        for flow in flows:
            if flow.condition is None and flow.id != default:
                report.add("FLOW_CONDITION", flow.element, id=flow.id)
    if kind in _DECIDES:
        if len(flows) > 1 and not default and all(flow.condition is not None for flow in flows):
            report.add("DEFAULT_MISSING", element)
        return
    for flow in flows:
        if flow.condition is not None or (default and flow.id == default):
            code = "FLOW_CONDITION_IGNORED" if kind == "parallelGateway" else "FLOW_CONDITION_EVENT"
            report.add(code, flow.element, id=flow.id, kind=kind)


def _starts(report: Report, scope: Scope) -> None:
    starts = [e for e in scope.nodes.values() if kind_of(e) == "startEvent"]
    if not starts:
        report.add("NO_START", scope.element)
    for extra in starts[1:]:
        report.add("SEVERAL_STARTS", extra)


def _reachable(report: Report, scope: Scope) -> None:
    todo = [i for i, e in scope.nodes.items() if kind_of(e) == "startEvent"]
    if not todo:
        return
    seen: set[str] = set()
    while todo:
        ident = todo.pop()
        if ident in seen or ident not in scope.nodes:
            continue
        seen.add(ident)
        todo += [f.target for f in scope.outgoing(ident)]
        todo += [str(b.get("id")) for b in scope.boundaries(ident)]
    for ident, element in scope.nodes.items():
        if is_true(element, "triggeredByEvent") or is_true(element, "isForCompensation"):
            continue  # reached by a trigger, or by whoever compensates
        if kind_of(element) == "boundaryEvent" and is_compensation(element):
            continue
        if ident not in seen and not _orphan_boundary(scope, ident):
            report.add("UNREACHABLE", element, id=ident)
        elif kind_of(element) != "endEvent" and not scope.outgoing(ident):
            report.add("DEAD_END", element, id=ident)


def _orphan_boundary(scope: Scope, ident: str) -> bool:
    """A boundary event without a host has its own problem."""
    element = scope.nodes[ident]
    return kind_of(element) == "boundaryEvent" and element.get("attachedToRef") not in scope.nodes
