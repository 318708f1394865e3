"""Mass faults (群障): proposed by the product or opened by a person; what happens to them happens in their process.

Rows are locked in the order ticket, then mass fault, everywhere: a step of a ticket and a step of its mass fault never
wait for each other in a ring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.deploy.definitions import active_version
from engine.errors import BadInput, NotFound, RuleViolation
from engine.events import record
from engine.identity import inbox, telling
from engine.orders.numbering import next_number
from engine.resources.model import NetworkNode
from engine.runtime.kernel import Kernel, waits_for
from engine.tickets.children import LEAVE, send
from engine.tickets.model import MassFault, MassFaultChild, TroubleTicket

PREFIX, PROCESS = "GF", "mass_fault"
WITHDRAW = "mass_fault.withdraw"
OPEN = ("proposed", "open")
DECIDES = "NC"


class UnknownPlace(BadInput):
    """{field}: {place} is no device of ours, or has no such PON."""

    code = "mass_fault.place"


class MassFaultExists(RuleViolation):
    """{place} has the mass fault {fault} already."""

    code = "mass_fault.exists"


class MassFaultState(RuleViolation):
    """Mass fault {fault} is {state}; this is no longer possible."""

    code = "mass_fault.state"


class NotItsChild(RuleViolation):
    """Ticket {ticket} does not wait for mass fault {fault}."""

    code = "mass_fault.no_child"


@dataclass(frozen=True, slots=True)
class Place:
    """A device of ours, or one of its PONs."""

    node: str
    pon: str
    area: str | None

    def __str__(self) -> str:
        return f"{self.node} {self.pon}".strip()


def place_of(session: Session, node: str, pon: str = "") -> Place:
    """The place. Raises `UnknownPlace`."""
    found = session.get(NetworkNode, node)
    if found is None:
        raise UnknownPlace(field="node", place=node)
    frame, _, number = pon.partition("/")
    is_pon = frame.isdigit() and number.isdigit() and 1 <= int(number) <= found.pon_ports
    if pon and not is_pon:
        raise UnknownPlace(field="pon", place=f"{node} {pon}")
    return Place(node, pon, found.area_id)


def known_at(session: Session, place: Place) -> MassFault | None:
    """The mass fault of exactly this place that is proposed or open."""
    query = select(MassFault).where(
        MassFault.node == place.node, MassFault.pon == place.pon, MassFault.state.in_(OPEN)
    )
    return session.scalars(query).first()


def propose(
    session: Session,
    place: Place,
    *,
    origin: str,
    description: str,
    at: datetime,
    zone: ZoneInfo,
    actor: str = "system",
    alarm_id: int | None = None,
) -> MassFault:
    """A row that a person has to look at; the one that is there already stays the only one."""
    known = known_at(session, place)
    if known is not None:
        return known
    fault = MassFault(
        id=next_number(session, PREFIX, at, zone),
        state="proposed",
        node=place.node,
        pon=place.pon,
        area=place.area,
        origin=origin,
        description=description,
        alarm_id=alarm_id,
        proposed_at=at,
    )
    try:
        with session.begin_nested():
            session.add(fault)
    except IntegrityError:  # somebody else noticed it at the same moment
        there = known_at(session, place)
        if there is None:
            raise
        return there
    record(
        session,
        "MassFaultProposed",
        at=at,
        actor=actor,
        business_key=fault.id,
        place=str(place),
        origin=origin,
    )
    if origin != "desk":
        _ask_to_decide(session, fault, at)
    return fault


def _ask_to_decide(session: Session, fault: MassFault, at: datetime) -> None:
    """The network centre of the area finds it in its inbox."""
    place = place_text(fault)
    facts = {
        "mass_fault": fault.id,
        "text": f"{place} 疑似群障 {fault.id}，请确认",
        "text_en": f"{place} may be a mass fault, {fault.id}: confirm or dismiss it",
    }
    people = telling.people_of(session, DECIDES, fault.area)
    inbox.tell(session, people, f"mass_fault:{fault.id}", telling.KIND, "warn", facts, at)


def open_at(
    session: Session,
    place: Place,
    kernel: Kernel,
    *,
    description: str,
    at: datetime,
    zone: ZoneInfo,
    actor: str,
) -> MassFault:
    """A person knows that it is one. Raises `MassFaultExists`."""
    known = known_at(session, place)
    if known is not None:
        raise MassFaultExists(place=str(place), fault=known.id)
    fault = propose(session, place, origin="desk", description=description, at=at, zone=zone, actor=actor)
    return confirm(session, fault.id, kernel, at=at, actor=actor)


def confirm(session: Session, fault_id: str, kernel: Kernel, *, at: datetime, actor: str) -> MassFault:
    """Opens what was proposed, and starts its process. Raises `NotFound`, `MassFaultState`."""
    fault = _in_state(session, fault_id, "proposed")
    version = active_version(session, PROCESS)
    row = kernel.start(session, version.id, fault.id, _values(fault), at=at, actor=actor, advance=False)
    fault.state, fault.opened_at, fault.opened_by, fault.instance_id = "open", at, actor, row.id
    record(session, "MassFaultOpened", at=at, actor=actor, business_key=fault.id, place=place_text(fault))
    session.flush()
    return fault


def dismiss(session: Session, fault_id: str, *, at: datetime, actor: str) -> MassFault:
    """What was proposed is none. Raises `NotFound`, `MassFaultState`."""
    fault = _in_state(session, fault_id, "proposed")
    fault.state, fault.ended_at = "dismissed", at
    record(session, "MassFaultDismissed", at=at, actor=actor, business_key=fault.id)
    session.flush()
    return fault


def withdraw(session: Session, fault_id: str, kernel: Kernel, *, at: datetime, actor: str) -> MassFault:
    """It was opened by mistake: its process lets the children go. Raises `MassFaultState` when it is too late."""
    fault = session.get(MassFault, fault_id)
    if fault is None:
        raise NotFound(what="mass fault", id=fault_id)
    if fault.state == "open" and fault.instance_id is not None:
        kernel.advance(session, fault.instance_id, at=at, actor=actor)
    if not waits_for(session, WITHDRAW, fault_id):
        raise MassFaultState(fault=fault_id, state=fault.state)
    kernel.correlate(session, WITHDRAW, fault_id, {}, at=at, actor=actor)
    return session.get_one(MassFault, fault_id, populate_existing=True)


def let_go(session: Session, fault_id: str, ticket_id: str, *, at: datetime) -> None:
    """A person takes a ticket out: its process hears of it and leaves. Raises `NotItsChild`."""
    ticket = session.get(TroubleTicket, ticket_id)
    child = session.get(MassFaultChild, (fault_id, ticket_id))
    if ticket is None or child is None or ticket.parent_id != fault_id:
        raise NotItsChild(ticket=ticket_id, fault=fault_id)
    send(session, LEAVE, ticket_id, {}, at)


def locked(session: Session, fault_id: str) -> MassFault:
    """The mass fault as it is now. Raises `NotFound`."""
    query = select(MassFault).where(MassFault.id == fault_id).with_for_update(key_share=True)
    found = session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        raise NotFound(what="mass fault", id=fault_id)
    return found


def place_text(fault: MassFault) -> str:
    """Its place in one text."""
    return f"{fault.node} {fault.pon}".strip()


def _in_state(session: Session, fault_id: str, state: str) -> MassFault:
    fault = locked(session, fault_id)
    if fault.state != state:
        raise MassFaultState(fault=fault.id, state=fault.state)
    return fault


def _values(fault: MassFault) -> Mapping[str, Any]:
    """What its process begins with."""
    return {
        "fault": fault.id,
        "node": fault.node,
        "pon": fault.pon,
        "area": fault.area,
        "description": fault.description,
        "origin": fault.origin,
        "alarm": fault.alarm_id,
        "crew": None,
    }
