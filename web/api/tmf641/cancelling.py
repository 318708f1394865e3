"""cancelServiceOrder: the wish to cancel an order, and what became of it."""

from __future__ import annotations

from flask import g
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from engine.orders.cancel import request_cancel
from engine.orders.intake import FieldError
from engine.orders.queries import cancel_requests_by_offset, get_cancel_request, order_for_change
from tasks.columns import TASK_COLUMNS
from web.api.reading import json_object
from web.api.tmf641.blueprint import blueprint, created, filters, many, one, page
from web.api.tmf641.paths import load
from web.api.tmf641.resources import cancel_resource
from web.api.tmf641.schemas import CANCEL
from web.auth import allow
from web.services import services

FILTERS = {"state": "state", "id": "id", "serviceOrder.id": "order_id"}
_STATES = {"accepted": "acknowledged"}


@blueprint.post("/cancelServiceOrder")
@allow("cancel_order")
def cancel_order() -> ResponseReturnValue:
    """Puts the wish to the process, which says at once whether it is still possible."""
    me, at = services(), services().clock.now()
    body = json_object()
    wish = load(CANCEL, body)
    with me.store.write() as session:
        try:
            order = order_for_change(session, g.actor, wish["service_order"]["id"], TASK_COLUMNS)
        except NotFound as e:
            raise FieldError(field="serviceOrder.id", detail=e.text()) from e
        made = request_cancel(
            session,
            order,
            me.kernel,
            me.states,
            reason=wish.get("cancellation_reason"),
            document=body,
            at=at,
            zone=me.settings.zone,
            actor=g.actor.login,
        )
        resource = cancel_resource(made, g.actor)
    return created(resource)


@blueprint.get("/cancelServiceOrder")
@allow("view_orders")
def list_cancellations() -> ResponseReturnValue:
    """A page of wishes, newest first."""
    where = filters(FILTERS)
    if "state" in where:
        where["state"] = _STATES.get(where["state"], where["state"])
    offset, limit = page()
    with services().store.read() as session:
        found, total = cancel_requests_by_offset(
            session, g.actor, TASK_COLUMNS, where=where, offset=offset, limit=limit
        )
        return many([cancel_resource(wish, g.actor) for wish in found], total)


@blueprint.get("/cancelServiceOrder/<request_id>")
@allow("view_orders")
def show_cancellation(request_id: str) -> ResponseReturnValue:
    """One wish."""
    with services().store.read() as session:
        return one(cancel_resource(get_cancel_request(session, g.actor, request_id, TASK_COLUMNS), g.actor))
