"""Texts that are evaluated: conditions, scripts, timers, keys and mappings. They are compiled here, at upload."""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from bpmn import durations, extension, loops
from bpmn.diagram import SCOPE_KINDS, Scope, event_definitions
from bpmn.expressions import ExpressionError, compile_expression, compile_script
from bpmn.lint.report import Report
from bpmn.xml import BPMN, kind_of, line_of

_TAG_OF = {"P": "timeDuration", "R": "timeCycle"}
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)
MOST_TEXT = 200_000
EACH_TEXT = 20  # that a text is there at all costs as much as so many characters of it
_TEXT_TAGS = (
    *(f"{{{BPMN}}}{tag}" for tag in ("script", "timeDate", "timeDuration", "timeCycle", "condition")),
    f"{{{extension.NAMESPACE}}}*",
)
_CODE = {"expression.forbidden"}


def check(report: Report) -> None:
    """Every text of every element; not if there is so much that checking it would take too long."""
    total = sum(_length(scope) for scope in report.diagram.scopes())
    if total > MOST_TEXT:
        report.add("TEXTS_TOO_LONG", report.diagram.root, length=total, limit=MOST_TEXT)
        return
    for scope in report.diagram.scopes():
        for flow in scope.flows:
            if flow.condition is not None:
                _expression(report, flow.element, flow.condition, "condition", flow.condition_line)
        for element in scope.nodes.values():
            _element(report, element)


def _length(scope: Scope) -> int:
    """How much there is to compile."""
    inside = [e for e in scope.nodes.values() if kind_of(e) not in SCOPE_KINDS]
    texts = [flow.condition for flow in scope.flows]
    texts += [extension.attributes(e).get("key") for e in inside]
    texts += [t.text for e in inside for t in e.iter(*_TEXT_TAGS)]
    repeated = (found for e in scope.nodes.values() for found in loops.of(e))
    texts += [text for found in repeated for _, text, _ in loops.texts(found)]
    return sum(len(text) + EACH_TEXT for text in texts if text and not text.isspace())


def _element(report: Report, element: etree._Element) -> None:
    kind = kind_of(element)
    if kind == "scriptTask":
        _script(report, element)
    for tag in ("input", "output"):
        for name, text, line in extension.mappings(element, tag):
            if not name.isidentifier():
                report.add("EXPRESSION", element, line, where=tag, detail=f"'{name}' is no name")
            _expression(report, element, text, f"{tag} {name}", line)
    for found in loops.of(element):
        for where, text, line in loops.texts(found):
            _expression(report, element, text, where, line)
    key = extension.attributes(element).get("key")
    if key is not None:
        _expression(report, element, key, "key", line_of(element))
    for definition in event_definitions(element):
        if kind_of(definition) == "timerEventDefinition":
            _timer(report, element, definition)
        elif kind_of(definition) == "conditionalEventDefinition":
            _condition(report, element, definition)


def _script(report: Report, element: etree._Element) -> None:
    script = element.find(f"{{{BPMN}}}script")
    if script is None or not (script.text or "").strip():
        report.add("EXPRESSION", element, where="script", detail="the script is empty")
        return
    try:
        compile_script(script.text or "")
    except ExpressionError as e:
        _complain(report, element, e, "script", line_of(script))


def _expression(report: Report, element: etree._Element, text: str, where: str, line: int) -> None:
    try:
        compile_expression(text)
    except ExpressionError as e:
        _complain(report, element, e, where, line)


def _complain(report: Report, element: etree._Element, error: ExpressionError, where: str, line: int) -> None:
    def detail(locale: str) -> str:
        return error.message("zh-CN" if locale.startswith("zh") else "en")

    code = "CODE" if error.code in _CODE else "EXPRESSION"
    report.add(code, element, line + max(error.line, 1) - 1, where=where, detail=detail)


def _condition(report: Report, element: etree._Element, definition: etree._Element) -> None:
    found = definition.find(f"{{{BPMN}}}condition")
    text = (found.text or "").strip() if found is not None else ""
    _expression(report, element, text, "condition", line_of(found if found is not None else definition))


def _timer(report: Report, element: etree._Element, definition: etree._Element) -> None:
    parts = [
        c
        for c in definition
        if isinstance(c.tag, str) and kind_of(c) in ("timeDate", "timeDuration", "timeCycle")
    ]
    text = (parts[0].text or "").strip() if parts else ""
    line = line_of(parts[0] if parts else definition)
    if len(parts) != 1 or not text:
        report.add("TIMER", element, line, text=text or "''", detail="exactly one text is needed")
    elif durations.is_literal(text):
        _literal(report, element, text, line, kind_of(parts[0]))
    else:
        _expression(report, element, text, "timer", line)


def _literal(report: Report, element: etree._Element, text: str, line: int, tag: str) -> None:
    try:
        if _TAG_OF.get(text.upper().lstrip("+-")[:1], "timeDate") != tag:
            raise durations.BadTimer(f"it does not fit {tag}")
        (durations.cycle if tag == "timeCycle" else durations.due)(text, _SOME_TIME)
    except durations.BadTimer as e:
        report.add("TIMER", element, line, text=text[:60], detail=str(e))
