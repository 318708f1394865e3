"""What ends by itself: holds, reservations that nobody used, and cooling. A deadline is a row; any process may sweep."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.events import record
from engine.resources import holdings
from engine.resources.model import Resource
from engine.store.base import table_of
from engine.store.prepared import Prepared

_r = table_of(Resource)
_due = select(_r).where(_r.c.held_until <= bindparam("now")).order_by(_r.c.held_until, _r.c.id)
_ANY = Prepared(_due.limit(1))
_BATCH = Prepared(_due.limit(bindparam("most")).with_for_update(skip_locked=True))


def is_due(session: Session, now: datetime) -> bool:
    """Whether a sweep would find something: a look that takes no lock."""
    return _ANY.first(session, now=now) is not None


def sweep(session: Session, now: datetime, limit: int = 500) -> int:
    """Gives back what has run out at `now`, and says how many that were; fewer than `limit`: all done.

    What another process works on just now is left to it.
    """
    due = _BATCH.rows(session, now=now, most=limit)
    for (holder, cooled), rows in groupby(sorted(due, key=_group), key=_group):
        done = [row for row in rows if _end(session, row, now)]
        if done:
            record(
                session,
                "CoolingEnded" if cooled else "ReservationExpired",
                at=now,
                actor="timer",
                business_key=holder or None,
                resources=[holdings.label(row) for row in done],
            )
    return len(due)


def _group(row: Any) -> tuple[str, bool]:
    return row.holder or "", row.state == "cooling"


def _end(session: Session, row: Any, now: datetime) -> bool:
    if row.state != "cooling":
        return holdings.give_back(session, row, now)
    made = holdings.rule_of(session, row.kind).prefix
    return holdings.move(session, row, "retired" if made else "free", None, None, now)
