"""Signals and messages that an instance throws. Each test also runs with storing between every two steps."""

from __future__ import annotations

from engine.runtime.notes import Sent
from tests.bpmn_xml import (
    await_signal,
    catch,
    definition,
    end,
    event_sub,
    flows,
    on_error,
    on_signal,
    par,
    script,
    send,
    service,
    start,
    sub,
    throws,
    user,
)
from tests.kernel_parts import Run

COUNT = script("c", "n = n + 1")


def test_a_signal_reaches_everybody_who_waits_for_its_name(run: Run) -> None:
    d = run(start(), par("f"), await_signal("a", "alarm"), await_signal("b", "alarm"), await_signal("o", "clear"), user("u"),
            throws("t", "signal", "alarm"), end(), flows("s f a e", "f b e", "f o e", "f u t e"))  # fmt: skip
    d.complete("u")
    assert {"a", "b", "t"} <= set(d.completed)
    assert "o" not in d.completed
    assert d.sent == [Sent("signal", "alarm", "", {})]


def test_a_signal_that_is_thrown_at_the_same_moment_is_not_missed(run: Run) -> None:
    d = run(
        start(),
        par("f"),
        throws("t", "signal", "alarm"),
        await_signal("a", "alarm"),
        end(),
        flows("s f t e", "f a e"),
    )
    assert d.end is not None


def test_a_signal_at_a_boundary_may_interrupt_or_not(run: Run) -> None:
    d = run(
        start(),
        user("u"),
        on_signal("b", "u", "alarm", False),
        COUNT,
        end("e", "z"),
        flows("s u e", "b c z"),
        n=0,
    )
    assert (d.signal("alarm"), d.signal("alarm"), d.variables["n"], d.tasks) == (1, 1, 2, ["u"])
    d = run(
        start(), user("u"), on_signal("b", "u", "alarm"), COUNT, end("e", "z"), flows("s u e", "b c z"), n=0
    )
    assert (d.signal("alarm"), d.tasks, d.signal("alarm")) == (1, [], 0)


def test_a_signal_that_ends_its_own_scope_stops_the_flow_that_threw_it(run: Run) -> None:
    inside = start("is"), throws("t", "signal", "alarm"), COUNT, end("ie"), flows("is t c ie")
    d = run(
        start(), sub("S", *inside), on_signal("b", "S", "alarm"), end("e", "z"), flows("s S e", "b z"), n=0
    )
    assert (d.variables["n"], d.completed[-2:]) == (0, ["b", "z"])


def test_a_signal_end_event_starts_an_event_sub_process(run: Run) -> None:
    handler = event_sub(
        "H", definition("signal", "alarm"), COUNT, end("H_e"), flows("H_s c H_e"), interrupts=False
    )
    d = run(start(), throws("t", "signal", "alarm", tag="endEvent"), flows("s t"), handler, n=0)
    assert (d.variables["n"], d.end is not None) == (1, True)


def test_a_signal_that_nobody_awaits_is_not_kept(run: Run) -> None:
    d = run(start(), throws("t", "signal", "alarm"), await_signal("a", "alarm"), end(), flows("s t a e"))
    assert d.end is None
    assert d.signal("alarm") == 1


# ---- messages


def test_a_message_carries_what_is_mapped_and_the_business_key(run: Run) -> None:
    d = run(start(), throws("t", "message", "go", "input what = {'x': x + 1}"), end(), flows("s t e"), x=1)
    assert d.sent == [Sent("message", "go", "T-1", {"what": {"x": 2}})]


def test_a_send_task_and_a_message_end_event_send_too(run: Run) -> None:
    d = run(
        start(),
        send("t", "go", _key="k"),
        throws("e", "message", "note", _key="k + '!'", tag="endEvent"),
        flows("s t e"),
        k="K",
    )
    assert [(m.name, m.key) for m in d.sent] == [("go", "K"), ("note", "K!")]
    assert d.end is not None


def test_a_key_that_cannot_be_worked_out_is_an_incident_and_nothing_is_sent(run: Run) -> None:
    d = run(start(), throws("t", "message", "go", _key="k"), end(), flows("s t e"))
    assert (list(d.incidents), d.sent) == (["t"], [])
    d.retry("t", k="K")
    assert [m.key for m in d.sent] == ["K"]


def test_a_message_to_the_same_instance_leaves_it_first(run: Run) -> None:
    d = run(
        start(), par("f"), throws("t", "message", "go"), catch("m", "go"), end(), flows("s f t e", "f m e")
    )
    assert (d.end, len(d.sent)) == (None, 1)
    assert d.message("go") == 1
    assert d.end is not None


def test_an_error_in_a_handler_of_a_signal_is_caught_outside(run: Run) -> None:
    handler = event_sub("H", definition("signal", "alarm"), service("v"), end("H_e"), flows("H_s v H_e"))
    inside = start("is"), user("u"), end("ie"), flows("is u ie"), handler
    d = run(start(), sub("S", *inside), on_error("b", "S", "E1"), end("e", "z"), flows("s S e", "b z"))
    d.signal("alarm")
    d.refuse("v", "E1")
    assert d.completed[-2:] == ["b", "z"]
