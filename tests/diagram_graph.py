"""Shipped diagrams as a graph: what a step consists of, where it leads, and what is written in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from bpmn import extension
from bpmn.catalog import Packaged, packaged
from bpmn.xml import BPMN, kind_of, read


@dataclass
class Graph:
    """Elements of some diagrams, and which follows which; a boundary event follows its activity."""

    elements: dict[str, etree._Element] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    forms: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def add(self, bundle: Packaged) -> None:
        root = read(bundle.xml)
        self.forms |= bundle.forms
        self.errors |= {str(e.get("id")): str(e.get("errorCode")) for e in root.findall(f"{{{BPMN}}}error")}
        for element in root.iter(f"{{{BPMN}}}*"):
            ident, kind = element.get("id"), kind_of(element)
            if kind == "sequenceFlow":
                self.after.setdefault(str(element.get("sourceRef")), []).append(str(element.get("targetRef")))
            elif ident:
                self.elements[ident] = element
                if kind == "boundaryEvent":
                    self.after.setdefault(str(element.get("attachedToRef")), []).append(ident)

    def of(self, step: str) -> list[str]:
        """The elements of a step: its own, and those whose id begins with its id."""
        return [i for i in self.elements if i.startswith(step)]

    def reached(self, step: str, through: str) -> set[str]:
        """What comes after a step, passing only elements of it and of one other step."""
        found, todo = set[str](), self.of(step)
        while todo:
            here = todo.pop()
            for there in self.after.get(here, []):
                if there not in found:
                    found.add(there)
                    if there.startswith((step, through or step)):
                        todo.append(there)
        return found

    def codes(self, ident: str) -> set[str]:
        """The error codes that an event throws or catches."""
        return {self.errors[str(d.get("errorRef"))] for d in self.elements[ident] if d.get("errorRef")}

    def text(self, step: str) -> str:
        """All that is written in the elements and forms of a step."""
        own = [self.elements[i] for i in self.of(step)]
        keys = [extension.attributes(e).get("formKey") for e in own]
        written = [etree.tostring(e, encoding="unicode") for e in own]
        return " ".join(written + [str(self.forms[k]) for k in keys if k])

    def operations(self, step: str) -> Iterator[str]:
        """The operations of a step."""
        for ident in self.of(step):
            if operation := extension.attributes(self.elements[ident]).get("operation"):
                yield operation


def graph_of(*names: str) -> Graph:
    """The graph of some shipped diagrams together, by their keys."""
    made = Graph()
    for bundle in packaged():
        if bundle.name in names:
            made.add(bundle)
    return made
