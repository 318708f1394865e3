"""Which elements and features are executed. A positive list: whatever is not on it is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from bpmn import extension
from bpmn.diagram import NODE_KINDS, SCOPE_KINDS, event_definitions
from bpmn.lint.report import Report, some
from bpmn.xml import BPMN, is_true, kind_of, line_of

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_DOCUMENTATION = {
    "documentation",
    "extensionElements",
    "incoming",
    "outgoing",
    "ioSpecification",
    "dataInputAssociation",
    "dataOutputAssociation",
    "dataInput",
    "dataOutput",
    "inputSet",
    "outputSet",
    "property",
    "auditing",
    "monitoring",
}
_INSIDE = {
    "scriptTask": {"script"},
    "userTask": {"potentialOwner", "humanPerformer", "performer", "resourceRole", "rendering"},
}
MOST_TOKENS = 1_000
_MAPPINGS: Mapping[str, tuple[str, ...]] = {
    "serviceTask": ("input", "output"),
    "callActivity": ("input", "output"),
    "sendTask": ("input",),
    "intermediateThrowEvent": ("input",),
    "endEvent": ("input",),
}
_OTHER_LANGUAGES = (
    "javascript",
    "ecmascript",
    "groovy",
    "juel",
    "feel",
    "java",
    "ruby",
    "kotlin",
    "lua",
    "xpath",
)


def check(report: Report) -> None:
    """Ids, unknown elements, features inside known elements, our attributes, and shapes."""
    _ids(report)
    executable = [p.element for p in report.diagram.processes if is_true(p.element, "isExecutable")]
    if not executable:
        report.add("NO_PROCESS", report.diagram.root)
    for process in executable:
        if not process.get("id"):
            report.add("ID_MISSING", process, kind="process")
    for scope in report.diagram.scopes():
        for element in scope.unknown:
            report.add("ELEMENT", element, kind=kind_of(element))
        for element in scope.nameless:
            report.add("ID_MISSING", element, kind=kind_of(element))
        for element in scope.nodes.values():
            _features(report, element)
            attributes(report, element)
        for flow in scope.flows:
            attributes(report, flow.element)
    for scope in report.diagram.processes:
        attributes(report, scope.element)
    _our_elements(report)
    _drawn(report)
    _global_tasks(report)


def _ids(report: Report) -> None:
    seen: set[str] = set()
    for element in report.diagram.root.iter(f"{{{BPMN}}}*"):
        ident = element.get("id")
        if ident is None:
            continue
        if ident in seen:
            report.add("ID_DUPLICATE", element, id=ident)
        seen.add(ident)
        if kind_of(element) in NODE_KINDS | {"process"} and not _ID.fullmatch(ident):
            report.add("ID_SHAPE", element, id=ident[:80])


def _features(report: Report, element: etree._Element) -> None:
    kind = kind_of(element)
    method = element.get("method", "##Compensate")
    if kind == "transaction" and method != "##Compensate":
        report.add("FEATURE", element, feature=f"method={method[:40]}")
    for attribute in ("startQuantity", "completionQuantity"):
        text = element.get(attribute, "1").strip()
        if not (text.isdigit() and 0 < int(text) <= MOST_TOKENS):
            report.add("QUANTITY", element, attribute=attribute, text=text[:40], most=MOST_TOKENS)
    language = (element.get("scriptFormat") or "").lower()
    if any(other in language for other in _OTHER_LANGUAGES):
        report.add("FEATURE", element, feature=f"scriptFormat={language[:40]}")
    # the content of a sub-process is a scope of its own
    allowed = None if kind in SCOPE_KINDS else _DOCUMENTATION | _INSIDE.get(kind, set())
    definitions = set(event_definitions(element)) if kind.endswith("Event") else set()
    for child in element:
        name = kind_of(child) if isinstance(child.tag, str) else ""
        if name.endswith("LoopCharacteristics"):
            continue  # bpmn.lint.loops
        if allowed is not None and name and name not in allowed and child not in definitions:
            report.add("FEATURE", child, feature=f"{name} in {kind}")


def attributes(report: Report, element: etree._Element, owner: etree._Element | None = None) -> None:
    """Ours that are not known, or have a value that is not; told at the owner, on the element's line."""
    kind, place, line = kind_of(element), element if owner is None else owner, line_of(element)
    known = extension.ATTRIBUTES.get(kind, {})
    for name, value in extension.attributes(element).items():
        if name not in known:
            report.add("ATTRIBUTE", place, line, name=name, kind=kind, known=some(known))
        elif name in extension.VALUES and value not in extension.VALUES[name]:
            values = some(extension.VALUES[name])
            report.add("ATTRIBUTE", place, line, name=f"{name}={value[:40]}", kind=kind, known=values)


def _our_elements(report: Report) -> None:
    """A mapping that nobody would read is not passed over in silence."""
    for found in report.diagram.root.iter(f"{{{extension.NAMESPACE}}}*"):
        name = etree.QName(found).localname
        above = [kind_of(e) for e in found.iterancestors()][:2]
        if above[:1] != ["extensionElements"] or name not in _MAPPINGS.get(above[-1], ()):
            owner = next(e for e in found.iterancestors() if kind_of(e) not in ("", "extensionElements"))
            report.add("FEATURE", owner, line_of(found), feature=f"kaitong:{name} in {kind_of(owner)}")


def _drawn(report: Report) -> None:
    drawn = report.diagram.drawn()
    if not drawn:
        report.add("NOT_DRAWN", report.diagram.root, id=str(report.diagram.root.get("id")))
        return
    for scope in report.diagram.scopes():
        for ident, element in scope.nodes.items():
            if ident not in drawn:
                report.add("NOT_DRAWN", element, id=ident)


def _global_tasks(report: Report) -> None:
    for child in report.diagram.root:
        if isinstance(child.tag, str) and kind_of(child).startswith("global"):
            report.add("ELEMENT", child, kind=kind_of(child))
