"""Urging an order, and answering with a promised time."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.orders import queries, urging
from engine.orders.model import OrderUrge
from tasks.columns import TASK_COLUMNS
from web.api.reading import loaded
from web.api.times import stamp
from web.api.v1 import verb_shapes as shapes
from web.api.v1.orders import order_json
from web.api.v1.route import Route, listing
from web.auth import allow
from web.services import services
from web.urging import answer_urge, urge_order

_URGE, _ANSWER = shapes.NewUrge(), shapes.NewAnswer()


@allow("urge_order")
def urge(order_id: str) -> ResponseReturnValue:
    """Urges an order; within ten minutes it counts into the urge before."""
    wish = loaded(_URGE)
    with services().store.write() as session:
        made, order = urge_order(session, order_id, wish["text"])
        answer = {"urge": urge_json(made), "order": order_json(order, g.actor)}
    return jsonify(answer)


@allow("view_orders")
def list_urges(order_id: str) -> ResponseReturnValue:
    """All urges of an order, newest first."""
    with services().store.read() as session:
        order = queries.get_order(session, g.actor, order_id, TASK_COLUMNS)
        return jsonify(listing([urge_json(one) for one in urging.urges_of(session, order.id)], None))


@allow("complete_task")
def answer_an_urge(order_id: str, number: int) -> ResponseReturnValue:
    """Who has the order in hand promises a time."""
    wish = loaded(_ANSWER)
    with services().store.write() as session:
        found, order = answer_urge(session, order_id, number, wish["promised_at"], wish["text"])
        answer = {"urge": urge_json(found), "order": order_json(order, g.actor)}
    return jsonify(answer)


def urge_json(found: OrderUrge) -> dict[str, Any]:
    """An urge as this interface shows it; an ordering system learns nothing of our people."""
    is_machine = g.actor.roles <= {"CRM"}
    return {
        "number": found.number,
        "times": found.times,
        "text": found.text,
        "urged_by": found.urged_by,
        "first_at": stamp(found.first_at),
        "last_at": stamp(found.last_at),
        "told": len(found.told),
        "tasks": [] if is_machine else found.tasks,
        "answered_at": stamp(found.answered_at),
        "answered_by": None if is_machine else found.answered_by,
        "promised_at": stamp(found.promised_at),
        "answer": found.answer,
        "escalated_at": None if is_machine else stamp(found.escalated_at),
        "broken_at": stamp(found.broken_at),
    }


ROUTES = (
    Route("POST", "/orders/<order_id>/urge", urge, shapes.Urged, body=shapes.NewUrge),
    Route("GET", "/orders/<order_id>/urges", list_urges, shapes.UrgeList),
    Route(
        "POST",
        "/orders/<order_id>/urges/<id:number>/answer",
        answer_an_urge,
        shapes.Urged,
        body=shapes.NewAnswer,
    ),
)
