"""Whole orders: all peers in one run, in turn, so that what else the machine does falls on all alike."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.bench.diagrams import VALUES, order
from tests.bench.installation import in_process, over_rest, postgresql
from tests.bench.measure import percentile
from tests.bench.spiff import InMemory, Reloaded

WARM = 10


class Peer(Protocol):
    """Somebody who can run the order. What `start` and `complete` tell has been committed, if the peer stores at all."""

    def start(self, values: Any) -> str: ...
    def complete(self, task: str) -> str | None: ...
    def cpu_ms(self) -> float: ...


@dataclass
class Figures:
    """What was measured of one peer."""

    name: str
    cpu: list[float] = field(default_factory=list)
    """CPU per order in each round, ms."""
    steps: list[float] = field(default_factory=list)
    """Wall time of each person's step, ms."""


def measure(rounds: int, orders: int, with_postgresql: bool = True) -> list[dict[str, Any]]:
    """`rounds` times `orders` orders of each peer; medians over the rounds."""
    with ExitStack() as stack:
        peers = _peers(stack, with_postgresql)
        for peer in peers.values():
            _orders(peer, WARM)
        figures = [Figures(name) for name in peers]
        for _ in range(rounds):
            for one in figures:
                _round(peers[one.name], one, orders)
    return _rows(figures)


def _peers(stack: ExitStack, with_postgresql: bool) -> dict[str, Peer]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kaitong-bench-")))
    reloaded = stack.enter_context(closing(Reloaded(folder)))
    found: dict[str, Peer] = {"SpiffWorkflow, memory": InMemory(), "SpiffWorkflow, SQLite": reloaded}
    server = stack.enter_context(postgresql(with_postgresql))
    for name, where in (("SQLite", None), ("PostgreSQL", server)):
        if name == "SQLite" or where is not None:
            found[f"kernel, {name}"] = stack.enter_context(in_process(order(), where))
            found[f"REST, {name}"] = stack.enter_context(over_rest(order(), where))
    return found


def _orders(peer: Peer, count: int) -> list[float]:
    steps = []
    for _ in range(count):
        task: str | None = peer.start(VALUES)
        while task is not None:
            before = time.perf_counter()
            task = peer.complete(task)
            steps.append((time.perf_counter() - before) * 1000)
    return steps


def _round(peer: Peer, figures: Figures, orders: int) -> None:
    before = peer.cpu_ms()
    steps = _orders(peer, orders)
    figures.cpu.append((peer.cpu_ms() - before) / orders)
    figures.steps += steps


def _rows(figures: list[Figures]) -> list[dict[str, Any]]:
    plain = statistics.median(figures[0].cpu)
    return [
        {
            "peer": one.name,
            "cpu_ms_order": statistics.median(one.cpu),
            "times_plain": statistics.median(one.cpu) / plain if plain else None,
            "step_p50_ms": statistics.median(one.steps),
            "step_p99_ms": percentile(one.steps, 0.99),
            "cpu_lowest": min(one.cpu),
            "cpu_highest": max(one.cpu),
        }
        for one in figures
    ]
