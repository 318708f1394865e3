"""Ways out of an activity, inclusive gateways, quantities. Each test also runs with storing between every two steps."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from tests.bpmn_xml import (
    element,
    end,
    flows,
    ior,
    on_error,
    on_timer,
    par,
    script,
    service,
    start,
    sub,
    timer,
    user,
    xor,
)
from tests.kernel_parts import Run

WAYS = (start(), script("a", "w = w + 'a'"), script("b", "w = w + 'b'"), script("c", "w = w + 'c'"), end())


# ---- several ways out of an activity (BPMN 2.0.2, 13.3.1)


def test_every_plain_flow_of_an_activity_is_taken(run: Run) -> None:
    d = run(*WAYS, script("t", "n = 1"), flows("s t a e", "t b e", "t c e"), w="")
    assert sorted(d.variables["w"]) == ["a", "b", "c"]
    assert d.completed.count("e") == 3


@pytest.mark.parametrize(("x", "ways"), [(5, "ab"), (2, "b"), (0, "c")])
def test_the_default_flow_is_taken_when_no_condition_holds(run: Run, x: int, ways: str) -> None:
    body = script("t", "n = 1").replace('id="t"', 'id="t" default="t_c"')
    d = run(*WAYS, body, flows("s t", "t a if x > 3", "t b if x > 1", "t c", "a e", "b e", "c e"), x=x, w="")
    assert "".join(sorted(d.variables["w"])) == ways


def test_a_plain_flow_does_not_keep_the_default_from_being_taken(run: Run) -> None:
    body = script("t", "n = 1").replace('id="t"', 'id="t" default="t_c"')
    d = run(*WAYS, body, flows("s t a e", "t b if False", "b e", "t c e"), w="")
    assert sorted(d.variables["w"]) == ["a", "c"]


def test_no_way_out_of_an_activity_is_an_incident_that_repeats_only_the_way_out(run: Run) -> None:
    d = run(
        *WAYS,
        script("t", "n = n + 1"),
        flows("s t", "t a if x == 1", "t b if x == 2", "a e", "b e", "s c e"),
        x=0,
        n=0,
        w="",
    )
    assert list(d.incidents) == ["t"]
    d.retry("t", x=2)
    assert (d.variables["n"], d.variables["w"].replace("c", "")) == (1, "b")


def test_conditions_behind_a_parallel_gateway_do_not_count(run: Run) -> None:
    d = run(*WAYS, par("f"), flows("s f", "f a if False", "f b if False", "f c", "a e", "b e", "c e"), w="")
    assert sorted(d.variables["w"]) == ["a", "b", "c"]


# ---- tasks that nobody does


@pytest.mark.parametrize("tag", ["task", "manualTask"])
def test_a_task_without_a_kind_and_a_manual_task_are_passed_through(run: Run, tag: str) -> None:
    d = run(start(), element(tag, "t"), end(), flows("s t e"))
    assert d.completed == ["s", "t", "e"]


# ---- inclusive gateways (13.4.3)


@pytest.mark.parametrize("chosen", ["".join(c) for n in (1, 2, 3) for c in itertools.combinations("abc", n)])
def test_an_inclusive_join_waits_for_just_the_branches_that_were_taken(run: Run, chosen: str) -> None:
    ways = [f"g {n} if '{n}' in chosen" for n in "abc"]
    d = run(
        start(),
        ior("g"),
        user(*"abc"),
        ior("j"),
        end(),
        flows("s g", "j e", *ways, "a j", "b j", "c j"),
        chosen=chosen,
    )
    for n in chosen:
        assert d.end is None
        d.complete(n)
    assert (d.completed.count("j"), d.completed.count("e")) == (1, 1)
    assert d.end is not None


def test_an_inclusive_gateway_takes_its_default_when_nothing_is_true(run: Run) -> None:
    d = run(
        *WAYS, ior("g", "g_c"), flows("s g", "g a if False", "g b if False", "g c", "a e", "b e", "c e"), w=""
    )
    assert d.variables["w"] == "c"


def test_no_true_way_out_of_an_inclusive_gateway_is_an_incident(run: Run) -> None:
    d = run(*WAYS, ior("g"), flows("s g", "g a if x", "g b if x", "a e", "b e", "s c e"), x=False, w="")
    assert list(d.incidents) == ["g"]
    d.retry("g", x=True)
    assert sorted(d.variables["w"]) == ["a", "b", "c"]


def test_an_inclusive_join_waits_for_a_branch_that_has_failed(run: Run) -> None:
    d = run(
        start(),
        par("f"),
        service("v", "output y = 1 / x"),
        user("u"),
        ior("j"),
        end(),
        flows("s f v j e", "f u j"),
        x=0,
    )
    d.result("v")
    d.complete("u")
    assert (list(d.incidents), d.end) == (["v"], None)
    d.retry("v", x=1)
    d.result("v")
    assert d.completed.count("j") == 1
    assert d.end is not None


def test_an_inclusive_join_waits_for_what_a_boundary_event_may_send(run: Run) -> None:
    d = run(
        start(),
        par("f"),
        user("a", "b"),
        on_timer("late", "b", "PT1H"),
        script("c", "late = True"),
        ior("j"),
        end(),
        flows("s f a j e", "f b x", "late c j"),
        end("x"),
    )
    d.complete("a")
    assert d.end is None
    d.pass_time(timedelta(hours=1))
    assert (d.completed.count("j"), d.variables) == (1, {"late": True})
    assert d.end is not None


def test_an_inclusive_join_goes_on_when_the_last_other_token_turns_away(run: Run) -> None:
    d = run(
        start(),
        par("f"),
        user("a", "b"),
        xor("g", "g_j"),
        ior("j"),
        end("e", "x"),
        flows("s f a j e", "f b g j", "g x if away"),
    )
    d.complete("a")
    assert d.end is None
    d.complete("b", away=True)
    assert d.completed.count("j") == 1
    assert d.end is not None


def test_an_inclusive_join_in_a_loop_joins_in_every_round(run: Run) -> None:
    d = run(
        start(),
        xor("m"),
        ior("f"),
        user("a", "b"),
        ior("j"),
        script("c", "n = n + 1"),
        xor("g", "g_e"),
        end(),
        flows("s m f", "f a if True", "f b if True", "a j", "b j", "j c g", "g m if n < 3", "g e"),
        n=0,
    )
    for _ in range(3):
        d.complete("b")
        d.complete("a")
    assert d.completed.count("j") == 3
    assert d.end is not None


def test_a_token_in_a_sub_process_holds_an_inclusive_join_up(run: Run) -> None:
    inside = start("is"), timer("t", "PT2H"), end("ie"), flows("is t ie")
    d = run(start(), par("f"), sub("S", *inside), user("a"), ior("j"), end(), flows("s f S j e", "f a j"))
    d.complete("a")
    assert d.end is None
    d.pass_time(timedelta(hours=2))
    assert d.end is not None


def test_an_error_path_around_an_inclusive_join_lets_it_go_on(run: Run) -> None:
    d = run(
        start(),
        par("f"),
        service("v"),
        on_error("bad", "v", "E1"),
        user("a"),
        ior("j"),
        end("e", "x"),
        flows("s f v j e", "f a j", "bad x"),
    )
    d.complete("a")
    d.refuse("v", "E1")
    assert d.completed.count("j") == 1
    assert d.end is not None


# ---- quantities


def test_an_activity_begins_when_enough_tokens_are_there(run: Run) -> None:
    d = run(
        start(), par("f"), user("a", "b"), user("t", startQuantity="2"), end(), flows("s f a t e", "f b t")
    )
    d.complete("b")
    assert d.tasks == ["a"]
    d.complete("a")
    assert d.tasks == ["t"]
    d.complete("t")
    assert d.end is not None


def test_an_activity_may_send_several_tokens_on(run: Run) -> None:
    body = script("t", "n = 0").replace('id="t"', 'id="t" completionQuantity="3"')
    d = run(start(), body, script("c", "n = n + 1"), end(), flows("s t c e"))
    assert (d.variables["n"], d.completed.count("e")) == (3, 3)


def test_an_activity_that_waits_for_tokens_that_cannot_come_is_stuck(run: Run) -> None:
    d = run(start(), user("t", startQuantity="2"), end(), flows("s t e"))
    assert d.end is None
    assert d.top.stuck() is not None
