"""Where an instance stands, for screens: which elements are done, at work or failed, and what is still to come.

Read from the history of its steps and from the live tokens; nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.parse import Executable
from bpmn.specs import Boundary, Node, ProcessSpec
from engine.errors import NotFound
from engine.jobs.model import Incident
from engine.runtime import codec, variables
from engine.runtime.instance import Instance
from engine.runtime.kernel import Kernel
from engine.runtime.model import InstanceHistory, ProcessInstance

StepState = Literal["done", "current", "failed", "open"]
_WORK = ("userTask", "serviceTask", "scriptTask", "intermediateCatchEvent")
_NEWS = {"completed": ("serviceTask",), "caught": ("boundaryEvent", "intermediateCatchEvent")}


class Name(NamedTuple):
    """The name of an element in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ProgressStep:
    """One piece of work that was, is, or may still be done. `open`: not reached yet."""

    element: str
    name: Name
    state: StepState


@dataclass(frozen=True, slots=True)
class Passage:
    """What happened at an element without a person: `what` is completed, caught or thrown."""

    at: datetime
    what: str
    element: str
    name: Name


@dataclass(frozen=True, slots=True)
class Progress:
    """`done`, `current` and `failed` are element ids, each in one list only; `reached` of `total` milestones are passed."""

    done: tuple[str, ...]
    current: tuple[str, ...]
    failed: tuple[str, ...]
    steps: tuple[ProgressStep, ...]
    passages: tuple[Passage, ...]
    reached: int
    total: int


def progress(session: Session, kernel: Kernel, instance_id: int, now: datetime) -> Progress:
    """The whole picture of one instance. Raises `NotFound`."""
    row = _row(session, instance_id)
    top = kernel.inspect(session, instance_id, now)
    story = _Story(top.executable)
    for at, body in _history(session, instance_id):
        story.add(at, body["notes"])
    live = _live(top) if row.state == "active" else set()
    failed = _failed(session, top, row) | {e for e, how in story.last.items() if how == "failed"} - live
    done = {e for e, how in story.last.items() if how == "done"} - live - failed
    current = live - failed
    order = list(dict.fromkeys(_in_order(top.executable.spec, top.executable.scopes)))
    expected = _expected(top) if row.state == "active" else set()
    reached, total = _milestones(story, row.state == "completed")
    return Progress(
        done=tuple(e for e in order if e in done),
        current=tuple(e for e in order if e in current),
        failed=tuple(e for e in order if e in failed),
        steps=tuple(_steps(story.nodes, order, done, current, failed, expected)),
        passages=tuple(story.passages),
        reached=reached,
        total=total,
    )


def version_of(session: Session, instance_id: int) -> int:
    """Counts the saved steps of an instance: while it is the same, so is its progress."""
    return _row(session, instance_id).version


def definition_of(session: Session, instance_id: int) -> int:
    """The version of the diagram that an instance runs on."""
    return _row(session, instance_id).definition_id


def values_of(
    session: Session, kernel: Kernel, instance_id: int, now: datetime, token_id: int | None = None
) -> dict[str, Any]:
    """The variables that a live token sees; without one, or when it is gone, those of the instance."""
    top = kernel.inspect(session, instance_id, now)
    token = top.by_id.get(token_id) if token_id is not None else None
    return dict(top.data) if token is None else variables.view(top, token)


def element_names(
    session: Session, kernel: Kernel, instance_ids: Collection[int]
) -> dict[int, dict[str, Name]]:
    """Names of all elements, by instance and element id."""
    query = select(ProcessInstance.id, ProcessInstance.definition_id)
    found = session.execute(query.where(ProcessInstance.id.in_(set(instance_ids)))).all()
    by_definition = {d: _names(kernel.definitions.executable(session, d)) for d in {d for _, d in found}}
    return {instance: by_definition[definition] for instance, definition in found}


def _row(session: Session, instance_id: int) -> ProcessInstance:
    row = session.get(ProcessInstance, instance_id)
    if row is None:
        raise NotFound(what="process instance", id=instance_id)
    return row


def _names(executable: Executable) -> dict[str, Name]:
    return {ident: Name(node.label, node.label_en) for ident, node in executable.nodes.items()}


def _history(session: Session, instance_id: int) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    query = select(InstanceHistory.at, InstanceHistory.body).where(InstanceHistory.instance_id == instance_id)
    for at, body in session.execute(query.order_by(InstanceHistory.seq)):
        yield at, codec.unpack(body)


@dataclass
class _Story:
    """The last outcome of each element, which were ever done, and what happened by itself."""

    executable: Executable
    last: dict[str, str] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)
    passages: list[Passage] = field(default_factory=list)
    nodes: Mapping[str, Node] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = self.executable.nodes

    def add(self, at: datetime, notes: Collection[tuple[str, str, int]]) -> None:
        """One step, in order. A token that throws is completed or cancelled too: the throw is what counts."""
        thrown = {token for what, _, token in notes if what == "thrown"}
        for what, element, token in notes:
            if what in ("completed", "cancelled") and token in thrown:
                continue
            if what == "completed":
                self.last[element] = "done"
                self.ever.add(element)
            elif what in ("thrown", "failed"):
                self.last[element] = "failed"
            elif what == "cancelled":
                self.last.pop(element, None)
            node = self.nodes.get(element)
            if node is not None and (what == "thrown" or node.kind in _NEWS.get(what, ())):
                self.passages.append(Passage(at, what, element, Name(node.label, node.label_en)))


def _live(top: Instance) -> set[str]:
    """Elements at work. An armed boundary event is no work, and a sub-process is at work through what is inside it."""
    return {
        token.task_spec.name
        for token in top.by_id.values()
        if token.task_spec.kind
        and not isinstance(token.task_spec, Boundary)
        and not token.task_spec.has_scope
    }


def _failed(session: Session, top: Instance, row: ProcessInstance) -> set[str]:
    """Elements with an open incident."""
    query = select(Incident.element).where(Incident.instance_id == row.id, Incident.state == "open")
    return {element for element in session.scalars(query) if element is not None}


def _in_order(spec: ProcessSpec, scopes: Mapping[str, ProcessSpec]) -> Iterator[str]:
    """Elements as a reader meets them: along the flows, into sub-processes, boundary events after their activity.

    Those of a process that is called from several places come once for each.
    """
    waiting, seen = [spec.entry], {spec.entry}
    while waiting:
        node: Any = spec.node(waiting.pop(0))
        yield node.name
        if node.has_scope:
            yield from _in_order(scopes[node.name], scopes)
        handler = [node.handler] if node.handler else []
        for name in [flow.target for flow in node.flows_out] + [b.name for b in node.boundaries] + handler:
            if name not in seen:
                seen.add(name)
                waiting.append(name)
        if not waiting:
            later = [n.name for n in spec.event_subs if n.name not in seen]
            seen.update(later)
            waiting += later


def _expected(top: Instance) -> set[str]:
    """What may still come if nothing goes wrong: everything ahead of the live tokens, boundary events left aside."""
    found: set[str] = set()
    for token in top.by_id.values():
        if token.task_spec.kind and not isinstance(token.task_spec, Boundary):
            _follow(token.workflow.spec, token.task_spec, top.executable.scopes, found)
    return found


def _follow(spec: ProcessSpec, start: Any, scopes: Mapping[str, ProcessSpec], found: set[str]) -> None:
    ahead = [flow.target for flow in start.flows_out]
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        node: Any = spec.node(name)
        ahead += [flow.target for flow in node.flows_out]
        if node.has_scope:
            inner = scopes[name]
            found.add(inner.entry)
            _follow(inner, inner.node(inner.entry), scopes, found)


def _steps(
    nodes: Mapping[str, Node],
    order: list[str],
    done: set[str],
    current: set[str],
    failed: set[str],
    expected: set[str],
) -> Iterator[ProgressStep]:
    for element in order:
        node = nodes[element]
        if node.kind not in _WORK:
            continue
        states: tuple[tuple[StepState, set[str]], ...] = (
            ("failed", failed),
            ("current", current),
            ("done", done),
            ("open", expected),
        )
        state = next((name for name, members in states if element in members), None)
        if state is not None:
            yield ProgressStep(element, Name(node.label, node.label_en), state)


def _milestones(story: _Story, is_completed: bool) -> tuple[int, int]:
    """A diagram without milestones is measured by its pieces of work. A completed order has reached everything."""
    marked = {e for e, node in story.nodes.items() if node.attributes.get("milestone")}
    marked = marked or {e for e, node in story.nodes.items() if node.kind in _WORK}
    return (len(marked) if is_completed else len(marked & story.ever)), len(marked)
