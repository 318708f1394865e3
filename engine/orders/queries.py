"""Reading orders: lists by page, one order, its notes and its timeline."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session, selectinload

from engine.errors import NotFound
from engine.events import Event, record
from engine.identity.actor import Actor
from engine.identity.scope import OrderColumns, TaskColumns, visible_orders
from engine.orders.model import CancelRequest, OrderItem, OrderNote, Product, ServiceOrder
from engine.runtime.lock import lock_instance
from engine.store.paging import read_mark, write_mark

_WHOLE = (
    ServiceOrder.items,
    ServiceOrder.notes,
    ServiceOrder.milestones,
    ServiceOrder.alerts,
    ServiceOrder.questions,
)
COLUMNS = OrderColumns(ServiceOrder.id, ServiceOrder.area, ServiceOrder.source)


def _visible(actor: Actor, tasks: TaskColumns) -> Select[ServiceOrder]:
    return visible_orders(select(ServiceOrder), actor, COLUMNS, tasks)


def get_order(session: Session, actor: Actor, order_id: str, tasks: TaskColumns) -> ServiceOrder:
    """One order that the actor may see, with items and notes. Raises `NotFound`."""
    query = _visible(actor, tasks).where(ServiceOrder.id == order_id)
    loaded = query.options(selectinload(ServiceOrder.items), selectinload(ServiceOrder.notes))
    found = session.scalars(loaded).one_or_none()
    if found is None:
        raise NotFound(what="order", id=order_id)
    return found


def order_for_change(session: Session, actor: Actor, order_id: str, tasks: TaskColumns) -> ServiceOrder:
    """One order, locked after its instances: in the order in which a step locks them, so that neither waits for ever."""
    for instance_id in sorted(i.instance_id or 0 for i in get_order(session, actor, order_id, tasks).items):
        lock_instance(session, instance_id)
    session.expire_all()  # it may have moved on while we waited
    return session.scalars(select(ServiceOrder).where(ServiceOrder.id == order_id).with_for_update()).one()


def orders(
    session: Session,
    actor: Actor,
    tasks: TaskColumns,
    *,
    state: str | None = None,
    text: str | None = None,
    external_id: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[Sequence[ServiceOrder], str | None]:
    """A page, newest first. `text` matches the order number, the CRM's number, or the start of the customer's name."""
    query = _visible(actor, tasks)
    if state:
        query = query.where(ServiceOrder.state == state)
    if external_id:
        query = query.where(ServiceOrder.external_id == external_id)
    if text:
        query = query.where(
            or_(
                ServiceOrder.id == text,
                ServiceOrder.external_id == text,
                ServiceOrder.customer.startswith(text, autoescape=True),
            )
        )
    if after:
        query = query.where(tuple_(ServiceOrder.placed_at, ServiceOrder.id) < read_mark(after))
    query = query.options(selectinload(ServiceOrder.items), selectinload(ServiceOrder.notes))
    found = session.scalars(
        query.order_by(ServiceOrder.placed_at.desc(), ServiceOrder.id.desc()).limit(limit + 1)
    ).all()
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], write_mark(last.placed_at, last.id) if last else None


def orders_by_offset(
    session: Session, actor: Actor, tasks: TaskColumns, *, where: Mapping[str, Any], offset: int, limit: int
) -> tuple[Sequence[ServiceOrder], int]:
    """A page as TM Forum clients ask for it, and how many match; without trouble tickets, which have their own lists.

    `where` names columns, or texts of the document.
    """
    query = _visible(actor, tasks).where(ServiceOrder.order_type != "TT")
    for name, value in where.items():
        column = getattr(ServiceOrder, name, None)
        query = query.where((ServiceOrder.document[name].as_string() if column is None else column) == value)
    total = session.scalar(
        select(func.count()).select_from(query.with_only_columns(ServiceOrder.id).subquery())
    )
    query = query.options(*(selectinload(part) for part in _WHOLE))
    ordered = query.order_by(ServiceOrder.placed_at.desc(), ServiceOrder.id.desc())
    return session.scalars(ordered.offset(offset).limit(limit)).all(), total or 0


def add_note(
    session: Session, order: ServiceOrder, text: str, *, at: datetime, actor: str, author: str | None = None
) -> OrderNote:
    """Appends a remark; none is ever changed or removed. `author` is whom the actor names, if not himself."""
    note = OrderNote(order_id=order.id, author=(author or actor)[:200], text=text[:2000], at=at)
    order.notes.append(note)
    record(session, "OrderNoted", at=at, actor=actor, business_key=order.id, text=note.text)
    session.flush()
    return note


def cancel_requests_by_offset(
    session: Session, actor: Actor, tasks: TaskColumns, *, where: dict[str, str], offset: int, limit: int
) -> tuple[Sequence[CancelRequest], int]:
    """Wishes to cancel orders that the actor may see, newest first, and how many match."""
    seen = _visible(actor, tasks).with_only_columns(ServiceOrder.id)
    query = select(CancelRequest).where(CancelRequest.order_id.in_(seen))
    for name, value in where.items():
        query = query.where(getattr(CancelRequest, name) == value)
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    ordered = query.order_by(CancelRequest.requested_at.desc(), CancelRequest.id.desc())
    return session.scalars(ordered.offset(offset).limit(limit)).all(), total or 0


def get_cancel_request(session: Session, actor: Actor, request_id: str, tasks: TaskColumns) -> CancelRequest:
    """One wish to cancel an order that the actor may see. Raises `NotFound`."""
    found = session.get(CancelRequest, request_id)
    if found is None:
        raise NotFound(what="cancel request", id=request_id)
    get_order(session, actor, found.order_id, tasks)
    return found


def events_of(session: Session, order: ServiceOrder, limit: int = 500) -> Sequence[Event]:
    """What happened to an order and its instances, newest first."""
    instances: list[Any] = [i.instance_id for i in order.items if i.instance_id is not None]
    keys = [order.id, *(f"{order.id}.{n}" for n in range(2, len(order.items) + 1))]
    mine = or_(Event.business_key.in_(keys), Event.instance_id.in_(instances))
    return session.scalars(select(Event).where(mine).order_by(Event.id.desc()).limit(limit)).all()


def orders_of_instances(session: Session, instance_ids: Collection[int]) -> dict[int, ServiceOrder]:
    """The order of each instance that belongs to one. Scoped by whoever found the instances."""
    query = select(OrderItem.instance_id, ServiceOrder).join(
        ServiceOrder, OrderItem.order_id == ServiceOrder.id
    )
    found = session.execute(query.where(OrderItem.instance_id.in_(set(instance_ids))))
    return {instance: order for instance, order in found if instance is not None}


def defaults_of(session: Session, product: str) -> dict[str, Any]:
    """Characteristics that orders of a product may leave out, with what is taken instead."""
    found = session.get(Product, product)
    return dict(found.defaults or {}) if found is not None else {}


def product_names(session: Session) -> dict[str, tuple[str, str]]:
    """Names (zh, en) of all products by code."""
    return {product.code: (product.name, product.name_en) for product in session.scalars(select(Product))}
