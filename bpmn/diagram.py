"""A diagram as a tree of scopes, before anything is executed: what lint looks at and the parser builds from."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree

from bpmn.xml import BPMN, DI, is_true, kind_of, line_of

NODE_KINDS = {
    "startEvent",
    "endEvent",
    "intermediateCatchEvent",
    "intermediateThrowEvent",
    "boundaryEvent",
    "task",
    "manualTask",
    "userTask",
    "serviceTask",
    "scriptTask",
    "sendTask",
    "receiveTask",
    "eventBasedGateway",
    "exclusiveGateway",
    "inclusiveGateway",
    "parallelGateway",
    "subProcess",
    "transaction",
    "callActivity",
}
SCOPE_KINDS = {"subProcess", "transaction"}
ACTIVITY_KINDS = {
    "task",
    "manualTask",
    "userTask",
    "serviceTask",
    "scriptTask",
    "sendTask",
    "receiveTask",
    "subProcess",
    "transaction",
    "callActivity",
}
_SILENT = {
    "documentation",
    "extensionElements",
    "incoming",
    "outgoing",
    "association",
    "group",
    "textAnnotation",
    "laneSet",
    "category",
    "property",
    "dataObject",
    "dataObjectReference",
    "dataStoreReference",
    "auditing",
    "monitoring",
    "ioSpecification",
    "dataInputAssociation",
    "dataOutputAssociation",
    "standardLoopCharacteristics",  # of the sub-process itself
    "multiInstanceLoopCharacteristics",
}


@dataclass
class FlowXml:
    """A sequence flow as drawn."""

    element: etree._Element
    id: str
    source: str
    target: str
    condition: str | None
    condition_line: int


@dataclass
class Scope:
    """A process or a sub-process: its nodes and flows, and elements that nobody here knows."""

    element: etree._Element
    parent: Scope | None = None
    nodes: dict[str, etree._Element] = field(default_factory=dict)
    flows: list[FlowXml] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    unknown: list[etree._Element] = field(default_factory=list)
    nameless: list[etree._Element] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.element.get("id") or ""

    @property
    def is_event_sub(self) -> bool:
        """Whether a trigger starts it, not a flow."""
        return is_true(self.element, "triggeredByEvent")

    def outgoing(self, node: str) -> list[FlowXml]:
        """Flows that leave a node."""
        return self._outgoing.get(node, [])

    def boundaries(self, node: str) -> list[etree._Element]:
        """Boundary events attached to a node."""
        return self._boundaries.get(node, [])

    @cached_property
    def _outgoing(self) -> dict[str, list[FlowXml]]:
        found: dict[str, list[FlowXml]] = {}
        for flow in self.flows:
            found.setdefault(flow.source, []).append(flow)
        return found

    @cached_property
    def _boundaries(self) -> dict[str, list[etree._Element]]:
        found: dict[str, list[etree._Element]] = {}
        for element in self.nodes.values():
            if kind_of(element) == "boundaryEvent":
                found.setdefault(element.get("attachedToRef") or "", []).append(element)
        return found

    def all(self) -> Iterator[Scope]:
        """This scope and everything inside it."""
        yield self
        for inner in self.scopes:
            yield from inner.all()


@dataclass
class Diagram:
    """A whole file."""

    root: etree._Element
    processes: list[Scope]
    _by_id: dict[str, dict[str, etree._Element]] = field(default_factory=dict, repr=False)

    def scopes(self) -> Iterator[Scope]:
        """Every scope of every process."""
        for process in self.processes:
            yield from process.all()

    def drawn(self) -> set[str]:
        """Ids that have a shape or an edge."""
        return {str(e.get("bpmnElement")) for e in self.root.iter(f"{{{DI}}}BPMNShape", f"{{{DI}}}BPMNEdge")}

    def by_id(self, tag: str) -> dict[str, etree._Element]:
        """Root-level elements such as messages and errors; those without an id cannot be named."""
        if tag not in self._by_id:
            found = self.root.findall(f"{{{BPMN}}}{tag}")
            self._by_id[tag] = {e.get("id") or "": e for e in found if e.get("id")}
        return self._by_id[tag]


def load(root: etree._Element) -> Diagram:
    """Reads the scopes. Judges nothing: what is wrong is said by `bpmn.lint`."""
    _bring_definitions_home(root)
    return Diagram(root, [_scope(p, None) for p in root.findall(f"{{{BPMN}}}process")])


def _bring_definitions_home(root: etree._Element) -> None:
    """An event may name a definition of the whole file: it then stands at the event, as if drawn there."""
    shared = {
        e.get("id"): e for e in root if isinstance(e.tag, str) and kind_of(e).endswith("EventDefinition")
    }
    for reference in list(root.iter(f"{{{BPMN}}}eventDefinitionRef")):
        found = shared.get((reference.text or "").strip().rpartition(":")[2])
        event = reference.getparent()
        if found is not None and event is not None:
            own = copy.deepcopy(found)
            own.attrib.pop("id")
            event.replace(reference, own)


def event_definitions(event: etree._Element) -> list[etree._Element]:
    """The event definitions of an event, references included."""
    return [
        c
        for c in event
        if isinstance(c.tag, str) and kind_of(c).lower().endswith(("eventdefinition", "eventdefinitionref"))
    ]


def is_compensation(event: etree._Element) -> bool:
    """Whether an event is about compensation."""
    return event.find(f"{{{BPMN}}}compensateEventDefinition") is not None


def handlers_of(scope: etree._Element, boundary: etree._Element) -> list[str]:
    """What the associations of a compensation boundary event lead to; one activity for compensation is right."""
    found = []
    for line in scope.findall(f"{{{BPMN}}}association"):
        ends = [line.get("sourceRef"), line.get("targetRef")]
        if boundary.get("id") in ends:
            found += [str(e) for e in ends if e != boundary.get("id")]
    return found


def link_of(event: etree._Element) -> etree._Element | None:
    """The link definition of an event."""
    return event.find(f"{{{BPMN}}}linkEventDefinition")


def link_targets(scope: etree._Element, thrown: etree._Element) -> list[etree._Element]:
    """The catch events of the same scope that a thrown link leads to; exactly one is right."""
    definition = link_of(thrown)
    target = (definition.findtext(f"{{{BPMN}}}target") or "").strip() if definition is not None else ""
    found = []
    for event in scope.findall(f"{{{BPMN}}}intermediateCatchEvent"):
        caught = link_of(event)
        if definition is None or caught is None:
            continue
        if caught.get("id") == target if target else caught.get("name") == definition.get("name"):
            found.append(event)
    return found


def _scope(element: etree._Element, parent: Scope | None) -> Scope:
    scope = Scope(element, parent)
    scope.flows += _links(element)
    for child in element:
        kind = kind_of(child) if isinstance(child.tag, str) else ""
        if kind == "sequenceFlow":
            scope.flows.append(_flow(child))
        elif kind in NODE_KINDS:
            if not child.get("id"):
                scope.nameless.append(child)
                continue
            scope.nodes.setdefault(str(child.get("id")), child)
            if kind in SCOPE_KINDS:
                scope.scopes.append(_scope(child, scope))
        elif kind and kind not in _SILENT:
            scope.unknown.append(child)
    return scope


def _links(scope: etree._Element) -> list[FlowXml]:
    """A link is a flow that is not drawn."""
    found = []
    for event in scope.findall(f"{{{BPMN}}}intermediateThrowEvent"):
        if link_of(event) is not None and event.get("id"):
            for target in link_targets(scope, event):
                source = str(event.get("id"))
                found.append(FlowXml(event, f"{source}.link", source, target.get("id") or "", None, 0))
    return found


def _flow(element: etree._Element) -> FlowXml:
    condition = element.find(f"{{{BPMN}}}conditionExpression")
    text = (condition.text or "").strip() if condition is not None else ""
    return FlowXml(
        element,
        str(element.get("id") or f"{element.get('sourceRef')}->{element.get('targetRef')}"),
        element.get("sourceRef") or "",
        element.get("targetRef") or "",
        text or None,
        line_of(condition) if condition is not None else 0,
    )
