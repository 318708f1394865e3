"""The step tables beside the shipped diagrams: what each step is, who does it, how long it may take, its ways out, its undo.

They say in data what whole diagrams have to draw. Nothing that runs an order reads them: they are for those who draw, and
for tests that compare.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from bpmn import durations

_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Limit:
    """How long a step may take. `within` is an ISO 8601 duration, or `negotiated`; a part that is empty means any."""

    within: str
    who: str = ""
    what: str = ""
    tier: str = ""
    calendar: str = ""
    """`working`: days of work; else around the clock."""

    @property
    def length(self) -> timedelta | None:
        """The limit as a length; None where it is negotiated, or counted in working days or months."""
        if self.calendar or not self.within.startswith("P") or "M" in self.within.split("T")[0]:
            return None
        return durations.duration(self.within, _SOME_DAY)


@dataclass(frozen=True)
class WayOut:
    """Where a step leads when it does not go as it should. `code` is the reason or error, empty where there is none."""

    when: str
    to: str
    code: str = ""
    at: str = ""
    """The step at which it shows, where that is not the step itself."""


@dataclass(frozen=True)
class Step:
    """One row of a table."""

    id: str
    zh: str
    en: str
    who: tuple[str, ...]
    kind: str
    takes: str
    gives: str
    limits: tuple[Limit, ...]
    ways_out: tuple[WayOut, ...]
    undo: str = ""
    beside: str = ""
    """What it runs beside, or instead of."""

    def limit_of(self, who: str) -> timedelta | None:
        """The longest limit that somebody has in this step, of those that begin with it: for a task of his."""
        his = [limit for limit in self.limits if limit.who in ("", who) and not limit.tier]
        lengths = [limit.length for limit in his if not limit.what.startswith("after")]
        return max((one for one in lengths if one is not None), default=None)


@dataclass(frozen=True)
class StepTable:
    """The steps of one process."""

    process: str
    order_type: str
    steps: Mapping[str, Step]


def step_table(process: str) -> StepTable:
    """The table of a shipped process, by its key: broadband, dedicated_line, fault …"""
    file = resources.files("bpmn.definitions").joinpath("steps", f"{process}.json")
    document = json.loads(file.read_text(encoding="utf-8"))
    steps = [_step(raw) for raw in document["steps"]]
    return StepTable(document["process"], document["order_type"], {s.id: s for s in steps})


def _step(raw: Mapping[str, Any]) -> Step:
    simple = {name: raw[name] for name in ("id", "zh", "en", "kind", "takes", "gives")}
    return Step(
        **simple,
        who=tuple(raw["who"]),
        limits=tuple(Limit(**one) for one in raw["limits"]),
        ways_out=tuple(WayOut(**one) for one in raw["ways_out"]),
        undo=raw["undo"] or "",
        beside=raw.get("beside", ""),
    )
