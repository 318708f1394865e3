"""Taking an order in: checks, number, items, and one process instance per item, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.deploy.definitions import active_version
from engine.deploy.model import ProcessBinding
from engine.errors import BadInput, NotFound, RuleViolation
from engine.events import record
from engine.orders.callbacks import announce
from engine.orders.model import OrderItem, Product, ServiceOrder
from engine.orders.numbering import next_number
from engine.ports import OrderListener
from engine.resources.model import Area
from engine.resources.serviceability import claim_hold
from engine.runtime.kernel import Kernel


class FieldError(BadInput):
    """{field}: {detail}."""

    code = "order.field"


class DuplicateOrder(RuleViolation):
    """The external id {external_id} was already used for order {order}."""

    code = "order.duplicate"


class NoProcess(BadInput):
    """{field}: no process is bound to {order_type} ({action} {product}); the item is refused."""

    code = "order.no_process"


@dataclass(frozen=True, slots=True)
class NewItem:
    """One item of an order. `order_type` is given where the action alone does not say it, for example MV.

    `hold`: the number of a port that was held for it before the sale; one that has run out is passed over.
    """

    item_id: str
    action: str
    product: str
    order_type: str | None
    values: Mapping[str, Any]
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """An order as it came, already read from its wire format."""

    source: str
    external_id: str | None
    customer: str
    phone: str
    area: str
    address: str
    tier: str
    items: Sequence[NewItem]
    document: Mapping[str, Any]


_LONGEST_VERSION = 9
_TYPE_OF_ACTION = {"modify": "CH", "delete": "TM"}


def place(
    session: Session,
    command: PlaceOrder,
    kernel: Kernel,
    listeners: Sequence[OrderListener],
    *,
    at: datetime,
    zone: ZoneInfo,
    actor: str,
) -> ServiceOrder:
    """The new order, acknowledged; its instances start with the next job.

    Raises `FieldError`, `NoProcess`, `DuplicateOrder`.
    """
    _refuse_duplicate(session, command)
    if session.get(Area, command.area) is None:
        raise FieldError(field="area", detail=f"{command.area} is no area of ours")
    plans = [planned(session, command, item, n, at) for n, item in enumerate(command.items)]
    first_type, first = plans[0][0], command.items[0]
    order = ServiceOrder(
        id=next_number(session, first_type, at, zone),
        source=command.source,
        external_id=command.external_id,
        order_type=first_type,
        state="acknowledged",
        product=first.product,
        tier=command.tier,
        area=command.area,
        customer=command.customer,
        phone=command.phone,
        address=command.address,
        document=dict(command.document),
        revision=revision_of(command.document) or 1,
        placed_at=at,
        milestones=[],
        alerts=[],
        questions=[],
    )
    session.add(order)
    try:
        session.flush()
    except IntegrityError as e:  # the same order at the same moment, through another process
        raise DuplicateOrder(external_id=command.external_id, order=order.id, field="externalId") from e
    for listener in listeners:
        listener.on_order_placed(session, order, at)
    for position, (item, (order_type, product, definition_id)) in enumerate(
        zip(command.items, plans, strict=True)
    ):
        key = order.id if position == 0 else f"{order.id}.{position + 1}"
        values = variables(order.id, command, item, order_type, product)
        if item.hold:
            claim_hold(session, item.hold, key, at)
        row = kernel.start(
            session, definition_id, key, values, at=at, actor=actor, advance=False, order_id=order.id
        )
        session.add(
            OrderItem(
                order_id=order.id,
                item_id=item.item_id,
                position=position,
                action=item.action,
                product=item.product,
                state="acknowledged",
                instance_id=row.id,
            )
        )
    record(session, "OrderPlaced", at=at, actor=actor, business_key=order.id, product=first.product)
    announce(session, order, "ServiceOrderCreateEvent", at)
    session.flush()
    return order


def revision_of(document: Mapping[str, Any]) -> int | None:
    """The version that a sender gave to his document, if it is one: a whole number from 1, or its digits."""
    given = document.get("version")
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < _LONGEST_VERSION:
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        return None
    return given if 0 < given < 10**_LONGEST_VERSION else None


def _refuse_duplicate(session: Session, command: PlaceOrder) -> None:
    if command.external_id is None:
        return
    query = select(ServiceOrder.id).where(
        ServiceOrder.source == command.source, ServiceOrder.external_id == command.external_id
    )
    known = session.scalar(query)
    if known is not None:
        raise DuplicateOrder(external_id=command.external_id, order=known, field="externalId")


def planned(
    session: Session, command: PlaceOrder, item: NewItem, position: int, at: datetime
) -> tuple[str, Product, int]:
    """Order type, product and the version of the process of an item. Raises `FieldError`, `NoProcess`."""
    product = session.get(Product, item.product)
    field = f"serviceOrderItem[{position}].service.serviceSpecification.id"
    if product is None or not product.active:
        raise FieldError(field=field, detail=f"{item.product} is no product of ours")
    if item.action == "add" and not product.speed_mbps and _is_a_part(session, product):
        detail = f"{item.product} has no line of its own: order a bundle with it"
        raise FieldError(field=field, detail=detail)
    order_type = item.order_type or _TYPE_OF_ACTION.get(item.action, product.order_type)
    key = bound_process(session, order_type, item.product, command.area, command.tier, at)
    where = {"field": f"serviceOrderItem[{position}].action", "order_type": order_type}
    if key is None:
        raise NoProcess(**where, action=item.action, product=item.product)
    try:
        return order_type, product, active_version(session, key).id
    except NotFound as e:
        raise NoProcess(**where, action=item.action, product=item.product) from e


def _is_a_part(session: Session, product: Product) -> bool:
    """Whether it is sold as a part of bundles."""
    bundles = session.scalars(select(Product.parts))
    return any(product.code == part["product"] for parts in bundles for part in parts)


def bound_process(
    session: Session, order_type: str, product: str, area: str, tier: str, at: datetime
) -> str | None:
    """The process of the binding that matches most exactly, the newest of equals; None where there is none."""
    table = ProcessBinding
    query = select(table).where(
        table.order_type == order_type,
        table.valid_from <= at,
        or_(table.product.is_(None), table.product == product),
        or_(table.area.is_(None), table.area == area),
        or_(table.tier.is_(None), table.tier == tier),
    )
    found = session.scalars(query).all()

    def exactness(row: ProcessBinding) -> tuple[int, datetime, int]:
        return sum(v is not None for v in (row.product, row.area, row.tier)), row.valid_from, row.id

    return max(found, key=exactness).process_key if found else None


def variables(
    order_id: str, order: PlaceOrder, item: NewItem, order_type: str, product: Product
) -> dict[str, Any]:
    """What the instance of an item knows at its beginning."""
    return {
        **item.values,
        "order": order_id,
        "external_id": order.external_id,
        "order_type": order_type,
        "item": item.item_id,
        "product": product.code,
        "speed_mbps": product.speed_mbps,
        "parts": product.services,
        "optional_parts": [part["product"] for part in product.parts if part.get("optional")],
        "customer": order.customer,
        "phone": order.phone,
        "area": order.area,
        "address": order.address,
        "tier": order.tier,
    }
