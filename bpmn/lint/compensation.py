"""Compensation and transactions: handlers that are there, throws that reach something, cancels inside transactions."""

from __future__ import annotations

from lxml import etree

from bpmn import loops
from bpmn.diagram import ACTIVITY_KINDS, Scope, event_definitions, handlers_of, is_compensation
from bpmn.lint.report import Report
from bpmn.xml import BPMN, is_true, kind_of


def check(report: Report) -> None:
    """Every scope."""
    for scope in report.diagram.scopes():
        handled: dict[str, str] = {}
        for ident, element in scope.nodes.items():
            kind = kind_of(element)
            if is_true(element, "isForCompensation"):
                _for_compensation(report, scope, ident, element)
            if kind == "boundaryEvent" and is_compensation(element):
                _boundary(report, scope, element, handled)
            elif kind in ("intermediateThrowEvent", "endEvent"):
                _throw(report, scope, element)
            if kind in ("boundaryEvent", "endEvent") and _definition(element, "cancel") is not None:
                _cancel(report, scope, element)
            if kind == "startEvent" and is_compensation(element) and _is_of_process(scope):
                report.add("COMPENSATION_START", element)


def _definition(event: etree._Element, kind: str) -> etree._Element | None:
    return event.find(f"{{{BPMN}}}{kind}EventDefinition")


def _is_of_process(scope: Scope) -> bool:
    return scope.parent is None or scope.parent.parent is None


def _for_compensation(report: Report, scope: Scope, ident: str, element: etree._Element) -> None:
    if any(ident in (flow.source, flow.target) for flow in scope.flows):
        report.add("COMPENSATION_FLOW", element)
    boundaries = [e for e in scope.nodes.values() if kind_of(e) == "boundaryEvent" and is_compensation(e)]
    if not any(ident in handlers_of(scope.element, b) for b in boundaries):
        report.add("COMPENSATION_HANDLER", element)


def _boundary(report: Report, scope: Scope, element: etree._Element, handled: dict[str, str]) -> None:
    found, host = handlers_of(scope.element, element), element.get("attachedToRef") or ""
    target = scope.nodes.get(found[0]) if len(found) == 1 else None
    usable = target is not None and kind_of(target) in ACTIVITY_KINDS and is_true(target, "isForCompensation")
    if not usable or host in handled or len(event_definitions(element)) > 1:
        report.add("COMPENSATION_HANDLER", element)
    if scope.outgoing(str(element.get("id"))):
        report.add("COMPENSATION_FLOW", element)
    handled[host] = str(element.get("id"))


def _throw(report: Report, scope: Scope, element: etree._Element) -> None:
    """A named activity must be one of this scope, or of the one around an event sub-process."""
    definition = _definition(element, "compensate")
    target = definition.get("activityRef") if definition is not None else None
    if target is None:
        return
    around: Scope | None = scope
    while around is not None:
        found = around.nodes.get(target)
        if found is not None and kind_of(found) in ACTIVITY_KINDS:
            return
        around = around.parent if around.is_event_sub else None
    report.add("COMPENSATION_TARGET", element, target=target)


def _cancel(report: Report, scope: Scope, element: etree._Element) -> None:
    if kind_of(element) == "boundaryEvent":
        host = scope.nodes.get(element.get("attachedToRef") or "")
        if host is None or kind_of(host) != "transaction":
            report.add("CANCEL_OUTSIDE", element)
        elif loops.of(host):
            report.add("FEATURE", element, feature="a cancel event at a repeated transaction")
        elif not is_true(element, "cancelActivity", default=True):
            report.add("ERROR_NOT_INTERRUPTING", element)
        return
    around: Scope | None = scope
    while around is not None and kind_of(around.element) != "transaction":
        around = around.parent
    if around is None or around.parent is None:
        report.add("CANCEL_OUTSIDE", element)
    elif not any(_definition(b, "cancel") is not None for b in around.parent.boundaries(around.id)):
        report.add("CANCEL_UNCAUGHT", element, transaction=around.id)
