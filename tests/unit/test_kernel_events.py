"""What timers, messages and boundary events do. Each test also runs with storing and restoring between every two steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.bpmn_xml import (
    catch,
    end,
    flows,
    on_message,
    on_timer,
    par,
    script,
    service,
    start,
    sub,
    timer,
    user,
)
from tests.kernel_parts import Run, fork

HOUR = timedelta(hours=1)


# ---- timers and messages


def test_an_intermediate_timer_waits_its_time(run: Run) -> None:
    d = run(start(), timer("t", "PT1H"), end(), flows("s t e"))
    d.pass_time(HOUR - timedelta(seconds=1))
    assert d.end is None
    d.pass_time(timedelta(seconds=1))
    assert d.completed == ["s", "t", "e"]


def test_a_timer_may_be_a_moment_with_a_zone(run: Run) -> None:
    d = run(start(), timer("t", "2026-11-22T10:12:00+08:00"), end(), flows("s t e"))
    d.pass_time(HOUR)
    assert d.end is not None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("wait", {"wait": "PT2H"}),
        ("timedelta(hours=2)", {}),
        ("at now() + duration('PT2H')", {}),
        ("wait", {"wait": timedelta(hours=2)}),
    ],
)
def test_a_timer_may_be_an_expression(run: Run, text: str, values: dict[str, Any]) -> None:
    d = run(start(), timer("t", text), end(), flows("s t e"), **values)
    d.pass_time(2 * HOUR - timedelta(seconds=1))
    assert d.end is None
    d.pass_time(timedelta(seconds=1))
    assert d.end is not None


@pytest.mark.parametrize("wrong", ["soon", "-PT1H", "PT0S", "P99Y", "2026-01-01T00:00:00", 7, None, "", {}])
def test_a_wrong_timer_value_is_an_incident_until_it_is_corrected(run: Run, wrong: Any) -> None:
    d = run(
        start(), user("u"), on_timer("b", "u", "wait"), end("e", "late"), flows("s u e", "b late"), wait=wrong
    )
    assert list(d.incidents) == ["u"]
    assert d.tasks == []
    d.retry("u")
    assert list(d.incidents) == ["u"]
    d.retry("u", wait="PT1H")
    assert (d.incidents, d.tasks) == ({}, ["u"])
    d.pass_time(HOUR)
    assert d.completed == ["s", "b", "late"]


def test_a_wrong_value_of_an_intermediate_timer_is_an_incident_until_it_is_corrected(run: Run) -> None:
    d = run(start(), timer("t", "wait"), end(), flows("s t e"), wait="never")
    assert list(d.incidents) == ["t"]
    d.retry("t", wait="PT1H")
    d.pass_time(HOUR)
    assert d.end is not None


def test_a_message_is_caught_by_exact_name_and_key(run: Run) -> None:
    d = run(start(), catch("m", "go"), end(), flows("s m e"))
    assert d.message("go", "other") == d.message("Go") == d.message("note") == 0
    assert d.message("go", answer=42) == 1
    assert (d.completed, d.variables) == (["s", "m", "e"], {"answer": 42})
    assert d.elements("caught") == ["m"]


def test_the_key_of_a_message_may_be_an_expression(run: Run) -> None:
    d = run(start(), catch("m", "go", _key="'P-' + str(n)"), end(), flows("s m e"), n=7)
    assert d.message("go") == 0
    assert d.message("go", "P-7") == 1


def test_a_message_that_a_parallel_branch_waits_for_is_not_missed(run: Run) -> None:
    d = run(*fork(catch("m", "go"), user("u"), flows("f u j", "f m j")))
    assert d.message("go") == 1
    d.complete("u")
    assert d.end is not None


# ---- boundary events


def test_an_interrupting_timer_ends_its_task(run: Run) -> None:
    d = run(start(), user("u"), on_timer("b", "u", "PT1H"), end("e", "late"), flows("s u e", "b late"))
    d.pass_time(HOUR)
    assert d.completed == ["s", "b", "late"]
    assert d.elements("cancelled") == ["u"]


def test_a_timer_that_is_not_needed_any_more_is_gone(run: Run) -> None:
    d = run(start(), user("u", "v"), on_timer("b", "u", "PT1H"), end("e", "late"), flows("s u v e", "b late"))
    d.complete("u")
    assert d.top.waiting.timers == {}
    d.pass_time(2 * HOUR)
    assert d.tasks == ["v"]


def test_a_timer_that_does_not_interrupt_fires_once_beside_its_task(run: Run) -> None:
    body = start(), user("u"), on_timer("b", "u", "PT1H", interrupts=False), user("hurry"), end("e", "x")
    d = run(*body, flows("s u e", "b hurry x"))
    d.pass_time(HOUR)
    d.pass_time(HOUR)
    assert d.tasks == ["u", "hurry"]
    d.complete("u")
    assert d.end is None
    d.complete("hurry")
    assert d.end is not None


def test_a_timer_that_is_due_fires_before_the_command(run: Run) -> None:
    d = run(start(), user("u", "v"), on_timer("b", "u", "PT1H"), end(), flows("s u e", "b v e"))
    d.clock.advance(2 * HOUR)
    with pytest.raises(AssertionError, match="nothing waits at u"):
        d.complete("u")
    d.run()
    assert d.tasks == ["v"]


def test_several_due_timers_fire_earliest_first(run: Run) -> None:
    d = run(
        *fork(timer("t2", "PT2H"), timer("t1", "PT1H"), timer("t3", "PT3H")),
        flows("f t2 j", "f t1 j", "f t3 j"),
    )
    d.pass_time(5 * HOUR)
    assert d.elements("caught") == ["t1", "t2", "t3"]
    assert d.end is not None


def test_an_interrupting_message_ends_its_task(run: Run) -> None:
    d = run(start(), user("u"), on_message("b", "u", "go"), end("e", "x"), flows("s u e", "b x"))
    assert d.message("go") == 1
    assert d.completed == ["s", "b", "x"]
    assert d.message("go") == 0


def test_a_message_that_does_not_interrupt_is_caught_again_and_again(run: Run) -> None:
    body = start(), user("u"), on_message("b", "u", "note", interrupts=False), script("c", "n = n + 1")
    d = run(*body, end("e", "x"), flows("s u e", "b c x"), n=0)
    for n in range(3):
        assert d.message("note") == 1
        assert d.variables["n"] == n + 1
    assert d.tasks == ["u"]
    d.complete("u")
    assert d.end is not None
    assert d.message("note") == 0


def test_a_boundary_of_a_sub_process_ends_everything_in_it(run: Run) -> None:
    deep = sub(
        "B",
        start("bs"),
        user("b1"),
        on_timer("bt", "b1", "PT9H"),
        end("be", "bx"),
        flows("bs b1 be", "bt bx"),
    )
    inside = start("is"), par("f"), deep, service("v"), timer("t", "PT5H"), end("ie")
    d = run(
        start(),
        sub("S", *inside, flows("is f", "f B ie", "f v ie", "f t ie")),
        on_message("stop", "S", "go"),
        end("e", "x"),
        flows("s S e", "stop x"),
    )
    assert d.message("go") == 1
    assert d.completed[-2:] == ["stop", "x"]
    assert sorted(d.elements("cancelled")) == ["B", "S", "b1", "t", "v"]
    assert (d.top.by_id, d.top.waiting.timers, d.top.subprocesses) == ({}, {}, {})
