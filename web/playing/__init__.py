"""The demo operator at work: orders of the last days, played by its people on a virtual clock that ends now.

`orders.yaml` says what comes in, `answers.yaml` how people answer their forms, and how long they take. Nothing here writes a
row by itself: orders come through TMF641, tasks are completed by the people whose tasks they are, and the product's own
worker and ticker do the rest against the simulators. What is not finished when the clock reaches now stays open.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random

from engine.config import Settings
from web.playing.company import open_company, quiet_log
from web.playing.script import Script, read_script

_SEED = 20261122
"""The same play on every installation."""

__all__ = ["Script", "play", "the_script"]


def the_script(orders: int) -> Script:
    """What is going to be played, with about so many orders."""
    return read_script(_chance(), orders)


def play(settings: Settings, script: Script, until: datetime, tell: Callable[[int, int], None]) -> int:
    """Plays on an installation whose demo operator was seeded before the play begins; gives the number of orders.

    `tell` hears how many hours have been played, and of how many. Raises `PlayWentWrong`.
    """
    with quiet_log(), open_company(settings, script, _chance(), until) as company:
        return company.perform(tell)


def _chance() -> Random:
    return Random(_SEED)  # noqa: S311  (a play, no secret)
