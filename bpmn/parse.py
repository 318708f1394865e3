"""Bytes → executable process. Lint decides; what passes is built with SpiffWorkflow's parser and our spec classes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import EventDefinitionParser
from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import (
    ErrorEventDefinition,
    EscalationEventDefinition,
)
from SpiffWorkflow.bpmn.specs.event_definitions.multiple import MultipleEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition, TerminateEventDefinition
from SpiffWorkflow.specs.base import TaskSpec

from bpmn import calls, diagram, durations, extension, lint, loops, reaching, specs, xml
from bpmn.diagram import NODE_KINDS, event_definitions
from bpmn.expressions import Expression, compile_expression, compile_script
from bpmn.lint import Catalogue
from bpmn.problems import DiagramRefused, Problem
from bpmn.xml import BPMN, is_true, kind_of


@dataclass(frozen=True)
class Executable:
    """One process that can run: its spec, the specs of its sub-processes, and its place in the file."""

    process: str
    name: str
    name_en: str
    spec: specs.ProcessSpec
    scopes: Mapping[str, specs.ProcessSpec]

    @cached_property
    def nodes(self) -> Mapping[str, specs.Node]:
        """Every element of the process and its sub-processes, in the order of the file."""
        found: dict[str, specs.Node] = {}
        for spec in (self.spec, *self.scopes.values()):
            found |= {n: node for n, node in spec.task_specs.items() if node.kind}
        return found

    @cached_property
    def holding(self) -> frozenset[str]:
        """Elements at which an order is held: until an agreed day, for example."""
        return frozenset(
            name for name, node in self.nodes.items() if node.attributes.get("orderState") == "held"
        )


@dataclass(frozen=True)
class Bundle:
    """A parsed file."""

    sha256: str
    processes: Mapping[str, Executable]
    problems: tuple[Problem, ...]
    """Warnings that did not stop it."""


def parse(data: bytes, catalogue: Catalogue | None = None) -> Bundle:
    """Reads, checks and builds. Raises `DiagramRefused` with every problem found."""
    root = xml.read(data)
    drawing = diagram.load(root)
    problems = lint.check(drawing, catalogue or Catalogue())
    if any(p.severity == "error" for p in problems):
        raise DiagramRefused(problems)
    return Bundle(hashlib.sha256(data).hexdigest(), _build(drawing), tuple(problems))


def rebuild(data: bytes) -> Mapping[str, Executable]:
    """The processes of a file that was accepted once. Not judged again: a rule that is new today must not stop what runs."""
    return _build(diagram.load(xml.read(data)))


def _build(drawing: diagram.Diagram) -> dict[str, Executable]:
    parser = _Parser(drawing)
    return {
        scope.id: _executable(parser, scope)
        for scope in drawing.processes
        if is_true(scope.element, "isExecutable")
    }


def problems_of(data: bytes, catalogue: Catalogue | None = None) -> tuple[Problem, ...]:
    """The lint report of a file; never raises for what is in the file."""
    try:
        return parse(data, catalogue).problems
    except DiagramRefused as e:
        return e.problems


def _executable(parser: _Parser, scope: diagram.Scope) -> Executable:
    spec = parser.get_spec(scope.id)  # builds the sub-processes inside it too
    inner: dict[str, specs.ProcessSpec] = {}
    for one in calls.reached(scope, parser.drawing):
        inner |= {s.id: parser.get_spec(s.id) for s in one.all() if s is not scope}
        inner |= {element: parser.get_spec(process) for element, process in calls.of(one)}
    return Executable(scope.id, spec.label, spec.label_en, spec, inner)


# ---- parsers for single elements: they only pick our spec class and hand it compiled texts


_THROWING = ("intermediateThrowEvent", "endEvent", "sendTask")


class _NoData:
    """Lanes, data objects and their associations are documentation: the library is not asked to resolve them."""

    @property
    def bpmn_attributes(self) -> dict[str, Any]:
        return {"description": ""}


class _EventParser(_NoData, EventDefinitionParser):
    def create_task(self) -> Any:
        links = diagram.link_of(self.node)
        found = [self._definition(d) for d in event_definitions(self.node) if d is not links]
        one = found[0] if found else NoneEventDefinition()
        interrupting = None
        if kind_of(self.node) == "boundaryEvent":
            interrupting = is_true(self.node, "cancelActivity", default=True)
        task = self._create_task(one, interrupting)
        task.events = found
        return task

    def _definition(self, element: etree._Element) -> Any:
        kind = kind_of(element)
        if kind == "timerEventDefinition":
            text = _text_of(element, "timeDate", "timeDuration", "timeCycle")
            compiled = None if durations.is_literal(text) else compile_expression(text)
            return specs.TimerCatch(self.bpmn_id, text, compiled)
        if kind in ("messageEventDefinition", "receiveTask", "sendTask"):
            key = extension.attributes(self.node).get("key")
            name = self.process_parser.parser.messages[element.get("messageRef")]
            compiled = compile_expression(key) if key else None
            if kind_of(self.node) in _THROWING:
                return specs.MessageThrow(name, compiled, _mapped(self.node, "input"))
            return specs.MessageCatch(name, compiled)
        if kind == "signalEventDefinition":
            name = self.process_parser.parser.signals[element.get("signalRef")]
            return (specs.SignalThrow if kind_of(self.node) in _THROWING else specs.SignalCatch)(name)
        if kind == "conditionalEventDefinition":
            text = _text_of(element, "condition")
            return specs.ConditionCatch(text, compile_expression(text))
        if kind == "compensateEventDefinition":
            if kind_of(self.node) in _THROWING:
                wait = is_true(element, "waitForCompletion", default=True)
                return specs.CompensationThrow(element.get("activityRef"), wait)
            return specs.CompensationCatch(None)
        if kind == "cancelEventDefinition":
            return (specs.CancelThrow if kind_of(self.node) in _THROWING else specs.CancelCatch)()
        catching = kind_of(self.node) in ("boundaryEvent", "startEvent")
        if kind == "errorEventDefinition":
            error = self.process_parser.parser.errors.get(element.get("errorRef"), {})
            code = error.get("error_code")
            return (specs.ErrorCatch if catching else ErrorEventDefinition)(error.get("name"), code)
        if kind == "escalationEventDefinition":
            name, code = self.process_parser.parser.escalations.get(element.get("escalationRef"), ("", None))
            return (specs.EscalationCatch if catching else EscalationEventDefinition)(name, code)
        return TerminateEventDefinition()


def _text_of(element: etree._Element, *tags: str) -> str:
    """The text of the first child of one of these kinds."""
    return next((c.text or "").strip() for c in element if isinstance(c.tag, str) and kind_of(c) in tags)


def _mapped(element: etree._Element, tag: str) -> tuple[tuple[str, Expression], ...]:
    """The `<kaitong:input>` or `<kaitong:output>` of an element."""
    return tuple((name, compile_expression(text)) for name, text, _ in extension.mappings(element, tag))


class _TaskParser(_NoData, TaskParser):
    pass


class _ScriptParser(_TaskParser):
    def create_task(self) -> Any:
        element = self.node.find(f"{{{BPMN}}}script")
        text = element.text or ""
        task = self.spec_class(self.spec, self.bpmn_id, text, **self.bpmn_attributes)
        task.compiled = compile_script(text)
        return task


class _ServiceParser(_TaskParser):
    def create_task(self) -> Any:
        task = self.spec_class(self.spec, self.bpmn_id, **self.bpmn_attributes)
        for tag, attribute in (("input", "input_map"), ("output", "output_map")):
            setattr(task, attribute, _mapped(self.node, tag))
        return task


class _SubProcessParser(_TaskParser):
    def create_task(self) -> Any:
        self.process_parser.parser.create_parser(self.node, filename=self.filename, lane=self.lane)
        inner = self.process_parser.parser.process_parsers[self.bpmn_id].get_spec()
        if not is_true(self.node, "triggeredByEvent"):
            return self.spec_class(
                self.spec, self.bpmn_id, subworkflow_spec=self.bpmn_id, **self.bpmn_attributes
            )
        node = specs.EventSubProcess(
            self.spec, self.bpmn_id, subworkflow_spec=self.bpmn_id, **self.bpmn_attributes
        )
        start = next(e for e in self.node if isinstance(e.tag, str) and kind_of(e) == "startEvent")
        node.events = inner.node(inner.entry).events
        node.is_interrupting = is_true(start, "isInterrupting", default=True)
        if any(isinstance(d, specs.CompensationCatch) for d in node.events):
            self.spec.compensation_sub = node  # begins when the sub-process is compensated, not before
        else:
            self.spec.event_subs.append(node)
        return node


class _CallParser(_TaskParser):
    def create_task(self) -> Any:
        called = calls.called(self.node)
        task = self.spec_class(self.spec, self.bpmn_id, subworkflow_spec=called, **self.bpmn_attributes)
        task.input_map, task.output_map = _mapped(self.node, "input"), _mapped(self.node, "output")
        return task


class _MessageTaskParser(_EventParser):
    """Send and receive tasks name their message themselves."""

    def create_task(self) -> Any:
        definition = self._definition(self.node)
        node = self._create_task(definition)
        node.events = [definition]
        return node


class _EventGatewayParser(_TaskParser):
    def create_task(self) -> Any:
        none = MultipleEventDefinition()
        return self.spec_class(self.spec, self.bpmn_id, event_definition=none, **self.bpmn_attributes)


class _ScopeParser(ProcessParser):
    """One scope at a time, iterative over its children; no recursion along flows."""

    def _parse(self) -> None:
        ours, self.nameless = extension.attributes(self.node), Counter[str]()
        self.spec = specs.ProcessSpec(name=self.bpmn_id, description=self.get_name(), filename=self.filename)
        self.spec.label = self.node.get("name") or self.bpmn_id
        self.spec.label_en = ours.get("nameEn") or self.spec.label
        nodes = {
            str(e.get("id")): e for e in self.node if isinstance(e.tag, str) and kind_of(e) in NODE_KINDS
        }
        for name, element in nodes.items():
            self._node(name, element)
        for element in self.node.findall(f"{{{BPMN}}}sequenceFlow"):
            self._flow(element, nodes)
        for name, element in nodes.items():
            if kind_of(element) == "intermediateThrowEvent" and diagram.link_of(element) is not None:
                (target,) = diagram.link_targets(self.node, element)
                self._connect(specs.Flow(f"{name}.link", name, str(target.get("id")), None, False))
        for name, element in nodes.items():
            if kind_of(element) == "boundaryEvent":
                host = self.spec.task_specs[element.get("attachedToRef")]
                if diagram.is_compensation(element):  # nothing waits there: it names who compensates
                    (host.handler,) = diagram.handlers_of(self.node, element)
                    continue
                host.boundaries = [*host.boundaries, self.spec.task_specs[name]]
        reaching.work_out(self.spec)

    def _nameless(self, source: str, target: str) -> str:
        """Flows need no id in the standard; joins need to tell them apart."""
        self.nameless[f"{source}->{target}"] += 1
        return f"{source}->{target}#{self.nameless[f'{source}->{target}']}"

    def _node(self, name: str, element: etree._Element) -> None:
        kind, ours = kind_of(element), extension.attributes(element)
        parser, spec_class = self.parser._get_parser_class(element.tag)
        if kind == "intermediateCatchEvent" and diagram.link_of(element) is not None:
            spec_class = specs.Throw  # where a link arrives nothing is waited for
        node = parser(self, spec_class, element, self.nsmap, lane=self.lane).create_task()
        _describe(node, element, ours)
        looping = loops.characteristics(element)
        if looping is not None:
            del self.spec.task_specs[name]
            node = _loop(self.spec, name, node, looping)
            _describe(node, element, ours)
        if kind in diagram.ACTIVITY_KINDS:
            node.needs = int(element.get("startQuantity", "1"))
            node.produces = int(element.get("completionQuantity", "1"))
        if kind == "startEvent":
            self.spec.entry = name

    def _flow(self, element: etree._Element, nodes: Mapping[str, etree._Element]) -> None:
        source, target = str(element.get("sourceRef")), str(element.get("targetRef"))
        condition = element.find(f"{{{BPMN}}}conditionExpression")
        text = (condition.text or "").strip() if condition is not None else ""
        ident = element.get("id") or self._nameless(source, target)
        flow = specs.Flow(
            ident,
            source,
            target,
            compile_expression(text) if text else None,
            nodes[source].get("default") == ident,
        )
        self._connect(flow)

    def _connect(self, flow: specs.Flow) -> None:
        before, after = self.spec.task_specs[flow.source], self.spec.task_specs[flow.target]
        before.flows_out = [*before.flows_out, flow]
        after.flows_in = [*after.flows_in, flow]
        TaskSpec.connect(before, after)


def _describe(node: Any, element: etree._Element, ours: Mapping[str, str]) -> None:
    node.kind, node.attributes = kind_of(element), ours
    node.label = element.get("name") or str(element.get("id"))
    node.label_en = ours.get("nameEn") or node.label


def _loop(spec: specs.ProcessSpec, name: str, body: Any, found: loops.Looping) -> Any:
    """The node of a loop, which takes the place of the activity that it repeats."""
    node: Any
    if isinstance(found, loops.Standard):
        node = specs.StandardLoop(spec, name, name, found.maximum, None, found.test_before)
        node.asks = _compiled(found.condition)
    else:
        node = (specs.SequentialMultiInstance if found.in_sequence else specs.ParallelMultiInstance)(
            spec, name, name
        )
        node.often, node.items, node.element = (
            _compiled(found.cardinality),
            _compiled(found.collection),
            found.element,
        )
        node.enough = _compiled(found.completion)
        node.output_name, node.output = found.output_collection, _compiled(found.output)
    node.body, body.loop = body, node
    return node


def _compiled(text: str) -> Expression | None:
    return compile_expression(text) if text else None


class _Parser(BpmnParser):
    """Reads only what is executed; whatever else the file holds cannot trip it."""

    def __init__(self, drawing: diagram.Diagram) -> None:
        super().__init__()
        self.drawing = drawing
        self.messages = {i: e.get("name") for i, e in drawing.by_id("message").items()}
        self.signals = {i: e.get("name") for i, e in drawing.by_id("signal").items()}
        self.errors = {
            i: {"name": e.get("name"), "error_code": e.get("errorCode")}
            for i, e in drawing.by_id("error").items()
        }
        self.escalations = {
            i: (e.get("name"), e.get("escalationCode")) for i, e in drawing.by_id("escalation").items()
        }
        for scope in drawing.processes:
            if is_true(scope.element, "isExecutable"):
                self.create_parser(scope.element)

    PROCESS_PARSER_CLASS = _ScopeParser
    OVERRIDE_PARSER_CLASSES = {  # noqa: RUF012  (the library's extension point)
        full_tag(tag): pair
        for tag, pair in {
            "startEvent": (_EventParser, specs.Start),
            "endEvent": (_EventParser, specs.End),
            "intermediateCatchEvent": (_EventParser, specs.Catch),
            "intermediateThrowEvent": (_EventParser, specs.Throw),
            "boundaryEvent": (_EventParser, specs.Boundary),
            "task": (_TaskParser, specs.NoneActivity),
            "manualTask": (_TaskParser, specs.ManualActivity),
            "userTask": (_TaskParser, specs.UserActivity),
            "serviceTask": (_ServiceParser, specs.ServiceActivity),
            "scriptTask": (_ScriptParser, specs.ScriptActivity),
            "sendTask": (_MessageTaskParser, specs.SendActivity),
            "receiveTask": (_MessageTaskParser, specs.ReceiveActivity),
            "subProcess": (_SubProcessParser, specs.SubProcess),
            "transaction": (_SubProcessParser, specs.Transaction),
            "callActivity": (_CallParser, specs.CallActivity),
            "exclusiveGateway": (_TaskParser, specs.Exclusive),
            "parallelGateway": (_TaskParser, specs.Parallel),
            "inclusiveGateway": (_TaskParser, specs.Inclusive),
            "eventBasedGateway": (_EventGatewayParser, specs.EventBased),
        }.items()
    }
