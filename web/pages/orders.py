"""The list of orders, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.jobs.incidents import instances_held_up
from engine.orders import queries
from engine.orders.model import ServiceOrder
from engine.resources.queries import area_names
from tasks.columns import TASK_COLUMNS
from web.auth import allow
from web.pages import words
from web.pages.blueprint import pages
from web.services import services

PAGE = 50


@pages.get("/orders")
@allow("view_orders")
def orders() -> ResponseReturnValue:
    """A page of the orders that the reader may see; an unknown state finds nothing."""
    state, text = request.args.get("state", ""), request.args.get("q", "").strip()
    with services().store.read() as db:
        found, after = queries.orders(
            db,
            g.actor,
            TASK_COLUMNS,
            state=state or None,
            text=text or None,
            after=request.args.get("after") or None,
            limit=PAGE,
        )
        instances = [
            item.instance_id for order in found for item in order.items if item.instance_id is not None
        ]
        held_up = instances_held_up(db, instances)
        products, areas = queries.product_names(db), area_names(db)
        rows = [_row(order, products, areas, held_up) for order in found]
    return render_template(
        "orders.html",
        orders=rows,
        filters={"state": state, "q": text},
        states=[{"value": value, "label": label} for value, label in words.order_states().items()],
        next_url=url_for("pages.orders", state=state or None, q=text or None, after=after) if after else None,
    )


def _row(
    order: ServiceOrder,
    products: Mapping[str, words.Pair],
    areas: Mapping[str, words.Pair],
    held_up: frozenset[int],
) -> dict[str, Any]:
    return {
        "id": order.id,
        "external_id": order.external_id,
        "type": words.order_type(order.order_type),
        "customer": words.customer(order.customer),
        "product": words.named(products, order.product),
        "area": words.named(areas, order.area),
        "state": order.state,
        "state_label": words.order_state(order.state),
        "created_at": order.placed_at,
        "due_at": order.expected_at,
        "url": url_for("pages.order", order_id=order.id),
        "urged": order.urges > 0,
        "has_incident": any(item.instance_id in held_up for item in order.items),
    }
