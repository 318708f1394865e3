"""Changing single attributes of an order on its way: what its sender wished, not what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.errors import RuleViolation
from engine.events import record
from engine.orders.callbacks import tell_of_order
from engine.orders.model import ServiceOrder
from engine.orders.states import FINAL

CHANGEABLE = ("requestedStartDate", "requestedCompletionDate", "priority")


class OrderEnded(RuleViolation):
    """Order {order} is {state}; it can no longer be changed."""

    code = "order.ended"


def change(
    session: Session, order: ServiceOrder, wishes: Mapping[str, Any], *, at: datetime, actor: str
) -> None:
    """Writes attributes of the document; None takes one away. The caller holds the order's row.

    What is so already is no change. Raises `OrderEnded`.
    """
    before = {name: order.document.get(name) for name in wishes}
    changed = {name: value for name, value in wishes.items() if before[name] != value}
    if not changed:
        return
    if order.state in FINAL:
        raise OrderEnded(order=order.id, state=order.state)
    kept = {name: value for name, value in order.document.items() if name not in changed}
    order.document = kept | {name: value for name, value in changed.items() if value is not None}
    for name, after in changed.items():
        record(
            session,
            "OrderChanged",
            at=at,
            actor=actor,
            business_key=order.id,
            attribute=name,
            before=before[name],
            after=after,
        )
        tell_of_order(session, order, "ServiceOrderAttributeValueChangeEvent", at, field_path=name)
    session.flush()
