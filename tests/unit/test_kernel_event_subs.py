"""Event sub-processes, escalations, event-based gateways, receive tasks, links; also with storing between steps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.testing import Driver
from tests.bpmn_xml import (
    definition,
    element,
    end,
    end_all,
    end_error,
    escalate,
    event_sub,
    executable,
    flows,
    link,
    on_error,
    on_escalation,
    on_message,
    on_timer,
    par,
    receive,
    script,
    service,
    start,
    sub,
    timer,
    user,
    whichever,
)
from tests.kernel_parts import Run

HOUR = timedelta(hours=1)
MAIN = (start(), user("u"), end(), flows("s u e"))


def _handler(trigger: str, *body: str, interrupts: bool = True, then: str = "c", ident: str = "H") -> str:
    inside = body or (script(then, f"{then} = True"),)
    return event_sub(
        ident,
        trigger,
        *inside,
        end(f"{ident}_e"),
        flows(f"{ident}_s {then} {ident}_e"),
        interrupts=interrupts,
    )


# ---- event sub-processes (BPMN 2.0.2, 13.5.4)


def test_an_interrupting_event_sub_process_takes_the_scope_over(run: Run) -> None:
    d = run(*MAIN, _handler(definition("message", "go")))
    assert d.message("go") == 1
    assert (d.tasks, d.variables, d.completed) == ([], {"c": True}, ["s", "H_s", "c", "H_e", "H"])
    assert d.end is not None
    assert d.end.state == "completed"


def test_one_that_does_not_interrupt_runs_beside_the_flow_and_again(run: Run) -> None:
    d = run(*MAIN, _handler(definition("message", "go"), script("c", "n = n + 1"), interrupts=False), n=0)
    d.message("go")
    d.message("go")
    assert (d.tasks, d.variables["n"]) == (["u"], 2)
    d.complete("u")
    assert d.end is not None
    assert d.message("go") == 0


def test_the_scope_waits_for_a_handler_that_runs(run: Run) -> None:
    d = run(*MAIN, _handler(definition("message", "go"), user("c"), interrupts=False))
    d.message("go")
    d.complete("u")
    assert (d.end, d.tasks) == (None, ["c"])
    d.complete("c")
    assert d.end is not None


def test_a_timer_starts_a_handler_once(run: Run) -> None:
    d = run(*MAIN, _handler(definition("timer", "PT1H"), script("c", "n = n + 1"), interrupts=False), n=0)
    d.pass_time(HOUR)
    d.pass_time(HOUR)
    assert (d.variables["n"], d.tasks) == (1, ["u"])
    d.complete("u")
    assert d.end is not None


def test_an_error_is_handled_inside_its_scope(run: Run) -> None:
    inside = start("is"), service("v"), end("ie"), flows("is v ie"), _handler(definition("error", "E1"))
    d = run(start(), sub("S", *inside), on_error("b", "S", "E1"), end("e", "x"), flows("s S e", "b x"))
    d.refuse("v", "E1")
    assert d.variables["c"] is True
    assert d.variables["error"]["code"] == "E1"
    assert d.completed[-2:] == ["S", "e"]


def test_an_error_that_the_handler_throws_goes_outwards(run: Run) -> None:
    again = event_sub("H", definition("error"), end_error("H_x", "E2"), flows("H_s H_x"))
    inside = start("is"), service("v"), end("ie"), flows("is v ie"), again
    d = run(start(), sub("S", *inside), on_error("b", "S", "E2"), end("e", "x"), flows("s S e", "b x"))
    d.refuse("v", "E1")
    assert d.completed[-2:] == ["b", "x"]


def test_the_exact_code_goes_before_any_code(run: Run) -> None:
    handlers = (
        _handler(definition("error"), then="any", ident="A"),
        _handler(definition("error", "E1"), then="exact", ident="B"),
    )
    d = run(start(), service("v"), end(), flows("s v e"), *handlers)
    d.refuse("v", "E1")
    assert (d.variables.get("exact"), d.variables.get("any")) == (True, None)


def test_another_handler_ends_with_the_scope_that_one_took_over(run: Run) -> None:
    both = (
        _handler(definition("message", "go")),
        _handler(definition("timer", "PT1H"), user("t"), interrupts=False, then="t", ident="T"),
    )
    d = run(*MAIN, *both)
    d.pass_time(HOUR)
    assert sorted(d.tasks) == ["t", "u"]
    d.message("go")
    assert (d.tasks, d.end is not None) == ([], True)


def test_each_start_of_a_scope_waits_anew(run: Run) -> None:
    inside = (
        start("is"),
        user("u"),
        end("ie"),
        flows("is u ie"),
        _handler(definition("message", "go"), script("c", "n = n + 1")),
    )
    d = run(
        start(),
        sub("S", *inside),
        sub("T", start("ts"), user("t"), end("te"), flows("ts t te")),
        end(),
        flows("s S T e"),
        n=0,
    )
    assert d.message("go") == 1
    assert (d.variables["n"], d.tasks, d.message("go")) == (1, ["t"], 0)


def test_a_terminate_end_ends_handlers_and_what_waits_for_them(run: Run) -> None:
    d = run(
        start(),
        user("u"),
        end_all("stop"),
        flows("s u stop"),
        _handler(definition("message", "go"), user("c"), interrupts=False),
    )
    d.message("go")
    d.complete("u")
    assert (d.tasks, d.end is not None) == ([], True)


def test_an_armed_handler_does_not_hide_that_nothing_can_go_on(run: Run) -> None:
    d = run(
        start(), par("f"), user("a"), service("v"), par("j"), end(), flows("s f a j e", "f v j"),
        on_error("bad", "v", "E1"), end("x"), flows("bad x"), _handler(definition("message", "go")),
    )  # fmt: skip
    d.complete("a")
    d.refuse("v", "E1")
    assert d.end is None
    assert d.top.stuck() is not None


def test_a_handler_whose_timer_cannot_be_read_is_an_incident(run: Run) -> None:
    d = run(*MAIN, _handler(definition("timer", "wait")), wait=5)
    assert (list(d.incidents), d.tasks) == (["H"], ["u"])
    d.retry("H", wait="PT1H")
    d.pass_time(HOUR)
    assert (d.variables["c"], d.end is not None) == (True, True)


def test_instances_of_one_definition_do_not_share_their_handlers() -> None:
    diagram = executable(*MAIN, _handler(definition("message", "go")))
    first, second, third = (Driver(diagram, key=f"T-{n}") for n in range(3))
    first.message("go")
    second.complete("u")
    third.message("go")
    assert [d.variables for d in (first, second, third)] == [{"c": True}, {}, {"c": True}]


# ---- escalations (13.5.3)


@pytest.mark.parametrize("code", ["L1", ""])
def test_an_escalation_reaches_the_boundary_and_the_flow_goes_on(run: Run, code: str) -> None:
    inside = start("is"), escalate("t", "L1"), user("u"), end("ie"), flows("is t u ie")
    watch = (
        on_escalation("b", "S", code, False),
        script("c", "c = escalation['code']"),
        end("x"),
        flows("b c x"),
    )
    d = run(start(), sub("S", *inside), end(), flows("s S e"), *watch)
    assert (d.tasks, d.variables["c"]) == (["u"], "L1")
    d.complete("u")
    assert d.end is not None


def test_an_interrupting_escalation_ends_the_activity(run: Run) -> None:
    inside = start("is"), escalate("t", "L1"), user("u"), end("ie"), flows("is t u ie")
    d = run(start(), sub("S", *inside), on_escalation("b", "S"), end("e", "x"), flows("s S e", "b x"))
    assert (d.tasks, d.completed[-2:]) == ([], ["b", "x"])


def test_an_escalation_end_event_ends_its_branch(run: Run) -> None:
    inside = start("is"), escalate("ie", "L1", "endEvent"), flows("is ie")
    d = run(
        start(), sub("S", *inside), on_escalation("b", "S", "L1", False), end("e", "x"), flows("s S e", "b x")
    )
    assert sorted(d.completed) == sorted(["s", "is", "ie", "S", "e", "b", "x"])


def test_an_escalation_that_nobody_catches_changes_nothing(run: Run) -> None:
    d = run(start(), escalate("t", "L1"), end(), flows("s t e"), _handler(definition("escalation", "L2")))
    assert d.completed == ["s", "t", "e"]
    assert d.elements("thrown") == ["t"]


def test_an_escalation_starts_an_event_sub_process(run: Run) -> None:
    d = run(
        start(),
        escalate("t", "L1"),
        user("u"),
        end(),
        flows("s t u e"),
        _handler(definition("escalation", "L1"), interrupts=False),
    )
    assert (d.tasks, d.variables["c"]) == (["u"], True)


def test_an_event_that_throws_nothing_marks_a_place(run: Run) -> None:
    d = run(start(), element("intermediateThrowEvent", "m"), end(), flows("s m e"))
    assert d.completed == ["s", "m", "e"]


# ---- event-based gateways (13.4.4) and receive tasks


def _race(run: Run) -> Driver:
    return run(
        start(),
        whichever("g"),
        receive("r", "go"),
        timer("t", "PT1H"),
        script("a", "way = 'message'"),
        script("b", "way = 'timer'"),
        end(),
        flows("s g r a e", "g t b e"),
    )


def test_the_event_that_happens_first_decides(run: Run) -> None:
    d = _race(run)
    assert d.message("go", None, answer=7) == 1
    assert (d.variables, d.completed.count("e")) == ({"answer": 7, "way": "message"}, 1)
    d = _race(run)
    d.pass_time(HOUR)
    assert (d.variables, d.message("go")) == ({"way": "timer"}, 0)
    assert d.completed == ["s", "g", "t", "b", "e"]


def test_a_receive_task_waits_for_its_message_and_may_be_late(run: Run) -> None:
    body = (
        start(),
        receive("r", "go", _key="k"),
        on_timer("late", "r", "PT1H"),
        end("e", "x"),
        flows("s r e", "late x"),
    )
    d = run(*body, k="K-7")
    assert (d.message("go"), d.message("go", "K-7")) == (0, 1)
    assert d.completed[-2:] == ["r", "e"]
    d = run(*body, k="K-7")
    d.pass_time(HOUR)
    assert d.completed[-2:] == ["late", "x"]


def test_a_boundary_message_beats_a_receive_task(run: Run) -> None:
    d = run(start(), receive("r", "go"), on_message("b", "r", "cancel"), end("e", "x"), flows("s r e", "b x"))
    d.message("order.cancel")
    assert d.completed[-2:] == ["b", "x"]


# ---- links (10.5.5)


def test_links_join_two_places_and_may_lead_back(run: Run) -> None:
    d = run(
        start(),
        link("catch", "here", "again"),
        script("c", "n = n + 1"),
        element("exclusiveGateway", "g", default="g_e"),
        link("throw", "there", "again"),
        end(),
        flows("s c", "here c g", "g there if n < 3", "g e"),
        n=0,
    )
    assert d.variables["n"] == 3
    assert d.completed.count("here") == d.completed.count("there") == 2
