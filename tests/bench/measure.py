"""CPU of process trees, percentiles, and the table that people read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def own_cpu_ms() -> float:
    """CPU of this process so far."""
    return time.process_time_ns() / 1e6


def tree_cpu_ms(root: int) -> float:
    """CPU so far of a process, its living descendants and those that have ended; exact to a kernel tick."""
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += [int(child) for child in children.read_text(encoding="utf-8").split()]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended between two looks; its parent's figures hold it from then on
        total += sum(int(ticks) for ticks in fields[11:15]) * _TICK_MS
    return total


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_ms_of(call: Callable[[], object]) -> float:
    """CPU of this process during one call."""
    before = own_cpu_ms()
    call()
    return own_cpu_ms() - before


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as aligned text; columns in the order in which they first occur."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([_shown(row.get(name)) for name in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in cells)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 100
        else str(round(value) if isinstance(value, float) else value)
    )
