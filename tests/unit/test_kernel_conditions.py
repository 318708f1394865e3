"""Conditional events, and timers that come again. Each test also runs with storing between every two steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bpmn import durations
from tests.bpmn_xml import (
    definition,
    end,
    event_sub,
    flows,
    on_condition,
    on_timer,
    par,
    script,
    service,
    start,
    sub,
    timer,
    until,
    user,
)
from tests.kernel_parts import Run

HOUR = timedelta(hours=1)
COUNT = script("c", "n = n + 1")


# ---- conditional events (BPMN 2.0.2, 10.5.5)


def test_an_event_waits_until_its_condition_holds(run: Run) -> None:
    d = run(start(), par("f"), user("u"), until("w", "x > 2"), end("e", "g"), flows("s f u e", "f w g"), x=0)
    assert "w" not in d.completed
    d.complete("u", x=3)
    assert d.completed.count("w") == 1
    assert d.end is not None


def test_a_condition_that_holds_already_does_not_wait(run: Run) -> None:
    assert run(start(), until("w", "x > 2"), end(), flows("s w e"), x=3).completed == ["s", "w", "e"]


def test_a_condition_interrupts_its_activity_before_the_first_step_if_it_holds(run: Run) -> None:
    inside = start("is"), script("a", "ran = True"), end("ie"), flows("is a ie")
    d = run(
        start(), sub("S", *inside), on_condition("b", "S", "x"), end("e", "z"), flows("s S e", "b z"), x=True
    )
    assert (d.variables, d.completed[-2:]) == ({"x": True}, ["b", "z"])


def test_a_condition_fires_each_time_it_becomes_true(run: Run) -> None:
    step = par("f"), user("u", "v", "w"), end(), flows("s f u v w e")
    d = run(
        start(),
        *step,
        user("k"),
        on_condition("b", "k", "x > 2", False),
        COUNT,
        end("z", "y"),
        flows("f k y", "b c z"),
        x=0,
        n=0,
    )
    for element, x in (("u", 3), ("v", 4), ("w", 0)):
        d.complete(element, x=x)
    assert d.variables["n"] == 1
    d.complete("k", x=9)
    assert d.variables["n"] == 1


def test_becoming_false_and_true_again_fires_again(run: Run) -> None:
    d = run(
        start(),
        user("u", "v", "w", "y"),
        end(),
        flows("s u v w y e"),
        event_sub(
            "H", definition("conditional", "x > 2"), COUNT, end("H_e"), flows("H_s c H_e"), interrupts=False
        ),
        x=0,
        n=0,
    )
    for element, x in (("u", 3), ("v", 0), ("w", 5)):
        d.complete(element, x=x)
    assert d.variables["n"] == 2


def test_a_condition_that_cannot_be_worked_out_is_an_incident_and_the_activity_goes_on(run: Run) -> None:
    d = run(
        start(), user("u"), on_condition("b", "u", "x > 2"), end("e", "z"), flows("s u e", "b z"), x="three"
    )
    assert (list(d.incidents), d.tasks) == (["b"], ["u"])
    d.retry("b", x=1)
    assert (d.incidents, d.tasks) == ({}, ["u"])
    d.complete("u")
    assert d.completed[-1] == "e"


def test_a_condition_sees_what_a_service_brings(run: Run) -> None:
    d = run(
        start(),
        par("f"),
        service("v", "output x = result.x"),
        until("w", "x"),
        end("e", "g"),
        flows("s f v e", "f w g"),
        x=False,
    )
    d.result("v", x=True)
    assert d.end is not None


# ---- cycles


def test_a_cycle_at_a_boundary_comes_as_often_as_it_says(run: Run) -> None:
    d = run(
        start(),
        user("u"),
        on_timer("b", "u", "R3/PT1H", False),
        COUNT,
        end("e", "z"),
        flows("s u e", "b c z"),
        n=0,
    )
    for expected in (1, 2, 3, 3, 3):
        d.pass_time(HOUR)
        assert d.variables["n"] == expected
    d.complete("u")
    assert d.end is not None


def test_after_a_long_pause_a_cycle_comes_once_and_keeps_its_beat(run: Run) -> None:
    d = run(
        start(),
        user("u"),
        on_timer("b", "u", "R/PT1H", False),
        COUNT,
        end("e", "z"),
        flows("s u e", "b c z"),
        n=0,
    )
    d.pass_time(HOUR * 10.5)
    assert d.variables["n"] == 1
    d.pass_time(HOUR * 0.25)
    assert d.variables["n"] == 1
    d.pass_time(HOUR * 0.25)
    assert d.variables["n"] == 2


def test_an_intermediate_cycle_sends_a_token_each_time(run: Run) -> None:
    d = run(start(), timer("t", "R3/PT1H"), COUNT, end(), flows("s t c e"), n=0)
    for expected in (1, 2, 3):
        assert d.end is None
        d.pass_time(HOUR)
        assert d.variables["n"] == expected
    assert d.end is not None


def test_a_cycle_starts_an_event_sub_process_again_and_again(run: Run) -> None:
    handler = event_sub(
        "H", definition("timer", "R2/PT1H"), COUNT, end("H_e"), flows("H_s c H_e"), interrupts=False
    )
    d = run(start(), user("u"), end(), flows("s u e"), handler, n=0)
    for expected in (1, 2, 2):
        d.pass_time(HOUR)
        assert d.variables["n"] == expected


def test_a_cycle_may_begin_at_a_given_time(run: Run) -> None:
    d = run(start(), timer("t", "R2/2026-11-23T00:00:00Z/P1D"), COUNT, end(), flows("s t c e"), n=0)
    d.pass_time(timedelta(hours=22))
    assert d.variables["n"] == 0
    d.pass_time(timedelta(hours=1))
    assert d.variables["n"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "R0/PT1H",
        "R3/PT0.1S",
        "R3",
        "R3/",
        "R-1/PT1H",
        "R3/PT1H/PT1H",
        "R3/2026-01-01T00:00:00/PT1H",
        "R3/nonsense",
    ],
)
def test_a_cycle_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(durations.BadTimer):
        durations.cycle(text, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_monthly_cycle_follows_the_calendar() -> None:
    at = durations.cycle("R/P1M", datetime(2026, 1, 15, tzinfo=UTC))
    for month in (2, 3, 4):
        assert (at.due.month, at.due.day) == (month, 15)
        following = at.after(at.due)
        assert following is not None
        at = following
    later = at.after(datetime(2027, 1, 20, tzinfo=UTC))
    assert later is not None
    assert (later.due.year, later.due.month) == (2027, 2)
