"""What the SLA page shows: clocks at risk, clocks past their limit, clocks that ended late, and how many of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session

from engine.errors import BadInput
from engine.identity.actor import Actor
from sla.clocks import orders_of
from sla.model import SlaClock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_CURSOR = re.compile(r"([0-9]{1,14})\.([0-9]{1,18})")
_EVERYWHERE = frozenset({"AD", "SYS"})


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One clock, as the page shows it. `level` is the highest rung that fired, in percent.

    `order` is the order that the clock belongs to; for an instance without an order, the instance's own key.
    """

    id: int
    order: str
    subject: str
    element: str | None
    label: str
    label_en: str
    area: str | None
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None
    percent_used: int
    level: int


@dataclass(frozen=True, slots=True)
class ClockPage:
    """One page of clocks; pass `next` as the cursor to read on."""

    items: Sequence[ClockRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """How many clocks each list holds."""

    at_risk: int
    breached: int
    late_closed: int


def at_risk(session: Session, actor: Actor, now: datetime, cursor: str | None, limit: int) -> ClockPage:
    """Running, not yet due, half of the time or more gone; the nearest limit first."""
    after = _read(cursor)
    since = max(now, after[0] - _MILLISECOND) if after else now
    return _page(session, actor, now, _at_risk(now, since), after, limit)


def breached(session: Session, actor: Actor, now: datetime, cursor: str | None, limit: int) -> ClockPage:
    """Running and past the limit; the longest overdue first."""
    return _page(session, actor, now, _breached(now), _read(cursor), limit)


def late_closed(session: Session, actor: Actor, now: datetime, cursor: str | None, limit: int) -> ClockPage:
    """Ended after the limit; the newest limit first."""
    return _page(session, actor, now, _late_closed(), _read(cursor), limit, newest_first=True)


def totals(session: Session, actor: Actor, now: datetime) -> Totals:
    """The size of each list, with the same eyes."""
    return Totals(
        *(_count(session, actor, which) for which in (_at_risk(now, now), _breached(now), _late_closed()))
    )


def running_count(session: Session, actor: Actor) -> int:
    """How many clocks run."""
    return _count(session, actor, SlaClock.state == "running")


def breached_count(session: Session, actor: Actor, now: datetime) -> int:
    """How many clocks are past their limit and still running."""
    return _count(session, actor, _breached(now))


def _at_risk(now: datetime, due_after: datetime) -> ColumnElement[bool]:
    """Time used, not the level, so that the list is right between two sweeps too. Times are stored in milliseconds.

    `due_after` lets a later page begin where it has to in the index, instead of at `now`.
    """
    used = (now - _EPOCH) // _MILLISECOND - _millis(SlaClock.started_at)
    whole = _millis(SlaClock.due_at) - _millis(SlaClock.started_at)
    return and_(SlaClock.state == "running", SlaClock.due_at > due_after, 2 * used >= whole)


def _breached(now: datetime) -> ColumnElement[bool]:
    return and_(SlaClock.state == "running", SlaClock.due_at <= now)


def _late_closed() -> ColumnElement[bool]:
    return SlaClock.state == "breached"


def _millis(column: SQLColumnExpression[datetime]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)


def _visible(actor: Actor) -> ColumnElement[bool]:
    """A clock without an area is seen by everybody who sees clocks, as incidents are."""
    if not actor.can("view_sla"):
        return false()
    if not actor.areas or actor.roles & _EVERYWHERE:
        return true()
    return or_(SlaClock.area.in_(sorted(actor.areas)), SlaClock.area.is_(None))


def _count(session: Session, actor: Actor, which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(SlaClock).where(which, _visible(actor))) or 0


def _page(
    session: Session,
    actor: Actor,
    now: datetime,
    which: ColumnElement[bool],
    after: tuple[datetime, int] | None,
    limit: int,
    *,
    newest_first: bool = False,
) -> ClockPage:
    query = _page_query(which, _visible(actor), after, newest_first=newest_first)
    found = session.scalars(query.limit(limit + 1)).all()
    shown = found[:limit]
    orders = orders_of(session, shown)
    rows = [_row(clock, orders[clock.id], now) for clock in shown]
    return ClockPage(rows, _write(shown[-1]) if len(found) > limit else None)


def _page_query(
    which: ColumnElement[bool],
    visible: ColumnElement[bool],
    after: tuple[datetime, int] | None,
    *,
    newest_first: bool,
) -> Select[SlaClock]:
    """Keyed by (due_at, id), so that a page costs the same however far one reads."""
    query = select(SlaClock).where(which, visible)
    if after is not None:
        key = tuple_(SlaClock.due_at, SlaClock.id)
        query = query.where(key < after if newest_first else key > after)
    if newest_first:
        return query.order_by(SlaClock.due_at.desc(), SlaClock.id.desc())
    return query.order_by(SlaClock.due_at, SlaClock.id)


def _read(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    parts = _CURSOR.fullmatch(cursor)
    if parts is None:
        raise BadInput(detail="this cursor is not one of ours")
    return _EPOCH + _MILLISECOND * int(parts[1]), int(parts[2])


def _write(clock: SlaClock) -> str:
    return f"{(clock.due_at - _EPOCH) // _MILLISECOND}.{clock.id}"


def _row(clock: SlaClock, order: str, now: datetime) -> ClockRow:
    until = clock.ended_at or now
    return ClockRow(
        id=clock.id,
        order=order,
        subject=clock.subject,
        element=clock.element,
        label=clock.label,
        label_en=clock.label_en,
        area=clock.area,
        started_at=clock.started_at,
        due_at=clock.due_at,
        ended_at=clock.ended_at,
        percent_used=int(
            (until - clock.started_at) * 100 // max(clock.due_at - clock.started_at, _MILLISECOND)
        ),
        level=clock.level,
    )
