"""Every arrow of TMF621's drawing and every pair without one, and what an order makes of its ticket."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from engine.orders.lifecycle import ORDER, TransitionForbidden
from engine.tickets.lifecycle import FINAL, TICKET, wanted_status

DRAWN = {
    "acknowledged": {"inProgress", "rejected", "cancelled"},
    "inProgress": {"held", "pending", "resolved", "cancelled"},
    "held": {"inProgress"},
    "pending": {"inProgress", "cancelled"},
    "resolved": {"inProgress", "closed"},
    "rejected": set(),
    "cancelled": set(),
    "closed": set(),
}
"""What the standard draws, written down apart from the code."""
PAIRS = [(a, b) for a, b in product(DRAWN, repeat=2) if a != b]


def reachable(start: str) -> set[str]:
    found: set[str] = set()
    ahead = {start}
    while ahead:
        ahead = set().union(*(DRAWN[s] for s in ahead)) - found
        found |= ahead
    return found


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_an_arrow_is_drawn_exactly_where_the_standard_has_it(before: str, after: str) -> None:
    assert TICKET.draws(before, after) is (after in DRAWN[before])


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_change_takes_drawn_arrows_only_or_is_refused(before: str, after: str) -> None:
    if after in reachable(before):
        passed = (before, *TICKET.way(before, after))
        assert passed[-1] == after
        assert all(there in DRAWN[here] for here, there in pairwise(passed))
    else:
        with pytest.raises(TransitionForbidden):
            TICKET.way(before, after)


def test_statuses_and_ends_are_those_of_the_standard() -> None:
    assert TICKET.states == set(DRAWN)
    assert TICKET.final == {"rejected", "cancelled", "closed"}
    assert TICKET.initial == "acknowledged"


@pytest.mark.parametrize(
    ("order", "before", "milestones", "after"),
    [
        ("acknowledged", "acknowledged", [], "acknowledged"),
        ("inProgress", "acknowledged", ["accepted"], "inProgress"),
        ("held", "inProgress", [], "held"),
        ("pending", "inProgress", [], "pending"),
        ("inProgress", "held", [], "inProgress"),
        ("inProgress", "inProgress", ["restored"], "resolved"),
        ("inProgress", "resolved", [], "resolved"),
        ("held", "resolved", [], "resolved"),
        ("inProgress", "resolved", ["reopened"], "inProgress"),
        ("inProgress", "inProgress", ["restored", "reopened"], "inProgress"),
        ("inProgress", "resolved", ["reopened", "restored"], "resolved"),
        ("completed", "resolved", ["closed"], "closed"),
        ("completed", "inProgress", [], "closed"),
        ("failed", "held", [], "closed"),
        ("cancelled", "pending", [], "cancelled"),
        ("cancelled", "resolved", [], "closed"),
        ("rejected", "acknowledged", [], "rejected"),
        ("rejected", "inProgress", [], "closed"),
        ("assessingCancellation", "inProgress", [], "inProgress"),
        ("pendingCancellation", "resolved", [], "resolved"),
        ("completed", "closed", [], "closed"),
    ],
)
def test_a_ticket_is_what_its_order_and_milestones_say(
    order: str, before: str, milestones: list[str], after: str
) -> None:
    assert wanted_status(order, before, milestones) == after


def test_whatever_its_order_does_a_ticket_can_follow() -> None:
    for order, before in product(ORDER.states, TICKET.states):
        for milestones in ([], ["restored"], ["reopened"]):
            if before not in FINAL and (order, before) != ("acknowledged", "resolved"):
                TICKET.way(before, wanted_status(order, before, milestones))
