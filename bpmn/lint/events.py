"""Events: which kinds are executed at which place, and that what they refer to exists."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from bpmn import extension
from bpmn.diagram import ACTIVITY_KINDS, Scope, event_definitions, link_of, link_targets
from bpmn.lint.report import Report, some
from bpmn.xml import is_true, kind_of

ALLOWED: Mapping[str, frozenset[str]] = {
    "startEvent": frozenset(),
    "startEvent of an event sub-process": frozenset(
        {
            "timerEventDefinition",
            "messageEventDefinition",
            "signalEventDefinition",
            "conditionalEventDefinition",
            "errorEventDefinition",
            "escalationEventDefinition",
            "compensateEventDefinition",
        }
    ),
    "endEvent": frozenset(
        {
            "terminateEventDefinition",
            "errorEventDefinition",
            "escalationEventDefinition",
            "messageEventDefinition",
            "signalEventDefinition",
            "compensateEventDefinition",
            "cancelEventDefinition",
        }
    ),
    "intermediateCatchEvent": frozenset(
        {
            "timerEventDefinition",
            "messageEventDefinition",
            "signalEventDefinition",
            "conditionalEventDefinition",
            "linkEventDefinition",
        }
    ),
    "intermediateThrowEvent": frozenset(
        {
            "escalationEventDefinition",
            "messageEventDefinition",
            "signalEventDefinition",
            "compensateEventDefinition",
            "linkEventDefinition",
        }
    ),
    "boundaryEvent": frozenset(
        {
            "timerEventDefinition",
            "messageEventDefinition",
            "signalEventDefinition",
            "conditionalEventDefinition",
            "errorEventDefinition",
            "escalationEventDefinition",
            "compensateEventDefinition",
            "cancelEventDefinition",
        }
    ),
}
TRIGGER = "startEvent of an event sub-process"
NEEDS_ONE = {"intermediateCatchEvent", "boundaryEvent", TRIGGER}
_REFERENCES = {
    "messageEventDefinition": ("messageRef", "message"),
    "signalEventDefinition": ("signalRef", "signal"),
    "errorEventDefinition": ("errorRef", "error"),
    "escalationEventDefinition": ("escalationRef", "escalation"),
}
_CODES = {"error": "errorCode", "escalation": "escalationCode"}
_CATCHES_ANY = ("boundaryEvent", "startEvent")


def check(report: Report) -> None:
    """Kinds, references, hosts of boundary events, and whether an error can happen at all."""
    for scope in report.diagram.scopes():
        for element in scope.nodes.values():
            kind = kind_of(element)
            if kind in ALLOWED:
                is_trigger = kind == "startEvent" and scope.is_event_sub
                _kinds(report, element, TRIGGER if is_trigger else kind)
            if kind == "boundaryEvent":
                _boundary(report, scope, element)
            elif kind in ("sendTask", "receiveTask"):
                _reference(report, element, element, *_REFERENCES["messageEventDefinition"])
            elif kind == "eventBasedGateway":
                _gateway(report, scope, element)
            elif kind.startswith("intermediate") and link_of(element) is not None:
                _link(report, scope, element)


def _kinds(report: Report, element: etree._Element, kind: str) -> None:
    definitions = event_definitions(element)
    for definition in definitions:
        name = kind_of(definition)
        if name not in ALLOWED[kind]:
            report.add("EVENT_KIND", element, event=name, kind=kind, allowed=some(ALLOWED[kind]) or "none")
        elif name in _REFERENCES:
            _reference(report, element, definition, *_REFERENCES[name])
    if len(definitions) > 1:
        report.add("EVENT_SEVERAL", element)
    if not definitions and kind in NEEDS_ONE:
        report.add("EVENT_KIND", element, event="none event", kind=kind, allowed=some(ALLOWED[kind]))


def _reference(
    report: Report, holder: etree._Element, definition: etree._Element, attribute: str, tag: str
) -> None:
    target = definition.get(attribute)
    if target is None:
        if not (tag in _CODES and kind_of(holder) in _CATCHES_ANY):  # catching any error is allowed
            report.add("REFERENCE", holder, attribute=attribute, target="nothing")
        return
    found = report.diagram.by_id(tag).get(target)
    if found is None:
        report.add("REFERENCE", holder, attribute=attribute, target=target)
    elif tag in _CODES and not found.get(_CODES[tag]):
        report.add("REFERENCE", holder, attribute=_CODES[tag], target=f"{tag} {target} without a code")
    elif tag in ("message", "signal") and not found.get("name"):
        report.add("REFERENCE", holder, attribute="name", target=f"{tag} {target} without a name")


def _boundary(report: Report, scope: Scope, element: etree._Element) -> None:
    host = scope.nodes.get(str(element.get("attachedToRef")))
    if host is None or kind_of(host) not in ACTIVITY_KINDS or is_true(host, "triggeredByEvent"):
        report.add("BOUNDARY_HOST", element, target=str(element.get("attachedToRef")))
        return
    names = [kind_of(d) for d in event_definitions(element)]
    if "errorEventDefinition" not in names:
        return
    if not is_true(element, "cancelActivity", default=True):
        report.add("ERROR_NOT_INTERRUPTING", element)
    _can_happen(report, scope, element, host)


def _gateway(report: Report, scope: Scope, element: etree._Element) -> None:
    """Behind an event-based gateway: events and receive tasks that are reached by no other way."""
    if element.get("eventGatewayType", "Exclusive") != "Exclusive":
        report.add("FEATURE", element, feature="eventGatewayType=Parallel")
    if is_true(element, "instantiate"):
        report.add("FEATURE", element, feature="instantiate")
    for flow in scope.outgoing(str(element.get("id"))):
        target = scope.nodes.get(flow.target)
        kind = kind_of(target) if target is not None else ""
        waits = kind == "receiveTask" or (
            kind == "intermediateCatchEvent" and target is not None and link_of(target) is None
        )
        alone = len([f for f in scope.flows if f.target == flow.target]) == 1
        if not waits or not alone or scope.boundaries(flow.target):
            report.add("EVENT_GATEWAY_TARGET", element, target=flow.target)


def _link(report: Report, scope: Scope, element: etree._Element) -> None:
    """A thrown link has one catch event in its scope, a caught one is thrown at least once."""
    if kind_of(element) == "intermediateThrowEvent":
        found = link_targets(scope.element, element)
        if len(found) != 1:
            report.add("LINK_TARGET", element, count=len(found))
        return
    throws = (e for e in scope.nodes.values() if kind_of(e) == "intermediateThrowEvent")
    if not any(element in link_targets(scope.element, e) for e in throws):
        report.add("LINK_SOURCE", element)


def _can_happen(report: Report, scope: Scope, element: etree._Element, host: etree._Element) -> None:
    operations = report.catalogue.operations
    definition = event_definitions(element)[0]
    error = report.diagram.by_id("error").get(str(definition.get("errorRef")))
    if operations is None or error is None or not error.get("errorCode"):
        return
    if host not in report.declared:
        report.declared[host] = _declared(report, scope, host, operations)
    declared = report.declared[host]
    if declared is not None and error.get("errorCode") not in declared:
        report.add("ERROR_UNKNOWN", element, code=error.get("errorCode"), known=some(declared))


def _declared(
    report: Report, scope: Scope, host: etree._Element, operations: Mapping[str, frozenset[str]]
) -> set[str] | None:
    """Error codes that the host, or what is inside it, may throw; None where a script could throw any."""
    inner = next((s for s in scope.scopes if s.element is host), None)
    elements = [host] if inner is None else [e for s in inner.all() for e in s.nodes.values()]
    errors, codes = report.diagram.by_id("error"), set[str]()
    for element in elements:
        kind = kind_of(element)
        if kind == "scriptTask":
            return None
        if kind == "serviceTask":
            codes |= operations.get(extension.attributes(element).get("operation", ""), frozenset())
        if kind == "endEvent":
            for definition in event_definitions(element):
                error = errors.get(str(definition.get("errorRef")))
                codes |= {str(error.get("errorCode"))} if error is not None else set()
    return codes
