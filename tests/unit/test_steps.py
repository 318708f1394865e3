"""The step tables beside the diagrams: complete, in order, and in words that the rest of the product knows."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bpmn.steps import StepTable, step_table
from tests.actors import ROLES

STEPS = {
    "broadband": 16,
    "dedicated_line": 17,
    "fault": 13,
    "speed_change": 13,
    "suspension": 7,
    "termination": 8,
    "survey": 6,
    "quality_order": 7,
}
TABLES = tuple(STEPS)
NOT_ROLES = {"CU", "manager", "response centre"}
"""Who takes part without a login of his own, or above the roles that there are."""


@pytest.fixture(params=TABLES)
def table(request: pytest.FixtureRequest) -> StepTable:
    return step_table(request.param)


def test_every_table_has_its_steps_in_order(table: StepTable) -> None:
    expected = [f"{table.order_type}_{n:02}" for n in range(1, STEPS[table.process] + 1)]
    assert list(table.steps) == expected


def test_every_step_is_named_in_both_languages(table: StepTable) -> None:
    for step in table.steps.values():
        assert re.search("[\u4e00-\u9fff]", step.zh), step.id
        assert step.en.isascii(), step.id


def test_everybody_who_does_a_step_has_a_role(table: StepTable) -> None:
    named = {who for step in table.steps.values() for who in step.who}
    assert named - NOT_ROLES <= set(ROLES)


def test_every_way_out_says_when_and_where_to(table: StepTable) -> None:
    for step in table.steps.values():
        for way in step.ways_out:
            assert way.when, step.id
            assert way.to, step.id


def test_a_way_out_that_names_a_step_names_one_that_there_is(table: StepTable) -> None:
    ways = [way.to for step in table.steps.values() for way in step.ways_out]
    named = {found for to in ways for found in re.findall(rf"{table.order_type}_\d\d", to)}
    assert named <= set(table.steps)


def test_limits_around_the_clock_are_lengths_and_working_days_are_not() -> None:
    broadband, line = step_table("broadband").steps, step_table("dedicated_line").steps
    assert broadband["BB_07"].limit_of("FC") == timedelta(minutes=30)
    assert broadband["BB_03"].limit_of("RS") == timedelta(hours=4)
    assert broadband["BB_10"].limit_of("FC") is None
    assert {limit.length for limit in line["DL_02"].limits if limit.calendar} == {None}
    assert line["DL_17"].limits[0].length is None
