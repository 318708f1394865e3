"""What must be known before a ticket is closed: the cause by its code, the segment, and whose time it was."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.masterdata.model import ReasonCode
from engine.tickets.model import TroubleTicket
from engine.tickets.telling import CHANGED, record_ticket, tell

OWNERS = ("us", "crew", "partner", "customer", "third_party", "network", "force_majeure")
UNKNOWN_CAUSE, VAGUE = "UNKNOWN_CAUSE", "VAGUE"
_SHORTEST = 2
_SHORTEST_TEXT = 4
_SAYS_NOTHING = frozenset(
    {
        "处理完毕",
        "已经处理",
        "处理好了",
        "已修复好",
        "已经修复",
        "已经恢复",
        "恢复正常",
        "一切正常",
        "fixed",
        "done",
        "solved",
        "repaired",
    }
)
"""Conclusions that tell neither a cause nor what was done."""


def check_cause(session: Session, code: str, segment: str) -> None:
    """Raises `Permanent` for a code that is no cause of faults, and for a text that says nothing."""
    row = session.get(ReasonCode, code)
    if row is None or row.family != "F" or not row.active:
        raise Permanent(UNKNOWN_CAUSE, target="ticket", detail=f"{code} is no cause of a fault")
    if len(segment.strip()) < _SHORTEST:
        raise Permanent(VAGUE, target="ticket", detail="the segment says nothing")


def check_text(text: str) -> None:
    """Raises `Permanent` for a conclusion that says nothing; none at all is none."""
    said = text.strip().strip("。.!！").casefold()
    if text.strip() and (len(said) < _SHORTEST_TEXT or said in _SAYS_NOTHING):
        raise Permanent(VAGUE, target="ticket", detail="the conclusion says nothing")


def close(
    session: Session,
    ticket: TroubleTicket,
    cause: str,
    segment: str,
    owner: str,
    at: datetime,
    text: str = "",
) -> None:
    """Writes them down, with what was said beside it; its status follows the end of its process. Raises `Permanent`."""
    check_cause(session, cause, segment)
    check_text(text)
    if owner not in OWNERS:
        raise Permanent(VAGUE, target="ticket", detail=f"whose time: one of {', '.join(OWNERS)}")
    ticket.cause_code, ticket.segment, ticket.time_owner = cause, segment.strip(), owner
    ticket.updated_at = at
    record_ticket(
        session,
        "TicketExplained",
        ticket,
        at,
        "system",
        cause=cause,
        segment=segment.strip(),
        owner=owner,
        text=text,
    )
    tell(session, ticket, CHANGED, at, field_path="cause")
