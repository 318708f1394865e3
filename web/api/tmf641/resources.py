"""How orders and wishes to cancel them look on the wire. Also read outside requests, by the call-backs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.identity.actor import Actor
from engine.orders.model import CancelRequest, JeopardyAlert, OrderItem, OrderMilestone, ServiceOrder
from web.api.times import stamp

BASE = "/tmf-api/serviceOrdering/v4"
OURS = frozenset(
    {
        "id",
        "href",
        "externalId",
        "state",
        "orderDate",
        "startDate",
        "completionDate",
        "expectedCompletionDate",
        "cancellationDate",
        "cancellationReason",
        "note",
        "serviceOrderItem",
        "errorMessage",
        "milestone",
        "jeopardyAlert",
        "@type",
    }
)
"""Attributes that only we write: what a sender put there is not shown again."""
_DEEPEST = 12
_TASK_STATES = {"acknowledged": "accepted"}


def order_href(order_id: str) -> str:
    """Where an order is."""
    return f"{BASE}/serviceOrder/{order_id}"


def order_resource(order: ServiceOrder, actor: Actor, state: str | None = None) -> dict[str, Any]:
    """An order with everything that its sender wrote; without his words for those who may not see customer data."""
    sees_all = actor.can("see_customer_data")
    document = order.document if sees_all else {}
    state = state or order.state
    ours = {
        "id": order.id,
        "href": order_href(order.id),
        "externalId": order.external_id,
        "state": state,
        "orderDate": stamp(order.placed_at),
        "startDate": stamp(order.started_at),
        "expectedCompletionDate": stamp(order.expected_at),
        "completionDate": stamp(order.ended_at) if state == "completed" else None,
        "cancellationDate": stamp(order.ended_at) if state == "cancelled" else None,
        "serviceOrderItem": _items(order.items, document),
        "note": _notes(order),
        "errorMessage": [*_errors(order), *_questions(order)],
        "milestone": [_milestone(reached) for reached in order.milestones],
        "jeopardyAlert": [_alert(alert) for alert in order.alerts],
        "@type": "ServiceOrder",
    }
    theirs = {k: v for k, v in document.items() if k not in OURS and v is not None}
    return {k: v for k, v in ours.items() if v is not None and v != []} | _parties(theirs)


def _items(items: Sequence[OrderItem], document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Items as they came, in their order, with our identifiers and states."""
    given = document.get("serviceOrderItem", [])
    found = []
    for item in items:
        theirs = given[item.position] if item.position < len(given) else {}
        found.append(
            {"service": {"serviceSpecification": {"id": item.product}}}
            | theirs
            | {"id": item.item_id, "action": item.action, "state": item.state, "@type": "ServiceOrderItem"}
        )
    return found


def _notes(order: ServiceOrder) -> list[dict[str, Any]]:
    return [
        {"id": str(n.id), "author": n.author, "date": stamp(n.at), "text": n.text, "@type": "Note"}
        for n in order.notes
    ]


def _milestone(reached: OrderMilestone) -> dict[str, Any]:
    return {
        "id": str(reached.id),
        "name": reached.name,
        "status": "completed",
        "milestoneDate": stamp(reached.at),
        "serviceOrderItem": [_item_reference(reached.order_id, reached.item_id)],
        "@type": "ServiceOrderMilestone",
    }


def _alert(alert: JeopardyAlert) -> dict[str, Any]:
    is_over = alert.kind == "Critical"
    limit = stamp(alert.due_at)
    return {
        "id": str(alert.id),
        "name": alert.name,
        "jeopardyType": alert.kind,
        "alertDate": stamp(alert.at),
        "exception": f"{alert.percent} % of the time that was promised",
        "message": f"The limit {limit} has passed." if is_over else f"The limit {limit} is in danger.",
        "@type": "ServiceOrderJeopardyAlert",
    }


def _item_reference(order_id: str, item_id: str) -> dict[str, Any]:
    return {
        "id": item_id,
        "itemId": item_id,
        "serviceOrderId": order_id,
        "serviceOrderHref": order_href(order_id),
        "@referredType": "ServiceOrderItem",
    }


def _questions(order: ServiceOrder) -> list[dict[str, Any]]:
    """What the order waits for, while it does."""
    return [
        {
            "code": "informationRequired",
            "reason": "Information required",
            "message": question.field,
            "timestamp": stamp(question.asked_at),
            "serviceOrderItem": [_item_reference(order.id, question.item_id)],
            "@type": "ServiceOrderErrorMessage",
        }
        for question in order.questions
        if question.ended_at is None
    ]


def _errors(order: ServiceOrder) -> list[dict[str, Any]]:
    if order.error_code is None and order.error_message is None:
        return []
    message = {
        "code": order.error_code,
        "reason": order.error_code,
        "message": order.error_message,
        "timestamp": stamp(order.ended_at),
        "@type": "ServiceOrderErrorMessage",
    }
    return [{k: v for k, v in message.items() if v is not None}]


def _parties(theirs: dict[str, Any]) -> dict[str, Any]:
    """References to parties name their type, which many senders leave out and the description demands."""
    if "relatedParty" not in theirs:
        return theirs
    filled = [
        {"@type": "RelatedParty", "@referredType": p.get("@type") or "Party"} | p | {"id": str(p["id"])}
        for p in theirs["relatedParty"]
    ]
    return theirs | {"relatedParty": filled}


def cancel_href(request_id: str) -> str:
    """Where a wish to cancel is."""
    return f"{BASE}/cancelServiceOrder/{request_id}"


def cancel_resource(request: CancelRequest, actor: Actor, state: str | None = None) -> dict[str, Any]:
    """A wish to cancel an order, and what became of it."""
    document = request.document if actor.can("see_customer_data") else {}
    state = state or request.state
    done, refused = state == "done", state == "terminatedWithError"
    ours = {
        "id": request.id,
        "href": cancel_href(request.id),
        "state": _TASK_STATES.get(state, state),
        "serviceOrder": {
            "id": request.order_id,
            "href": order_href(request.order_id),
            "@type": "ServiceOrderRef",
            "@referredType": "ServiceOrder",
        },
        "cancellationReason": request.reason,
        "requestedCancellationDate": stamp(request.requested_at),
        "effectiveCancellationDate": stamp(request.ended_at) if done else None,
        "errorMessage": _refusal(request) if refused else None,
        "completionMessage": None,
        "@type": "CancelServiceOrder",
    }
    theirs = {k: v for k, v in document.items() if k not in ours and v is not None}
    return {k: v for k, v in ours.items() if v is not None} | theirs


def _refusal(request: CancelRequest) -> dict[str, Any]:
    return {
        "code": "order.not_cancellable",
        "reason": "The order cannot be cancelled",
        "message": request.message,
        "@type": "ErrorMessage",
    }


def chosen(resource: Mapping[str, Any], fields: str | None) -> Mapping[str, Any]:
    """Only the attributes that `fields` names, `a.b` inside `a`; with id and href unless it names id itself."""
    wanted = [name for name in (part.strip() for part in (fields or "").split(",")) if name]
    if not wanted:
        return resource
    if "id" not in wanted:
        wanted = ["id", "href", *wanted]
    tree: dict[str, Any] = {}
    for name in wanted:
        _plant(tree, name.split(".", _DEEPEST))
    return _cut(resource, tree)


def _plant(tree: dict[str, Any], path: Sequence[str]) -> None:
    """None below a name means all of it, and stays so."""
    head, rest = path[0], path[1:]
    if not rest:
        tree[head] = None
    elif tree.setdefault(head, {}) is not None:
        _plant(tree[head], rest)


def _cut(value: Any, tree: dict[str, Any] | None) -> Any:
    if tree is None:
        return value
    if isinstance(value, list):
        return [_cut(one, tree) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {name: _cut(value[name], below) for name, below in tree.items() if name in value}
