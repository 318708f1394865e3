"""Where the CPU of an order goes: engine, codec, rows, HTTP; each part is what the next larger whole costs more.

The parts of HTTP are those of its requests: serving one that asks for nothing, looking up its token, and the rest,
which is reading its body, the view and writing the answer.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from bpmn.parse import Executable, parse
from engine.runtime import codec
from engine.testing import Driver
from tests.bench.diagrams import USER_STEPS, VALUES, order
from tests.bench.installation import OverRest, in_process, over_rest
from tests.bench.measure import cpu_ms_of

REQUESTS = 1 + len(USER_STEPS)
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
            served_only, with_token = (
                _spent(served.cpu_ms, lambda known=known: _empty(served, orders, known))
                for known in (False, True)
            )
            found.append(
                {
                    "engine": engine,
                    "codec": coded - engine,
                    "rows": kernel - coded,
                    "HTTP": rest - kernel,
                    "HTTP: server and dispatch": served_only,
                    "HTTP: token": with_token - served_only,
                    "HTTP: body, view, answer": rest - kernel - with_token,
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


def _empty(served: OverRest, orders: int, with_token: bool) -> None:
    """As many requests as the orders need, for nothing but a sign of life."""
    for _ in range(orders * REQUESTS):
        served.alive(with_token)


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
