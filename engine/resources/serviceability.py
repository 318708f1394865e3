"""What a CRM asks before the sale: which networks reach an address, how fast, and a port held for half an hour.

Reads our own rows only, so it answers while the network's inventory is down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import RuleViolation
from engine.events import record
from engine.resources import holdings
from engine.resources.candidates import Candidate, candidates
from engine.resources.holdings import Wish
from engine.resources.model import Building, Resource
from engine.resources.places import find_building


class NothingToHold(RuleViolation):
    """No free port of ours reaches this address with this speed; there is nothing to hold."""

    code = "serviceability.nothing_to_hold"


@dataclass(frozen=True, slots=True)
class Serviceability:
    """The building that was found, and its networks, best first."""

    building: Building | None
    networks: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class Hold:
    """A port that nobody else gets until then. An order names `id` to have it."""

    id: str
    until: datetime
    candidate: Candidate


def serviceability(
    session: Session, address: str, area: str | None = None, speed_mbps: int = 0
) -> Serviceability:
    """Networks with a free port and at least this speed; no building means that none of that name is known."""
    building = find_building(session, address, area)
    found = candidates(session, building.id if building is not None else None)
    return Serviceability(building, [c for c in found if c.is_open and c.top_speed_mbps >= speed_mbps])


def find_hold(session: Session, key: str) -> Resource | None:
    """The port that an earlier request with this key holds, if it still does."""
    query = select(Resource).where(
        Resource.kind == "port", Resource.state == "held", Resource.taken_by == key
    )
    return session.scalars(query).first()


def claim_hold(session: Session, number: str, holder: str, at: datetime) -> None:
    """An order that names a hold owns it from now on; its reservation will take that port."""
    for row in holdings.held_by(session, number):
        if row.state == "held":
            holdings.move(session, row, "held", Wish(holder, at, row.slot, row.taken_by), row.held_until, at)


def hold(
    session: Session, found: Serviceability, number: str, key: str | None, at: datetime, actor: str
) -> Hold:
    """Holds a port on our best network. Raises `NothingToHold`."""
    until = at + timedelta(minutes=holdings.rule_of(session, "port").hold_minutes)
    for candidate in found.networks:
        row = holdings.pick(session, "port", candidate.node) if candidate.node else None
        if row is not None and holdings.move(session, row, "held", Wish(number, at, "", key), until, at):
            record(
                session,
                "PortHeld",
                at=at,
                actor=actor,
                business_key=number,
                node=row.place,
                port=row.name,
                until=until.isoformat(),
            )
            return Hold(number, until, candidate)
    raise NothingToHold()
