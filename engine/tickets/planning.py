"""Planned work (割接): announced long enough ahead, it answers the reports of its lines while it goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound, RuleViolation
from engine.events import record
from engine.orders.numbering import next_number
from engine.tickets.mass_faults import Place
from engine.tickets.model import PlannedWork

PREFIX = "PW"
AHEAD = timedelta(hours=72)


class WorkTooSoon(RuleViolation):
    """Planned work is announced {hours} hours ahead; for what cannot wait open a mass fault."""

    code = "planned_work.too_soon"


class WorkWindow(RuleViolation):
    """The work ends before it begins."""

    code = "planned_work.window"


def announce_work(
    session: Session,
    place: Place,
    description: str,
    window: tuple[datetime, datetime],
    *,
    at: datetime,
    zone: ZoneInfo,
    actor: str,
) -> PlannedWork:
    """The work, announced. Raises `WorkTooSoon`, `WorkWindow`."""
    begins, ends = window
    if ends <= begins:
        raise WorkWindow()
    if begins < at + AHEAD:
        raise WorkTooSoon(hours=int(AHEAD.total_seconds() // 3600))
    work = PlannedWork(
        id=next_number(session, PREFIX, at, zone),
        state="announced",
        node=place.node,
        pon=place.pon,
        description=description,
        from_at=begins,
        until_at=ends,
        announced_at=at,
        announced_by=actor,
    )
    session.add(work)
    session.flush()
    record(session, "WorkAnnounced", at=at, actor=actor, business_key=work.id, place=str(place))
    return work


def withdraw_work(session: Session, work_id: str, *, at: datetime, actor: str) -> PlannedWork:
    """The work does not take place; twice is once. Raises `NotFound`."""
    work = session.get(PlannedWork, work_id)
    if work is None:
        raise NotFound(what="planned work", id=work_id)
    if work.state != "withdrawn":
        work.state = "withdrawn"
        record(session, "WorkWithdrawn", at=at, actor=actor, business_key=work.id)
        session.flush()
    return work


def works(session: Session, since: datetime, limit: int = 200) -> list[PlannedWork]:
    """Announced work that has not ended before, the next first."""
    query = select(PlannedWork).where(PlannedWork.state == "announced", PlannedWork.until_at > since)
    return list(session.scalars(query.order_by(PlannedWork.from_at, PlannedWork.id).limit(limit)))
