"""What the rules share: the diagram, what exists around it, and the list they add to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from bpmn.diagram import Diagram
from bpmn.problems import Problem
from bpmn.xml import line_of


@dataclass(frozen=True)
class Catalogue:
    """What a diagram may name. A part that is None is not checked."""

    operations: Mapping[str, frozenset[str]] | None = None
    """Operation → business errors that it declares."""
    roles: frozenset[str] | None = None
    forms: Mapping[str, Mapping[str, Any]] | None = None
    """Form key → form-js document uploaded together with the diagram."""


@dataclass
class Report:
    """Collects problems."""

    diagram: Diagram
    catalogue: Catalogue
    problems: list[Problem] = field(default_factory=list)
    declared: dict[etree._Element, set[str] | None] = field(default_factory=dict)
    """Activity → errors that it or what is inside it may throw; worked out once for all its boundary events."""

    def add(self, code: str, element: etree._Element, line: int = 0, /, **facts: Any) -> None:
        """A problem at an element; `line` where it is not the element's own."""
        place = None if code == "ID_MISSING" else _named(element)
        self.problems.append(Problem(code, line or line_of(element), place, facts))


def _named(element: etree._Element) -> str | None:
    """The id of an element, or of the nearest one around it that has an id."""
    return next((str(e.get("id")) for e in (element, *element.iterancestors()) if e.get("id")), None)


def some(names: object, limit: int = 12) -> str:
    """A short list of names for a message."""
    listed = sorted(str(n) for n in names)  # type: ignore[attr-defined]
    return ", ".join(listed[:limit]) + (" …" if len(listed) > limit else "")
