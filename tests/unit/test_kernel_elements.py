"""What tasks, gateways and sub-processes do. Each test also runs with storing and restoring between every two steps."""

from __future__ import annotations

import pytest

from engine.testing import Driver
from tests.bpmn_xml import end, end_all, executable, flows, par, script, service, start, sub, user, xor
from tests.kernel_parts import Run, fork


def test_a_sequence_runs_in_order_and_ends(run: Run) -> None:
    d = run(start(), script("a", "x = 1"), script("b", "x = x + 1"), end(), flows("s a b e"))
    assert d.completed == ["s", "a", "b", "e"]
    assert d.end is not None
    assert (d.end.state, d.end.element, d.variables) == ("completed", "e", {"x": 2})


def test_a_user_task_waits_until_it_is_completed(run: Run) -> None:
    d = run(start(), user("u"), end(), flows("s u e"))
    assert (d.tasks, d.end) == (["u"], None)
    d.complete("u", answer="yes")
    assert d.completed == ["s", "u", "e"]
    assert d.variables == {"answer": "yes"}


def test_a_service_task_waits_and_its_output_mappings_decide_what_changes(run: Run) -> None:
    d = run(start(), service("v", "output y = result.a + 1"), end(), flows("s v e"))
    assert d.jobs == ["v"]
    d.result("v", a=1, b=2)
    assert d.variables == {"y": 2}
    assert d.end is not None


# ---- exclusive gateway


def _choice(default: str = "") -> tuple[str, ...]:
    return (
        start(),
        xor("g", default),
        *(script(n, f"way = '{n}'") for n in "abc"),
        end(),
        flows("s g", "g a if x > 10", "g b if x > 5", "g c if x > 0", "a e", "b e", "c e"),
    )


@pytest.mark.parametrize(("x", "way"), [(11, "a"), (6, "b"), (1, "c")])
def test_the_first_true_flow_of_an_exclusive_gateway_is_taken_alone(run: Run, x: int, way: str) -> None:
    assert run(*_choice(), x=x).completed == ["s", "g", way, "e"]


def test_the_default_flow_is_taken_when_no_condition_is_true(run: Run) -> None:
    assert run(*_choice("g_c"), x=-1).completed == ["s", "g", "c", "e"]


def test_the_default_flow_is_asked_last_wherever_it_stands(run: Run) -> None:
    body = start(), xor("g", "g_a"), script("a", "y = 1"), script("b", "y = 2"), end()
    d = run(*body, flows("s g", "g a", "g b if True", "a e", "b e"))
    assert d.completed == ["s", "g", "b", "e"]


def test_no_true_flow_is_an_incident_and_the_retry_only_routes(run: Run) -> None:
    d = run(
        start(),
        script("first", "n = n + 1"),
        xor("g"),
        script("a", "way = 'a'"),
        script("b", "way = 'b'"),
        end(),
        flows("s first g", "g a if x == 1", "g b if x == 2", "a e", "b e"),
        x=9,
        n=0,
    )
    assert list(d.incidents) == ["g"]
    d.retry("g")
    assert list(d.incidents) == ["g"]
    d.retry("g", x=2)
    assert d.completed == ["s", "first", "g", "b", "e"]
    assert d.variables == {"x": 2, "n": 1, "way": "b"}
    assert d.elements("entered").count("g") == 1


def test_a_failing_condition_is_an_incident_at_the_gateway(run: Run) -> None:
    d = run(*_choice())
    assert list(d.incidents) == ["g"]
    d.retry("g", x=6)
    assert d.completed[-2:] == ["b", "e"]


# ---- parallel gateway


def test_a_join_waits_for_every_branch(run: Run) -> None:
    d = run(*fork(user("a", "b", "c"), flows("f a j", "f b j", "f c j")))
    d.complete("b")
    d.complete("a")
    assert d.end is None
    d.complete("c")
    assert d.completed.count("j") == d.completed.count("e") == 1
    assert d.end is not None


def test_two_tokens_of_one_flow_are_not_two_branches(run: Run) -> None:
    # b is reached by two tokens, so the flow b_j brings two; the branch c is still missing
    d = run(
        start(),
        par("f", "j"),
        user("x", "y", "c"),
        script("b", "n = n + 1"),
        user("z"),
        end(),
        flows("s f", "f x b", "f y b", "f c j", "b j", "j z e"),
        n=0,
    )
    d.complete("x")
    d.complete("y")
    assert d.variables["n"] == 2
    assert (d.tasks, d.completed.count("j")) == (["c"], 0)
    d.complete("c")
    assert d.completed.count("j") == 1
    d.complete("z")
    assert d.end is None  # the second token of b_j waits for a branch that never comes
    stuck = d.top.stuck()
    assert stuck is not None
    assert stuck.task_spec.name == "j"


def test_a_join_in_a_loop_stays_flat(run: Run) -> None:
    d = run(
        start(),
        xor("m"),
        par("f", "j"),
        script("a", "n = n + 1"),
        script("b", "k = k + 1"),
        user("u"),
        xor("g", "g_e"),
        end(),
        flows("s m f", "f a j", "f b j", "j u g", "g m if again", "g e"),
        n=0,
        k=0,
        again=True,
    )
    rounds = 1000 if not d.round_trip else 100
    sizes = set()
    for n in range(rounds):
        assert (d.variables["n"], d.variables["k"]) == (n + 1, n + 1)
        sizes.add(len(d.top.by_id))
        d.complete("u")
    assert sizes == {2}
    d.complete("u", again=False)
    assert d.end is not None


def test_a_user_task_in_a_loop_stays_open_for_two_thousand_rounds() -> None:
    body = start(), xor("m"), user("u"), xor("g", "g_e"), end()
    d = Driver(executable(*body, flows("s m u g", "g m if again", "g e")), {"again": True})
    for _ in range(2000):
        assert d.tasks == ["u"]
        d.complete("u")
        d.trace.clear()
    assert len(d.top.by_id) == len(d.top.tasks) == 2
    d.complete("u", again=False)
    assert d.end is not None


def test_three_thousand_tasks_in_a_row_parse_and_run() -> None:
    names = [f"t{n}" for n in range(3000)]
    body = [script(n, "x = x + 1") for n in names]
    d = Driver(executable(start(), *body, end(), flows(" ".join(["s", *names, "e"]))), {"x": 0})
    assert d.variables == {"x": 3000}
    assert d.end is not None


def test_a_task_that_two_flows_lead_to_runs_for_each_token(run: Run) -> None:
    d = run(start(), par("f"), script("a", "n = n + 1"), end(), flows("s f", "f a", "f a", "a e"), n=0)
    assert (d.variables["n"], d.completed.count("e")) == (2, 2)


# ---- sub-processes


def test_nested_sub_processes_complete_from_the_inside(run: Run) -> None:
    inner = sub("B", start("bs"), user("u"), end("be"), flows("bs u be"))
    d = run(start(), sub("A", start("as"), inner, end("ae"), flows("as B ae")), end(), flows("s A e"))
    d.complete("u")
    assert d.completed == ["s", "as", "bs", "u", "be", "B", "ae", "A", "e"]


def test_a_sub_process_waits_for_all_its_tokens(run: Run) -> None:
    inside = start("is"), par("f"), user("a", "b"), end("x", "y"), flows("is f", "f a x", "f b y")
    d = run(start(), sub("S", *inside), user("u"), end(), flows("s S u e"))
    d.complete("a")
    assert d.tasks == ["b"]
    d.complete("b")
    assert d.tasks == ["u"]


def test_one_sub_process_that_runs_twice_at_a_time_keeps_its_tokens_apart(run: Run) -> None:
    inside = start("is"), user("u"), end("ie"), flows("is u ie")
    d = run(start(), par("f"), sub("S", *inside), end(), flows("s f", "f S", "f S", "S e"))
    assert d.tasks == ["u", "u"]
    d.complete("u")
    assert (d.tasks, d.completed.count("S")) == (["u"], 1)
    d.complete("u")
    assert d.end is not None


def test_a_terminate_end_inside_a_sub_process_ends_only_that(run: Run) -> None:
    inside = start("is"), par("f"), user("a", "b"), end_all("x"), end("y"), flows("is f", "f a x", "f b y")
    d = run(start(), sub("S", *inside), user("u"), end(), flows("s S u e"))
    d.complete("a")
    assert d.tasks == ["u"]
    assert "x" in d.completed
    assert d.elements("cancelled") == ["b"]
    d.complete("u")
    assert d.end is not None
    assert d.end.state == "completed"


def test_a_terminate_end_at_the_top_ends_everything(run: Run) -> None:
    d = run(start(), par("f"), user("a", "b"), end_all("x"), end("y"), flows("s f", "f a x", "f b y"))
    d.complete("a")
    assert d.end is not None
    assert (d.end.state, d.end.element, d.top.by_id) == ("completed", "x", {})


# ---- never stuck in silence


def test_a_join_whose_branch_went_another_way_is_found_to_be_stuck(run: Run) -> None:
    d = run(
        start(), par("f", "j"), user("u"), xor("g", "g_x"), end("e", "x"),
        flows("s f", "f j", "f u g", "g j if go", "g x", "j e"),
    )  # fmt: skip
    assert d.top.stuck() is None
    d.complete("u", go=False)
    stuck = d.top.stuck()
    assert stuck is not None
    assert (stuck.task_spec.name, d.end) == ("j", None)
