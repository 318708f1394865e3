"""Loops and multi-instance activities. Each test also runs with storing and restoring between every two steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.testing import Driver
from tests.bpmn_xml import (
    again,
    each,
    end,
    end_error,
    executable,
    flows,
    on_error,
    on_message,
    on_timer,
    repeated,
    script,
    service,
    start,
    sub,
    user,
    xor,
)
from tests.kernel_parts import Run


def _one(activity: str, *more: str) -> tuple[str, ...]:
    """Start, the activity `a`, end; and what hangs on it."""
    return start(), activity, end(), flows("s a e"), *more


def _ended(d: Driver) -> str | None:
    return d.end.state if d.end is not None else None


# ---- standard loops


@pytest.mark.parametrize(("n", "times"), [(0, 3), (1, 2), (3, 1), (9, 1)])
def test_a_loop_is_done_once_and_then_while_its_condition_holds(run: Run, n: int, times: int) -> None:
    d = run(*_one(repeated(script("a", "n = n + 1; done = done + 1"), again("n < 3"))), n=n, done=0)
    assert (d.variables["done"], _ended(d)) == (times, "completed")
    assert d.completed == ["s", "a", "e"]
    assert d.elements("round") == ["a"] * times


@pytest.mark.parametrize(("n", "times"), [(0, 3), (3, 0)])
def test_a_loop_that_tests_before_may_never_begin(run: Run, n: int, times: int) -> None:
    d = run(*_one(repeated(script("a", "n = n + 1"), again("n < 3", testBefore="true"))), n=n)
    assert (d.elements("round"), d.completed) == (["a"] * times, ["s", "a", "e"])


def test_a_maximum_ends_a_loop(run: Run) -> None:
    d = run(*_one(repeated(script("a", "n = n + 1"), again("True", loopMaximum="4"))), n=0)
    assert d.variables["n"] == 4
    d = run(*_one(repeated(script("a", "n = n + 1"), again(loopMaximum="2"))), n=0)
    assert d.variables["n"] == 2


def test_each_round_sees_its_number_and_nobody_else_does(run: Run) -> None:
    d = run(*_one(repeated(script("a", "seen = seen + [loopCounter]"), again("loopCounter < 3"))), seen=[])
    assert d.variables == {"seen": [0, 1, 2]}


def test_a_person_repeats_a_task_until_the_answer_is_good(run: Run) -> None:
    d = run(*_one(repeated(user("a"), again("not ok"))), ok=False)
    d.complete("a", ok=False)
    d.complete("a", ok=False)
    assert (d.tasks, d.end) == (["a"], None)
    d.complete("a", ok=True)
    assert (d.tasks, _ended(d)) == ([], "completed")


def test_a_sub_process_is_repeated_as_a_whole(run: Run) -> None:
    inside = start("is"), script("c", "n = n + 1"), user("u"), end("ie"), flows("is c u ie")
    d = run(*_one(repeated(sub("a", *inside), again("n < 2"))), n=0)
    d.complete("u")
    assert (d.variables["n"], d.tasks) == (2, ["u"])
    d.complete("u")
    assert _ended(d) == "completed"
    assert d.completed.count("a") == 1


def test_a_loop_of_ten_thousand_rounds_stays_small() -> None:
    d = Driver(executable(*_one(repeated(user("a"), again("True")))))
    for _ in range(10):
        d.complete("a")
    early = len(d.top.by_id)
    for _ in range(1000):
        d.complete("a")
    assert len(d.top.by_id) == early


# ---- several instances


def test_instances_in_parallel_are_all_there_at_once(run: Run) -> None:
    d = run(*_one(repeated(user("a"), each("rooms", elementVariable="room"))), rooms=["x", "y", "z"])
    assert d.tasks == ["a", "a", "a"]
    d.complete("a")
    d.complete("a")
    assert d.end is None
    d.complete("a")
    assert (d.completed, _ended(d)) == (["s", "a", "e"], "completed")


def test_instances_in_sequence_come_one_after_another(run: Run) -> None:
    loop = each("rooms", elementVariable="room", sequence=True)
    d = run(*_one(repeated(user("a"), loop)), rooms=["x", "y"])
    assert d.tasks == ["a"]
    d.complete("a")
    assert (d.tasks, d.end) == (["a"], None)
    d.complete("a")
    assert _ended(d) == "completed"


@pytest.mark.parametrize("sequence", [False, True])
def test_each_instance_has_its_item_and_the_results_are_in_the_order_of_the_items(
    run: Run, sequence: bool
) -> None:
    loop = each(
        "ends", elementVariable="at", outputCollection="found", outputElement="{at: r}", sequence=sequence
    )
    d = run(
        *_one(repeated(service("a", "input at = at", "output r = result.r"), loop)), ends=["A", "Z"], r=None
    )
    if sequence:
        d.result("a", r=1)
        d.result("a", r=2)
    else:
        d.result("a", 2, r=2)  # the second answers first
        d.result("a", r=1)
    assert d.variables["found"] == [{"A": 1}, {"Z": 2}]
    assert "at" not in d.variables


@pytest.mark.parametrize("sequence", [False, True])
@pytest.mark.parametrize(("often", "times"), [("3", 3), ("n + 1", 3), ("0", 0)])
def test_a_cardinality_says_how_many(run: Run, often: str, times: int, sequence: bool) -> None:
    d = run(*_one(repeated(script("a", "k = k + 1"), each(often=often, sequence=sequence))), n=2, k=0)
    assert (d.variables["k"], d.completed) == (times, ["s", "a", "e"])


def test_no_item_means_no_instance_and_an_empty_result(run: Run) -> None:
    loop = each("rooms", elementVariable="room", outputCollection="found", outputElement="room")
    d = run(*_one(repeated(user("a"), loop)), rooms=[])
    assert (d.variables["found"], _ended(d)) == ([], "completed")


@pytest.mark.parametrize("sequence", [False, True])
def test_when_enough_are_done_the_rest_is_cancelled(run: Run, sequence: bool) -> None:
    loop = each(
        "rooms",
        enough="numberOfCompletedInstances >= numberOfInstances / 2",
        elementVariable="room",
        outputCollection="found",
        outputElement="room",
        sequence=sequence,
    )
    d = run(*_one(repeated(user("a"), loop)), rooms=["w", "x", "y", "z"])
    d.complete("a")
    assert d.end is None
    d.complete("a")
    assert (d.tasks, _ended(d), d.variables["found"]) == ([], "completed", ["w", "x", None, None])


@pytest.mark.parametrize(
    ("often", "n"), [("n", -1), ("n", 1.5), ("n", "3"), ("n", True), ("n", 5001), ("n", None)]
)
def test_a_cardinality_that_is_no_number_is_an_incident_and_can_be_corrected(
    run: Run, often: str, n: Any
) -> None:
    d = run(*_one(repeated(user("a"), each(often=often))), n=n)
    assert d.incidents == {"a": "loop.cardinality"}
    d.retry("a", n=2)
    assert d.tasks == ["a", "a"]


def test_a_collection_that_is_no_list_is_an_incident(run: Run) -> None:
    d = run(*_one(repeated(user("a"), each("rooms", sequence=True))), rooms="xyz")
    assert d.incidents == {"a": "loop.cardinality"}


def test_instances_do_not_share_what_they_write(run: Run) -> None:
    loop = each("rooms", elementVariable="room", outputCollection="found", outputElement="room")
    d = run(*_one(repeated(script("a", "room['n'] = loopCounter"), loop)), rooms=[{"n": 9}, {"n": 9}])
    assert d.variables == {"rooms": [{"n": 9}, {"n": 9}], "found": [{"n": 0}, {"n": 1}]}


def test_later_changes_of_the_collection_do_not_matter(run: Run) -> None:
    loop = each("rooms", elementVariable="room", sequence=True)
    d = run(*_one(repeated(script("a", "seen = seen + [room]; rooms = []"), loop)), rooms=["x", "y"], seen=[])
    assert d.variables == {"rooms": [], "seen": ["x", "y"]}


def test_a_sub_process_for_each_item_has_its_own_item(run: Run) -> None:
    inside = start("is"), user("u"), script("c", "seen = seen + [room]"), end("ie"), flows("is u c ie")
    d = run(
        *_one(repeated(sub("a", *inside), each("rooms", elementVariable="room"))), rooms=["x", "y"], seen=[]
    )
    assert d.tasks == ["u", "u"]
    d.complete("u", room="z")  # the answer stays in the instance that it belongs to
    assert d.variables["seen"] == ["z"]
    d.complete("u")
    assert (d.variables["seen"], _ended(d)) == (["z", "y"], "completed")


def test_loops_inside_loops(run: Run) -> None:
    inner = repeated(script("c", "seen = seen + [outer + str(loopCounter)]"), each(often="2"))
    inside = start("is"), inner, end("ie"), flows("is c ie")
    d = run(
        *_one(repeated(sub("a", *inside), each("rooms", elementVariable="outer", sequence=True))),
        rooms=["x", "y"],
        seen=[],
    )
    assert d.variables["seen"] == ["x0", "x1", "y0", "y1"]


# ---- what ends a loop from outside


def test_a_boundary_timer_ends_all_instances_at_once(run: Run) -> None:
    watch = on_timer("late", "a", "PT1H"), script("c", "late = True"), end("x"), flows("late c x")
    d = run(*_one(repeated(user("a"), each(often="3")), *watch))
    d.complete("a")
    d.pass_time(timedelta(hours=1))
    assert (d.tasks, d.variables.get("late"), _ended(d)) == ([], True, "completed")
    assert "e" not in d.completed


def test_a_boundary_message_that_does_not_interrupt_leaves_the_instances(run: Run) -> None:
    watch = on_message("note", "a", "note", False), script("c", "n = n + 1"), end("x"), flows("note c x")
    d = run(*_one(repeated(user("a"), each(often="2")), *watch), n=0)
    d.message("note")
    d.message("note")
    assert (d.variables["n"], d.tasks) == (2, ["a", "a"])


def test_an_error_of_one_instance_ends_all_and_is_caught_once(run: Run) -> None:
    watch = on_error("bad", "a", "E1"), script("c", "n = n + 1"), end("x"), flows("bad c x")
    d = run(*_one(repeated(service("a"), each(often="3")), *watch), n=0)
    d.result("a")
    d.refuse("a", "E1")
    assert (d.jobs, d.variables["n"], _ended(d)) == ([], 1, "completed")
    assert d.completed.count("bad") == 1


def test_an_error_inside_a_repeated_sub_process_reaches_its_boundary(run: Run) -> None:
    inside = (
        start("is"),
        user("u"),
        xor("g", "g_ie"),
        end("ie"),
        end_error("ix", "E2"),
        flows("is u g ie", "g ix if bad"),
    )
    watch = on_error("caught", "a", "E2"), end("x"), flows("caught x")
    d = run(*_one(repeated(sub("a", *inside), each(often="2")), *watch), bad=False)
    d.complete("u", bad=True)
    assert (d.tasks, d.completed[-2:], _ended(d)) == ([], ["caught", "x"], "completed")


def test_a_fault_in_one_instance_waits_there_and_the_others_go_on(run: Run) -> None:
    loop = each("rooms", elementVariable="room", outputCollection="found", outputElement="10 / room")
    d = run(*_one(repeated(user("a"), loop)), rooms=[0, 5])
    d.complete("a")
    assert list(d.incidents) == ["a"]
    d.complete("a")
    assert d.end is None
    d.retry("a", room=2)
    assert (d.variables["found"], _ended(d)) == ([5.0, 2.0], "completed")


def test_a_loop_whose_way_out_fails_only_repeats_the_way_out(run: Run) -> None:
    d = run(
        start(),
        repeated(script("a", "n = n + 1"), each(often="2")),
        xor("g"),
        end("x", "y"),
        flows("s a g", "g x if way == 1", "g y if way == 2"),
        n=0,
        way=0,
    )
    assert list(d.incidents) == ["g"]
    d.retry("g", way=2)
    assert (d.variables["n"], d.completed[-1]) == (2, "y")
