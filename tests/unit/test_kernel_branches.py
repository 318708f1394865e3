"""Two or three branches write nested data in any interleaving: none sees the other's half, no update is lost."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from engine.testing import Driver
from tests.bpmn_xml import executable
from tests.branches import KINDS, Branches, answer, output
from tests.kernel_parts import story

KINDS_OF_STEPS = st.lists(st.sampled_from(KINDS), min_size=1, max_size=4).map(tuple)
BRANCHES = st.lists(KINDS_OF_STEPS, min_size=2, max_size=3).map(tuple).map(Branches)


def _spoil(value: Any) -> None:
    """Whoever gave a value goes on changing it."""
    for inner in list(value.values() if isinstance(value, dict) else value):
        if isinstance(inner, dict | list):
            _spoil(inner)
    value.clear()


def _walk(branches: Branches, random: Random, *, round_trip: bool) -> Driver:
    given_values = branches.before
    driver = Driver(executable(*branches.body), given_values, round_trip=round_trip)
    _spoil(given_values)
    while driver.end is None:
        branches.check(driver.variables)
        element = random.choice(driver.tasks + driver.jobs)
        if element in driver.jobs:
            values = output(element)
            driver.result(element, **values)
        else:
            values = answer(element)
            nth = random.randint(1, Counter(driver.tasks)[element])
            driver.complete(element, nth, **values)
        _spoil(values)
    branches.check_end(driver.variables)
    return driver


@given(BRANCHES, st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_branches_never_see_each_others_half_and_lose_nothing(branches: Branches, seed: int) -> None:
    live = _walk(branches, Random(seed), round_trip=False)
    stored = _walk(branches, Random(seed), round_trip=True)
    assert story(stored) == story(live)
