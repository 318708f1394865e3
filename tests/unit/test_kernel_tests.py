"""The kernel's tests prove what they say: each of them runs twice, and the second run would notice a difference."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from engine.testing import RoundTripLost
from tests.bpmn_xml import end, executable, flows, start, user
from tests.kernel_parts import Twin

HERE = Path(__file__).parent
MODULES = ("elements", "errors", "events", "loops")
TOO_LONG_FOR_TWO = {
    "test_a_loop_of_ten_thousand_rounds_stays_small",
    "test_a_user_task_in_a_loop_stays_open_for_two_thousand_rounds",
    "test_three_thousand_tasks_in_a_row_parse_and_run",
}


@pytest.mark.parametrize("module", MODULES)
def test_every_test_of_the_kernel_also_runs_with_storing_between_all_steps(module: str) -> None:
    tree = ast.parse((HERE / f"test_kernel_{module}.py").read_text(encoding="utf-8"))
    tests = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    alone = {t.name for t in tests if "run" not in [a.arg for a in t.args.args]}
    assert tests
    assert alone <= TOO_LONG_FOR_TWO


def _twin() -> Twin:
    return Twin(executable(start(), user("u", "v"), end(), flows("s u v e")), {"x": 1})


def test_the_stored_one_is_another_object_after_each_step() -> None:
    twin = _twin()
    before, beside = twin.top, twin.other.top
    twin.complete("u")
    assert twin.top is not before
    assert twin.other.top is beside


def test_a_difference_between_the_two_is_noticed() -> None:
    twin = _twin()
    twin.other.top.data["x"] = 2
    with pytest.raises(AssertionError):
        twin.complete("u")


def test_an_index_that_is_not_stored_is_noticed() -> None:
    twin = _twin()
    twin.top.waiting.messages["go", "T-1"] = {1: None}
    with pytest.raises(RoundTripLost, match="messages"):
        twin.run()
