"""Reading mass faults: pages, and one with its children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.identity.actor import Actor
from engine.store.paging import read_mark, write_mark
from engine.tickets.mass_faults import OPEN
from engine.tickets.model import MassFault, MassFaultChild, TroubleTicket


@dataclass(frozen=True, slots=True)
class Counted:
    """A mass fault with how many of its children are in which state."""

    fault: MassFault
    children: Mapping[str, int]

    @property
    def total(self) -> int:
        """All tickets that belong, or belonged, to it."""
        return sum(self.children.values())


def mass_faults(
    session: Session, actor: Actor, *, state: str | None = None, after: str | None = None, limit: int = 50
) -> tuple[list[Counted], str | None]:
    """A page of those that the actor may see, newest first; `state` may be `current`: proposed, open or restored."""
    query = _visible(actor)
    if state == "current":
        query = query.where(MassFault.state.in_((*OPEN, "restored")))
    elif state:
        query = query.where(MassFault.state == state)
    if after:
        query = query.where(tuple_(MassFault.proposed_at, MassFault.id) < read_mark(after))
    ordered = query.order_by(MassFault.proposed_at.desc(), MassFault.id.desc())
    found = list(session.scalars(ordered.limit(limit + 1)))
    last = found[limit - 1] if len(found) > limit else None
    counted = _counted(session, found[:limit])
    return counted, write_mark(last.proposed_at, last.id) if last else None


def mass_fault(
    session: Session, actor: Actor, fault_id: str
) -> tuple[Counted, list[tuple[MassFaultChild, TroubleTicket]]]:
    """One, with its children in the order in which they joined. Raises `NotFound`."""
    found = session.scalars(_visible(actor).where(MassFault.id == fault_id)).one_or_none()
    if found is None:
        raise NotFound(what="mass fault", id=fault_id)
    query = (
        select(MassFaultChild, TroubleTicket)
        .join(TroubleTicket, TroubleTicket.id == MassFaultChild.ticket_id)
        .where(MassFaultChild.fault_id == fault_id)
        .order_by(MassFaultChild.joined_at, MassFaultChild.ticket_id)
    )
    rows = [(row[0], row[1]) for row in session.execute(query)]
    return _counted(session, [found])[0], rows


def _visible(actor: Actor) -> Select[MassFault]:
    """Those of the actor's areas; who sees all orders sees all of them."""
    query = select(MassFault)
    if not actor.areas or actor.can("view_all_orders"):
        return query
    return query.where(or_(MassFault.area.is_(None), MassFault.area.in_(sorted(actor.areas))))


def _counted(session: Session, faults: Sequence[MassFault]) -> list[Counted]:
    table = MassFaultChild
    query = select(table.fault_id, table.result, func.count()).where(
        table.fault_id.in_([fault.id for fault in faults])
    )
    counts: dict[str, dict[str, int]] = {}
    for fault_id, result, count in session.execute(query.group_by(table.fault_id, table.result)):
        counts.setdefault(fault_id, {})[result] = count
    return [Counted(fault, counts.get(fault.id, {})) for fault in faults]
