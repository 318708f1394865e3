"""Amending for pages and interfaces: from a new document, or from single wishes, to the command of the engine."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from flask import g
from flask_babel import gettext

from engine.lines.finding import customer_of
from engine.orders import amending
from engine.orders.amending import Amendment, AmendOrder
from engine.orders.intake import FieldError, PlaceOrder, revision_of
from engine.orders.model import OrderItem, ServiceOrder
from engine.orders.queries import defaults_of
from engine.runtime.progress import values_of
from web.api.tmf641.intake import CHARACTERISTICS, VARIABLES, command
from web.api.tmf641.resources import OURS
from web.services import services

_OF_ORDER = {
    "customerName": "customer",
    "contactPhone": "phone",
    "area": "area",
    "address": "address",
    "tier": "tier",
}
"""Characteristics that are columns of an order."""


def amend(
    session: Any, order: ServiceOrder, document: Mapping[str, Any], *, dry_run: bool = False
) -> Amendment:
    """The order as `document` has it now, with its `version`; the caller's transaction holds the order."""
    me, at = services(), services().clock.now()
    version = revision_of(document)
    if version is None:
        known = order.revision
        detail = gettext("a whole number above %(known)s is needed: the order has that version", known=known)
        raise FieldError(field="version", detail=detail)
    amending.refuse_late(order)
    before, after = _read(session, order, document_of(session, order)), _read(session, order, document)
    wish = AmendOrder(version, before, after)
    return amending.amend(
        session, order, wish, me.kernel, me.desk, at=at, actor=g.actor.login, dry_run=dry_run
    )


def merged(session: Any, order: ServiceOrder, body: Mapping[str, Any]) -> dict[str, Any]:
    """The order's document with what a merge patch changes; items stand in the order in which the order has them."""
    passed_over = (OURS - {"externalId", "serviceOrderItem"}) | {"note", "state"}
    given = {name: value for name, value in body.items() if name not in passed_over}
    known = document_of(session, order)
    found = {name: value for name, value in (known | given).items() if value is not None}
    places = {item.item_id: item.position for item in order.items}
    items = found.get("serviceOrderItem")
    if isinstance(items, list) and all(isinstance(item, dict) for item in items):
        found["serviceOrderItem"] = sorted(items, key=lambda one: places.get(str(one.get("id")), len(places)))
    return found


def wished(
    session: Any,
    order: ServiceOrder,
    characteristics: Mapping[str, str | None],
    *,
    product: str | None = None,
    item: str | None = None,
    version: int | None = None,
) -> dict[str, Any]:
    """The order's document with single wishes. What every item names alike is changed in all, anything else in one."""
    found = copy.deepcopy(document_of(session, order))
    items = found["serviceOrderItem"]
    chosen = [one for one in items if item is None or str(one["id"]) == item]
    if not chosen or (len(chosen) > 1 and (product or _of_one(characteristics))):
        raise FieldError(field="item", detail=gettext("it must name one of the order's items"))
    for name, value in characteristics.items():
        if name not in CHARACTERISTICS:
            raise FieldError(field=name, detail=gettext("there is no such characteristic"))
        for one in items if CHARACTERISTICS[name].whole_order else chosen:
            _set(one, name, value)
    if product:
        chosen[0]["service"]["serviceSpecification"] = {"id": product}
    return found | {"version": version or order.revision + 1}


def _of_one(characteristics: Mapping[str, Any]) -> bool:
    return any(n in CHARACTERISTICS and not CHARACTERISTICS[n].whole_order for n in characteristics)


def _set(item: dict[str, Any], name: str, value: str | None) -> None:
    listed = item["service"].setdefault("serviceCharacteristic", [])
    kept = [one for one in listed if one.get("name") != name]
    item["service"]["serviceCharacteristic"] = kept + ([{"name": name, "value": value}] if value else [])


def document_of(session: Any, order: ServiceOrder) -> dict[str, Any]:
    """What the sender wrote last; for an order that came without a document, what we know of it."""
    if order.document.get("serviceOrderItem"):
        return dict(order.document)
    items = [_known_item(session, order, item) for item in order.items]
    named = {"externalId": order.external_id} if order.external_id else {}
    return {**order.document, **named, "serviceOrderItem": items}


def _known_item(session: Any, order: ServiceOrder, item: OrderItem) -> dict[str, Any]:
    me = services()
    at = me.clock.now()
    seen = values_of(session, me.kernel, item.instance_id, at) if item.instance_id is not None else {}
    values = seen | {column: getattr(order, column) for column in _OF_ORDER.values()}
    names = {**_OF_ORDER, **VARIABLES}
    return {
        "id": item.item_id,
        "action": item.action,
        "service": {
            "serviceSpecification": {"id": item.product},
            "serviceCharacteristic": [
                {"name": name, "value": str(values[key])} for name, key in names.items() if values.get(key)
            ],
        },
    }


def _read(session: Any, order: ServiceOrder, document: Mapping[str, Any]) -> PlaceOrder:
    """As the interface for new orders reads it."""

    def of_product(product: str) -> Mapping[str, Any]:
        return defaults_of(session, product)

    def of_line(line: str) -> Mapping[str, Any]:
        return customer_of(session, line)

    placed, _ = command(document, order.source, of_product, of_line)
    return placed
