"""Cursors of lists that are paged by key: what a client gets as `next` and gives back as `after`."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.errors import BadInput


def write_mark(at: datetime, ident: str) -> str:
    """The place behind a row in a list ordered by time and id."""
    return f"{at.isoformat()},{ident}"


def read_mark(cursor: str) -> tuple[datetime, str]:
    """The place again. Raises `BadInput` for a text that is not one of ours."""
    at, _, ident = cursor.partition(",")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), ident
    except (ValueError, OverflowError) as e:
        raise _foreign(cursor) from e


def read_serial(cursor: str | None) -> int | None:
    """The place in a list ordered by a serial number; None for its beginning. Raises `BadInput`."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise _foreign(cursor)
    return int(cursor)


def _foreign(cursor: str) -> BadInput:
    return BadInput(detail=f"the cursor {cursor!r} is not one of ours", field="after")
