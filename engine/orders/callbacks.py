"""Listeners of orders: subscriptions, and one job per listener and event, written with the change it tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import BadInput, NotFound
from engine.ids import new_id
from engine.jobs.model import Job
from engine.jobs.queue import enqueue
from engine.orders.model import HubSubscription, ServiceOrder

EVENT_TYPES = frozenset({"ServiceOrderCreateEvent", "ServiceOrderStateChangeEvent"})
_LOOK_BACK = 50


class BadCallback(BadInput):
    """{field}: {detail}."""

    code = "hub.field"


def subscribe(
    session: Session, callback: str, query: str | None, *, owner: str, hosts: Sequence[str], at: datetime
) -> HubSubscription:
    """A new listener. Raises `BadCallback` for an address that we may not call, or a filter that we do not know."""
    parts = urlsplit(callback)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadCallback(field="callback", detail="it must be an http or https address")
    if parts.hostname not in hosts:
        raise BadCallback(
            field="callback", detail=f"calls to {parts.hostname} are not allowed (KAITONG_CALLBACK_HOSTS)"
        )
    _event_types(query)
    row = HubSubscription(id=new_id("hub"), callback=callback, query=query, owner=owner, created_at=at)
    session.add(row)
    session.flush()
    return row


def unsubscribe(session: Session, subscription_id: str, owner: str) -> None:
    """Removes one's own listener. Raises `NotFound`."""
    row = session.get(HubSubscription, subscription_id)
    if row is None or row.owner != owner:
        raise NotFound(what="hub subscription", id=subscription_id)
    session.delete(row)


def announce(session: Session, order: ServiceOrder, event_type: str, at: datetime) -> None:
    """Queues a call-back for each listener of the order's source. The job holds what was true at this moment."""
    query = select(HubSubscription).where(HubSubscription.owner == order.source)
    for subscription in session.scalars(query):
        if event_type not in _event_types(subscription.query):
            continue
        event_id = f"{order.id}:{order.version}:{event_type}"
        payload = {
            "callback": subscription.callback,
            "subscription": subscription.id,
            "event_id": event_id,
            "event_type": event_type,
            "order": order.id,
            "state": order.state,
            "at": at.isoformat(),
        }
        enqueue(session, "callback", f"callback:{subscription.id}:{event_id}", payload, at)


def awaited(session: Session, payload: Mapping[str, Any]) -> datetime | None:
    """When an earlier event of the same order for the same listener is due that has not been told yet, if there is one."""
    order, version, _ = str(payload["event_id"]).split(":")
    earlier = range(max(1, int(version) - _LOOK_BACK), int(version))
    keys = [f"callback:{payload['subscription']}:{order}:{n}:{kind}" for n in earlier for kind in EVENT_TYPES]
    query = select(func.max(Job.due_at)).where(Job.key.in_(keys), Job.state.in_(("ready", "running")))
    return session.scalar(query)


def _event_types(query: str | None) -> frozenset[str]:
    """Event types that a filter such as `eventType=A&eventType=B` lets through."""
    if not query:
        return EVENT_TYPES
    pairs = parse_qsl(query, keep_blank_values=True)
    wrong = [k for k, v in pairs if k != "eventType" or v not in EVENT_TYPES]
    if wrong or not pairs:
        known = ", ".join(sorted(EVENT_TYPES))
        raise BadCallback(field="query", detail=f"only eventType with one of {known} is understood")
    return frozenset(v for _, v in pairs)
