"""Which report moves a partner order: forward only, whatever order they come in."""

from __future__ import annotations

import itertools

import pytest

from engine.partners.states import FINAL, REPORTED, STEPS, moves


@pytest.mark.parametrize(
    ("state", "visit", "reported", "reported_visit"),
    [
        ("opened", 1, "received", 1),
        ("opened", 1, "done", 1),
        ("sent", 1, "accepted", 1),
        ("accepted", 1, "appointed", 1),
        ("appointed", 1, "appointed", 2),
        ("on_site", 1, "appointed", 2),
        ("done", 1, "appointed", 2),
        ("sent_back", 2, "done", 2),
        ("sent_back", 2, "appointed", 2),
        ("sent_back", 2, "refused", 1),
        ("on_site", 3, "refused", 1),
        ("accepted", 1, "stopped", 1),
    ],
)
def test_what_is_further_on_moves_the_order(
    state: str, visit: int, reported: str, reported_visit: int
) -> None:
    assert moves(state, visit, reported, reported_visit)


@pytest.mark.parametrize(
    ("state", "visit", "reported", "reported_visit"),
    [
        ("accepted", 1, "received", 1),
        ("accepted", 1, "accepted", 1),
        ("on_site", 1, "appointed", 1),
        ("appointed", 2, "done", 1),
        ("sent_back", 2, "done", 1),
        ("appointed", 2, "accepted", 1),
        ("done", 1, "refused", 1),
        ("done", 1, "stopped", 1),
    ],
)
def test_what_is_late_does_not(state: str, visit: int, reported: str, reported_visit: int) -> None:
    assert not moves(state, visit, reported, reported_visit)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_moves_an_order_that_has_ended(state: str) -> None:
    assert not any(moves(state, 1, reported, 99) for reported in REPORTED)


def test_every_order_of_all_reports_of_one_visit_ends_at_done() -> None:
    for mixed in itertools.permutations(STEPS[2:]):
        state = "sent"
        for reported in mixed:
            if moves(state, 1, reported, 1):
                state = reported
        assert state == "done"
