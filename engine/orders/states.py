"""States of items and orders, derived from their process instances; and who is told of a change."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, selectinload

from engine.events import record
from engine.orders.callbacks import announce, tell_of_order
from engine.orders.lifecycle import CANCELLATION, ORDER
from engine.orders.model import CancelRequest, OrderItem, ServiceOrder
from engine.orders.progress import ask, asking, follow_questions, keep_milestones
from engine.orders.restarting import queue_restart
from engine.ports import OrderListener, Step
from engine.store.base import table_of
from engine.store.prepared import Prepared

FINAL = ORDER.final
CANCELLING = frozenset({"assessingCancellation", "pendingCancellation"})


def state_of_item(step: Step, before: str, is_asking: bool = False) -> str:
    """Where an item stands after a step of its instance; `is_asking`: it waits for what only its sender can say."""
    if step.end is not None:
        return step.end.state
    if step.open_incidents:
        return "held"
    if is_asking:
        return "pending"
    if step.is_held:
        return "held"
    return before if step.started else "inProgress"


def state_of_order(items: Collection[str], before: str) -> str:
    """The order's state from its items' states; a cancellation under way hides what goes on below it."""
    kinds = set(items)
    if kinds <= FINAL:
        return kinds.pop() if len(kinds) == 1 else "partial"
    if before in CANCELLING:
        return before
    for state in ("held", "pending", "inProgress"):
        if state in items:
            return state
    return "inProgress" if any(s in FINAL for s in items) else "acknowledged"


def _matters(step: Step, known: str) -> bool:
    """Whether a step can change an item in this state, or tell its sender something."""
    if step.end is not None or step.milestones or asking(step):
        return True
    return bool(step.closed and known in _WAITING) or state_of_item(step, known) != known


_WAITING = frozenset({"pending", "held"})
_item = table_of(OrderItem).c
_ITEM = Prepared(select(_item.state).where(_item.instance_id == bindparam("instance")))


class OrderStates:
    """Follows the steps of instances that belong to an order."""

    def __init__(self, listeners: Sequence[OrderListener]) -> None:
        self.listeners = tuple(listeners)

    def on_step(self, session: Session, step: Step) -> None:
        """Derives the item, then its order; most steps change neither."""
        if step.order_id is None:
            return
        known = _ITEM.value(session, instance=step.instance_id)
        if known is None or not _matters(step, known):
            return
        item = session.scalars(select(OrderItem).where(OrderItem.instance_id == step.instance_id)).one()
        order = _locked(session, item.order_id)
        may_ask = known in _WAITING or bool(asking(step))
        is_asking = may_ask and follow_questions(session, order, item, step)
        item.state = _begins_again(session, item, step) or state_of_item(step, known, is_asking)
        if item.redo is None and step.end is not None and step.end.state in ("failed", "rejected"):
            order.error_code, order.error_message = step.end.code, step.end.message
        keep_milestones(session, order, item, step)
        states = [i.state for i in order.items]
        self.move(session, order, state_of_order(states, order.state), at=step.at, actor=step.actor)
        ask(session, order, step)

    def move(self, session: Session, order: ServiceOrder, state: str, *, at: datetime, actor: str) -> None:
        """Puts an order into a state and tells everybody; the state it is in already changes nothing.

        States that lie between are passed and told, so that nobody sees a change that TMF641 does not know. Raises
        `TransitionForbidden`.
        """
        for passed in ORDER.way(order.state, state):
            self._enter(session, order, passed, at=at, actor=actor)

    def _enter(self, session: Session, order: ServiceOrder, state: str, *, at: datetime, actor: str) -> None:
        record(
            session,
            "OrderStateChanged",
            at=at,
            actor=actor,
            business_key=order.id,
            before=order.state,
            after=state,
        )
        order.state, order.version = state, order.version + 1
        if order.started_at is None and state == "inProgress":
            order.started_at = at
        announce(session, order, "ServiceOrderStateChangeEvent", at)
        if state in FINAL:
            order.ended_at = at
            _end_cancellation(session, order, at)
            for listener in self.listeners:
                listener.on_order_ended(session, order, at)


def _begins_again(session: Session, item: OrderItem, step: Step) -> str | None:
    """The state of an item that was undone to do it otherwise; None for every other."""
    if item.redo is None or step.end is None:
        return None
    if step.end.state != "cancelled":  # it had come to another end
        item.redo = None
        return None
    queue_restart(session, step)
    return "inProgress"


def _locked(session: Session, order_id: str) -> ServiceOrder:
    """The order with its items as they are now: items of one order end in different transactions at the same time."""
    query = select(ServiceOrder).where(ServiceOrder.id == order_id).with_for_update()
    fresh = query.options(selectinload(ServiceOrder.items)).execution_options(populate_existing=True)
    return session.scalars(fresh).one()


def _end_cancellation(session: Session, order: ServiceOrder, at: datetime) -> None:
    query = select(CancelRequest).where(CancelRequest.order_id == order.id, CancelRequest.ended_at.is_(None))
    for request in session.scalars(query):
        request.ended_at = at
        is_done = order.state == "cancelled"
        if not is_done:
            request.message = f"The order ended as {order.state} before it could be cancelled."
        follow(session, order, request, "done" if is_done else "terminatedWithError", at)


def follow(session: Session, order: ServiceOrder, request: CancelRequest, state: str, at: datetime) -> None:
    """Puts a wish to cancel into a state, and tells those who listen. Raises `TransitionForbidden`."""
    for passed in CANCELLATION.way(request.state, state):
        request.state = passed
        facts = {"cancel": request.id, "cancel_state": passed}
        tell_of_order(session, order, "CancelServiceOrderStateChangeEvent", at, **facts)
