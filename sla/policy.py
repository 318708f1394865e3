"""Which limit holds for an order or a task, and when its deadlines fall. Policies are data; nothing here knows a number.

Calculation is in UTC and around the clock (24×7): a zone's change to summer time neither lengthens nor shortens a limit.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import case, literal, or_, select
from sqlalchemy.orm import Session

from sla.model import SlaPolicy


def choose(
    session: Session,
    subject: str,
    *,
    order_type: str | None,
    product: str | None,
    process: str | None,
    element: str | None,
    at: datetime,
) -> SlaPolicy | None:
    """The policy for a subject ("order" or "task") that begins at `at`; None where nothing is promised.

    An empty column of a policy means "any". The row that matches most columns wins; among equals the newest that is
    already valid.
    """
    wanted = (
        (SlaPolicy.order_type, order_type),
        (SlaPolicy.product, product),
        (SlaPolicy.process, process),
        (SlaPolicy.element, element),
    )
    matches = sum((case((column.is_not(None), 1), else_=0) for column, _ in wanted), literal(0))
    return session.scalars(
        select(SlaPolicy)
        .where(SlaPolicy.subject == subject, SlaPolicy.valid_from <= at)
        .where(*(or_(column.is_(None), column == value) for column, value in wanted))
        .order_by(matches.desc(), SlaPolicy.valid_from.desc(), SlaPolicy.id.desc())
        .limit(1)
    ).first()


def plan(policy: SlaPolicy, started_at: datetime) -> tuple[datetime, list[tuple[int, datetime]]]:
    """When the limit ends, and (percent, time) of each rung, lowest first."""
    start = started_at.astimezone(UTC)
    limit = timedelta(minutes=policy.limit_minutes)
    rungs = [(percent, start + limit * percent / 100) for percent in sorted(set(policy.rungs))]
    return start + limit, rungs
