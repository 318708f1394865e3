"""Random diagrams of nested blocks run to the end and complete exactly what their blocks say, in any order of work."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from random import Random

import hypothesis
import hypothesis.strategies as st
import pytest

from engine.testing import Driver
from tests.bpmn_xml import (
    end,
    executable,
    flows,
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

NEVER = "P300D"


class Blocks:
    """Draws a diagram. Each block has one way in and one way out, and knows what it will complete."""

    def __init__(self, random: Random) -> None:
        self.random, self.count = random, 0

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def block(self, depth: int) -> tuple[str, str, str, Counter[str]]:
        """Elements, first and last element, and how often each element is completed."""
        simple = [self.script, self.user, self.service, self.timer, self.late]
        nested = [self.sequence, self.choice, self.fork, self.scope, self.loop]
        return self.random.choice(nested if depth and self.random.random() < 0.7 else simple)(depth)

    def script(self, _depth: int) -> tuple[str, str, str, Counter[str]]:
        n = self.name("c")
        return script(n, f"{n} = 1"), n, n, Counter([n])

    def user(self, _depth: int) -> tuple[str, str, str, Counter[str]]:
        n = self.name("u")
        watch = on_timer(f"{n}b", n, NEVER, self.random.random() < 0.5) if self.random.random() < 0.5 else ""
        rest = end(f"{n}e") + flows(f"{n}b {n}e") if watch else ""
        return user(n) + watch + rest, n, n, Counter([n])

    def service(self, _depth: int) -> tuple[str, str, str, Counter[str]]:
        n = self.name("v")
        return service(n, f"output {n} = result"), n, n, Counter([n])

    def timer(self, _depth: int) -> tuple[str, str, str, Counter[str]]:
        n = self.name("t")
        return timer(n, f"PT{self.random.randint(1, 90)}M"), n, n, Counter([n])

    def late(self, _depth: int) -> tuple[str, str, str, Counter[str]]:
        """A task that nobody does, in a sub-process that its timer interrupts."""
        n = self.name("late")
        inside = start(f"{n}s"), user(f"{n}never"), end(f"{n}e"), flows(f"{n}s {n}never {n}e")
        text = sub(n, *inside) + on_timer(f"{n}b", n, "PT1H") + xor(f"{n}x")
        return text + flows(f"{n} {n}x", f"{n}b {n}x"), n, f"{n}x", Counter([f"{n}s", f"{n}b", f"{n}x"])

    def sequence(self, depth: int) -> tuple[str, str, str, Counter[str]]:
        parts = [self.block(depth - 1) for _ in range(self.random.randint(1, 3))]
        joins = flows(*(f"{a[2]} {b[1]}" for a, b in pairwise(parts)))
        done = sum((p[3] for p in parts), Counter[str]())
        return "".join(p[0] for p in parts) + joins, parts[0][1], parts[-1][2], done

    def choice(self, depth: int) -> tuple[str, str, str, Counter[str]]:
        g, m = self.name("g"), self.name("m")
        parts = [self.block(depth - 1) for _ in range(self.random.randint(2, 3))]
        taken = self.random.randrange(len(parts))
        last = len(parts) - 1
        chains = [f"{g} {p[1]}" + ("" if n == last else f" if {n == taken}") for n, p in enumerate(parts)] + [
            f"{p[2]} {m}" for p in parts
        ]
        text = "".join(p[0] for p in parts) + xor(g, f"{g}_{parts[last][1]}") + xor(m) + flows(*chains)
        return text, g, m, Counter([g, m]) + parts[taken][3]

    def fork(self, depth: int) -> tuple[str, str, str, Counter[str]]:
        f, j = self.name("f"), self.name("j")
        parts = [self.block(depth - 1) for _ in range(self.random.randint(2, 3))]
        chains = [c for p in parts for c in (f"{f} {p[1]}", f"{p[2]} {j}")]
        done = sum((p[3] for p in parts), Counter([f, j]))
        return "".join(p[0] for p in parts) + par(f, j) + flows(*chains), f, j, done

    def scope(self, depth: int) -> tuple[str, str, str, Counter[str]]:
        n = self.name("S")
        text, first, last, done = self.block(depth - 1)
        inside = start(f"{n}s"), text, end(f"{n}e"), flows(f"{n}s {first}", f"{last} {n}e")
        return sub(n, *inside), n, n, done + Counter([f"{n}s", f"{n}e", n])

    def loop(self, depth: int) -> tuple[str, str, str, Counter[str]]:
        n, rounds = self.name("l"), self.random.randint(1, 4)
        text, first, last, done = self.block(depth - 1)
        chains = f"{n}i {n}m {first}", f"{last} {n}c {n}g", f"{n}g {n}m if {n} < {rounds}", f"{n}g {n}x"
        own = script(f"{n}i", f"{n} = 0"), xor(f"{n}m"), script(f"{n}c", f"{n} = {n} + 1")
        whole = text + "".join(own) + xor(f"{n}g", f"{n}g_{n}x") + xor(f"{n}x") + flows(*chains)
        inner = Counter({k: v * rounds for k, v in (done + Counter([f"{n}m", f"{n}c", f"{n}g"])).items()})
        return whole, f"{n}i", f"{n}x", inner + Counter([f"{n}i", f"{n}x"])


def _finish(driver: Driver, random: Random) -> None:
    """Does open work in any order; when nothing but waiting is left, an hour passes."""
    while driver.end is None:
        todo = [(driver.complete, t) for t in driver.tasks if "never" not in t]
        todo += [(driver.result, j) for j in driver.jobs]
        assert todo or driver.top.waiting.timers
        if todo:
            act, element = random.choice(todo)
            act(element)
        else:
            driver.pass_time(timedelta(hours=1))


def _run_one(random: Random) -> None:
    text, first, last, expected = Blocks(random).block(4)
    diagram = executable(start(), text, end(), flows(f"s {first}", f"{last} e"))
    driver = Driver(diagram, round_trip=random.random() < 0.5)
    _finish(driver, random)
    assert Counter(driver.completed) == expected + Counter(["s", "e"])
    assert driver.end is not None
    assert (driver.end.state, driver.top.by_id, driver.top.subprocesses) == ("completed", {}, {})
    assert (driver.top.waiting.timers, driver.top.queue, driver.incidents) == ({}, {}, {})


@hypothesis.given(st.randoms(use_true_random=False))
@hypothesis.settings(max_examples=50, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_random_diagrams_complete_exactly_what_their_blocks_say(random: Random) -> None:
    _run_one(random)


@pytest.mark.long
def test_a_thousand_random_diagrams_complete_exactly_what_their_blocks_say() -> None:
    for seed in range(1000):
        _run_one(Random(seed))
