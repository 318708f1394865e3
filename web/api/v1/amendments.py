"""Amending an order by single wishes, and its versions. A whole order comes again through TMF641."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.orders import queries
from engine.orders.amending import Amendment, versions_of
from engine.orders.model import OrderVersion
from tasks.columns import TASK_COLUMNS
from web.amending import amend, wished
from web.api.reading import loaded
from web.api.times import stamp
from web.api.v1 import verb_shapes as shapes
from web.api.v1.orders import order_json
from web.api.v1.route import Route, listing
from web.auth import allow
from web.services import services

_AMENDMENT = shapes.NewAmendment()


@allow("amend_order")
def amend_order(order_id: str) -> ResponseReturnValue:
    """Changes an order on its way: only what differs is redone."""
    wish = loaded(_AMENDMENT)
    with services().store.write() as session:
        order = queries.order_for_change(session, g.actor, order_id, TASK_COLUMNS)
        document = wished(
            session,
            order,
            wish["characteristics"],
            product=wish["product"],
            item=wish["item"],
            version=wish["version"],
        )
        made = amend(session, order, document, dry_run=wish["dry_run"])
        answer = {"version": made.version, "items": items_json(made), "order": order_json(order, g.actor)}
    return jsonify(answer)


@allow("view_orders")
def list_versions(order_id: str) -> ResponseReturnValue:
    """Each version of an order that was amended, newest first."""
    with services().store.read() as session:
        order = queries.get_order(session, g.actor, order_id, TASK_COLUMNS)
        return jsonify(listing([_version_json(one) for one in versions_of(session, order.id)], None))


def items_json(made: Amendment) -> list[dict[str, Any]]:
    """What becomes of the items."""
    return [
        {"item": plan.difference.item_id, "how": plan.way, "names": list(plan.difference.names)}
        for plan in made.plans
    ]


def _version_json(found: OrderVersion) -> dict[str, Any]:
    return {
        "version": found.version,
        "came_at": stamp(found.came_at),
        "came_from": found.came_from,
        "items": found.items,
        "document": found.document if g.actor.can("see_customer_data") else None,
    }


ROUTES = (
    Route("POST", "/orders/<order_id>/amend", amend_order, shapes.Amended, body=shapes.NewAmendment),
    Route("GET", "/orders/<order_id>/versions", list_versions, shapes.VersionList),
)
