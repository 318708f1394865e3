"""Which state may follow which, as TMF641 draws it: for a service order and each of its items, and for a cancellation.

What happens to a process is not always one arrow of the drawing: an order whose very first step fails goes from
acknowledged to held. It then passes through the state between, and whoever listens hears of both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.errors import RuleViolation


class TransitionForbidden(RuleViolation):
    """{what} is {before}; from there it cannot become {after}."""

    code = "order.transition"


@dataclass(frozen=True, slots=True, eq=False)
class Lifecycle:
    """A drawing. `arrows` are listed with the usual way first, because of equally short ways the first is taken.

    `late`: ways that the standard does not draw and that we need all the same.
    """

    what: str
    initial: str
    arrows: Mapping[str, tuple[str, ...]]
    late: frozenset[tuple[str, str]] = field(default=frozenset())

    @property
    def states(self) -> frozenset[str]:
        """All of them."""
        return frozenset(self.arrows)

    @property
    def final(self) -> frozenset[str]:
        """States that are never left."""
        return frozenset(state for state, ways in self.arrows.items() if not ways)

    def draws(self, before: str, after: str) -> bool:
        """Whether the standard has this arrow."""
        return after in self.arrows[before]

    def way(self, before: str, after: str) -> tuple[str, ...]:
        """The states to pass one after the other, `after` being the last; empty if it is there already.

        Raises `TransitionForbidden` if no way leads there.
        """
        if before == after:
            return ()
        if self.draws(before, after) or (before, after) in self.late:
            return (after,)
        open_ways: deque[tuple[str, tuple[str, ...]]] = deque([(before, ())])
        seen = {before}
        while open_ways:
            state, passed = open_ways.popleft()
            for following in self.arrows[state]:
                if following == after:
                    return (*passed, after)
                if following not in seen:
                    seen.add(following)
                    open_ways.append((following, (*passed, following)))
        raise TransitionForbidden(what=self.what, before=before, after=after)


ORDER = Lifecycle(
    "service order",
    "acknowledged",
    {
        "acknowledged": ("inProgress", "rejected", "cancelled", "assessingCancellation"),
        "inProgress": (
            "completed",
            "failed",
            "partial",
            "held",
            "pending",
            "cancelled",
            "assessingCancellation",
        ),
        "pending": ("inProgress", "cancelled", "assessingCancellation"),
        "held": ("inProgress", "cancelled", "assessingCancellation"),
        "assessingCancellation": ("pendingCancellation", "inProgress", "pending", "held", "acknowledged"),
        "pendingCancellation": ("cancelled",),
        "completed": (),
        "failed": (),
        "partial": (),
        "cancelled": (),
        "rejected": (),
    },
    # the cancellation came too late for an item: a line that works must not look cancelled
    late=frozenset(("pendingCancellation", end) for end in ("completed", "failed", "partial")),
)
"""Of a service order, and of each of its items."""

CANCELLATION = Lifecycle(
    "cancellation",
    "acknowledged",
    {
        "acknowledged": ("inProgress",),
        "inProgress": ("done", "terminatedWithError"),
        "done": (),
        "terminatedWithError": (),
    },
)
"""Of the wish to cancel a service order. On the wire `acknowledged` is `accepted`, as the description has it."""
