"""Small real implementations for tests and for the virtual clock of `kaitong simulate`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_START = datetime(2026, 11, 22, 1, 12, tzinfo=UTC)  # Sunday 09:12 in Shanghai


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: datetime = _START) -> None:
        if start.tzinfo is None:
            raise ValueError("the start needs a zone")
        self._now = start.astimezone(UTC)
        self._ticks = 0
        self._boots = 1

    def now(self) -> datetime:
        return self._now

    def ticks_ms(self) -> int:
        return self._ticks

    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def advance(self, by: timedelta) -> None:
        """Time passes: wall time and ticks move together."""
        if by < timedelta(0):
            raise ValueError("time passes forward only; use `set` for a wall clock that jumps")
        self._now += by
        self._ticks += by // timedelta(milliseconds=1)

    def set(self, now: datetime) -> None:
        """The wall clock jumps, forward or back; ticks do not notice."""
        self._now = now.astimezone(UTC)

    def reboot(self) -> None:
        """The machine starts again: ticks count from zero."""
        self._ticks = 0
        self._boots += 1
