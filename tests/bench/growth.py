"""Does a step grow dearer with the age of its instance? A young and an old one take turns, so that noise cancels."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from bpmn.problems import DiagramRefused
from tests.bench.diagrams import loop
from tests.bench.installation import InProcess, in_process
from tests.bench.measure import cpu_ms_of

KINDS = ("gateway", "standard", "sequential")
YOUNG = 10


def measure(rounds: int, turns: int) -> list[dict[str, Any]]:
    """CPU of a whole command and size of the state, at round 10 and at round `rounds`, of each kind of loop."""
    return [_kind(kind, rounds, turns) for kind in KINDS]


def _kind(kind: str, rounds: int, turns: int) -> dict[str, Any]:
    total = rounds + turns + 2
    try:
        with in_process(loop(kind, total)) as site:
            return {"loop": kind, "rounds": rounds} | _compare(site, rounds, turns, _values(kind, total))
    except DiagramRefused as e:
        return {"loop": kind, "rounds": rounds, "refused": str(e)}


def _values(kind: str, total: int) -> dict[str, Any]:
    """Only what the loop itself needs, so that the state is the engine's."""
    return {"items": list(range(total))} if kind == "sequential" else {"n": 0}


def _compare(site: InProcess, rounds: int, turns: int, values: Mapping[str, Any]) -> dict[str, Any]:
    old = _advance(site, site.start(values), rounds)
    old_bytes, cheap, dear = site.state_bytes(old), [], []
    young = _advance(site, site.start(values), YOUNG)
    young_bytes, since = site.state_bytes(young), 0
    for _ in range(turns):
        if since == YOUNG:  # it must stay young
            young, since = _advance(site, site.start(values), YOUNG), 0
        cheap.append(_timed(site, young))
        dear.append(_timed(site, old))
        young, old, since = cheap[-1][1], dear[-1][1], since + 1
    early, late = statistics.median(c for c, _ in cheap), statistics.median(c for c, _ in dear)
    return {
        "cpu_ms_young": early,
        "cpu_ms_old": late,
        "cpu_ratio": late / early,
        "bytes_young": young_bytes,
        "bytes_old": old_bytes,
        "bytes_ratio": old_bytes / young_bytes,
    }


def _timed(site: InProcess, task: str) -> tuple[float, str]:
    following: list[str | None] = []
    cost = cpu_ms_of(lambda: following.append(site.complete(task)))
    assert following[0] is not None, "the loop ended early"
    return cost, following[0]


def _advance(site: InProcess, task: str, rounds: int) -> str:
    for _ in range(rounds):
        following = site.complete(task)
        assert following is not None, "the loop ended early"
        task = following
    return task
