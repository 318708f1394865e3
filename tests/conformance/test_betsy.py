"""Diagrams that this project did not write run as their authors expect, or are refused by name; none is silently wrong."""

from __future__ import annotations

import pytest

from bpmn.parse import Bundle
from tests.conformance import betsy
from tests.conformance.betsy import NOT_APPLICABLE, Company, Public

RUN_AT_LEAST = 55  # raise it when more elements are executed; it never goes down
NOT_EXECUTED = {"ELEMENT", "FEATURE", "EVENT_KIND", "EVENT_SEVERAL"}
ABOUT_OUR_TEXTS = {"EXPRESSION", "CODE", "XML_SYNTAX"}


@pytest.mark.parametrize("test", betsy.public_tests())
def test_a_public_diagram_runs_as_expected_or_is_refused_by_name(test: Public) -> None:
    if test.name in NOT_APPLICABLE:
        pytest.skip(NOT_APPLICABLE[test.name])
    found = betsy.read(test)
    if isinstance(found, Bundle):
        _runs_as_expected(found, test)
        return
    codes = {problem.code for problem in found}
    if not all(case["outcome"].startswith("deploy") for case in test.cases):  # some are meant to be refused
        assert codes & NOT_EXECUTED
    assert not codes & ABOUT_OUR_TEXTS  # the reason is the diagram, not our translation
    assert all(problem.element and problem.line for problem in found)


def _runs_as_expected(bundle: Bundle, test: Public) -> None:
    for case in test.cases:
        live, stored = (Company(bundle, test, case, round_trip=stored) for stored in (False, True))
        assert betsy.complaints(live, case) == [], f"case {case['case']}"
        assert stored.seen() == live.seen()


def test_the_number_of_public_diagrams_that_run_only_rises() -> None:
    tests = [p.values[0] for p in betsy.public_tests() if not p.marks]
    if not tests:
        pytest.skip("the public diagrams are not on this machine")
    run = [t.name for t in tests if t.name not in NOT_APPLICABLE and isinstance(betsy.read(t), Bundle)]
    assert len(run) >= RUN_AT_LEAST, run
