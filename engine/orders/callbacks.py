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

EVENT_TYPES = frozenset(
    {
        "ServiceOrderCreateEvent",
        "ServiceOrderStateChangeEvent",
        "ServiceOrderAttributeValueChangeEvent",
        "ServiceOrderMilestoneEvent",
        "ServiceOrderJeopardyEvent",
        "ServiceOrderInformationRequiredEvent",
        "CancelServiceOrderCreateEvent",
        "CancelServiceOrderStateChangeEvent",
    }
)
TICKET_EVENT_TYPES = frozenset(
    {
        "TroubleTicketCreateEvent",
        "TroubleTicketStatusChangeEvent",
        "TroubleTicketAttributeValueChangeEvent",
        "TroubleTicketResolvedEvent",
        "TroubleTicketInformationRequiredEvent",
    }
)
ORDERS, TICKETS = "serviceOrdering", "troubleTicket"
_KNOWN = {ORDERS: EVENT_TYPES, TICKETS: TICKET_EVENT_TYPES}
"""What the listeners of each interface can hear."""
_LOOK_BACK = 50


class BadCallback(BadInput):
    """{field}: {detail}."""

    code = "hub.field"


def subscribe(
    session: Session,
    callback: str,
    query: str | None,
    *,
    owner: str,
    hosts: Sequence[str],
    at: datetime,
    api: str = ORDERS,
) -> HubSubscription:
    """A new listener. Raises `BadCallback` for an address that we may not call, or a filter that we do not know."""
    parts = urlsplit(callback)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadCallback(field="callback", detail="it must be an http or https address")
    if parts.hostname not in hosts:
        raise BadCallback(
            field="callback", detail=f"calls to {parts.hostname} are not allowed (KAITONG_CALLBACK_HOSTS)"
        )
    _event_types(query, api)
    row = HubSubscription(
        id=new_id("hub"), callback=callback, query=query, api=api, owner=owner, created_at=at
    )
    session.add(row)
    session.flush()
    return row


def unsubscribe(session: Session, subscription_id: str, owner: str, api: str = ORDERS) -> None:
    """Removes one's own listener. Raises `NotFound`."""
    row = session.get(HubSubscription, subscription_id)
    if row is None or row.owner != owner or row.api != api:
        raise NotFound(what="hub subscription", id=subscription_id)
    session.delete(row)


def announce(session: Session, order: ServiceOrder, event_type: str, at: datetime, **facts: Any) -> None:
    """Queues a call-back for each listener of the order's source. The job holds what was true at this moment.

    The caller has counted the order's version up: each event has a version of its own. `facts` are for the event's text.
    """
    _queue(session, order, event_type, at, _listeners(session, order, event_type), facts)


def tell_of_order(session: Session, order: ServiceOrder, event_type: str, at: datetime, **facts: Any) -> None:
    """As `announce`, for what is no change of state: the version counts up only where somebody listens."""
    found = _listeners(session, order, event_type)
    if found:
        order.version += 1
        _queue(session, order, event_type, at, found, facts)


def _listeners(session: Session, order: ServiceOrder, event_type: str) -> list[HubSubscription]:
    """A ticket is an order too, but only listeners to tickets hear of it."""
    api = TICKETS if order.order_type == "TT" else ORDERS
    if event_type not in _KNOWN[api]:
        return []
    query = select(HubSubscription).where(HubSubscription.owner == order.source, HubSubscription.api == api)
    return [row for row in session.scalars(query) if event_type in _event_types(row.query, api)]


def _queue(
    session: Session,
    order: ServiceOrder,
    event_type: str,
    at: datetime,
    listeners: Sequence[HubSubscription],
    facts: Mapping[str, Any],
) -> None:
    event_id = f"{order.id}:{order.version}:{event_type}"
    for subscription in listeners:
        payload = {
            "callback": subscription.callback,
            "subscription": subscription.id,
            "event_id": event_id,
            "event_type": event_type,
            "order": order.id,
            "state": order.state,
            "at": at.isoformat(),
            **facts,
        }
        enqueue(session, "callback", _key(subscription.id, order.id, order.version), payload, at)


def _key(subscription: str, order: str, version: int) -> str:
    return f"callback:{subscription}:{order}:{version}"


def awaited(session: Session, payload: Mapping[str, Any]) -> datetime | None:
    """When an earlier event of the same order for the same listener is due that has not been told yet, if there is one."""
    order, version, _ = str(payload["event_id"]).split(":")
    earlier = range(max(1, int(version) - _LOOK_BACK), int(version))
    keys = [_key(payload["subscription"], order, n) for n in earlier]
    query = select(func.max(Job.due_at)).where(Job.key.in_(keys), Job.state.in_(("ready", "running")))
    return session.scalar(query)


def _event_types(query: str | None, api: str) -> frozenset[str]:
    """Event types that a filter such as `eventType=A&eventType=B` lets through."""
    types = _KNOWN[api]
    if not query:
        return types
    pairs = parse_qsl(query, keep_blank_values=True)
    wrong = [k for k, v in pairs if k != "eventType" or v not in types]
    if wrong or not pairs:
        known = ", ".join(sorted(types))
        raise BadCallback(field="query", detail=f"only eventType with one of {known} is understood")
    return frozenset(v for _, v in pairs)
