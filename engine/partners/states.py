"""The states of a partner order, and which report moves it: forward only, however late, double or mixed up they come.

A visit is one trip of the partner's crew. What is sent back, or appointed anew, is another visit; a report of an earlier
visit never counts against a later one.
"""

from __future__ import annotations

from collections.abc import Mapping

STEPS = ("opened", "sent", "received", "accepted", "appointed", "on_site", "done")
FINAL = frozenset({"refused", "stopped", "confirmed"})
REPORTED = ("received", "accepted", "refused", "appointed", "on_site", "done", "stopped")
"""What a partner may tell."""
MESSAGES: Mapping[str, str] = {
    "received": "partner.progress",
    "accepted": "partner.accepted",
    "refused": "partner.refused",
    "appointed": "partner.progress",
    "on_site": "partner.progress",
    "done": "partner.done",
    "stopped": "partner.stopped",
}
"""The message that the waiting process gets for each."""
IMPLIES_ACCEPTED = frozenset({"appointed", "on_site", "done"})
_ACCEPTED = STEPS.index("accepted")


def moves(state: str, visit: int, reported: str, reported_visit: int) -> bool:
    """Whether an order in `state` goes to the reported one."""
    if state in FINAL:
        return False
    if reported in ("refused", "stopped"):
        return state != "done"
    return _place(reported, reported_visit) > _place(state, visit)


def _place(state: str, visit: int) -> tuple[int, int]:
    """Work that is sent back waits for its next visit, as work that was accepted waits for its first."""
    if state == "sent_back":
        return visit, _ACCEPTED
    rank = STEPS.index(state)
    return (visit if rank > _ACCEPTED else 0), rank
