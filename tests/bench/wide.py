"""Many tasks at the same time, and many services one after another."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from bpmn.parse import parse
from bpmn.problems import DiagramRefused
from engine.testing import Driver
from tests.bench.diagrams import sequence, wide
from tests.bench.installation import InProcess, in_process
from tests.bench.measure import cpu_ms_of


def measure(widths: Sequence[int], turns: int, length: int) -> list[dict[str, Any]]:
    """CPU of completing one of many tasks, with the instance in memory and without, and of one service in a row."""
    return [*(_width(width, turns) for width in widths), _row_of_services(length)]


def _width(width: int, turns: int) -> dict[str, Any]:
    what = f"one of {width} tasks"
    try:
        with in_process(wide()) as site:
            return {"what": what} | _complete_some(site, width, turns)
    except DiagramRefused as e:
        return {"what": what, "refused": str(e)}


def _complete_some(site: InProcess, width: int, turns: int) -> dict[str, Any]:
    warm: list[float] = []
    cold: list[float] = []
    while len(cold) < turns:
        key = site.start({"items": list(range(width))}).rpartition("-W")[0]
        for number in range(1, min(width, 2 * turns) + 1):
            if number % 2 == 0:
                site.forget()
            (warm if number % 2 else cold).append(
                cpu_ms_of(lambda task=f"{key}-W{number:02d}": site.complete(task))
            )
    return {"cpu_ms_warm": statistics.median(warm), "cpu_ms_cold": statistics.median(cold)}


def _row_of_services(length: int) -> dict[str, Any]:
    """Engine only: an instance in memory, each service answered at once."""
    executable = parse(sequence(length)).processes["p"]

    def run() -> None:
        driver = Driver(executable)
        for number in range(length):
            driver.result(f"t{number}")

    costs = [cpu_ms_of(run) for _ in range(5)]
    return {"what": f"{length} services in a row", "engine_us_step": statistics.median(costs) * 1000 / length}
