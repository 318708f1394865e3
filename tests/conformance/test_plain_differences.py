"""Where our kernel is not like the plain library. Each difference is explained in docs/explanation/differences.md.

Each test shows both sides, so a difference that is gone one day does not stay in the list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.exceptions import TaskNotFoundException, WorkflowException
from SpiffWorkflow.util.task import TaskState

from tests.bpmn_xml import (
    again,
    catch,
    each,
    end,
    end_error,
    flows,
    ior,
    on_error,
    on_message,
    on_timer,
    par,
    process,
    repeated,
    script,
    service,
    start,
    sub,
    timer,
    user,
    xor,
)
from tests.conformance.plain import Plain, PlainWalk
from tests.conformance.side_by_side import Pair
from tests.conformance.test_plain_spiffworkflow import LEFT_OUT
from tests.random_diagrams import draw
from tests.random_walk import Walker

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "differences.md"
TITLES: list[str] = []


def difference(title: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """A heading of the page that the test stands for."""

    def mark(test: Callable[[], None]) -> Callable[[], None]:
        TITLES.append(title)
        return test

    return mark


def test_the_page_lists_exactly_these_differences() -> None:
    headings = re.findall(r"^### (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(set(TITLES))


# ---- joins, loops and size

_ROUNDS = (
    *(start(), xor("m"), par("f", "j"), user("a", "b"), script("c", "r = r + 1"), xor("g", "g_e"), end()),
    flows("s m f", "f a j", "f b j", "j c g", "g m if r < 3", "g e"),
)


@difference("A join in a loop waits for this round's branches")
def test_a_join_in_a_loop_is_done_once_in_each_round() -> None:
    pair = Pair(*_ROUNDS, r=0)
    pair.do("a b b a a b")
    assert pair.our_done["j"] == 3
    assert pair.plain_done["j"] == 5


@difference("A join in a loop waits for this round's branches")
def test_random_joins_in_loops_are_right_here_and_sometimes_wrong_there() -> None:
    wrong = 0
    for seed in range(60):
        drawing = draw(seed, without=LEFT_OUT - {"fork in a loop"})
        if "fork in a loop" in drawing.features:
            ours = Walker(drawing, seed, round_trip=False)
            ours.finish()
            assert ours.done == drawing.done
            wrong += not _is_right(drawing, seed)
    assert wrong


def _is_right(drawing: object, seed: int) -> bool:
    plain = PlainWalk(drawing, seed)  # type: ignore[arg-type]
    try:
        plain.finish()
    except AttributeError:
        return False
    return plain.has_ended and plain.done(["e"]) == Counter("e")


@difference("An inclusive join waits for a service that is still at work")
def test_an_inclusive_join_waits_while_a_service_is_out() -> None:
    body = start(), ior("f"), ior("j"), user("u"), service("v"), xor("x", "x_k"), script("w", "n = 1")
    chains = "s f", "f u if True", "f v if True", "u j e", "v x", "x w if True", "w j", "x k"
    pair = Pair(*body, end("e", "k"), flows(*chains), n=0)
    pair.do("u")
    assert (pair.our_done["j"], pair.plain_done["j"]) == (0, 1)
    pair.do_ours("v")
    assert (pair.our_done["j"], pair.our_done["e"]) == (1, 1)


@difference("A loop may have any number of rounds")
def test_a_long_loop_reaches_its_end() -> None:
    body = start(), xor("m"), script("c", "n = n + 1"), xor("g", "g_e"), end()
    pair = Pair(*body, flows("s m c g", "g m if n < 340", "g e"), n=0)
    assert (pair.our_done["c"], pair.our_done["e"]) == (340, 1)
    assert (pair.plain.has_ended, pair.plain_done["e"]) == (True, 0)
    assert pair.plain_done["c"] < 340


@difference("A sequence may be long")
def test_a_long_sequence_can_be_read() -> None:
    names = [f"t{n}" for n in range(500)]
    body = start(), *(script(n, "x = x + 1") for n in names), end(), flows(" ".join(["s", *names, "e"]))
    with pytest.raises(ValidationException, match="Recursion"):
        Pair(*body, x=0)


# ---- variables


@difference("Variables are not merged at joins")
def test_what_two_branches_write_is_not_lost_at_the_join() -> None:
    both = script("a", "xs = xs + [2]; n = n + 1; a = 5"), script("b", "xs = xs + [3]; n = n + 1; b = 6")
    pair = Pair(
        start(), par("f", "j"), *both, end(), flows("s f", "f a j", "f b j", "j e"), xs=[1], n=0, a=0, b=0
    )
    assert pair.ours.variables == {"xs": [1, 2, 3], "n": 2, "a": 5, "b": 6}
    assert pair.plain.workflow.data == {"xs": [1, 3], "n": 1, "a": 0, "b": 6}


@difference("Variables are not merged at joins")
def test_what_instances_in_parallel_count_is_not_lost() -> None:
    pair = Pair(start(), repeated(script("a", "n = n + 1"), each(often="3")), end(), flows("s a e"), n=0)
    assert (pair.ours.variables["n"], pair.plain.workflow.data["n"]) == (3, 1)


@difference("Branches share no value")
def test_a_change_of_a_copy_is_not_seen_by_the_other_branch() -> None:
    takes, changes = script("a", "mine = box"), script("c", 'mine["k"]["v"] = 2')
    body = start(), par("f", "j"), takes, changes, user("u"), script("b", 'seen = box["k"]["v"]'), end()
    pair = Pair(*body, flows("s f", "f a c j", "f u b j", "j e"), box={"k": {"v": 1}})
    pair.do("u")
    assert pair.ours.variables["seen"] == 1
    assert pair.ours.variables["box"] == {"k": {"v": 1}}
    assert pair.plain.workflow.data["seen"] == 2
    assert pair.plain.workflow.data["box"] == {"k": {"v": 2}}


# ---- errors

_DEEP = sub("D", start("ds"), end_error("de", "E1"), flows("ds de"))


def _failing(n: str) -> str:
    inside = start(f"{n}s"), user(f"{n}u"), end_error(f"{n}e", "E1"), flows(f"{n}s {n}u {n}e")
    return sub(n, *inside) + on_error(f"{n}b", n, "E1")


@difference("A sub-process that an error ends is cancelled")
def test_a_sub_process_that_an_error_ends_is_not_completed() -> None:
    body = start(), _DEEP, on_error("b", "D", "E1"), end("e", "x"), flows("s D e", "b x")
    pair = Pair(*body)
    assert pair.plain_done - pair.our_done == Counter(["D"])
    assert "D" in pair.ours.elements("cancelled")


@difference("An error stops everything on its way out")
def test_a_sub_process_does_not_go_on_when_an_error_passes_through_it() -> None:
    inside = start("is"), _DEEP, script("after", "x = 1"), end("ie"), flows("is D after ie")
    body = start(), sub("S", *inside), on_error("b", "S", "E1"), end("e", "x"), flows("s S e", "b x")
    pair = Pair(*body, x=0)
    assert (pair.our_done["after"], pair.plain_done["after"]) == (0, 1)
    assert pair.our_done["b"] == pair.plain_done["b"] == 1


@difference("An error is caught once")
def test_only_the_sub_process_that_failed_is_interrupted() -> None:
    body = start(), par("f"), _failing("A"), _failing("B"), end("e", "x", "y", "z")
    pair = Pair(*body, flows("s f", "f A e", "f B x", "Ab y", "Bb z"))
    pair.do("Au")
    assert pair.our_done["Ab"] == pair.plain_done["Ab"] == 1
    assert (pair.our_done["Bb"], pair.plain_done["Bb"]) == (0, 1)
    assert pair.ours.tasks == ["Bu"]


@difference("An error is caught once")
def test_of_two_boundary_events_that_match_the_exact_one_catches() -> None:
    body = start(), _DEEP, on_error("exact", "D", "E1"), on_error("any", "D"), end("e", "x", "y")
    pair = Pair(*body, flows("s D e", "exact x", "any y"))
    assert (pair.our_done["exact"], pair.our_done["any"]) == (1, 0)
    assert (pair.plain_done["exact"], pair.plain_done["any"]) == (1, 1)


@difference("An error that nobody catches fails the instance")
def test_an_uncaught_error_fails_the_instance() -> None:
    pair = Pair(start(), par("f"), user("u"), end(), end_error("x", "E1"), flows("s f", "f u e", "f x"))
    assert pair.ours.end is not None
    assert (pair.ours.end.state, pair.ours.end.code) == ("failed", "E1")
    assert not pair.plain.has_ended
    assert [t.task_spec.name for t in pair.plain.users] == ["u"]


@difference("Scripts may throw errors")
def test_an_error_of_a_script_is_caught_at_its_boundary() -> None:
    pair_body = start(), script("c", "bpmn_error('E1')"), on_error("b", "c"), end("e", "x")
    with pytest.raises(WorkflowException, match="bpmn_error"):
        Plain(process(*pair_body, flows("s c e", "b x")), {})


@difference("A fault of one step is an incident")
def test_a_fault_does_not_stop_the_other_branches() -> None:
    body = (
        *(start(), par("f"), script("a", "x = 1 // zero"), script("b", "y = 1"), end()),
        flows("s f", "f a e", "f b e"),
    )
    with pytest.raises(WorkflowException):
        Plain(process(*body), {"zero": 0})
    pair = Pair(*body, zero=1)
    assert pair.our_done == pair.plain_done


@difference("An error may end a repeated activity")
@pytest.mark.parametrize("loop", [again("True"), each(often="3", sequence=True)], ids=["loop", "instances"])
def test_an_error_of_a_repeated_sub_process_is_caught(loop: str) -> None:
    body = start(), repeated(_DEEP, loop), on_error("b", "D", "E1"), end("e", "x"), flows("s D e", "b x")
    with pytest.raises(TaskNotFoundException):
        Pair(*body)


# ---- events


@difference("A message that does not interrupt is caught again and again")
def test_a_message_beside_a_task_is_caught_each_time() -> None:
    body = start(), user("u"), on_message("b", "u", "note", False), end("e", "x"), flows("s u e", "b x")
    pair = Pair(*body)
    pair.do("!note !note !note u")
    assert (pair.our_done["b"], pair.plain_done["b"]) == (3, 1)


@difference("A message has a key")
def test_a_message_with_another_key_is_not_caught() -> None:
    pair = Pair(start(), catch("m", "go", _key="'K1'"), end(), flows("s m e"))
    assert pair.ours.message("go", "K2") == 0
    pair.plain.message("go", key="K2")
    assert (pair.our_done["m"], pair.plain_done["m"]) == (0, 1)


@difference("A timer says ISO 8601 as it stands")
def test_a_duration_needs_no_quotes() -> None:
    pair = Pair(start(), timer("t", "PT1H"), end(), flows("s t e"))
    pair.do_ours("@")
    assert pair.our_done["e"] == 1
    with pytest.raises(WorkflowException, match="PT1H"):
        Plain(process(start(), timer("t", "PT1H"), end(), flows("s t e")), {}, quoted=False)


@difference("A boundary event ends all instances in every round")
def test_a_repeated_sub_process_is_interrupted_in_each_round_of_a_loop() -> None:
    inside = sub("a", start("is"), user("u"), end("ie"), flows("is u ie"))
    body = start(), xor("m"), repeated(inside, each(often="2")), on_timer("b", "a", "PT1H")
    rest = script("c", "r = r + 1"), xor("g", "g_e"), end("e", "x")
    pair = Pair(*body, *rest, flows("s m a x", "b c g", "g m if r < 2", "g e"), r=0)
    pair.do_ours("@ @")
    assert (pair.our_done["b"], pair.our_done["e"]) == (2, 1)
    with pytest.raises(TaskNotFoundException):
        pair.do_plain("@ @")


# ---- loops


@difference("Loops have counters")
@pytest.mark.parametrize(
    "loop",
    [again("loopCounter < 2"), each(often="3", enough="numberOfCompletedInstances >= 2")],
    ids=["loop", "instances"],
)
def test_conditions_of_loops_see_how_often_they_were_done(loop: str) -> None:
    body = start(), repeated(script("a", "n = n + 1"), loop), end(), flows("s a e")
    with pytest.raises(WorkflowException, match=r"loopCounter|numberOfCompletedInstances"):
        Pair(*body, n=0)


def test_a_finished_task_stays_in_the_librarys_tree_and_leaves_ours() -> None:
    pair = Pair(*_ROUNDS, r=0)
    assert [t for t in pair.plain.all_tasks() if t.state == TaskState.COMPLETED]
    assert not [t for t in pair.ours.top.by_id.values() if t.state == TaskState.COMPLETED]
