"""Numbers that people read: type, date and a serial, for example BB-20261122-000123."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.orders.model import NumberSeries


def next_serial(session: Session, prefix: str, day: str) -> int:
    """The next serial of a prefix and a day; callers of the same series wait for each other, so none is given twice."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    first = insert(NumberSeries).values(prefix=prefix, day=day, last=1)
    session.execute(
        first.on_conflict_do_update(index_elements=["prefix", "day"], set_={"last": NumberSeries.last + 1})
    )
    query = select(NumberSeries.last).where(NumberSeries.prefix == prefix, NumberSeries.day == day)
    return session.scalars(query).one()


def next_number(session: Session, prefix: str, at: datetime, zone: ZoneInfo) -> str:
    """A whole number; the date is the site's."""
    day = at.astimezone(zone).strftime("%Y%m%d")
    return f"{prefix}-{day}-{next_serial(session, prefix, day):06d}"
