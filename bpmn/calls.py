"""Which processes call which: call activities name another process of the same file, so its version is the caller's."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from bpmn.diagram import Diagram, Scope
from bpmn.xml import kind_of


def called(activity: etree._Element) -> str:
    """The id of the process that a call activity names; prefixes of a namespace are left off."""
    return (activity.get("calledElement") or "").strip().rpartition(":")[2]


def of(process: Scope) -> Iterator[tuple[str, str]]:
    """(id of the call activity, id of the called process) of a process and what is inside it."""
    for scope in process.all():
        for ident, element in scope.nodes.items():
            if kind_of(element) == "callActivity":
                yield ident, called(element)


def reached(process: Scope, drawing: Diagram) -> list[Scope]:
    """The process and every process that it calls, directly or through others."""
    by_id = {p.id: p for p in drawing.processes}
    found, ahead = [process], [process]
    while ahead:
        for _, target in of(ahead.pop()):
            inner = by_id.get(target)
            if inner is not None and inner not in found:
                found.append(inner)
                ahead.append(inner)
    return found


def cycle(process: Scope, drawing: Diagram) -> list[str]:
    """The way of calls that leads from a process back to itself, as ids; empty if there is none."""
    by_id = {p.id: p for p in drawing.processes}
    ahead: list[tuple[Scope, list[str]]] = [(process, [process.id])]
    seen = set[str]()
    while ahead:
        scope, path = ahead.pop()
        for _, target in of(scope):
            if target == process.id:
                return [*path, target]
            if target in by_id and target not in seen:
                seen.add(target)
                ahead.append((by_id[target], [*path, target]))
    return []
