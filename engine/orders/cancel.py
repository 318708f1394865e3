"""Cancelling an order: the process decides. Its message event says until when; past it the wish is refused.

An event that interrupts grants the wish at once; one that does not has heard it, and the process answers later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from engine.errors import RuleViolation
from engine.events import record
from engine.orders.callbacks import tell_of_order
from engine.orders.model import CancelRequest, ServiceOrder
from engine.orders.numbering import next_number
from engine.orders.states import CANCELLING, FINAL, OrderStates, follow, state_of_order
from engine.runtime.kernel import Kernel, waits_for
from engine.runtime.lock import lock_instance

MESSAGE = "order.cancel"
_TOO_LATE = "The order has passed the point up to which it can be cancelled."


class NotCancellable(RuleViolation):
    """Order {order} is {state}; it can no longer be cancelled."""

    code = "order.not_cancellable"


def request_cancel(
    session: Session,
    order: ServiceOrder,
    kernel: Kernel,
    states: OrderStates,
    *,
    reason: str | None,
    document: Mapping[str, Any],
    at: datetime,
    zone: ZoneInfo,
    actor: str,
) -> CancelRequest:
    """Records the wish and puts it to the process. Raises `NotCancellable` for an order that has ended or is at it."""
    if order.state in FINAL or order.state in CANCELLING:
        raise NotCancellable(order=order.id, state=order.state)
    before = order.state
    request = CancelRequest(
        id=next_number(session, "CX", at, zone),
        order_id=order.id,
        state="acknowledged",
        reason=reason,
        document=dict(document),
        requested_at=at,
    )
    session.add(request)
    session.flush()
    order.state_before_cancel = before
    record(session, "CancelRequested", at=at, actor=actor, business_key=order.id, reason=reason)
    facts = {"cancel": request.id, "cancel_state": request.state}
    tell_of_order(session, order, "CancelServiceOrderCreateEvent", at, **facts)
    states.move(session, order, "assessingCancellation", at=at, actor=actor)
    follow(session, order, request, "inProgress", at)
    keys = _running(session, order, kernel, at, actor)
    is_caught = _caught(session, kernel, keys, reason, at, actor, undone=_undone(order))
    if order.state in FINAL or request.ended_at is not None:  # it ended, or was answered, while it was asked
        return request
    if not is_caught:
        refuse(session, order, request, states, _TOO_LATE, at=at, actor=actor)
        return request
    keys += _give_up_redoing(session, order)
    if not any(waits_for(session, MESSAGE, k) for k in keys):
        grant(session, order, states, at=at, actor=actor)
        if all(item.state in FINAL for item in order.items):  # what was done had been undone already
            end = state_of_order([item.state for item in order.items], order.state)
            states.move(session, order, end, at=at, actor=actor)
    return request


def _undone(order: ServiceOrder) -> bool:
    """Whether an item is being undone anyway, to do it otherwise."""
    return any(item.redo is not None for item in order.items)


def _give_up_redoing(session: Session, order: ServiceOrder) -> list[str]:
    """Items that are being undone to do them otherwise only have to stay undone; the keys of those that are at it."""
    keys = []
    for item in order.items:
        if item.redo is None:
            continue
        item.redo = None
        row = lock_instance(session, item.instance_id or 0)
        if row is None or row.state != "active":
            item.state = "cancelled"
        else:
            keys.append(row.business_key)
    return keys


def grant(session: Session, order: ServiceOrder, states: OrderStates, *, at: datetime, actor: str) -> None:
    """From now on everything is taken back."""
    states.move(session, order, "pendingCancellation", at=at, actor=actor)


def refuse(
    session: Session,
    order: ServiceOrder,
    request: CancelRequest,
    states: OrderStates,
    why: str,
    *,
    at: datetime,
    actor: str,
) -> None:
    """The order goes on as its items stand."""
    request.ended_at = at
    request.message = why
    follow(session, order, request, "terminatedWithError", at)
    now = state_of_order([item.state for item in order.items], order.state_before_cancel or "inProgress")
    states.move(session, order, now, at=at, actor=actor)


def _running(session: Session, order: ServiceOrder, kernel: Kernel, at: datetime, actor: str) -> list[str]:
    """The business keys of its unfinished items."""
    keys = []
    for item in order.items:
        if item.redo is None and item.state not in FINAL and item.instance_id is not None:
            kernel.advance(
                session, item.instance_id, at=at, actor=actor
            )  # it may not have made its first step yet
            row = lock_instance(session, item.instance_id)
            if row is not None and row.state == "active":
                keys.append(row.business_key)
    return keys


def _caught(
    session: Session,
    kernel: Kernel,
    keys: Sequence[str],
    reason: str | None,
    at: datetime,
    actor: str,
    *,
    undone: bool,
) -> bool:
    """Whether every item's process took the message. It is sent to all or to none: no order is half cancelled."""
    if not all(waits_for(session, MESSAGE, k) for k in keys):
        return False
    caught = [
        kernel.correlate(session, MESSAGE, k, {"cancel_reason": reason}, at=at, actor=actor) for k in keys
    ]
    return all(caught) if caught else undone
