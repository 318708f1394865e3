"""Which elements and flows of a process have been passed, read from the history of all its instances."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import select

from bpmn.catalog import packaged
from bpmn.parse import rebuild
from bpmn.specs import Node
from engine.deploy.model import ProcessDefinition
from engine.runtime import codec
from engine.runtime.model import InstanceHistory, ProcessInstance
from engine.store import Store

Note = tuple[str, str, int]
_SEVERAL = ("parallelGateway", "inclusiveGateway")


def never_passed(store: Store, *processes: str) -> list[str]:
    """Elements and flows of shipped processes that no instance of them has passed."""
    left = []
    for bundle in packaged():
        for process, executable in rebuild(bundle.xml).items():
            if process in processes:
                elements, flows = passed(store, process, executable.nodes)
                drawn = {flow.id for node in executable.nodes.values() for flow in node.flows_out}
                left += sorted(set(executable.nodes) - elements) + sorted(drawn - flows)
    return left


def passed(store: Store, process: str, nodes: Mapping[str, Node]) -> tuple[set[str], set[str]]:
    """Elements and flows of a process that any of its instances has passed."""
    query = (
        select(InstanceHistory.body)
        .join(ProcessInstance, ProcessInstance.id == InstanceHistory.instance_id)
        .join(ProcessDefinition, ProcessDefinition.id == ProcessInstance.definition_id)
        .where(ProcessDefinition.key == process)
    )
    elements, flows = set[str](), set[str]()
    with store.read() as session:
        for body in session.scalars(query):
            notes: Sequence[Note] = codec.unpack(body)["notes"]
            elements |= {e for what, e, _ in notes if what in ("completed", "caught", "thrown")}
            flows |= set(_flows(notes, nodes))
    return elements, flows | set(_events_that_happened(nodes, elements))


def _events_that_happened(nodes: Mapping[str, Node], elements: Collection[str]) -> Iterable[str]:
    """Behind an event-based gateway all events are armed; the flow to the one that happened was taken."""
    for node in nodes.values():
        if node.kind == "eventBasedGateway":
            yield from (flow.id for flow in node.flows_out if flow.target in elements)


def _flows(notes: Sequence[Note], nodes: Mapping[str, Node]) -> Iterable[str]:
    """A flow was taken where its source completed and its target was entered next, by a token that is newer."""
    for place, (what, element, token) in enumerate(notes):
        if what != "completed" or element not in nodes:
            continue
        out = {flow.target: flow.id for flow in nodes[element].flows_out}
        for what_then, then, newer in notes[place + 1 :]:
            if what_then == "entered" and then in out and newer > token:
                yield out.pop(then)
                if not out or nodes[element].kind not in _SEVERAL:
                    break
            elif nodes[element].kind == "inclusiveGateway":  # what it takes is entered at once
                break
