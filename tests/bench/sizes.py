"""How much an order leaves in each table, open and finished; content only, without indexes and free space."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.diagrams import VALUES, order
from tests.bench.installation import in_process


def measure(orders: int) -> list[dict[str, Any]]:
    """Bytes per order by table, with the order waiting for its first person and with the order done."""
    with in_process(order()) as site:
        before = site.stored_bytes()
        tasks: list[str | None] = [site.start(VALUES) for _ in range(orders)]
        opened = site.stored_bytes()
        for task in tasks:
            while task is not None:
                task = site.complete(task)
        done = site.stored_bytes()
    rows = [
        {
            "table": name,
            "open": (opened[name] - before[name]) / orders,
            "done": (done[name] - before[name]) / orders,
        }
        for name in before
        if done[name] != before[name] or opened[name] != before[name]
    ]
    total = {"table": "all", "open": sum(r["open"] for r in rows), "done": sum(r["done"] for r in rows)}
    data = len(json.dumps(VALUES, ensure_ascii=False).encode())
    return [*rows, total, {"table": "(its data as JSON)", "open": float(data), "done": float(data)}]
