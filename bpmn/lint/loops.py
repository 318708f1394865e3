"""Loops: who may have one, and whether it says how often."""

from __future__ import annotations

from lxml import etree

from bpmn import extension, loops
from bpmn.diagram import ACTIVITY_KINDS
from bpmn.lint import elements
from bpmn.lint.report import Report
from bpmn.specs.loops import MOST_IN_PARALLEL, MOST_IN_SEQUENCE
from bpmn.xml import is_true, kind_of, line_of

_INSIDE = {
    loops.STANDARD: {"loopCondition"},
    loops.MULTI: {"loopCardinality", "completionCondition"},
}
_ALWAYS = {"documentation", "extensionElements"}


def check(report: Report) -> None:
    """The loop characteristics of every element."""
    for scope in report.diagram.scopes():
        for element in scope.nodes.values():
            found = loops.of(element)
            if found and kind_of(element) not in ACTIVITY_KINDS:
                report.add("FEATURE", found[0], feature=f"{kind_of(found[0])} in {kind_of(element)}")
            elif len(found) > 1:
                report.add("LOOP_SEVERAL", element, line_of(found[1]))
            elif found:
                _loop(report, element, found[0])
    for process in report.diagram.processes:
        for found_at in loops.of(process.element):
            report.add("ELEMENT", found_at, kind=kind_of(found_at))


def _loop(report: Report, activity: etree._Element, found: etree._Element) -> None:
    kind = kind_of(found)
    if kind not in _INSIDE:
        report.add("FEATURE", activity, line_of(found), feature=kind)
        return
    for child in found:
        name = kind_of(child) if isinstance(child.tag, str) else ""
        if name and name not in _INSIDE[kind] | _ALWAYS:
            report.add("FEATURE", activity, line_of(child), feature=f"{name} in {kind}")
    elements.attributes(report, found, activity)
    if kind == loops.STANDARD:
        _standard(report, activity, found)
    else:
        _multi(report, activity, found)


def _standard(report: Report, activity: etree._Element, found: etree._Element) -> None:
    maximum = found.get("loopMaximum")
    if maximum is not None and not (maximum.strip().isdigit() and 0 < int(maximum) <= MOST_IN_SEQUENCE):
        report.add("LOOP_MAXIMUM", activity, line_of(found), text=maximum[:40], most=MOST_IN_SEQUENCE)
    elif maximum is None and not any(where == "loopCondition" and t for where, t, _ in loops.texts(found)):
        report.add("LOOP_END", activity, line_of(found))


def _multi(report: Report, activity: etree._Element, found: etree._Element) -> None:
    line = line_of(found)
    behavior = found.get("behavior", "All")
    if behavior != "All":
        report.add("FEATURE", activity, line, feature=f"behavior={behavior[:20]}")
    for attribute in ("oneBehaviorEventRef", "noneBehaviorEventRef"):
        if found.get(attribute):
            report.add("FEATURE", activity, line, feature=attribute)
    ours = extension.attributes(found)
    cardinality = next((t for where, t, _ in loops.texts(found) if where == "loopCardinality"), "")
    if bool(cardinality) == bool(ours.get("collection", "").strip()):
        report.add("LOOP_CARDINALITY", activity, line)
    most = MOST_IN_SEQUENCE if is_true(found, "isSequential") else MOST_IN_PARALLEL
    if cardinality.lstrip("+-").isdigit() and not 0 <= int(cardinality) <= most:
        report.add("LOOP_NUMBER", activity, line, text=cardinality[:40], most=most)
    if "elementVariable" in ours and "collection" not in ours:
        report.add("LOOP_NAMES", activity, line, one="elementVariable", other="collection")
    for one, other in (("outputCollection", "outputElement"), ("outputElement", "outputCollection")):
        if one in ours and other not in ours:
            report.add("LOOP_NAMES", activity, line, one=one, other=other)
    for name in ("elementVariable", "outputCollection"):
        if name in ours and not ours[name].isidentifier():
            report.add("EXPRESSION", activity, line, where=name, detail=f"'{ours[name][:60]}' is no name")
