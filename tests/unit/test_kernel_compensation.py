"""Compensation and transactions (BPMN 2.0.2, 10.7). Each test also runs with storing between every two steps."""

from __future__ import annotations

from datetime import timedelta

from tests.bpmn_xml import (
    again,
    call,
    definition,
    each,
    element,
    end,
    end_error,
    event_sub,
    flows,
    on_cancel,
    on_error,
    on_timer,
    par,
    processes,
    repeated,
    script,
    service,
    start,
    sub,
    throws,
    transaction,
    undone_by,
    user,
    xor,
)
from tests.kernel_parts import Run, Twin


def _did(name: str) -> str:
    return script(name, f"log = log + ['{name}']")


def _undo(host: str) -> str:
    return undone_by(host, f"un_{host}", f"log = log + ['un_{host}']")


def _steps(names: str) -> str:
    return "".join(_did(n) + _undo(n) for n in names)


def _log(run: Run, *body: str, **values: object) -> list[str]:
    d = run(*body, **{"log": [], **values})
    assert d.end is not None
    assert d.incidents == {}
    log: list[str] = d.variables["log"]
    return log


def test_what_is_done_is_undone_last_first(run: Run) -> None:
    log = _log(run, start(), _steps("abc"), throws("t", "compensate", ""), end(), flows("s a b c t e"))
    assert log == ["a", "b", "c", "un_c", "un_b", "un_a"]


def test_only_what_is_done_is_undone(run: Run) -> None:
    body = (
        start(),
        _steps("abc"),
        xor("g", "g_t"),
        throws("t", "compensate", ""),
        end(),
        flows("s a g t e", "g b c t if False"),
    )
    assert _log(run, *body) == ["a", "un_a"]


def test_one_activity_may_be_named(run: Run) -> None:
    body = (
        start(),
        _steps("abc"),
        throws("t", "compensate", "b"),
        throws("u", "compensate", ""),
        end(),
        flows("s a b c t u e"),
    )
    assert _log(run, *body) == ["a", "b", "c", "un_b", "un_c", "un_a"]


def test_an_activity_is_compensated_once(run: Run) -> None:
    body = (
        start(),
        _steps("ab"),
        throws("t", "compensate", "b"),
        throws("u", "compensate", "b"),
        end(),
        flows("s a b t u e"),
    )
    assert _log(run, *body) == ["a", "b", "un_b"]


def test_a_compensation_end_event_undoes_and_ends(run: Run) -> None:
    d = run(start(), _steps("ab"), throws("t", "compensate", "", tag="endEvent"), flows("s a b t"), log=[])
    assert (d.variables["log"], d.end.element if d.end else None) == (["a", "b", "un_b", "un_a"], "t")


def test_each_time_that_an_activity_was_done_is_undone(run: Run) -> None:
    body = start(), xor("m"), _steps("a"), xor("g", "g_t"), throws("t", "compensate", ""), end()
    log = _log(run, *body, flows("s m a g", "g m if len(log) < 3", "g t e"))
    assert log == ["a", "a", "a", "un_a", "un_a", "un_a"]


def test_a_person_may_undo_and_the_flow_waits_for_him(run: Run) -> None:
    d = run(
        start(),
        _did("a"),
        undone_by("a", "un"),
        throws("t", "compensate", ""),
        end(),
        flows("s a t e"),
        log=[],
    )
    assert (d.tasks, d.end) == (["un"], None)
    d.complete("un")
    assert d.completed[-3:] == ["un", "t", "e"]


def test_without_waiting_the_flow_goes_on_and_the_scope_waits(run: Run) -> None:
    thrown = throws("t", "compensate", "").replace(
        "<compensateEventDefinition", '<compensateEventDefinition waitForCompletion="false"'
    )
    d = run(start(), _did("a"), undone_by("a", "un"), thrown, _did("z"), end(), flows("s a t z e"), log=[])
    assert (d.variables["log"], d.tasks, d.end) == (["a", "z"], ["un"], None)
    d.complete("un")
    assert d.end is not None


# ---- sub-processes


def test_a_finished_sub_process_is_undone_from_inside(run: Run) -> None:
    inside = start("is"), _steps("abc"), end("ie"), flows("is a b c ie")
    log = _log(run, start(), sub("S", *inside), throws("t", "compensate", "S"), end(), flows("s S t e"))
    assert log == ["a", "b", "c", "un_c", "un_b", "un_a"]


def test_sub_processes_in_sub_processes_are_undone_to_the_bottom(run: Run) -> None:
    deep = start("ds"), _did("a"), _undo("a"), end("de"), flows("ds a de")
    inside = start("is"), sub("D", *deep), _did("b"), _undo("b"), end("ie"), flows("is D b ie")
    log = _log(run, start(), sub("S", *inside), throws("t", "compensate", ""), end(), flows("s S t e"))
    assert log == ["a", "b", "un_b", "un_a"]


def test_a_handler_of_the_sub_process_goes_before_those_inside(run: Run) -> None:
    inside = start("is"), _steps("ab"), end("ie"), flows("is a b ie")
    log = _log(
        run, start(), sub("S", *inside), _undo("S"), throws("t", "compensate", ""), end(), flows("s S t e")
    )
    assert log == ["a", "b", "un_S"]


def test_a_compensation_event_sub_process_decides_how_its_scope_is_undone(run: Run) -> None:
    handler = event_sub(
        "H",
        definition("compensate"),
        _did("h"),
        throws("ht", "compensate", "a"),
        end("he"),
        flows("H_s h ht he"),
    )
    inside = start("is"), _steps("ab"), end("ie"), flows("is a b ie"), handler
    log = _log(run, start(), sub("S", *inside), throws("t", "compensate", ""), end(), flows("s S t e"))
    assert log == ["a", "b", "h", "un_a"]


def test_an_error_handler_undoes_the_part_that_was_done(run: Run) -> None:
    handler = event_sub(
        "H", definition("error", "E1"), throws("ht", "compensate", ""), end("he"), flows("H_s ht he")
    )
    inside = start("is"), _steps("ab"), end_error("ix", "E1"), flows("is a b ix"), handler
    assert _log(run, start(), sub("S", *inside), end(), flows("s S e")) == ["a", "b", "un_b", "un_a"]


def test_a_sub_process_that_was_interrupted_is_not_undone(run: Run) -> None:
    inside = start("is"), _steps("a"), user("u"), end("ie"), flows("is a u ie")
    d = run(
        start(),
        sub("S", *inside),
        on_timer("late", "S", "PT1H"),
        throws("t", "compensate", ""),
        end("e", "x"),
        flows("s S e", "late t x"),
        log=[],
    )
    d.pass_time(timedelta(hours=1))
    assert (d.variables["log"], d.completed[-1]) == (["a"], "x")


def test_each_instance_of_a_repeated_sub_process_is_undone_with_its_own_item(run: Run) -> None:
    undo = undone_by("a", "un", "log = log + ['un ' + room]")
    inside = start("is"), _did("a"), undo, end("ie"), flows("is a ie")
    body = repeated(sub("S", *inside), each("rooms", elementVariable="room", sequence=True))
    log = _log(run, start(), body, throws("t", "compensate", ""), end(), flows("s S t e"), rooms=["x", "y"])
    assert log == ["a", "a", "un y", "un x"]


def test_a_repeated_activity_with_a_handler_is_undone_once(run: Run) -> None:
    body = (
        start(),
        repeated(_did("a"), again("len(log) < 3")),
        _undo("a"),
        throws("t", "compensate", ""),
        end(),
    )
    assert _log(run, *body, flows("s a t e")) == ["a", "a", "a", "un_a"]


def test_a_called_process_is_undone_with_its_own_variables() -> None:
    main = start(), call("A", "q", "input it = 7"), throws("t", "compensate", ""), end(), flows("s A t e")
    handler = undone_by("a", "un", "it = it + 1")
    d = Twin(
        processes(main, q=(start("qs"), script("a", "it = it * 2"), handler, end("qe"), flows("qs a qe"))), {}
    )
    assert [(c.before, c.after) for c in d.differences if c.name == "it" and c.element == "un"] == [(14, 15)]
    assert d.end is not None


# ---- when undoing goes wrong


def test_an_error_in_a_handler_goes_to_whoever_asked(run: Run) -> None:
    undo = undone_by("a", "un", "bpmn_error('E1')")
    inside = start("is"), _did("a"), undo, throws("t", "compensate", ""), end("ie"), flows("is a t ie")
    log_end = on_error("b", "S", "E1"), _did("z"), end("x"), flows("b z x")
    assert _log(run, start(), sub("S", *inside), end(), flows("s S e"), *log_end) == ["a", "z"]


def test_a_fault_in_a_handler_waits_and_goes_on_after_its_retry(run: Run) -> None:
    undo = undone_by("b", "un", "log = log + [1 / k]")
    d = run(
        start(),
        _did("a"),
        _undo("a"),
        _did("b"),
        undo,
        throws("t", "compensate", ""),
        end(),
        flows("s a b t e"),
        log=[],
        k=0,
    )
    assert (list(d.incidents), d.end) == (["un"], None)
    d.retry("un", k=1)
    assert (d.variables["log"], d.end is not None) == (["a", "b", 1.0, "un_a"], True)


def test_whoever_is_ended_while_he_waits_ends_the_handler_too(run: Run) -> None:
    inside = (
        start("is"),
        _did("a"),
        undone_by("a", "un"),
        throws("t", "compensate", ""),
        end("ie"),
        flows("is a t ie"),
    )
    d = run(
        start(),
        sub("S", *inside),
        on_timer("late", "S", "PT1H"),
        end("e", "x"),
        flows("s S e", "late x"),
        log=[],
    )
    assert d.tasks == ["un"]
    d.pass_time(timedelta(hours=1))
    assert (d.tasks, d.completed[-1]) == ([], "x")


# ---- transactions


def _transaction(*more: str) -> tuple[str, ...]:
    cancel = element("endEvent", "ic", definition("cancel"))
    inside = (
        start("is"),
        _steps("ab"),
        user("u"),
        xor("g", "g_ie"),
        end("ie"),
        cancel,
        flows("is a b u g ie", "g ic if bad"),
    )
    return (
        start(),
        transaction("T", *inside),
        on_cancel("k", "T"),
        _did("z"),
        end("e", "x"),
        flows("s T e", "k z x"),
        *more,
    )


def test_a_transaction_that_is_cancelled_undoes_what_it_has_done_and_goes_on_at_its_boundary(
    run: Run,
) -> None:
    d = run(*_transaction(), log=[], bad=False)
    d.complete("u", bad=True)
    assert (d.variables["log"], d.completed[-3:]) == (["a", "b", "un_b", "un_a", "z"], ["k", "z", "x"])


def test_a_transaction_that_succeeds_goes_on_and_can_be_undone_later(run: Run) -> None:
    inside = start("is"), _steps("ab"), end("ie"), flows("is a b ie")
    body = start(), transaction("T", *inside), throws("t", "compensate", "T"), end(), flows("s T t e")
    assert _log(run, *body) == ["a", "b", "un_b", "un_a"]


def test_a_cancel_inside_a_nested_sub_process_cancels_the_transaction(run: Run) -> None:
    nested = start("ns"), element("endEvent", "nc", definition("cancel")), flows("ns nc")
    inside = (
        start("is"),
        par("f"),
        _did("a"),
        _undo("a"),
        user("w"),
        sub("N", *nested),
        end("ie"),
        flows("is a f w ie", "f N ie"),
    )
    body = start(), transaction("T", *inside), on_cancel("k", "T"), end("e", "x"), flows("s T e", "k x")
    assert _log(run, *body) == ["a", "un_a"]


def test_an_error_that_leaves_a_transaction_undoes_nothing(run: Run) -> None:
    inside = start("is"), _steps("a"), service("v"), end("ie"), flows("is a v ie")
    d = run(
        start(),
        transaction("T", *inside),
        on_error("b", "T", "E1"),
        end("e", "x"),
        flows("s T e", "b x"),
        log=[],
    )
    d.refuse("v", "E1")
    assert (d.variables["log"], d.completed[-1]) == (["a"], "x")
