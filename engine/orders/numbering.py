"""Numbers that people read: type, date and a serial, for example BB-20261122-000123."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.orders.model import NumberSeries
from engine.store.base import table_of
from engine.store.prepared import Prepared

_table = table_of(NumberSeries)


def _next(insert: Any) -> Prepared:
    first = insert(_table).values(prefix=bindparam("p"), day=bindparam("d"), last=1)
    again = first.on_conflict_do_update(index_elements=["prefix", "day"], set_={"last": _table.c.last + 1})
    return Prepared(again.returning(_table.c.last))


_NEXT = {"postgresql": _next(postgresql.insert), "sqlite": _next(sqlite.insert)}


def next_serial(session: Session, prefix: str, day: str) -> int:
    """The next serial of a prefix and a day; callers of the same series wait for each other, so none is given twice."""
    statement = _NEXT[session.get_bind().dialect.name]
    found: int | None = statement.value(session, p=prefix, d=day)
    assert found is not None  # noqa: S101  (an upsert that returns gives a row)
    return found


def next_number(session: Session, prefix: str, at: datetime, zone: ZoneInfo) -> str:
    """A whole number; the date is the site's."""
    day = at.astimezone(zone).strftime("%Y%m%d")
    return f"{prefix}-{day}-{next_serial(session, prefix, day):06d}"
