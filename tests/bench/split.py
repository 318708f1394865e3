"""Where the CPU of an order goes: engine, codec, rows, HTTP; each part is what the next larger whole costs more."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from bpmn.parse import Executable, parse
from engine.runtime import codec
from engine.testing import Driver
from tests.bench.diagrams import USER_STEPS, VALUES, order
from tests.bench.installation import in_process, over_rest
from tests.bench.measure import cpu_ms_of

ALSO_AFTER = {"survey": (), "construct": ("radius", "linetest"), "accept": ("crm",)}


def measure(rounds: int, orders: int) -> list[dict[str, Any]]:
    """CPU per order of each part, ms, on SQLite."""
    executable = parse(order()).processes["p"]
    with in_process(order()) as local, over_rest(order()) as served:
        for peer in (local, served):
            _whole(peer, orders)
        found: list[dict[str, float]] = []
        for _ in range(rounds):
            engine = cpu_ms_of(lambda: _engine(executable, orders, False))
            coded = cpu_ms_of(lambda: _engine(executable, orders, True))
            kernel, rest = (
                _spent(peer.cpu_ms, lambda peer=peer: _whole(peer, orders)) for peer in (local, served)
            )
            found.append(
                {
                    "engine": engine,
                    "codec": coded - engine,
                    "rows": kernel - coded,
                    "HTTP": rest - kernel,
                    "all": rest,
                }
            )
    return [
        {"part": name, "cpu_ms_order": statistics.median(f[name] for f in found) / orders}
        for name in found[0]
    ]


def _spent(cpu_ms: Callable[[], float], call: Callable[[], object]) -> float:
    before = cpu_ms()
    call()
    return cpu_ms() - before


def _whole(peer: Any, orders: int) -> None:
    for _ in range(orders):
        task = peer.start(VALUES)
        while task is not None:
            task = peer.complete(task)


def _engine(executable: Executable, orders: int, encoded: bool) -> None:
    """Orders in memory, encoded where a command ends; a live instance is not decoded again."""
    for _ in range(orders):
        driver = Driver(executable, VALUES)
        for service in ("check", "selfbuilt", "reserve"):
            driver.result(service)
        _encode(driver, encoded)
        for step in USER_STEPS:
            driver.complete(step)
            for service in ALSO_AFTER[step]:
                driver.result(service)
            _encode(driver, encoded)


def _encode(driver: Driver, encoded: bool) -> None:
    if encoded:
        codec.encode_tokens(driver.top)
        codec.encode_variables(driver.top)
