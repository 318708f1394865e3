"""Noticing that many lines of one device fail at once: then a mass fault is proposed, and a person decides."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import BadInput
from engine.tickets.lifecycle import FINAL
from engine.tickets.mass_faults import place_of, propose
from engine.tickets.model import TroubleTicket

WITHIN = timedelta(minutes=15)
LINES_OF_PON, LINES_OF_NODE = 5, 10


def look_around(session: Session, ticket: TroubleTicket, at: datetime, zone: ZoneInfo) -> str | None:
    """The mass fault that is proposed for the neighbours of a report, if there are enough of them."""
    if ticket.node is None:
        return None
    for pon, needed in ((ticket.pon, LINES_OF_PON), ("", LINES_OF_NODE)):
        lines = _lines(session, ticket.node, pon, at) if pon is not None else 0
        if lines >= needed:
            return _propose(session, ticket.node, pon or "", lines, at, zone)
    return None


def _lines(session: Session, node: str, pon: str, at: datetime) -> int:
    """Lines of a place with a report of these minutes that stands alone so far."""
    table = TroubleTicket
    query = select(func.count(table.line.distinct())).where(
        table.node == node,
        table.created_at > at - WITHIN,
        table.status.not_in(FINAL),
        table.relation.in_(("none", "repeat")),
        table.parent_id.is_(None),
    )
    return session.scalar(query.where(table.pon == pon) if pon else query) or 0


def _propose(session: Session, node: str, pon: str, lines: int, at: datetime, zone: ZoneInfo) -> str | None:
    try:
        place = place_of(session, node, pon)
    except BadInput:  # a device that the register does not know
        return None
    text = f"{lines} lines of {place} within {WITHIN.seconds // 60} minutes"
    return propose(session, place, origin="tickets", description=text, at=at, zone=zone).id
