"""Orders: looking at them, their timeline, remarks, cancelling. They are placed through TMF641."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.events import Event
from engine.identity.actor import Actor
from engine.orders import queries
from engine.orders.cancel import request_cancel
from engine.orders.model import CancelRequest, OrderNote, ServiceOrder
from tasks.columns import TASK_COLUMNS
from web.api import masking
from web.api.reading import loaded, number, only_parameters, text, time_cursor
from web.api.times import stamp
from web.api.v1 import shapes
from web.api.v1.route import Parameter, Route, listing, page_parameters
from web.auth import allow
from web.services import services

_CANCELLATION, _NOTE = shapes.Cancellation(), shapes.NewNote()
_TOLD_TO_MACHINES = frozenset(
    {
        "OrderPlaced",
        "OrderStateChanged",
        "OrderChanged",
        "MilestoneReached",
        "OrderNoted",
        "CancelRequested",
        "CancelAnswered",
        "OrderUrged",
        "UrgeAnswered",
        "OrderAmended",
        "ItemRestarted",
        "AmendmentRefused",
    }
)
"""What an ordering system reads of a timeline: nothing of our people and machines."""


@allow("view_orders")
def list_orders() -> ResponseReturnValue:
    """Orders within sight, newest first."""
    only_parameters("state", "q", "external_id", "after", "limit")
    with services().store.read() as session:
        found, following = queries.orders(
            session,
            g.actor,
            TASK_COLUMNS,
            state=text("state"),
            text=text("q"),
            external_id=text("external_id"),
            after=time_cursor(),
            limit=number("limit", 50, least=1, most=200),
        )
        return jsonify(listing([order_json(o, g.actor) for o in found], following))


@allow("view_orders")
def show_order(order_id: str) -> ResponseReturnValue:
    """One order with its items and remarks."""
    with services().store.read() as session:
        return jsonify(order_json(queries.get_order(session, g.actor, order_id, TASK_COLUMNS), g.actor))


@allow("view_orders")
def show_timeline(order_id: str) -> ResponseReturnValue:
    """What happened to an order, newest first."""
    with services().store.read() as session:
        order = queries.get_order(session, g.actor, order_id, TASK_COLUMNS)
        events = queries.events_of(session, order)
        if g.actor.roles <= {"CRM"}:
            return jsonify(listing([_told(e) for e in events if e.kind in _TOLD_TO_MACHINES], None))
        return jsonify(listing([_event_json(e) for e in events], None))


@allow("cancel_order")
def cancel_order(order_id: str) -> ResponseReturnValue:
    """Puts the wish to cancel to the order's process; `cancel_request.state` says what became of it."""
    me, at = services(), services().clock.now()
    wish = loaded(_CANCELLATION)
    with me.store.write() as session:
        order = queries.order_for_change(session, g.actor, order_id, TASK_COLUMNS)
        made = request_cancel(
            session,
            order,
            me.kernel,
            me.states,
            reason=wish["reason"],
            document={},
            at=at,
            zone=me.settings.zone,
            actor=g.actor.login,
        )
        answer = {"cancel_request": _cancel_json(made), "order": order_json(order, g.actor)}
    return jsonify(answer)


@allow("note_order")
def note_order(order_id: str) -> ResponseReturnValue:
    """Appends a remark; none is ever changed or removed."""
    me, at = services(), services().clock.now()
    words = loaded(_NOTE)["text"]
    with me.store.write() as session:
        order = queries.get_order(session, g.actor, order_id, TASK_COLUMNS)
        note = queries.add_note(session, order, words, at=at, actor=g.actor.login)
        answer = _note_json(note)
    return jsonify(answer), 201


def order_json(order: ServiceOrder, actor: Actor) -> dict[str, Any]:
    """An order as this interface shows it."""
    failed = order.error_code is not None or order.error_message is not None
    return {
        "id": order.id,
        "external_id": order.external_id,
        "source": order.source,
        "order_type": order.order_type,
        "state": order.state,
        "product": order.product,
        "tier": order.tier,
        "area": order.area,
        "customer": masking.customer(order.customer, actor),
        "phone": masking.phone(order.phone, actor),
        "address": masking.address(order.address, actor),
        "placed_at": stamp(order.placed_at),
        "started_at": stamp(order.started_at),
        "expected_at": stamp(order.expected_at),
        "ended_at": stamp(order.ended_at),
        "version": order.revision,
        "urges": order.urges,
        "error": {"code": order.error_code, "message": order.error_message} if failed else None,
        "items": [
            {
                "id": item.item_id,
                "action": item.action,
                "product": item.product,
                "state": item.state,
                "instance": item.instance_id,
            }
            for item in order.items
        ],
        "notes": [_note_json(note) for note in order.notes],
    }


def _note_json(note: OrderNote) -> dict[str, Any]:
    return {"id": note.id, "author": note.author, "text": note.text, "at": stamp(note.at)}


def _cancel_json(wish: CancelRequest) -> dict[str, Any]:
    return {
        "id": wish.id,
        "order": wish.order_id,
        "state": wish.state,
        "reason": wish.reason,
        "message": wish.message,
        "requested_at": stamp(wish.requested_at),
        "ended_at": stamp(wish.ended_at),
    }


def _event_json(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": stamp(event.at),
        "kind": event.kind,
        "actor": event.actor,
        "element": event.element,
        "data": event.data,
    }


def _told(event: Event) -> dict[str, Any]:
    return _event_json(event) | {"actor": None, "element": None}


ROUTES = (
    Route(
        "GET",
        "/orders",
        list_orders,
        shapes.OrderList,
        parameters=page_parameters(
            Parameter("state", "a state such as inProgress"),
            Parameter("q", "an order number, the CRM's number, or the beginning of a customer's name"),
            Parameter("external_id", "the CRM's number"),
        ),
    ),
    Route("GET", "/orders/<order_id>", show_order, shapes.Order),
    Route("GET", "/orders/<order_id>/timeline", show_timeline, shapes.Timeline),
    Route("POST", "/orders/<order_id>/cancel", cancel_order, shapes.Cancelled, body=shapes.Cancellation),
    Route("POST", "/orders/<order_id>/note", note_order, shapes.Note, body=shapes.NewNote, status=201),
)
