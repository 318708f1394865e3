"""What a new report belongs to: an open report of the line, a mass fault, planned work, or a fault of the last days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine.orders.model import ServiceOrder
from engine.orders.queries import add_note
from engine.orders.states import FINAL as ORDER_FINAL
from engine.tickets.children import attach
from engine.tickets.lifecycle import FINAL
from engine.tickets.model import MassFault, PlannedWork, TroubleTicket
from engine.tickets.spotting import look_around
from engine.tickets.telling import CHANGED, record_ticket, tell

REPEATED_WITHIN = timedelta(days=7)
OWN_HANDLING = "A"
"""The tier whose lines do not wait for a mass fault."""
_OVER = ("resolved", *FINAL)
RAISED = "high"


@dataclass(frozen=True, slots=True)
class Relation:
    """`kind`: none, merged, attached, repeat. `planned`: when the announced work ends."""

    kind: str
    related: str | None = None
    planned: datetime | None = None


def correlate(session: Session, ticket: TroubleTicket, tier: str, at: datetime, zone: ZoneInfo) -> Relation:
    """Finds the relation and writes it down on both sides; what was found before is found again.

    A report that stands alone is counted with its neighbours: enough of them, and a mass fault is proposed.
    """
    if ticket.relation is not None:
        return _known(session, ticket)
    found = _find(session, ticket, tier, at)
    ticket.relation, ticket.related_id, ticket.updated_at = found.kind, found.related, at
    record_ticket(
        session, "TicketCorrelated", ticket, at, "system", relation=found.kind, related=found.related
    )
    if found.kind == "repeat":
        ticket.priority = RAISED
        tell(session, ticket, CHANGED, at, field_path="priority")
    session.flush()
    if found.kind in ("none", "repeat") and tier != OWN_HANDLING:
        look_around(session, ticket, at, zone)
    return found


def _known(session: Session, ticket: TroubleTicket) -> Relation:
    work = session.get(PlannedWork, ticket.related_id) if ticket.related_id else None
    return Relation(str(ticket.relation), ticket.related_id, work.until_at if work else None)


def _find(session: Session, ticket: TroubleTicket, tier: str, at: datetime) -> Relation:
    earlier = _earlier(session, ticket, at)
    still_open = next((t for t in earlier if t.status not in _OVER), None)
    if still_open is not None:
        _merge(session, ticket, still_open, at)
        return Relation("merged", still_open.id)
    fault = open_fault_at(session, ticket.node, ticket.pon)
    if fault is not None and tier != OWN_HANDLING:
        attach(session, fault, ticket, at, "system")
        return Relation("attached", fault.id)
    work = work_at(session, ticket.node, ticket.pon, at)
    if work is not None:
        ticket.parent_id = work.id
        return Relation("attached", work.id, work.until_at)
    if earlier:
        return Relation("repeat", earlier[0].id)
    return Relation("none", fault.id if fault else _running_order(session, ticket))


def _earlier(session: Session, ticket: TroubleTicket, at: datetime) -> Sequence[TroubleTicket]:
    """Reports of the line that came before it, newest first: open ones, and those of the last days."""
    table = TroubleTicket
    before = or_(
        table.created_at < ticket.created_at,
        and_(table.created_at == ticket.created_at, table.id < ticket.id),
    )
    same_line = [table.line == ticket.line]
    if ticket.line_order is not None:
        same_line.append(table.line_order == ticket.line_order)
    recent = or_(table.status.not_in(_OVER), table.status_at > at - REPEATED_WITHIN)
    counts = table.relation.is_distinct_from("merged")
    query = select(table).where(or_(*same_line), before, recent, counts)
    real = table.status.not_in(("rejected", "cancelled"))
    return session.scalars(query.where(real).order_by(table.created_at.desc(), table.id.desc())).all()


def _merge(session: Session, ticket: TroubleTicket, known: TroubleTicket, at: datetime) -> None:
    """The report counts as an urge of the one that is open."""
    known.urges, known.updated_at = known.urges + 1, at
    order = session.get_one(ServiceOrder, known.id)
    text = f"{ticket.id}: {ticket.description}"
    add_note(session, order, text, at=at, actor="system")
    record_ticket(session, "TicketUrged", known, at, "system", by=ticket.id, urges=known.urges)


def open_fault_at(session: Session, node: str | None, pon: str | None) -> MassFault | None:
    """The open mass fault of a place: of its PON, else of the whole device. Its row is locked."""
    if node is None:
        return None
    query = select(MassFault).where(
        MassFault.state == "open", MassFault.node == node, MassFault.pon.in_(["", pon or ""])
    )
    nearest = query.order_by(MassFault.pon.desc()).limit(1).with_for_update(key_share=True)
    return session.scalars(nearest, execution_options={"populate_existing": True}).first()


def work_at(session: Session, node: str | None, pon: str | None, at: datetime) -> PlannedWork | None:
    """Announced work at a place that is going on; of several the one that ends last."""
    if node is None:
        return None
    table = PlannedWork
    query = select(table).where(
        table.state == "announced",
        table.node == node,
        table.pon.in_(["", pon or ""]),
        table.from_at <= at,
        table.until_at > at,
    )
    return session.scalars(query.order_by(table.until_at.desc())).first()


def _running_order(session: Session, ticket: TroubleTicket) -> str | None:
    order = session.get(ServiceOrder, ticket.line_order) if ticket.line_order else None
    return order.id if order is not None and order.state not in ORDER_FINAL else None
