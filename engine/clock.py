"""Time as a dependency. Business code asks a `Clock`; it never reads the machine's time itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Wall time for people and deadlines; ticks, which only count forward, for leases."""

    def now(self) -> datetime:
        """Aware UTC time."""

    def ticks_ms(self) -> int:
        """Milliseconds that only count forward while this machine is up."""

    def boot_id(self) -> str:
        """Changes when `ticks_ms` started again from zero."""


class SystemClock:
    """The clock of the machine."""

    def __init__(self) -> None:
        path = Path("/proc/sys/kernel/random/boot_id")
        self._boot = path.read_text().strip() if path.exists() else "boot"
        self._id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def ticks_ms(self) -> int:
        return time.clock_gettime_ns(self._id) // 1_000_000

    def boot_id(self) -> str:
        return self._boot
