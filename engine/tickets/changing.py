"""What a sender may change of his ticket: some attributes; its status only as drawn, and only by asking its process."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from engine.errors import RuleViolation
from engine.orders.cancel import NotCancellable, request_cancel
from engine.orders.changing import OrderEnded
from engine.orders.lifecycle import TransitionForbidden
from engine.orders.model import ServiceOrder
from engine.orders.states import OrderStates
from engine.runtime.kernel import Kernel
from engine.tickets.lifecycle import FINAL, TICKET
from engine.tickets.model import TroubleTicket
from engine.tickets.telling import CHANGED, record_ticket, tell

ANSWER = "fault.answer"
CHANGEABLE: Mapping[str, str] = {
    "priority": "priority",
    "severity": "severity",
    "requestedResolutionDate": "wished_at",
}
"""Attributes by their columns."""


class StatusFollows(RuleViolation):
    """Ticket {ticket} is {status}; its status follows its process and cannot be set to {wanted}."""

    code = "ticket.status_follows"


def change(
    session: Session, ticket: TroubleTicket, wishes: Mapping[str, Any], *, at: datetime, actor: str
) -> None:
    """Writes attributes; what is so already is no change. Raises `OrderEnded`."""
    for name, wished in wishes.items():
        after = wished.astimezone(UTC) if isinstance(wished, datetime) else wished
        before = getattr(ticket, CHANGEABLE[name])
        if before == after:
            continue
        if ticket.status in FINAL:
            raise OrderEnded(order=ticket.id, state=ticket.status)
        setattr(ticket, CHANGEABLE[name], after)
        ticket.updated_at = at
        record_ticket(session, "TicketChanged", ticket, at, actor, attribute=name, before=before, after=after)
        tell(session, ticket, CHANGED, at, field_path=name)
    session.flush()


def wish_status(
    session: Session,
    ticket: TroubleTicket,
    order: ServiceOrder,
    wanted: str,
    kernel: Kernel,
    states: OrderStates,
    *,
    reason: str | None,
    at: datetime,
    zone: ZoneInfo,
    actor: str,
) -> None:
    """Puts the wish to the process: to withdraw the report, or the customer's word on the repair.

    Raises `TransitionForbidden` for what TMF621 does not draw, `StatusFollows` for what nobody outside decides.
    """
    before = ticket.status
    if wanted == before:
        return
    if not TICKET.draws(before, wanted):
        raise TransitionForbidden(what=TICKET.what, before=before, after=wanted)
    if wanted == "cancelled":
        wish = request_cancel(
            session, order, kernel, states, reason=reason, document={}, at=at, zone=zone, actor=actor
        )
        if wish.state == "terminatedWithError":
            raise NotCancellable(order=ticket.id, state=before)
        return
    values = {"confirmed": wanted == "closed", "text": reason or ""}
    asked = before == "resolved"
    if not asked or not kernel.correlate(session, ANSWER, order.id, values, at=at, actor=actor):
        raise StatusFollows(ticket=ticket.id, status=before, wanted=wanted)
