"""From the wire to the command: which characteristics of an item mean what. docs/reference/broadband-order.md lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from engine.orders.intake import FieldError, NewItem, PlaceOrder
from web.api.tmf641.paths import load
from web.api.tmf641.schemas import CREATE


@dataclass(frozen=True, slots=True)
class Known:
    """A characteristic that we read. `whole_order`: every item of an order must name the same."""

    most: int
    required: bool = False
    default: str | None = None
    whole_order: bool = False
    pattern: str | None = None


_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"

CHARACTERISTICS: Mapping[str, Known] = {
    "customerName": Known(200, required=True, whole_order=True),
    "contactPhone": Known(32, required=True, whole_order=True, pattern=r"\+?[0-9][0-9 ()-]{3,30}[0-9]"),
    "area": Known(64, required=True, whole_order=True),
    "address": Known(300, required=True, whole_order=True),
    "building": Known(200, required=True),
    "tier": Known(64, default="normal", whole_order=True),
    "wishedWindow": Known(100),
    "creditState": Known(16, pattern=r"good|arrears|blacklist"),
    "account": Known(64, pattern=r"[A-Za-z0-9_.@+-]+"),
    "serviceabilityHold": Known(40, pattern=r"HD-[0-9]{8}-[0-9]{6,}"),
    "orderType": Known(8, pattern=r"[A-Z]{2,8}"),
    "lineKind": Known(16, pattern=r"internet|p2p|vpn|cloud"),
    "zArea": Known(64),
    "zAddress": Known(300),
    "contractNumber": Known(64),
    "lineUse": Known(200),
    "ipFiling": Known(64),
    "securityLetter": Known(64),
    "line": Known(64),
    "effectiveDate": Known(40, pattern=_MOMENT),
    "requestedAt": Known(40, pattern=_MOMENT),
    "suspendReason": Known(16, pattern=r"arrears|customer|legal"),
    "issuer": Known(64),
    "repairs": Known(40, pattern=r"[A-Z]{2,8}-[0-9]{8}-[0-9]{6,}"),
}
VARIABLES: Mapping[str, str] = {
    "building": "building",
    "wishedWindow": "wished_window",
    "creditState": "credit_state",
    "account": "wished_account",
    "lineKind": "line_kind",
    "zArea": "z_area",
    "zAddress": "z_address",
    "contractNumber": "contract_number",
    "lineUse": "line_use",
    "ipFiling": "ip_filing",
    "securityLetter": "security_letter",
    "line": "line",
    "effectiveDate": "effective_at",
    "requestedAt": "requested_at",
    "suspendReason": "suspend_reason",
    "issuer": "issuer",
    "repairs": "repairs",
}
"""Characteristics of an item that its process reads, and what they are called there."""


Defaults = Callable[[str], Mapping[str, Any]]
"""What a product says of characteristics that its orders may leave out."""
OfLine = Callable[[str], Mapping[str, Any]]
"""What we know of a line that an order names: its customer need not be told again."""


def command(
    body: Mapping[str, Any], source: str, defaults: Defaults, of_line: OfLine
) -> tuple[PlaceOrder, Sequence[Mapping[str, Any]]]:
    """The order to place, and the notes that came with it. Raises `FieldError`."""
    read = load(CREATE, body)
    items = read["service_order_item"]
    values = [_characteristics(item, n, defaults, of_line) for n, item in enumerate(items)]
    _refuse_differences(values)
    _refuse_twins(items)
    first = values[0]
    placed = PlaceOrder(
        source=source,
        external_id=read.get("external_id"),
        customer=first["customerName"],
        phone=first["contactPhone"],
        area=first["area"],
        address=first["address"],
        tier=first["tier"],
        items=[_item(item, known) for item, known in zip(items, values, strict=True)],
        document=body,
    )
    return placed, read["note"]


def place_of(position: int, name: str) -> str:
    """Where a characteristic is on the wire."""
    return f"serviceOrderItem[{position}].service.serviceCharacteristic[{name}]"


def _item(item: Mapping[str, Any], known: Mapping[str, str]) -> NewItem:
    values = {variable: known[name] for name, variable in VARIABLES.items() if name in known}
    product = item["service"]["service_specification"]["id"]
    return NewItem(
        item["id"], item["action"], product, known.get("orderType"), values, known.get("serviceabilityHold")
    )


def _characteristics(
    item: Mapping[str, Any], position: int, defaults: Defaults, of_line: OfLine
) -> dict[str, str]:
    """The characteristics that we read, by name. Product and line are asked only for what is needed and missing."""
    found: dict[str, str] = {}
    for given in item["service"]["service_characteristic"]:
        name = given["name"]
        if name not in CHARACTERISTICS:
            continue
        if name in found:
            raise FieldError(field=place_of(position, name), detail=gettext("it is given twice"))
        found[name] = _value(given["value"], CHARACTERISTICS[name], place_of(position, name))
    missing = {name: known for name, known in CHARACTERISTICS.items() if name not in found}
    is_short = any(known.required for known in missing.values())
    usual = defaults(item["service"]["service_specification"]["id"]) if is_short else {}
    if is_short and "line" in found:
        usual = {**usual, **of_line(found["line"])}
    for name, known in missing.items():
        if name in usual:
            found[name] = _value(usual[name], known, place_of(position, name))
        elif known.required:
            raise FieldError(field=place_of(position, name), detail=gettext("it is missing"))
        elif known.default is not None:
            found[name] = known.default
    return found


def _value(value: Any, known: Known, path: str) -> str:
    if not isinstance(value, str):
        raise FieldError(field=path, detail=gettext("it must be a text"))
    value = value.strip()
    if not value:
        raise FieldError(field=path, detail=gettext("it is empty"))
    if len(value) > known.most:
        raise FieldError(field=path, detail=gettext("it is longer than %(most)s characters", most=known.most))
    if known.pattern and not re.fullmatch(known.pattern, value, re.ASCII):
        raise FieldError(field=path, detail=gettext("its form is not right"))
    return value


def _refuse_differences(values: Sequence[Mapping[str, str]]) -> None:
    for name in (n for n, known in CHARACTERISTICS.items() if known.whole_order):
        for position, found in enumerate(values):
            if found[name] != values[0][name]:
                raise FieldError(
                    field=place_of(position, name),
                    detail=gettext("all items of an order name the same"),
                )


def _refuse_twins(items: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for position, item in enumerate(items):
        if item["id"] in seen:
            raise FieldError(
                field=f"serviceOrderItem[{position}].id", detail=gettext("another item has the same id")
            )
        seen.add(item["id"])
