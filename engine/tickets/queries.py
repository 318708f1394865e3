"""Reading tickets: pages and single ones, within what the reader may see of orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session, selectinload

from engine.errors import NotFound
from engine.identity.actor import Actor
from engine.identity.scope import TaskColumns, visible_orders
from engine.orders.model import ServiceOrder
from engine.orders.queries import COLUMNS
from engine.store.paging import read_mark, write_mark
from engine.tickets.model import TroubleTicket


@dataclass(frozen=True, slots=True)
class TicketPage:
    """What was found, how many match in all, and the mark to read on from."""

    tickets: Sequence[tuple[TroubleTicket, ServiceOrder]]
    total: int
    after: str | None


def _visible(actor: Actor, tasks: TaskColumns) -> Select[TroubleTicket, ServiceOrder]:
    query = select(TroubleTicket, ServiceOrder).join(ServiceOrder, ServiceOrder.id == TroubleTicket.id)
    return visible_orders(query, actor, COLUMNS, tasks)


def get_ticket(
    session: Session, actor: Actor, ticket_id: str, tasks: TaskColumns
) -> tuple[TroubleTicket, ServiceOrder]:
    """One ticket and its order. Raises `NotFound`."""
    found = session.execute(_visible(actor, tasks).where(TroubleTicket.id == ticket_id)).one_or_none()
    if found is None:
        raise NotFound(what="trouble ticket", id=ticket_id)
    return found[0], found[1]


def tickets(
    session: Session,
    actor: Actor,
    tasks: TaskColumns,
    *,
    where: Mapping[str, Any],
    after: str | None,
    offset: int,
    limit: int,
) -> TicketPage:
    """A page, newest first. `where` names columns of the ticket, or of its order where the ticket has none."""
    query = _visible(actor, tasks)
    for name, value in where.items():
        column = getattr(TroubleTicket, name, None)
        query = query.where((getattr(ServiceOrder, name) if column is None else column) == value)
    counted = query.with_only_columns(TroubleTicket.id).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    if after:
        query = query.where(tuple_(TroubleTicket.created_at, TroubleTicket.id) < read_mark(after))
    ordered = query.order_by(TroubleTicket.created_at.desc(), TroubleTicket.id.desc())
    loaded = ordered.options(selectinload(ServiceOrder.notes), selectinload(ServiceOrder.questions))
    rows = session.execute(loaded.offset(offset).limit(limit + 1)).all()
    found = [(row[0], row[1]) for row in rows[:limit]]
    last = found[-1][0] if len(rows) > limit else None
    return TicketPage(found, total, write_mark(last.created_at, last.id) if last else None)


def find_ticket(session: Session, order_id: str) -> TroubleTicket | None:
    """The ticket beside an order that the caller has found; None for an order that is no report."""
    return session.get(TroubleTicket, order_id)
