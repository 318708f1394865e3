"""Tickets in and out of a mass fault. Number and clock of a ticket stay its own, whatever it belongs to.

A mass fault may close when each of its children was tested, good or bad, or has left it for another reason. The last one
that was gives its process the message `mass_fault.tested`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.events import record
from engine.ids import new_id
from engine.jobs import queue
from engine.tickets.model import MassFault, MassFaultChild, TroubleTicket

TESTED = "mass_fault.tested"
JOIN, PARENT_OVER, LEAVE = "fault.join", "fault.parent_over", "fault.leave"


def attach(session: Session, fault: MassFault, ticket: TroubleTicket, at: datetime, actor: str) -> None:
    """The ticket belongs to the mass fault from now on; twice is once."""
    ticket.parent_id, ticket.updated_at = fault.id, at
    child = session.get(MassFaultChild, (fault.id, ticket.id))
    if child is None:
        session.add(MassFaultChild(fault_id=fault.id, ticket_id=ticket.id, result="waiting", joined_at=at))
    else:
        child.result, child.tested_at = "waiting", None
    record(session, "TicketJoined", at=at, actor=actor, business_key=ticket.id, mass_fault=fault.id)
    session.flush()


def detach(session: Session, ticket: TroubleTicket, at: datetime, actor: str) -> str | None:
    """The ticket goes its own way again; gives the mass fault or planned work that it left."""
    parent = ticket.parent_id
    if parent is None:
        return None
    fault = session.get(MassFault, parent)
    is_over = fault is not None and fault.state == "restored"
    settle(session, ticket, "bad" if is_over else "left", at, known=("waiting", "good"))
    ticket.parent_id, ticket.updated_at = None, at
    record(session, "TicketLeft", at=at, actor=actor, business_key=ticket.id, mass_fault=parent)
    session.flush()
    return parent


def settle(
    session: Session,
    ticket: TroubleTicket,
    result: str,
    at: datetime,
    known: tuple[str, ...] = ("waiting",),
) -> None:
    """What has become of a child whose result is one of `known`; the last one lets its mass fault go on."""
    if ticket.parent_id is None:
        return
    child = session.get(MassFaultChild, (ticket.parent_id, ticket.id), populate_existing=True)
    if child is None or child.result not in known:
        return
    child.result, child.tested_at = result, at
    session.flush()
    query = select(MassFault).where(MassFault.id == ticket.parent_id).with_for_update(key_share=True)
    fault = session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if fault is not None and fault.state == "restored" and not waiting(session, fault.id):
        send(session, TESTED, fault.id, {}, at)


def waiting(session: Session, fault_id: str) -> int:
    """How many children have not been tested."""
    table = MassFaultChild
    query = select(func.count()).where(table.fault_id == fault_id, table.result == "waiting")
    return session.scalar(query) or 0


def send(session: Session, message: str, key: str, values: dict[str, object], at: datetime) -> None:
    """A message to whoever waits for it, or will within some days; it goes with a job of its own."""
    payload = {"name": message, "key": key, "values": values, "source": None}
    queue.add(session, kind="message", key=f"message:{new_id('m')}", payload=payload, at=at)
