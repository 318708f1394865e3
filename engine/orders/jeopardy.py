"""Jeopardy: the order's sender is told when the promised date is in danger, and when it has passed.

A warning of the order's clock leaves a job, and the job writes the alert. So whoever fires warnings holds no order while
he holds clocks, and a step, which takes them the other way round, never waits for him.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.jobs import queue
from engine.jobs.queue import Claim
from engine.orders.callbacks import tell_of_order
from engine.orders.model import JeopardyAlert, ServiceOrder
from engine.orders.states import FINAL
from engine.store import Store

KIND = "jeopardy"
HAZARD_FROM, CRITICAL_FROM = 80, 100


def foresee(session: Session, order: str, percent: int, *, name: str, due_at: datetime, at: datetime) -> None:
    """Queues the alert for a warning of the order's clock; a low one is nobody's business outside."""
    if percent < HAZARD_FROM:
        return
    payload = {
        "order": order,
        "percent": percent,
        "name": name,
        "due_at": due_at.isoformat(),
        "at": at.isoformat(),
    }
    queue.enqueue(session, KIND, f"{KIND}:{order}:{percent}", payload, at)


class JeopardyJob:
    """Handler of the jobs that `foresee` queues."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def __call__(self, claim: Claim) -> None:
        """Writes the alert and tells those who listen, unless the order has ended meanwhile."""
        with self.store.write() as session:
            job = queue.held(session, claim)
            if job is None:
                return
            queue.finish(job, self.clock.now())
            query = select(ServiceOrder).where(ServiceOrder.id == claim.payload["order"]).with_for_update()
            order = session.scalars(query).one_or_none()
            if order is not None and order.state not in FINAL:
                _raise(session, order, claim)


def _raise(session: Session, order: ServiceOrder, claim: Claim) -> None:
    percent, at = int(claim.payload["percent"]), datetime.fromisoformat(claim.payload["at"])
    alert = JeopardyAlert(
        order_id=order.id,
        kind="Critical" if percent >= CRITICAL_FROM else "Hazard",
        percent=percent,
        name=claim.payload["name"],
        due_at=datetime.fromisoformat(claim.payload["due_at"]),
        at=at,
    )
    session.add(alert)
    session.flush()
    tell_of_order(session, order, "ServiceOrderJeopardyEvent", at, alert=alert.id)
