"""Amending an order (改单): the whole order comes again with a higher version, and only the difference is redone.

Contact data are changed in place. So is the product, as long as no system outside knows it. For everything else the process
of the item decides, if its diagram catches the message `order.amended`; otherwise what was done is undone as when it is
cancelled (C07), and a new instance starts under the same number. The order keeps its promise and its clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import RuleViolation
from engine.events import record
from engine.identity.inbox import tell
from engine.jobs.local import TARGET
from engine.jobs.model import AdapterCall
from engine.orders import cancel
from engine.orders.callbacks import tell_of_order
from engine.orders.difference import CONTACT, ItemDifference, difference
from engine.orders.intake import FieldError, PlaceOrder, planned, variables
from engine.orders.model import OrderItem, OrderVersion, Product, ServiceOrder
from engine.orders.states import CANCELLING, FINAL
from engine.orders.urging import VARIABLE
from engine.ports import Desk
from engine.resources.model import Area
from engine.runtime.kernel import Kernel, waits_for
from engine.runtime.lock import lock_instance

MESSAGE = "order.amended"
REPLACED = "C07"
KEPT = ("area", "address", "product")
"""Columns of an order that are as they were when its process refuses."""
Way = Literal["in_place", "process", "redo", "pending"]
"""Changed in place; left to the process; undone and started again; it is being started again anyway."""
_TOLD_BY = frozenset({"speed_mbps", "plan", "product"})
"""Inputs of outside calls that tell a system what was ordered."""
_BY_HAND = "activated_by_hand"


class VersionNotHigher(RuleViolation):
    """version: order {order} has version {known} already; {given} is not higher."""

    code = "order.version"


class TooLateToAmend(RuleViolation):
    """Order {order} is {state}; it is changed by a new order only: change CH, relocation MV or termination TM."""

    code = "order.amend_ended"


class PastChange(RuleViolation):
    """{field}: order {order} has passed the point up to which this can be changed; use a new order: CH, MV or TM."""

    code = "order.amend_late"


class BeingCancelled(RuleViolation):
    """Order {order} is being cancelled; it cannot be changed now."""

    code = "order.being_cancelled"


@dataclass(frozen=True, slots=True)
class AmendOrder:
    """The order as its sender has it now, beside how it was before; `document` is the whole of it as it came."""

    version: int
    before: PlaceOrder
    after: PlaceOrder

    @property
    def document(self) -> Mapping[str, Any]:
        """With its version."""
        return dict(self.after.document) | {"version": self.version}


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """What becomes of one item. `values` are the variables that change, `whole` is with what it would start again."""

    difference: ItemDifference
    way: Way
    values: Mapping[str, Any]
    whole: Mapping[str, Any]
    product: str
    definition_id: int | None = None
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class Amendment:
    """A version of an order, and what became of its items. `is_new`: False when the same had come before."""

    version: int
    plans: Sequence[ItemPlan]
    is_new: bool = True


def amend(
    session: Session,
    order: ServiceOrder,
    command: AmendOrder,
    kernel: Kernel,
    desk: Desk,
    *,
    at: datetime,
    actor: str,
    dry_run: bool = False,
) -> Amendment:
    """Redoes what differs, all of it or nothing. The caller holds the order's instances and its row.

    The same version with the same content changes nothing. With `dry_run` it only says what would become of the items.
    Raises `VersionNotHigher`, `TooLateToAmend`, `BeingCancelled`, `PastChange`, `FieldError`, `NoProcess`.
    """
    if _is_known(order, command):
        return Amendment(command.version, (), is_new=False)
    refuse_late(order)
    plans = [
        _plan(session, order, command, one, kernel, at, actor)
        for one in difference(command.before, command.after)
    ]
    if dry_run:
        return Amendment(command.version, plans)
    _keep_versions(session, order, command, plans, at, actor)
    for plan in plans:
        _carry_out(session, order, plan, command.version, kernel, at, actor)
    _follow(session, order, command, desk)
    _tell_people(session, order, plans, command.version, desk, at)
    tell_of_order(session, order, "ServiceOrderAttributeValueChangeEvent", at, field_path="serviceOrderItem")
    session.flush()
    return Amendment(command.version, plans)


def versions_of(session: Session, order_id: str) -> Sequence[OrderVersion]:
    """All versions of an order that was amended, newest first."""
    query = select(OrderVersion).where(OrderVersion.order_id == order_id)
    return session.scalars(query.order_by(OrderVersion.version.desc())).all()


def _is_known(order: ServiceOrder, command: AmendOrder) -> bool:
    """Whether just this was sent before. Raises `VersionNotHigher` for another content under a version that is taken."""
    if command.version > order.revision:
        return False
    if command.version == order.revision and _content(order.document) == _content(command.after.document):
        return True
    raise VersionNotHigher(order=order.id, known=order.revision, given=command.version)


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("version", "note")}


def refuse_late(order: ServiceOrder) -> None:
    """Raises `TooLateToAmend`, `BeingCancelled`."""
    if order.state in FINAL:
        raise TooLateToAmend(order=order.id, state=order.state)
    if order.state in CANCELLING:
        raise BeingCancelled(order=order.id)


# ---- what becomes of an item


def _plan(
    session: Session,
    order: ServiceOrder,
    command: AmendOrder,
    found: ItemDifference,
    kernel: Kernel,
    at: datetime,
    actor: str,
) -> ItemPlan:
    position = next(n for n, item in enumerate(command.after.items) if item.item_id == found.item_id)
    wished = command.after.items[position]
    order_type, product, definition_id = planned(session, command.after, wished, position, at)
    if session.get(Area, command.after.area) is None:
        raise FieldError(field="area", detail=f"{command.after.area} is no area of ours")
    values = dict(found.values)
    if "product" in values:
        values["speed_mbps"] = product.speed_mbps
    item = next(one for one in order.items if one.item_id == found.item_id)
    way = _way(session, order, item, found, product, kernel, definition_id, at, actor)
    whole = variables(order.id, command.after, wished, order_type, product)
    return ItemPlan(found, way, values, whole, product.code, definition_id, wished.hold)


def _way(
    session: Session,
    order: ServiceOrder,
    item: OrderItem,
    found: ItemDifference,
    product: Product,
    kernel: Kernel,
    definition_id: int,
    at: datetime,
    actor: str,
) -> Way:
    if item.state in FINAL or item.instance_id is None:
        raise PastChange(field=", ".join(found.names), order=order.id)
    if item.redo is not None:
        return "pending"
    row = lock_instance(session, item.instance_id)
    if row is None or row.state != "active":
        raise PastChange(field=", ".join(found.names), order=order.id)
    if found.how == "in_place":
        return "in_place"
    is_light = found.how == "if_untold" and row.definition_id == definition_id
    if is_light and _is_untold(session, kernel, row.id, product, at):
        return "in_place"
    kernel.advance(session, row.id, at=at, actor=actor)  # it may not have made its first step yet
    if waits_for(session, MESSAGE, row.business_key):
        return "process"
    if waits_for(session, cancel.MESSAGE, row.business_key):
        return "redo"
    raise PastChange(field=", ".join(found.names), order=order.id)


def _is_untold(session: Session, kernel: Kernel, instance_id: int, product: Product, at: datetime) -> bool:
    """Whether no system outside knows what was ordered, and the network that was chosen can give what is wanted now."""
    seen = kernel.inspect(session, instance_id, at).data
    if seen.get(_BY_HAND) or product.speed_mbps > _top_speed(seen, product.speed_mbps):
        return False
    query = select(AdapterCall.request).where(
        AdapterCall.instance_id == instance_id,
        AdapterCall.target != TARGET,
        AdapterCall.state.not_in(("UNDONE", "FAILED", "PLANNED")),
    )
    return not any(_TOLD_BY & set(request) for request in session.scalars(query))


def _top_speed(seen: Mapping[str, Any], otherwise: int) -> int:
    """What the chosen network can give at most, where a process has kept its candidates; else it may give anything."""
    for one in seen.get("candidates") or ():
        if isinstance(one, dict) and one.get("network") == seen.get("network"):
            return int(one.get("top_speed_mbps") or otherwise)
    return otherwise


# ---- doing it


def _carry_out(
    session: Session,
    order: ServiceOrder,
    plan: ItemPlan,
    version: int,
    kernel: Kernel,
    at: datetime,
    actor: str,
) -> None:
    item = next(one for one in order.items if one.item_id == plan.difference.item_id)
    row = lock_instance(session, item.instance_id or 0)
    assert row is not None  # noqa: S101  (planned with it)
    if plan.way == "in_place":
        kernel.change(session, row.id, plan.values, at=at, actor=actor)
        item.product = plan.product
    elif plan.way == "process":
        told = {c.name: {"before": c.before, "after": c.after} for c in plan.difference.changes}
        values = {**plan.values, "difference": told}
        kernel.correlate(session, MESSAGE, row.business_key, values, at=at, actor=actor)
        item.product = plan.product
    else:
        contact = {name: value for name, value in plan.values.items() if name in CONTACT}
        if contact and kernel.is_live(
            session, row.id
        ):  # also for those who clear up, and if it is not approved
            kernel.change(session, row.id, contact, at=at, actor=actor)
        _start_again(session, order, item, plan, kernel, row.business_key, at, actor)
    record(
        session,
        "OrderAmended",
        at=at,
        actor=actor,
        business_key=order.id,
        instance_id=row.id,
        version=version,
        item=item.item_id,
        how=plan.way,
        names=list(plan.difference.names),
    )


def _start_again(
    session: Session,
    order: ServiceOrder,
    item: OrderItem,
    plan: ItemPlan,
    kernel: Kernel,
    key: str,
    at: datetime,
    actor: str,
) -> None:
    """What was done is undone; when that has ended, a job starts the item's new instance.

    `kept` is what the order is again if the process refuses to be undone.
    """
    now = {name: getattr(order, name) for name in KEPT} | {"document": dict(order.document)}
    kept = item.redo["kept"] if item.redo is not None else now
    item.redo = {
        "values": dict(plan.whole) | ({VARIABLE: True} if order.urges else {}),
        "product": plan.product,
        "definition": plan.definition_id,
        "hold": plan.hold,
        "kept": kept,
    }
    session.flush()
    if plan.way == "redo":
        wish = {"cancel_reason": REPLACED}
        kernel.correlate(session, cancel.MESSAGE, key, wish, at=at, actor=actor)


def _keep_versions(
    session: Session,
    order: ServiceOrder,
    command: AmendOrder,
    plans: Sequence[ItemPlan],
    at: datetime,
    actor: str,
) -> None:
    """A row for this version; the first amendment also keeps what came at first."""
    if session.get(OrderVersion, (order.id, order.revision)) is None:
        session.add(
            OrderVersion(
                order_id=order.id,
                version=order.revision,
                document=dict(order.document),
                came_at=order.placed_at,
                came_from=order.source,
                items=[],
            )
        )
    told = [{"item": p.difference.item_id, "how": p.way, "names": list(p.difference.names)} for p in plans]
    session.add(
        OrderVersion(
            order_id=order.id,
            version=command.version,
            document=dict(command.document),
            came_at=at,
            came_from=actor[:200],
            items=told,
        )
    )


def _follow(session: Session, order: ServiceOrder, command: AmendOrder, desk: Desk) -> None:
    """The order's own columns and document, and what its open tasks say of the customer."""
    after = command.after
    order.revision, order.document = command.version, dict(command.document)
    order.customer, order.phone, order.address = after.customer, after.phone, after.address
    order.area, order.tier, order.product = after.area, after.tier, after.items[0].product
    session.flush()
    desk.correct(session, order.id, after.customer)


def _tell_people(
    session: Session,
    order: ServiceOrder,
    plans: Sequence[ItemPlan],
    version: int,
    desk: Desk,
    at: datetime,
) -> None:
    """Whoever has the order in hand: after a restart those who clear up."""
    names = sorted({name for plan in plans for name in plan.difference.names})
    if not names:
        return
    how = "redo" if any(plan.way in ("redo", "pending") for plan in plans) else "in_place"
    facts = {"order": order.id, "version": version, "names": names, "how": how}
    people = desk.ball(session, order.id, order.area).people
    tell(session, people, f"amended:{order.id}:{version}", "order.amended", "warn", facts, at)
