"""The pages for designers: elements, events, attributes, operations, problems, and the expression language."""

from __future__ import annotations

import re

from bpmn.diagram import NODE_KINDS
from bpmn.expressions import errors as faults
from bpmn.expressions import limits
from bpmn.expressions.builtins import EXPRESSION_BUILTINS, SCRIPT_BUILTINS
from bpmn.expressions.language import CATCHABLE, MUTATING
from bpmn.expressions.methods import METHODS
from bpmn.expressions.moments import FIELDS
from bpmn.extension import ATTRIBUTES, NAMESPACE
from bpmn.lint.events import ALLOWED
from bpmn.lint.texts import MOST_TEXT
from bpmn.problems import CATALOGUE
from bpmn.xml import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS
from engine.runtime.kernel import STEP_BUDGET
from tasks.service.undo import UNDO
from tests.docs.pages import reference, rows, section, word, words
from web.bootstrap import local_operations

BPMN = reference("bpmn.md")
LANGUAGE = reference("expressions.md")
TYPES = {"str": "text", "Decimal": "decimal", "datetime": "date-time", "timedelta": "duration"}


def spoken(kind: str) -> str:
    return {"subProcess": "sub-process"}.get(kind) or re.sub(r"(?=[A-Z])", " ", kind).lower()


OTHERS = ("process", "sequence flow", "standard loop", "multi-instance")


def test_executed_elements_are_listed() -> None:
    listed = [row[0] for row in rows(section(BPMN, "## Elements"))]

    assert sorted(listed) == sorted([*map(spoken, NODE_KINDS), *OTHERS])


def test_executed_events_are_listed_by_place() -> None:
    listed = {word(row[0]): words(row[1]) for row in rows(section(BPMN, "## Events"))}

    assert listed == {place: set(kinds) for place, kinds in ALLOWED.items()}


def test_attributes_of_ours_are_listed_by_element() -> None:
    text = section(BPMN, "## Attributes of ours")

    assert [(word(row[0]), word(row[1])) for row in rows(text)] == [
        (element, name) for element, names in ATTRIBUTES.items() for name in names
    ]
    assert NAMESPACE in text


def test_operations_of_our_own_are_listed_with_fields_and_errors() -> None:
    listed = {word(r[0]): tuple(map(words, r[1:4])) for r in rows(section(BPMN, "## Operations of our own"))}

    known = {
        name: (set(o.operation.request().fields), set(o.operation.response().fields), set(o.operation.errors))
        for name, o in local_operations().items()
        if name.startswith(
            (
                "resource.",
                "circuit.",
                "line.",
                "ticket.",
                "mass_fault.",
                "task.",
                "crew.",
                "people.",
                "process.",
                "order.",
            )
        )
    }
    assert listed == known | {UNDO: (set(), set(), set())}


def test_problems_are_listed_with_their_severity() -> None:
    listed = {word(row[0]): row[1] for row in rows(section(BPMN, "## Problems"))}

    assert listed == {code: entry.severity for code, entry in CATALOGUE.items()}


def test_limits_of_diagrams_are_told() -> None:
    text = section(BPMN, "## Limits")

    for limit in (MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, MOST_TEXT, STEP_BUDGET):
        assert f"{limit:,}" in text


def test_built_in_functions_are_listed() -> None:
    listed = [word(row[0]).partition("(")[0] for row in rows(section(LANGUAGE, "## Built-in functions"))]

    assert sorted(listed) == sorted(SCRIPT_BUILTINS)
    assert set(SCRIPT_BUILTINS) - set(EXPRESSION_BUILTINS) == {"bpmn_error"}


def test_methods_and_fields_are_listed_by_type() -> None:
    listed = {row[0]: words(row[1]) for row in rows(section(LANGUAGE, "## Methods and fields"))}
    known = {TYPES.get(kind.__name__, kind.__name__): set(methods) for kind, methods in METHODS.items()}
    for kind, names in FIELDS.items():
        known[TYPES.get(kind.__name__, kind.__name__)] |= names

    known["date-time"] -= known["date"] - {"date"}  # the page says: those of a date, and
    assert listed == known


def test_methods_that_change_their_object_are_named() -> None:
    last = section(LANGUAGE, "## Methods and fields").rpartition("|")[2]

    assert words(last) == MUTATING


def test_codes_and_kinds_of_errors_are_listed() -> None:
    text = section(LANGUAGE, "## Errors")
    codes = {v for v in vars(faults).values() if isinstance(v, str) and v.startswith("expression.")}

    assert {word(row[0]) for row in rows(text)} == codes
    assert set(CATCHABLE) <= words(text)


def test_limits_of_expressions_are_told() -> None:
    text = section(LANGUAGE, "## Limits")
    known = (limits.MAX_SOURCE, limits.STEPS, limits.MAX_TEXT, limits.MAX_ITEMS, limits.MAX_DEPTH)
    nesting = (limits.MAX_BITS, limits.MAX_NESTING, limits.MAX_BRACKETS, limits.MAX_CALL_NESTING)

    assert [n for n in (*known, *nesting) if not re.search(rf"\b{n:,}\b", text)] == []
