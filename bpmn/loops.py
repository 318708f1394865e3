"""Loop characteristics as drawn: how often an activity is done. Read here for lint and for the parser alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from bpmn import extension
from bpmn.xml import BPMN, is_true, kind_of, line_of

STANDARD, MULTI = "standardLoopCharacteristics", "multiInstanceLoopCharacteristics"


@dataclass(frozen=True, slots=True)
class Standard:
    """`maximum` is None where none is given."""

    condition: str
    maximum: int | None
    test_before: bool


@dataclass(frozen=True, slots=True)
class Multi:
    """Texts are empty where they are not given."""

    in_sequence: bool
    cardinality: str
    collection: str
    element: str
    completion: str
    output_collection: str
    output: str


Looping = Standard | Multi


def of(activity: etree._Element) -> list[etree._Element]:
    """The loop characteristics of an activity; more than one is a mistake."""
    return [c for c in activity if isinstance(c.tag, str) and kind_of(c).endswith("LoopCharacteristics")]


def characteristics(activity: etree._Element) -> Looping | None:
    """How an activity that lint has let pass is repeated; None: it is done once."""
    found = of(activity)
    if not found:
        return None
    element = found[0]
    if kind_of(element) == STANDARD:
        maximum = element.get("loopMaximum")
        before = is_true(element, "testBefore")
        return Standard(_child(element, "loopCondition"), int(maximum) if maximum else None, before)
    ours = extension.attributes(element)
    return Multi(
        is_true(element, "isSequential"),
        _child(element, "loopCardinality"),
        ours.get("collection", ""),
        ours.get("elementVariable", ""),
        _child(element, "completionCondition"),
        ours.get("outputCollection", ""),
        ours.get("outputElement", ""),
    )


def texts(element: etree._Element) -> Iterator[tuple[str, str, int]]:
    """(where, text, line) of every expression in loop characteristics."""
    for tag in ("loopCondition", "loopCardinality", "completionCondition"):
        for child in element.findall(f"{{{BPMN}}}{tag}"):
            yield tag, (child.text or "").strip(), line_of(child)
    ours = extension.attributes(element)
    for name in ("collection", "outputElement"):
        if name in ours:
            yield name, ours[name].strip(), line_of(element)


def _child(element: etree._Element, tag: str) -> str:
    found = element.find(f"{{{BPMN}}}{tag}")
    return (found.text or "").strip() if found is not None else ""
