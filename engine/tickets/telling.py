"""Telling of tickets: an event of our own for the timeline, and TM Forum's for those who listen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.events import record
from engine.orders.callbacks import tell_of_order
from engine.orders.model import ServiceOrder
from engine.tickets.model import TroubleTicket

CREATED = "TroubleTicketCreateEvent"
CHANGED = "TroubleTicketAttributeValueChangeEvent"
STATUS = "TroubleTicketStatusChangeEvent"
RESOLVED = "TroubleTicketResolvedEvent"
ASKED = "TroubleTicketInformationRequiredEvent"


def tell(session: Session, ticket: TroubleTicket, kind: str, at: datetime, **facts: Any) -> None:
    """Queues a TMF621 event for the listeners of the ticket's sender; it tells of the status at this moment."""
    order = session.get_one(ServiceOrder, ticket.id)
    tell_of_order(session, order, kind, at, ticket_status=ticket.status, **facts)


def record_ticket(
    session: Session, kind: str, ticket: TroubleTicket, at: datetime, actor: str, **data: Any
) -> None:
    """A line of the ticket's timeline."""
    record(session, kind, at=at, actor=actor, business_key=ticket.id, **data)
