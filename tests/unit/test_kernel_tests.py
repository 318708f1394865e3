"""The kernel's tests prove what they say: each of them runs twice, and the second run would notice a difference."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from engine.testing import RoundTripLost
from tests.bpmn_xml import end, executable, flows, start, user
from tests.kernel_parts import Twin

HERE = Path(__file__).parent
OF_ANOTHER_KIND = {"test_kernel_branches", "test_kernel_properties", "test_kernel_tests"}
MODULES = sorted(p.stem for p in HERE.glob("test_kernel_*.py") if p.stem not in OF_ANOTHER_KIND)
BOTH_WAYS = {"run", "begin"}
ALONE = {
    # so long that twice is too much
    "test_a_loop_of_ten_thousand_rounds_stays_small",
    "test_a_user_task_in_a_loop_stays_open_for_two_thousand_rounds",
    "test_three_thousand_tasks_in_a_row_parse_and_run",
    # about reading a diagram, or about two instances
    "test_a_circle_of_calls_is_refused_with_its_path",
    "test_a_cycle_that_makes_no_sense_is_refused",
    "test_a_definition_of_the_whole_file_works_as_if_drawn_at_the_event",
    "test_a_monthly_cycle_follows_the_calendar",
    "test_instances_of_one_definition_do_not_share_their_handlers",
}


def _makes_a_twin(test: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "Twin" for node in ast.walk(test))


@pytest.mark.parametrize("module", MODULES)
def test_every_test_of_the_kernel_also_runs_with_storing_between_all_steps(module: str) -> None:
    tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
    tests = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
    alone = {t.name for t in tests if not (BOTH_WAYS & {a.arg for a in t.args.args} or _makes_a_twin(t))}
    assert tests
    assert alone <= ALONE


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
