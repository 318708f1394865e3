"""Business errors, incidents and variables. Each test also runs with storing and restoring between every two steps."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import BadInput
from tests.bpmn_xml import end, end_error, flows, on_error, par, script, service, start, sub, user
from tests.kernel_parts import Run, fork

# ---- errors


def test_an_exact_error_boundary_is_preferred_to_one_that_catches_any(run: Run) -> None:
    body = start(), service("v"), on_error("any", "v"), on_error("exact", "v", "E1"), end("e", "x", "y")
    chains = "s v e", "any x", "exact y"
    one, two = run(*body, flows(*chains)), run(*body, flows(*chains))
    one.refuse("v", "E1")
    two.refuse("v", "E2")
    assert (one.completed[-2:], two.completed[-2:]) == (["exact", "y"], ["any", "x"])
    assert one.variables["error"] == {"code": "E1", "message": "no", "element": "v"}


def test_the_nearest_boundary_catches_even_if_one_further_out_is_more_exact(run: Run) -> None:
    inner = sub("B", start("bs"), service("v"), end("be"), flows("bs v be"))
    outer = sub(
        "A",
        start("as"),
        inner,
        on_error("near", "B"),
        user("mend"),
        end("ae"),
        flows("as B ae", "near mend ae"),
    )
    d = run(start(), outer, on_error("far", "A", "E1"), end("e", "x"), flows("s A e", "far x"))
    d.refuse("v", "E1")
    assert d.tasks == ["mend"]


def test_an_error_end_is_caught_by_the_sub_process_around_it(run: Run) -> None:
    inside = (
        start("is"),
        par("f"),
        user("u"),
        end_error("bad", "E1"),
        end("ie"),
        flows("is f", "f u ie", "f bad"),
    )
    d = run(
        start(),
        sub("S", *inside),
        on_error("b", "S", "E1"),
        user("mend"),
        end("e"),
        flows("s S e", "b mend e"),
    )
    assert d.tasks == ["mend"]
    assert d.elements("thrown") == ["bad"]
    assert "bad" not in d.elements("cancelled")
    d.complete("mend")
    assert d.end is not None
    assert d.end.state == "completed"


def test_an_error_that_nobody_catches_fails_the_instance_with_its_code(run: Run) -> None:
    inside = start("is"), end_error("bad", "E1"), flows("is bad")
    d = run(
        start(),
        par("f"),
        sub("S", *inside),
        on_error("b", "S", "E2"),
        user("u"),
        end("e", "x"),
        flows("s f", "f u e", "f S e", "b x"),
    )
    assert d.end is not None
    assert (d.end.state, d.end.element, d.end.code) == ("failed", "bad", "E1")
    assert (d.top.by_id, d.top.subprocesses) == ({}, {})
    assert "u" in d.elements("cancelled")


def test_of_two_running_twins_only_the_one_that_fails_is_interrupted(run: Run) -> None:
    inside = start("is"), service("v"), end("ie"), flows("is v ie")
    d = run(
        start(), par("f"), sub("S", *inside), on_error("b", "S", "E1"), user("mend"), end("e"),
        flows("s f", "f S", "f S", "S e", "b mend e"),
    )  # fmt: skip
    d.refuse("v", "E1")
    assert (d.jobs, d.tasks) == (["v"], ["mend"])


def test_a_script_may_throw_a_business_error(run: Run) -> None:
    body = start(), script("c", "x = 1\nbpmn_error('E1', 'no port')"), on_error("b", "c", "E1"), end("e", "x")
    d = run(*body, flows("s c e", "b x"), x=0)
    assert d.completed == ["s", "b", "x"]
    assert d.variables["x"] == 0
    assert d.variables["error"] == {"code": "E1", "message": "no port", "element": "c"}


def test_a_failing_script_is_an_incident_and_the_retry_runs_it_again(run: Run) -> None:
    d = run(
        start(),
        script("c", "n = n + 1\ny = 10 // x"),
        on_error("b", "c"),
        end("e", "x"),
        flows("s c e", "b x"),
        n=0,
        x=0,
    )
    assert list(d.incidents) == ["c"]
    assert d.variables["n"] == 0
    assert d.elements("failed") == ["c"]
    d.retry("c")
    assert list(d.incidents) == ["c"]
    d.retry("c", x=5)
    assert (d.incidents, d.variables["n"], d.variables["y"]) == ({}, 1, 2)
    assert d.end is not None


def test_an_output_mapping_that_fails_is_an_incident_and_the_retry_asks_again(run: Run) -> None:
    d = run(start(), service("v", "output y = result.missing"), end(), flows("s v e"))
    d.result("v", a=1)
    assert list(d.incidents) == ["v"]
    d.retry("v")
    assert d.jobs == ["v"]
    d.result("v", missing=2)
    assert d.variables == {"y": 2}


def test_one_branch_in_trouble_does_not_hold_up_the_other(run: Run) -> None:
    d = run(*fork(script("c", "y = 1 // x"), user("u", "w"), flows("f c j", "f u w j")), x=0)
    d.complete("u")
    d.complete("w")
    assert (list(d.incidents), d.end) == (["c"], None)
    assert d.top.stuck() is None
    d.retry("c", x=1)
    assert d.end is not None


# ---- variables


def test_branches_share_no_value(run: Run) -> None:
    d = run(
        *fork(
            script("a", "left = box\nleft['n'] = 1"),
            script("b", "right = box\nright['m'] = 2"),
            flows("f a j", "f b j"),
        ),
        box={"k": [0]},
    )
    # a script's names are copies of one value of the process: what it changed in place is written back, nothing else
    assert d.variables["left"] is not d.variables["box"]
    assert d.variables["left"]["k"] is not d.variables["box"]["k"]
    assert d.variables["right"]["m"] == 2
    assert d.end is not None


def test_what_the_caller_gave_is_not_shared_with_the_instance(run: Run) -> None:
    given = {"k": [1]}
    d = run(start(), user("u"), end(), flows("s u e"), box=given)
    given["k"].append(2)
    assert d.variables == {"box": {"k": [1]}}


def test_a_variable_that_a_sub_process_makes_is_seen_after_it(run: Run) -> None:
    inside = start("is"), script("c", "x = x + 1\ny = 1"), end("ie"), flows("is c ie")
    d = run(start(), sub("S", *inside), script("d", "z = x + y"), end(), flows("s S d e"), x=1)
    assert d.variables == {"x": 2, "y": 1, "z": 3}


def test_true_is_not_one(run: Run) -> None:
    d = run(start(), script("c", "x = [True]\ny = {'a': 1.0}"), end(), flows("s c e"), x=[1], y={"a": 1})
    assert repr(d.variables) == "{'x': [True], 'y': {'a': 1.0}}"


def test_the_history_tells_each_change_of_a_variable_with_its_element(run: Run) -> None:
    d = run(start(), script("c", "x = x + 1\nsame = same"), user("u"), end(), flows("s c u e"), x=1, same="s")
    d.complete("u", answer="yes", x=2)
    assert [(c.name, c.before, c.after, c.element) for c in d.differences[2:]] == [
        ("x", 1, 2, "c"),
        ("answer", None, "yes", "u"),
    ]


@pytest.mark.parametrize(
    "wrong", [float("nan"), float("inf"), {1: "a"}, {"a": {1, 2}}, object(), b"x", [float("nan")]]
)
def test_a_value_that_cannot_be_stored_is_refused_whole(run: Run, wrong: Any) -> None:
    d = run(start(), user("u"), end(), flows("s u e"))
    with pytest.raises(BadInput):
        d.complete("u", good=1, bad=wrong)
    assert (d.variables, d.tasks) == ({}, ["u"])


def test_an_output_that_cannot_be_stored_is_an_incident(run: Run) -> None:
    d = run(start(), service("v", "output y = result"), end(), flows("s v e"))
    d.result("v", a=float("inf"))
    assert list(d.incidents) == ["v"]
