"""Rules that a diagram has to pass. `check` gives every problem at once, each with code, line and element."""

from __future__ import annotations

from bpmn.diagram import Diagram
from bpmn.lint import compensation, elements, events, flows, loops, people, subprocesses, texts
from bpmn.lint.report import Catalogue, Report
from bpmn.problems import Problem

__all__ = ["Catalogue", "check"]

_RULES = (
    elements.check,
    flows.check,
    events.check,
    loops.check,
    subprocesses.check,
    compensation.check,
    texts.check,
    people.check,
)


def check(diagram: Diagram, catalogue: Catalogue) -> list[Problem]:
    """All problems, in the order of the file."""
    report = Report(diagram, catalogue)
    for rule in _RULES:
        rule(report)
    return sorted(report.problems, key=lambda p: (p.line, p.severity, p.code))
