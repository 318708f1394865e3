"""What the process of a mass fault does to its children: take them in, tell them, test them, let them go, close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.events import record
from engine.orders.model import OrderMilestone, ServiceOrder
from engine.orders.queries import add_note
from engine.runtime.kernel import waits_for
from engine.tickets import children
from engine.tickets.closing import check_cause
from engine.tickets.correlating import OWN_HANDLING
from engine.tickets.lifecycle import FINAL
from engine.tickets.mass_faults import locked
from engine.tickets.model import MassFault, MassFaultChild, TroubleTicket
from engine.tickets.telling import CHANGED, tell

UNTESTED = "UNTESTED"
_TOO_FAR = ("onSite", "restored")
"""Milestones after which a ticket is no longer taken in: somebody is at work on it already."""


def gather(session: Session, fault_id: str, at: datetime) -> int:
    """Takes in the open reports of its place that nobody is at yet, and says how many children it has."""
    fault = session.get_one(MassFault, fault_id)
    table = TroubleTicket
    there = select(table).where(
        table.node == fault.node,
        table.status.not_in(("resolved", *FINAL)),
        table.parent_id.is_(None),
        table.id.in_(select(ServiceOrder.id).where(ServiceOrder.tier != OWN_HANDLING)),
        table.id.not_in(select(OrderMilestone.order_id).where(OrderMilestone.name.in_(_TOO_FAR))),
    )
    if fault.pon:
        there = there.where(table.pon == fault.pon)
    for ticket in session.scalars(there.order_by(table.id).with_for_update()).all():
        if waits_for(session, children.JOIN, ticket.id):
            children.attach(session, fault, ticket, at, "system")
            children.send(session, children.JOIN, ticket.id, {"parent": fault.id}, at)
    return children.waiting(session, fault_id)


def spread(
    session: Session, fault_id: str, words: str, expected_at: datetime | None, at: datetime, zone: ZoneInfo
) -> int:
    """The customers of all children hear the same words and the same expected time; says how many they are."""
    found = _waiting(session, fault_id)
    until = f" ({expected_at.astimezone(zone):%Y-%m-%d %H:%M})" if expected_at else ""
    for ticket in found:
        order = session.get_one(ServiceOrder, ticket.id)
        add_note(session, order, f"{fault_id}: {words}{until}", at=at, actor="system")
        ticket.updated_at = at
        tell(session, ticket, CHANGED, at, field_path="note")
    fault = locked(session, fault_id)
    fault.told, fault.expected_at = words, expected_at
    record(
        session, "MassFaultTold", at=at, actor="system", business_key=fault_id, words=words, told=len(found)
    )
    return len(found)


def over(session: Session, fault_id: str, at: datetime) -> int:
    """The cause is gone: every child's line is to be tested by its own process. Says how many have to be."""
    fault = locked(session, fault_id)
    if fault.state == "open":
        fault.state, fault.restored_at = "restored", at
        record(session, "MassFaultRestored", at=at, actor="system", business_key=fault_id)
        session.flush()
        for ticket_id in _waiting_ids(session, fault_id):
            children.send(session, children.PARENT_OVER, ticket_id, {"parent": fault_id}, at)
    return children.waiting(session, fault_id)


def remind(session: Session, fault_id: str, at: datetime) -> int:
    """Asks once more for the tests that are missing."""
    found = _waiting_ids(session, fault_id)
    for ticket_id in found:
        if waits_for(session, children.PARENT_OVER, ticket_id):
            children.send(session, children.PARENT_OVER, ticket_id, {"parent": fault_id}, at)
    return len(found)


def close(session: Session, fault_id: str, cause: str, segment: str, at: datetime) -> dict[str, int]:
    """Ends it with its cause; never while a child has not been tested. Raises `Permanent`."""
    check_cause(session, cause, segment)
    fault = locked(session, fault_id)
    untested = children.waiting(session, fault_id)
    if untested:
        raise Permanent(UNTESTED, target="mass fault", detail=f"{untested} lines have not been tested")
    counts = {result: _count(session, fault_id, result) for result in ("good", "bad")}
    fault.state, fault.ended_at = "closed", fault.ended_at or at
    fault.cause_code, fault.segment = cause, segment.strip()
    record(
        session,
        "MassFaultClosed",
        at=at,
        actor="system",
        business_key=fault_id,
        cause=cause,
        segment=fault.segment,
        good=counts["good"],
        bad=counts["bad"],
    )
    return counts


def dissolve(session: Session, fault_id: str, at: datetime) -> int:
    """It was none: every child goes its own way again."""
    fault = locked(session, fault_id)
    found = _waiting_ids(session, fault_id)
    for ticket_id in found:
        children.send(session, children.LEAVE, ticket_id, {}, at)
    fault.state, fault.ended_at = "withdrawn", at
    record(session, "MassFaultWithdrawn", at=at, actor="system", business_key=fault_id, children=len(found))
    return len(found)


def _waiting_ids(session: Session, fault_id: str) -> Sequence[str]:
    table = MassFaultChild
    query = select(table.ticket_id).where(table.fault_id == fault_id, table.result == "waiting")
    return session.scalars(query.order_by(table.ticket_id)).all()


def _waiting(session: Session, fault_id: str) -> Sequence[TroubleTicket]:
    """The children that wait, with their orders, locked in one order."""
    ids = _waiting_ids(session, fault_id)
    orders = select(ServiceOrder).where(ServiceOrder.id.in_(ids)).order_by(ServiceOrder.id)
    session.scalars(orders.with_for_update(), execution_options={"populate_existing": True}).all()
    query = select(TroubleTicket).where(TroubleTicket.id.in_(ids)).order_by(TroubleTicket.id)
    return session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).all()


def _count(session: Session, fault_id: str, result: str) -> int:
    table = MassFaultChild
    query = select(table.ticket_id).where(table.fault_id == fault_id, table.result == result)
    return len(session.scalars(query).all())
