"""`python -m tests.bench [order growth wide open split] [--json FILE]`: a table for each, and all of it as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import growth, order, sizes, split, wide
from tests.bench.measure import table

Rows = list[dict[str, Any]]
MEASURES: dict[str, Callable[[argparse.Namespace], Rows]] = {
    "order": lambda a: order.measure(a.repeat, a.orders, not a.sqlite_only),
    "growth": lambda a: growth.measure(a.rounds, a.turns),
    "wide": lambda a: wide.measure(a.widths, a.turns, a.length),
    "open": lambda a: sizes.measure(a.orders),
    "split": lambda a: split.measure(a.repeat, a.orders),
}


def arguments(given: list[str]) -> argparse.Namespace:
    """What to measure and how long."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{', '.join(MEASURES)}; all if left out")
    parser.add_argument("--orders", type=int, default=100, help="orders in each round")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; figures are medians over them")
    parser.add_argument("--rounds", type=int, default=10_000, help="age of the old loop")
    parser.add_argument("--turns", type=int, default=100, help="commands measured of each instance")
    parser.add_argument(
        "--widths", type=int, nargs="+", default=[10, 100, 1000], help="tasks at the same time"
    )
    parser.add_argument("--length", type=int, default=300, help="services in a row")
    parser.add_argument("--sqlite-only", action="store_true", help="leave PostgreSQL out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    chosen = parser.parse_args(given)
    unknown = set(chosen.what) - set(MEASURES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return chosen


def main(given: list[str]) -> None:
    """Measures, and prints as it goes."""
    chosen = arguments(given)
    found: dict[str, Any] = {"machine": f"{os.cpu_count()} cores, Python {platform.python_version()}"}
    for name in chosen.what or MEASURES:
        found[name] = MEASURES[name](chosen)
        sys.stdout.write(f"\n{name}\n{table(found[name])}\n")
        sys.stdout.flush()
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
