"""Call activities and event definitions by reference. Each test also runs with storing between every two steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bpmn.parse import problems_of
from engine.testing import Driver
from tests.bpmn_xml import (
    again,
    call,
    each,
    element,
    end,
    end_all,
    end_error,
    executable,
    flows,
    on_error,
    on_timer,
    process,
    processes,
    repeated,
    script,
    start,
    sub,
    user,
)
from tests.kernel_parts import Twin


@pytest.fixture(params=[Driver, Twin], ids=["live", "stored"])
def begin(request: pytest.FixtureRequest) -> Any:
    """Starts process `p` of a file with several."""

    def run(main: tuple[str, ...], others: dict[str, tuple[str, ...]], **values: Any) -> Driver:
        return request.param(processes(main, **others), values)  # type: ignore[no-any-return]

    return run


def _main(*mappings: str) -> tuple[str, ...]:
    return start(), call("a", "q", *mappings), end(), flows("s a e")


def _line(body: str, path: str) -> tuple[str, ...]:
    return start("qs"), body, end("qe"), flows(path)


def test_a_called_process_runs_inside_the_call(begin: Any) -> None:
    d = begin(_main(), {"q": _line(user("u"), "qs u qe")})
    assert d.tasks == ["u"]
    d.complete("u")
    assert d.completed == ["s", "qs", "u", "qe", "a", "e"]


def test_without_mappings_all_goes_in_and_all_comes_back(begin: Any) -> None:
    d = begin(_main(), {"q": _line(script("c", "x['n'] = 2; y = 3"), "qs c qe")}, x={"n": 1})
    assert d.variables == {"x": {"n": 2}, "y": 3}


def test_with_mappings_only_what_is_mapped_goes_in_and_out(begin: Any) -> None:
    d = begin(
        _main("input a = x + 1", "output z = b"),
        {"q": _line(script("c", "b = a * 2; secret = 1"), "qs c qe")},
        x=1,
    )
    assert d.variables == {"x": 1, "z": 4}


def test_a_called_process_sees_nothing_that_it_was_not_given(begin: Any) -> None:
    d = begin(_main("input a = 1"), {"q": _line(script("c", "b = x"), "qs c qe")}, x=1)
    assert list(d.incidents) == ["c"]


def test_what_the_called_process_changes_is_seen_outside_only_when_it_ends(begin: Any) -> None:
    d = begin(
        _main(), {"q": (start("qs"), script("c", "x = 2"), user("u"), end("qe"), flows("qs c u qe"))}, x=1
    )
    assert d.variables == {"x": 1}
    d.complete("u", x=3)
    assert d.variables == {"x": 3}


def test_an_error_reaches_the_boundary_of_the_call(begin: Any) -> None:
    main = (*_main(), on_error("b", "a", "E1"), end("z"), flows("b z"))
    d = begin(main, {"q": (start("qs"), end_error("qx", "E1"), flows("qs qx"))})
    assert d.completed[-2:] == ["b", "z"]


def test_a_timer_at_the_call_ends_the_called_process(begin: Any) -> None:
    main = (*_main(), on_timer("b", "a", "PT1H"), end("z"), flows("b z"))
    d = begin(main, {"q": _line(user("u"), "qs u qe")})
    d.pass_time(timedelta(hours=1))
    assert (d.tasks, d.completed[-2:]) == ([], ["b", "z"])


def test_a_terminate_end_ends_the_called_process_only(begin: Any) -> None:
    d = begin(_main(), {"q": (start("qs"), end_all("qx"), flows("qs qx"))})
    assert d.completed[-2:] == ["a", "e"]


def test_a_call_for_each_item_sees_its_item(begin: Any) -> None:
    main = (
        start(),
        repeated(
            call("a", "q", "input it = room", "output seen = seen + [r]"),
            each("rooms", elementVariable="room"),
        ),
        end(),
        flows("s a e"),
    )
    d = begin(main, {"q": _line(script("c", "r = it; seen = []"), "qs c qe")}, rooms=["x", "y"], seen=[])
    assert d.end is not None
    assert d.variables["seen"][-1:] == ["y"]


def test_calls_of_calls_and_sub_processes_in_them(begin: Any) -> None:
    inside = start("is"), script("c", "n = n + 1"), end("ie"), flows("is c ie")
    others = {
        "q": _line(call("b", "r"), "qs b qe"),
        "r": (start("rs"), sub("S", *inside), end("re"), flows("rs S re")),
    }
    assert begin(_main(), others, n=0).variables == {"n": 1}


def test_one_process_called_from_two_places_keeps_both_apart(begin: Any) -> None:
    main = (
        start(),
        call("a", "q", "input x = 1", "output one = x"),
        call("b", "q", "input x = 2", "output two = x"),
        end(),
        flows("s a b e"),
    )
    d = begin(main, {"q": _line(user("u"), "qs u qe")})
    d.complete("u")
    d.complete("u", x=9)
    assert d.variables == {"one": 1, "two": 9}


def test_a_call_in_a_loop(begin: Any) -> None:
    main = start(), repeated(call("a", "q"), again("n < 3")), end(), flows("s a e")
    assert begin(main, {"q": _line(script("c", "n = n + 1"), "qs c qe")}, n=0).variables == {"n": 3}


def test_a_mapping_that_fails_is_an_incident_and_the_work_is_not_done_again(begin: Any) -> None:
    d = begin(_main("input a = 1", "output z = a / k"), {"q": _line(script("c", "k = 0"), "qs c qe")})
    assert (list(d.incidents), d.completed.count("c")) == (["a"], 1)
    d.retry("a")
    assert (list(d.incidents), d.completed.count("c")) == (["a"], 1)
    d = begin(_main("input a = x", "output z = a"), {"q": _line(script("c", "k = 0"), "qs c qe")})
    assert list(d.incidents) == ["a"]
    d.retry("a", x=5)
    assert (d.variables, d.completed.count("c")) == ({"x": 5, "z": 5}, 1)


def test_a_circle_of_calls_is_refused_with_its_path() -> None:
    files = (
        process(*_main())
        .decode()
        .replace(
            "</definitions>",
            f'<process id="q" isExecutable="true">{"".join(_line(call("b", "p"), "qs b qe"))}</process></definitions>',
        )
    )
    found = [
        (p.code, p.element, p.facts["path"]) for p in problems_of(files.encode()) if p.code == "CALL_CYCLE"
    ]
    assert found == [("CALL_CYCLE", "a", "p → q → p"), ("CALL_CYCLE", "b", "q → p → q")]


# ---- event definitions by reference (BPMN 2.0.2, 10.5.1)


def test_a_definition_of_the_whole_file_works_as_if_drawn_at_the_event() -> None:
    body = (
        start(),
        element("intermediateCatchEvent", "t", "<eventDefinitionRef>D</eventDefinitionRef>"),
        end(),
        flows("s t e"),
    )
    shared = '<timerEventDefinition id="D"><timeDuration>PT1H</timeDuration></timerEventDefinition>'
    d = Driver(executable(*body, roots=shared))
    assert d.end is None
    d.pass_time(timedelta(hours=1))
    assert d.end is not None
