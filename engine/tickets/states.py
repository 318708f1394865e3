"""The status of tickets follows the steps of their process, and their mass fault follows them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.orders.model import ServiceOrder
from engine.orders.progress import ASKS, asking
from engine.ports import Step
from engine.tickets.children import settle
from engine.tickets.lifecycle import FINAL, RESTORED, TICKET, wanted_status
from engine.tickets.model import TroubleTicket
from engine.tickets.telling import ASKED, RESOLVED, STATUS, record_ticket, tell

PREFIX = "TT-"


class TicketStates:
    """Follows steps of instances of TT orders; comes after `OrderStates`, whose word it needs."""

    def on_step(self, session: Session, step: Step) -> None:
        """Derives the status, tells of it, and of questions that wait for the sender."""
        if step.order_id is None or not step.order_id.startswith(PREFIX):
            return
        ticket = locked(session, step.order_id)
        if ticket is None:
            return
        order = session.get_one(ServiceOrder, ticket.id)
        if RESTORED in step.milestones:
            ticket.restored_at = step.at
        status = wanted_status(order.state, ticket.status, step.milestones)
        reason = _reason(ticket, order) if status in FINAL else None
        self.move(session, ticket, status, at=step.at, actor=step.actor, reason=reason)
        for task in asking(step):
            tell(session, ticket, ASKED, step.at, field_path=task.attributes[ASKS][:200])

    def move(
        self,
        session: Session,
        ticket: TroubleTicket,
        status: str,
        *,
        at: datetime,
        actor: str,
        reason: str | None = None,
    ) -> None:
        """Puts a ticket into a status, through those that lie between. Raises `TransitionForbidden`."""
        for passed in TICKET.way(ticket.status, status):
            _enter(session, ticket, passed, at, actor, reason if passed == status else None)


def _reason(ticket: TroubleTicket, order: ServiceOrder) -> str | None:
    """Why a ticket ended, where it was not the usual way."""
    merged = ticket.relation == "merged" and order.state == "cancelled"
    return f"duplicates {ticket.related_id}" if merged else order.error_code


def locked(session: Session, ticket_id: str) -> TroubleTicket | None:
    """The ticket as it is now; nobody else changes it meanwhile."""
    query = select(TroubleTicket).where(TroubleTicket.id == ticket_id).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one_or_none()


def _enter(
    session: Session, ticket: TroubleTicket, status: str, at: datetime, actor: str, reason: str | None
) -> None:
    record_ticket(session, "TicketStatusChanged", ticket, at, actor, before=ticket.status, after=status)
    ticket.status, ticket.status_at, ticket.updated_at = status, at, at
    ticket.status_reason = reason
    ticket.changes = [*ticket.changes, change(status, at, reason)]
    if status == "resolved" and ticket.restored_at is None:
        ticket.restored_at = at
    session.flush()
    tell(session, ticket, STATUS, at)
    if status == "resolved":
        tell(session, ticket, RESOLVED, at)
        settle(session, ticket, "good", at)
    elif status in FINAL:
        settle(session, ticket, "ended", at)


def change(status: str, at: datetime, reason: str | None) -> dict[str, str]:
    """A line of the history of statuses."""
    line = {"status": status, "at": at.isoformat()}
    return line | {"reason": reason} if reason else line
