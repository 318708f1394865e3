"""Times as our interfaces write them."""

from __future__ import annotations

from datetime import datetime


def stamp(at: datetime | None) -> str | None:
    """`2026-11-22T01:12:00.000Z`; None stays None."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
