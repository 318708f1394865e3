"""Urging and answering for pages and interfaces: one transaction, and whoever sent the order is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import g

from engine.errors import NotFound
from engine.orders import urging
from engine.orders.callbacks import tell_of_order
from engine.orders.model import OrderUrge, ServiceOrder
from engine.orders.queries import add_note, order_for_change
from tasks.columns import TASK_COLUMNS
from web.i18n import local_time
from web.services import services

NOTES_CHANGED = "ServiceOrderAttributeValueChangeEvent"


def urge(session: Any, order: ServiceOrder, text: str | None) -> OrderUrge:
    """Urges in the caller's transaction, which holds the order."""
    me = services()
    return urging.urge(session, order, me.desk, me.kernel, text=text, at=me.clock.now(), actor=g.actor.login)


def urge_order(session: Any, order_id: str, text: str | None) -> tuple[OrderUrge, ServiceOrder]:
    """The urge and its order. Raises `NotFound`, `OrderEnded`."""
    order = order_for_change(session, g.actor, order_id, TASK_COLUMNS)
    return urge(session, order, text), order


def answer_urge(
    session: Any, order_id: str, number: int, promised_at: datetime, text: str | None
) -> tuple[OrderUrge, ServiceOrder]:
    """The holder promises a time; the order gets a note of it, which its sender is told of."""
    me = services()
    at = me.clock.now()
    order = order_for_change(session, g.actor, order_id, TASK_COLUMNS)
    found = next((one for one in urging.urges_of(session, order_id) if one.number == number), None)
    if found is None:
        raise NotFound(what="urge", id=f"{order_id} {number}")
    was_open = found.answered_at is None
    urging.answer(session, order, found, me.desk, g.actor, promised_at=promised_at, text=text, at=at)
    if was_open:
        words = f"催单 {number} 答复 / answer to urge {number}: {local_time(promised_at, me.settings.zone)}"
        add_note(session, order, f"{words} {text or ''}".strip(), at=at, actor=g.actor.login)
        tell_of_order(session, order, NOTES_CHANGED, at, field_path="note")
    return found, order
