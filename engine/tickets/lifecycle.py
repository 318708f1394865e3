"""Which status of a ticket may follow which, as TMF621 draws it, and which one its order and milestones make."""

from __future__ import annotations

from collections.abc import Iterable

from engine.orders.lifecycle import Lifecycle

TICKET = Lifecycle(
    "trouble ticket",
    "acknowledged",
    {
        "acknowledged": ("inProgress", "rejected", "cancelled"),
        "inProgress": ("resolved", "held", "pending", "cancelled"),
        "held": ("inProgress",),
        "pending": ("inProgress", "cancelled"),
        "resolved": ("closed", "inProgress"),
        "rejected": (),
        "cancelled": (),
        "closed": (),
    },
)
FINAL = TICKET.final
RESTORED, REOPENED = "restored", "reopened"
_OF_ORDER = {
    "acknowledged": "acknowledged",
    "inProgress": "inProgress",
    "pending": "pending",
    "held": "held",
    "rejected": "rejected",
    "cancelled": "cancelled",
    "completed": "closed",
    "failed": "closed",
    "partial": "closed",
}


def wanted_status(order_state: str, before: str, milestones: Iterable[str]) -> str:
    """The status that a ticket should have after a step of its process.

    A restored line stays restored while something of ours waits or fails, and while a cancellation is looked at; a
    report that was withdrawn after that is closed. Only a fresh report can be rejected: later the refusal is its answer.
    """
    if before in FINAL:
        return before
    after = _OF_ORDER.get(order_state, before)
    resolved = before == "resolved"
    for name in milestones:
        resolved = name == RESTORED or (resolved and name != REOPENED)
    if after == "rejected":
        return after if before == "acknowledged" else "closed"
    if after in FINAL:
        return "closed" if resolved else after
    if resolved:
        return "resolved"
    return "inProgress" if after == "acknowledged" != before else after
