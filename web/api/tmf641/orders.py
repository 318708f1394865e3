"""serviceOrder: place, list, look."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import BadInput
from engine.identity.actor import SYSTEM
from engine.lines.finding import customer_of
from engine.orders.intake import DuplicateOrder, FieldError, PlaceOrder, place
from engine.orders.model import ServiceOrder
from engine.orders.queries import add_note, defaults_of, get_order, orders_by_offset
from engine.orders.replay import keep_answer, take_key
from tasks.columns import TASK_COLUMNS
from web.api.reading import json_object, moment
from web.api.tmf641.blueprint import blueprint, created, filters, many, one, page
from web.api.tmf641.intake import CHARACTERISTICS, command, place_of
from web.api.tmf641.resources import order_href, order_resource
from web.auth import allow
from web.services import services

FILTERS = {
    "state": "state",
    "externalId": "external_id",
    "id": "id",
    "href": "id",
    "orderDate": "placed_at",
    "category": "category",
    "priority": "priority",
}
_LONGEST_KEY = 200


@blueprint.post("/serviceOrder")
@allow("place_order")
def place_order() -> ResponseReturnValue:
    """Takes an order in. The same Idempotency-Key with the same body gets the first answer again."""
    me, at = services(), services().clock.now()
    body = json_object()
    placed, notes = command(body, g.actor.login, _defaults, _of_line)
    key = idempotency_key()
    with _explained(placed), me.store.write() as session:
        known = take_key(session, placed.source, key, digest(), at) if key else None
        if known is not None and known.status:
            return created(known.body, known.status, {"Idempotent-Replay": "true"})
        order = place(
            session,
            placed,
            me.kernel,
            me.order_listeners,
            at=at,
            zone=me.settings.zone,
            actor=g.actor.login,
        )
        add_notes(session, order, notes, at)
        session.refresh(order, ["items"])
        resource = order_resource(order, g.actor)
        if known is not None:
            keep_answer(known, 201, resource)
    return created(resource)


def _defaults(product: str) -> Mapping[str, Any]:
    with services().store.read() as session:
        return defaults_of(session, product)


def _of_line(name: str) -> Mapping[str, Any]:
    with services().store.read() as session:
        return customer_of(session, name)


@contextmanager
def _explained(placed: PlaceOrder) -> Iterator[None]:
    """Refusals name the place on the wire, and the order that was there first, also if it came at the same moment."""
    try:
        yield
    except FieldError as e:
        if e.facts["field"] not in CHARACTERISTICS:
            raise
        raise FieldError(field=place_of(0, e.facts["field"]), detail=e.facts["detail"]) from e
    except DuplicateOrder as e:
        with services().store.read() as session:
            where = {"source": placed.source, "external_id": placed.external_id or ""}
            found, _ = orders_by_offset(session, SYSTEM, TASK_COLUMNS, where=where, offset=0, limit=1)
            raise DuplicateOrder(**(e.facts | {"order": found[0].id})) from e


@blueprint.get("/serviceOrder")
@allow("view_orders")
def list_orders() -> ResponseReturnValue:
    """A page of the orders that the caller may see, newest first."""
    where = _where()
    offset, limit = page()
    with services().store.read() as session:
        found, total = orders_by_offset(
            session, g.actor, TASK_COLUMNS, where=where, offset=offset, limit=limit
        )
        return many([order_resource(order, g.actor) for order in found], total)


def _where() -> dict[str, Any]:
    """What to look for. `id` and `href` say the same: an order has to fit both, if both are given."""
    found: dict[str, Any] = filters({name: name for name in FILTERS})
    if "href" in found:
        named = found.pop("href").removeprefix(order_href(""))
        found["id"] = named if found.get("id", named) == named else ""
    if "orderDate" in found:
        found["orderDate"] = moment("orderDate", found["orderDate"])
    return {FILTERS[name]: value for name, value in found.items()}


@blueprint.get("/serviceOrder/<order_id>")
@allow("view_orders")
def show_order(order_id: str) -> ResponseReturnValue:
    """One order."""
    with services().store.read() as session:
        return one(order_resource(get_order(session, g.actor, order_id, TASK_COLUMNS), g.actor))


def add_notes(session: Any, order: ServiceOrder, notes: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Remarks as they came."""
    for note in notes:
        add_note(session, order, note["text"], at=at, actor=g.actor.login, author=note.get("author"))


def idempotency_key() -> str | None:
    """The key with which the sender marks this request."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > _LONGEST_KEY or not key.isprintable():
        raise BadInput(
            detail=gettext("Idempotency-Key: at most %(most)s printable characters", most=_LONGEST_KEY)
        )
    return key or None


def digest() -> str:
    """What the key stands for: this very request."""
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.get_data()).hexdigest()
