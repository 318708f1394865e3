"""Comparing open orders with a partner's list of them, once a day: what differs is told by events, nothing is changed.

An order that has changed in the last minutes is passed over: a message about it may be on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.events import record
from engine.jobs.model import Job
from engine.jobs.queue import enqueue
from engine.partners.model import PartnerOrder
from engine.partners.states import FINAL

KIND = "compare"
FROM_HOUR = 6
"""By the site's clock; later if nobody was awake then."""
SETTLING = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Difference:
    """`ours` or `theirs` None: that side does not have it as an open order, or not at all."""

    order: str
    what: Literal["missing_there", "unknown_here", "closed_here", "state"]
    ours: str | None
    theirs: str | None


def due(session: Session, now: datetime, zone: ZoneInfo) -> list[str]:
    """Partners whose orders have not been compared today."""
    if now.astimezone(zone).hour < FROM_HOUR:
        return []
    partners = session.scalars(select(PartnerOrder.partner).distinct().order_by(PartnerOrder.partner)).all()
    keys = {_key(partner, now, zone): partner for partner in partners}
    known = set(session.scalars(select(Job.key).where(Job.key.in_(keys))))
    return [partner for key, partner in keys.items() if key not in known]


def queue_comparisons(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """A job for each partner that is due; says how many."""
    found = due(session, now, zone)
    for partner in found:
        enqueue(session, KIND, _key(partner, now, zone), {"partner": partner}, now)
    return len(found)


def compare(
    session: Session, partner: str, listed: Iterable[Mapping[str, str]], at: datetime
) -> Sequence[Difference]:
    """Compares our rows with the partner's list, and records what differs."""
    theirs = {one["order"]: one["state"] for one in listed}
    open_here = select(PartnerOrder).where(PartnerOrder.partner == partner, PartnerOrder.state.not_in(FINAL))
    rows = {row.id: row for row in session.scalars(open_here)}
    others = select(PartnerOrder).where(PartnerOrder.partner == partner, PartnerOrder.id.in_(theirs))
    rows |= {row.id: row for row in session.scalars(others)}
    fresh = {row.id for row in rows.values() if row.changed_at > at - SETTLING}
    found = differences({row.id: row.state for row in rows.values()}, theirs)
    found = [one for one in found if one.order not in fresh]
    for one in found:
        _record(session, partner, one, rows.get(one.order), at)
    record(
        session,
        "PartnerOrdersCompared",
        at=at,
        actor="system",
        partner=partner,
        ours=sum(row.state not in FINAL for row in rows.values()),
        theirs=len(theirs),
        differences=len(found),
    )
    return found


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[Difference]:
    """`ours` are all that matter, ended ones too; `theirs` are open there. What was never sent need not be there."""
    found = []
    for order in sorted({*ours, *theirs}):
        here, there = ours.get(order), theirs.get(order)
        if there is None and here is not None and here not in FINAL and here != "opened":
            found.append(Difference(order, "missing_there", here, None))
        elif there is not None and here is None:
            found.append(Difference(order, "unknown_here", None, there))
        elif there is not None and here in FINAL:
            found.append(Difference(order, "closed_here", here, there))
        elif there is not None and here != there:
            found.append(Difference(order, "state", here, there))
    return found


def _key(partner: str, now: datetime, zone: ZoneInfo) -> str:
    return f"{KIND}:{partner}:{now.astimezone(zone):%Y%m%d}"


def _record(session: Session, partner: str, one: Difference, row: PartnerOrder | None, at: datetime) -> None:
    record(
        session,
        "PartnerOrderDiffers",
        at=at,
        actor="system",
        business_key=None if row is None else row.business_key,
        instance_id=None if row is None else row.instance_id,
        partner_order=one.order[:200],
        partner=partner,
        what=one.what,
        ours=one.ours,
        theirs=one.theirs,
    )
