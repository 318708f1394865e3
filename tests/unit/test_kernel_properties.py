"""Random diagrams of nested blocks run to the end and complete exactly what their blocks say, in any order of work."""

from __future__ import annotations

from random import Random

import pytest

from tests.kernel_parts import story
from tests.random_diagrams import Artist, draw
from tests.random_walk import Walker

QUICK, LONG = 200, 2_000


def _check(seed: int) -> None:
    drawing = draw(seed)
    live, stored = (Walker(drawing, seed, round_trip=stored) for stored in (False, True))
    for walker in (live, stored):
        walker.finish()
        assert walker.done == drawing.done
        assert {name: walker.variables[name] for name in drawing.after} == drawing.after
        assert walker.end is not None
        assert (walker.end.state, walker.incidents) == ("completed", {})
        assert (walker.top.by_id, walker.top.subprocesses, walker.top.queue) == ({}, {}, {})
        assert (walker.top.waiting.timers, walker.top.waiting.messages) == ({}, {})
    assert story(stored) == story(live)


def _check_all(seeds: range) -> None:
    for seed in seeds:
        try:
            _check(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.parametrize("first", range(0, QUICK, 20))
def test_random_diagrams_complete_exactly_what_their_blocks_say(first: int) -> None:
    _check_all(range(first, first + 20))


@pytest.mark.long
@pytest.mark.parametrize("first", range(QUICK, QUICK + LONG, 250))
def test_many_random_diagrams_complete_exactly_what_their_blocks_say(first: int) -> None:
    _check_all(range(first, first + 250))


def test_the_random_diagrams_hold_every_kind_of_block() -> None:
    artist = Artist(Random(0))
    drawn = set[str]().union(*(draw(seed).features for seed in range(QUICK)))
    assert drawn >= {*artist.simple, *artist.nested}
