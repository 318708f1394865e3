"""Every arrow of TMF641's drawings and every pair without one, and how items make an order's state."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from engine.orders.lifecycle import CANCELLATION, ORDER, Lifecycle, TransitionForbidden
from engine.orders.states import FINAL, state_of_item, state_of_order
from engine.ports import InstanceEnd, Step
from engine.testing import FakeClock

DRAWN = {
    ORDER: """
        acknowledged          > inProgress rejected cancelled assessingCancellation
        inProgress            > completed failed partial pending held cancelled assessingCancellation
        pending               > inProgress cancelled assessingCancellation
        held                  > inProgress cancelled assessingCancellation
        assessingCancellation > acknowledged inProgress pending held pendingCancellation
        pendingCancellation   > cancelled
        completed             >
        failed                >
        partial               >
        cancelled             >
        rejected              >
    """,
    CANCELLATION: """
        acknowledged        > inProgress
        inProgress          > done terminatedWithError
        done                >
        terminatedWithError >
    """,
}
"""What the standard draws, written down apart from the code."""
LATE = {("pendingCancellation", end) for end in ("completed", "failed", "partial")}


def arrows(text: str) -> dict[str, set[str]]:
    lines = (line.split(">") for line in text.splitlines() if ">" in line)
    return {before.strip(): set(after.split()) for before, after in lines}


EVERY = [
    pytest.param(cycle, before, after, id=f"{cycle.what}: {before} > {after}")
    for cycle, text in DRAWN.items()
    for before, after in product(arrows(text), repeat=2)
    if before != after
]


@pytest.mark.parametrize(("cycle", "before", "after"), EVERY)
def test_an_arrow_is_drawn_exactly_where_the_standard_has_it(
    cycle: Lifecycle, before: str, after: str
) -> None:
    assert cycle.draws(before, after) is (after in arrows(DRAWN[cycle])[before])


@pytest.mark.parametrize(("cycle", "before", "after"), EVERY)
def test_a_change_takes_drawn_arrows_only_or_is_refused(cycle: Lifecycle, before: str, after: str) -> None:
    drawn = arrows(DRAWN[cycle])
    if cycle is ORDER and (before, after) in LATE:
        assert cycle.way(before, after) == (after,)
    elif after in _reachable(drawn, before):
        passed = (before, *cycle.way(before, after))
        assert passed[-1] == after
        assert all(there in drawn[here] for here, there in pairwise(passed))
    else:
        with pytest.raises(TransitionForbidden) as refused:
            cycle.way(before, after)
        assert refused.value.http_status == 409
        assert refused.value.text() == f"{cycle.what} is {before}; from there it cannot become {after}."


def _reachable(drawn: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    ahead = {start}
    while ahead:
        following = set().union(*(drawn[state] for state in ahead)) - found
        found |= following
        ahead = following
    return found


@pytest.mark.parametrize("cycle", [ORDER, CANCELLATION], ids=lambda c: c.what)
def test_states_and_ends_are_those_of_the_standard(cycle: Lifecycle) -> None:
    drawn = arrows(DRAWN[cycle])

    assert cycle.states == set(drawn)
    assert cycle.final == {state for state, after in drawn.items() if not after}
    assert cycle.initial == "acknowledged"
    assert all(cycle.way(state, state) == () for state in cycle.states)


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [
        ("acknowledged", "held", ["inProgress"]),
        ("acknowledged", "completed", ["inProgress"]),
        ("pending", "held", ["inProgress"]),
        ("held", "completed", ["inProgress"]),
        ("assessingCancellation", "cancelled", ["pendingCancellation"]),
        ("assessingCancellation", "completed", ["inProgress"]),
        ("acknowledged", "pendingCancellation", ["assessingCancellation"]),
    ],
)
def test_a_jump_passes_the_state_between(before: str, after: str, between: list[str]) -> None:
    assert ORDER.way(before, after) == (*between, after)


# ---- from items to their order


@pytest.mark.parametrize(
    ("items", "order"),
    [
        (["acknowledged"], "acknowledged"),
        (["acknowledged", "acknowledged"], "acknowledged"),
        (["acknowledged", "inProgress"], "inProgress"),
        (["acknowledged", "completed"], "inProgress"),
        (["acknowledged", "rejected"], "inProgress"),
        (["inProgress", "pending"], "pending"),
        (["completed", "pending"], "pending"),
        (["inProgress", "held"], "held"),
        (["pending", "held"], "held"),
        (["completed", "held"], "held"),
        (["completed", "inProgress"], "inProgress"),
        (["completed", "completed"], "completed"),
        (["failed", "failed"], "failed"),
        (["cancelled", "cancelled"], "cancelled"),
        (["rejected", "rejected"], "rejected"),
        (["completed", "failed"], "partial"),
        (["completed", "cancelled"], "partial"),
        (["failed", "cancelled"], "partial"),
        (["completed", "rejected", "failed"], "partial"),
    ],
)
def test_an_order_is_what_its_items_are(items: list[str], order: str) -> None:
    assert state_of_order(items, "inProgress") == order
    assert state_of_order(items[::-1], "inProgress") == order


@pytest.mark.parametrize("under_way", ["assessingCancellation", "pendingCancellation"])
@pytest.mark.parametrize(
    ("items", "order"),
    [
        (["inProgress"], None),
        (["held", "cancelled"], None),
        (["completed", "pending"], None),
        (["cancelled"], "cancelled"),
        (["cancelled", "completed"], "partial"),
        (["cancelled", "failed"], "partial"),
        (["completed"], "completed"),
        (["failed"], "failed"),
        (["completed", "failed"], "partial"),
    ],
)
def test_a_cancellation_hides_what_goes_on_until_all_items_have_ended(
    under_way: str, items: list[str], order: str | None
) -> None:
    assert state_of_order(items, under_way) == (order or under_way)


def test_whatever_the_items_are_the_order_can_get_there() -> None:
    for size in (1, 2, 3):
        for items in product(ORDER.states - {"assessingCancellation", "pendingCancellation"}, repeat=size):
            for before in ORDER.states - FINAL:
                after = state_of_order(items, before)
                if after not in ("acknowledged", "rejected") or before == "assessingCancellation":
                    ORDER.way(before, after)


def step(**more: object) -> Step:
    given = {"instance_id": 1, "definition_id": 1, "process": "p", "business_key": "k", "order_id": "k"}
    return Step(**{**given, "at": FakeClock().now(), "actor": "system"} | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ({"started": True}, "acknowledged", "acknowledged"),
        ({}, "acknowledged", "inProgress"),
        ({}, "held", "inProgress"),
        ({"open_incidents": True}, "inProgress", "held"),
        ({"open_incidents": True, "started": True}, "acknowledged", "held"),
        ({"end": InstanceEnd("completed")}, "inProgress", "completed"),
        ({"end": InstanceEnd("failed", code="R05")}, "held", "failed"),
        ({"end": InstanceEnd("cancelled"), "open_incidents": True}, "inProgress", "cancelled"),
    ],
)
def test_an_item_is_what_its_process_does(what: dict[str, object], before: str, after: str) -> None:
    assert state_of_item(step(**what), before) == after
