"""Branches that write nested data at the same time, with real commands on a real store."""

from __future__ import annotations

import itertools
import threading
from random import Random
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from engine.jobs.model import Job
from engine.store import Store
from tasks.model import Task
from tests.bpmn_xml import end, flows, par, script, start, user, xor
from tests.branches import KINDS, Branches, answer, output, pair
from tests.command_parts import Site
from tests.parallel_parts import at_once

ROUNDS, NUMBERS = 6, itertools.count(1)
STEPS = st.lists(st.sampled_from(KINDS), min_size=1, max_size=3).map(tuple)
BRANCHES = st.lists(STEPS, min_size=2, max_size=3).map(tuple).map(Branches)


def _one_more(site: Site, random: Random) -> None:
    """One of the steps that are open."""
    work: list[Any] = site.tasks_of(site.instance_id)
    work += site.rows(Job, Job.instance_id == site.instance_id, Job.kind == "service", Job.state == "ready")
    chosen = random.choice(work)
    if isinstance(chosen, Task):
        token, values = chosen.token_id, answer(chosen.element)
        at = {"at": site.now, "actor": "wang"}
        site.command(lambda s: site.kernel.complete_task(s, site.instance_id, token, values, **at))
    else:
        site.result(chosen.element, **output(chosen.element))


@given(BRANCHES, st.integers(0, 2**32))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_commands_in_any_order_lose_nothing_with_and_without_the_cache(
    store: Store, branches: Branches, seed: int
) -> None:
    random, site = Random(seed), Site(store, *branches.body)
    site.start(branches.before, key=f"BB-{next(NUMBERS)}")
    while site.instance().state == "active":
        branches.check(site.variables())
        if random.random() < 0.5:
            site.restart()
        _one_more(site, random)
    branches.check_end(site.variables())


def _looping_branch(b: int) -> str:
    """Again and again a task, and a script that writes what is everybody's."""
    work = [
        "total = total + 1",
        f"pair['left'] = {b}",
        f"shared['b{b}'].append(pair['right'])",
        f"pair['deep']['both'] = [{b}, {b}]",
        f"pair['right'] = {b}",
        f"done{b} = done{b} + 1",
    ]
    text = user(f"u{b}") + script(f"w{b}", "\n".join(work)) + xor(f"m{b}") + xor(f"g{b}", f"g{b}_j")
    return text + flows(f"f m{b} u{b} w{b} g{b}", f"g{b} m{b} if done{b} < {ROUNDS}", f"g{b} j")


def test_threads_that_complete_tasks_of_their_branches_at_once_lose_nothing(store: Store) -> None:
    names = range(3)
    site = Site(store, start(), par("f", "j"), *map(_looping_branch, names), end(), flows("s f", "j e"))
    before: dict[str, Any] = {"total": 0, "pair": pair(0), "shared": {f"b{b}": [] for b in names}}
    site.start({**before, **{f"done{b}": 0 for b in names}})
    over = threading.Event()

    def branch(b: int) -> None:
        for n in range(ROUNDS):
            (task,) = site.rows(Task, Task.element == f"u{b}", Task.closed_at.is_(None))
            values = {f"answer{b}": {"round": [n]}, "pair": pair(b)}
            with store.write() as session:
                site.kernel.complete_task(
                    session, site.instance_id, task.token_id, values, at=site.now, actor="li"
                )

    def reader() -> int:
        seen = 0
        while not over.is_set():
            given = site.variables()
            assert given["pair"] == pair(given["pair"]["left"])
            assert given["total"] == sum(given[f"done{b}"] for b in names)
            assert given["total"] == sum(map(len, given["shared"].values()))
            seen += 1
        return seen

    def branches() -> list[Any]:
        try:
            return at_once(*(lambda b=b: branch(b) for b in names))  # type: ignore[misc]
        finally:
            over.set()

    done, seen = at_once(branches, reader)
    assert done == [None] * len(names)
    assert seen is not None
    site.check()
    variables = site.variables()
    assert site.instance().state == "completed"
    assert variables["total"] == len(names) * ROUNDS
    # each wrote its own pair in the command of its script: what it saw on the right was always its own
    assert variables["shared"] == {f"b{b}": [b] * ROUNDS for b in names}
    assert {f"answer{b}": variables[f"answer{b}"] for b in names} == {
        f"answer{b}": {"round": [ROUNDS - 1]} for b in names
    }
