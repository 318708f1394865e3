"""An item whose instance was undone to do it otherwise begins again: a new instance goes on under the same number."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.events import record
from engine.jobs import queue
from engine.jobs.queue import Claim
from engine.orders.model import OrderItem, ServiceOrder
from engine.ports import Step
from engine.resources.serviceability import claim_hold
from engine.runtime.kernel import Kernel
from engine.store import Store

KIND = "restart"


def queue_restart(session: Session, step: Step) -> None:
    """A job for the item whose instance has just ended."""
    queue.add(
        session,
        kind=KIND,
        key=f"{KIND}:{step.instance_id}",
        payload={"key": step.business_key},
        at=step.at,
        instance_id=step.instance_id,
    )


class RestartJob:
    """The handler of these jobs."""

    def __init__(self, store: Store, clock: Clock, kernel: Kernel) -> None:
        self.store, self.clock, self.kernel = store, clock, kernel

    def __call__(self, claim: Claim) -> None:
        """Starts the new instance, unless the order was cancelled meanwhile."""
        self.store.run(lambda session: self._start(session, claim))

    def _start(self, session: Session, claim: Claim) -> None:
        job, now = queue.held(session, claim), self.clock.now()
        if job is None:
            return
        queue.finish(job, now)
        item = session.scalars(select(OrderItem).where(OrderItem.instance_id == claim.instance_id)).one()
        locked = select(ServiceOrder).where(ServiceOrder.id == item.order_id).with_for_update()
        order = session.scalars(locked.execution_options(populate_existing=True)).one()
        session.refresh(item)
        if item.redo is None:
            return
        key = str(claim.payload["key"])
        wished, item.redo = item.redo, None
        if wished["hold"]:
            claim_hold(session, wished["hold"], key, now)
        row = self.kernel.start(
            session,
            wished["definition"],
            key,
            wished["values"],
            at=now,
            actor="system",
            advance=False,
            order_id=order.id,
            follows=claim.instance_id,
        )
        item.instance_id, item.product = row.id, wished["product"]
        record(
            session,
            "ItemRestarted",
            at=now,
            actor="system",
            business_key=order.id,
            instance_id=row.id,
            item=item.item_id,
        )
