"""Which limit holds for an order or a task, and when its deadlines fall. Policies are data; nothing here knows a number.

Calculation is in UTC and around the clock (24×7): a zone's change to summer time neither lengthens nor shortens a limit.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import bindparam, case, literal, or_, select
from sqlalchemy.orm import Session

from engine.store.base import table_of
from engine.store.prepared import Prepared
from sla.model import SlaPolicy


class Policy(Protocol):
    """What a policy says: an `SlaPolicy`, or a row of its table that no session follows."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...
    @property
    def limit_minutes(self) -> int: ...
    @property
    def rungs(self) -> list[int]: ...


_policy = table_of(SlaPolicy)
_NARROW = ("order_type", "product", "process", "element", "tier", "area")
_AROUND_THE_CLOCK = "C24"
_MATCHES = sum((case((_policy.c[n].is_not(None), 1), else_=0) for n in _NARROW), literal(0))
_CHOOSE = Prepared(
    select(_policy)
    .where(_policy.c.subject == bindparam("of"), _policy.c.valid_from <= bindparam("at"))
    .where(_policy.c.calendar == _AROUND_THE_CLOCK)
    .where(*(or_(_policy.c[n].is_(None), _policy.c[n] == bindparam(f"its_{n}")) for n in _NARROW))
    .order_by(_MATCHES.desc(), _policy.c.valid_from.desc(), _policy.c.id.desc())
    .limit(1)
)


def choose(
    session: Session,
    subject: str,
    *,
    order_type: str | None,
    product: str | None,
    process: str | None,
    element: str | None,
    at: datetime,
    tier: str | None = None,
    area: str | None = None,
) -> Policy | None:
    """The policy for a subject ("order" or "task") that begins at `at`; None where nothing is promised.

    An empty column of a policy means "any". The row that matches most columns wins; among equals the newest that is
    already valid. Policies of other calendars than C24 are passed over: no promise is better than a wrong one.
    """
    narrow = {"its_order_type": order_type, "its_product": product}
    narrow |= {"its_process": process, "its_element": element, "its_tier": tier, "its_area": area}
    found: Policy | None = _CHOOSE.first(session, of=subject, at=at, **narrow)
    return found


def plan(policy: Policy, started_at: datetime) -> tuple[datetime, list[tuple[int, datetime]]]:
    """When the limit ends, and (percent, time) of each rung, lowest first."""
    start = started_at.astimezone(UTC)
    limit = timedelta(minutes=policy.limit_minutes)
    rungs = [(percent, start + limit * percent / 100) for percent in sorted(set(policy.rungs))]
    return start + limit, rungs
