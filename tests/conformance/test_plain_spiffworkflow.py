"""Beside the plain library: where it is right, our kernel completes the same elements and leaves the same variables.

Where it is not, see `test_plain_differences` and docs/explanation/differences.md. Blocks that lead there are left out here.
"""

from __future__ import annotations

from collections import Counter

import pytest
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from engine.testing import Driver
from tests.bpmn_xml import (
    catch,
    end,
    end_all,
    flows,
    ior,
    on_message,
    on_timer,
    par,
    script,
    service,
    start,
    sub,
    user,
    xor,
)
from tests.conformance.plain import PlainWalk
from tests.conformance.side_by_side import Pair
from tests.random_diagrams import draw
from tests.random_walk import Walker

LEFT_OUT = frozenset(
    {
        "fork in a loop",
        "message again",
        "message in parallel",
        "error by script",
        "error by service",
        "error from deeper",
        "code twice",
        "refusal",
        "several error",
        "several late",
        "some",
        "race",
        "fault",
        "escalation",
        "cycle",
        "handler",
        "collection",
        "completion",
        "condition",
        "outputs",
    }
)
BRANCHES = {"fork", "beside", "again", "rounds"}


def _check(seed: int) -> None:
    drawing = draw(seed, without=LEFT_OUT)
    plain, ours = PlainWalk(drawing, seed), Walker(drawing, seed, round_trip=False)
    plain.finish()
    ours.finish()
    names = set(drawing.executable.nodes) - drawing.plan.interrupted
    done = Counter(name for name in ours.completed if name in names)
    assert plain.done(names) == done
    assert plain.has_ended
    if not drawing.features & BRANCHES:
        variables = plain.workflow.data
        assert {name: variables[name] for name in drawing.counting} == drawing.after


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_random_diagrams_run_as_in_the_plain_library(first: int) -> None:
    for seed in range(first, first + 25):
        _check(seed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(100, 1100, 250))
def test_many_random_diagrams_run_as_in_the_plain_library(first: int) -> None:
    for seed in range(first, first + 250):
        _check(seed)


_TWO_WAYS = script("a", "x = 1"), script("b", "x = 2"), end()
_SUB = sub("S", start("is"), user("u"), end("ie"), flows("is u ie"))
SAME = {
    "sequence": ((start(), script("a", "x = 1"), end(), flows("s a e")), ""),
    "service": ((start(), service("v"), end(), flows("s v e")), "v"),
    "choice": (
        (
            start(),
            xor("g", "g_b"),
            script("a", "x = 1"),
            script("b", "x = 2"),
            end(),
            flows("s g", "g a if x == 1", "g b", "a e", "b e"),
        ),
        "",
    ),
    "join": ((start(), par("f", "j"), user("a", "b"), end(), flows("s f", "f a j", "f b j", "j e")), "b a"),
    "join that waits for a third": (
        (
            start(),
            par("f", "j"),
            user("x", "y", "c"),
            script("b", "x = 1"),
            end(),
            flows("s f", "f x b", "f y b", "f c j", "b j", "j e"),
        ),
        "x y",
    ),
    "join whose branch never comes": (
        (
            start(),
            xor("g", "g_b"),
            par("j"),
            script("a", "x = 1"),
            script("b", "x = 2"),
            end(),
            flows("s g", "g a if True", "g b", "a j", "b j", "j e"),
        ),
        "",
    ),
    "task that two tokens reach": (
        (
            start(),
            par("f"),
            user("x", "y"),
            script("a", "x = 1"),
            end(),
            flows("s f", "f x a", "f y a", "a e"),
        ),
        "y x",
    ),
    "inclusive join": (
        (
            *(start(), ior("f", "f_e"), ior("j"), user("a", "b", "c"), end("e", "z")),
            flows("s f", "f a if True", "f b if x == 1", "f c if x == 2", "f e", "a j z", "b j", "c j"),
        ),
        "b a",
    ),
    "sub-process": ((start(), _SUB, end(), flows("s S e")), "u"),
    "sub-process twice at a time": (
        (start(), par("f"), _SUB, user("a", "b"), end(), flows("s f", "f a S", "f b S", "S e")),
        "a b u u",
    ),
    "terminate": (
        (start(), par("f"), user("a", "b"), end_all("x"), end(), flows("s f", "f a x", "f b e")),
        "a",
    ),
    "message": ((start(), catch("m", "go"), end(), flows("s m e")), "!go"),
    "message at a boundary": (
        (start(), user("u"), on_message("b", "u", "go"), end("e", "x"), flows("s u e", "b x")),
        "!go",
    ),
    "message beside": (
        (start(), user("u"), on_message("b", "u", "note", False), end("e", "x"), flows("s u e", "b x")),
        "!note u",
    ),
    "timer at a boundary": (
        (start(), user("u"), on_timer("b", "u", "PT1H"), end("e", "x"), flows("s u e", "b x")),
        "@",
    ),
    "timer beside": (
        (start(), user("u"), on_timer("b", "u", "PT1H", False), end("e", "x"), flows("s u e", "b x")),
        "@ u",
    ),
    "no end event": ((start(), user("u"), flows("s u")), "u"),
}


@pytest.mark.parametrize("name", SAME)
def test_a_hand_made_diagram_runs_as_in_the_plain_library(name: str) -> None:
    body, commands = SAME[name]
    pair = Pair(*body, x=1)
    pair.do(commands)
    assert pair.plain_done == pair.our_done
    assert pair.plain.has_ended == (pair.ours.end is not None)


def test_an_instance_is_a_workflow_of_the_library() -> None:
    driver = Driver(draw(0).executable, draw(0).before)
    assert isinstance(driver.top, BpmnWorkflow)
    assert not driver.top.is_completed()
    ready = {t.id for t in driver.top.by_id.values() if t.state == TaskState.READY}
    assert {t.id for t in driver.top.get_tasks(state=TaskState.READY)} == ready
