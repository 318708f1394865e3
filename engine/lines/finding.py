"""Which line serves an account, a number or a circuit now: the order that made it, and what it holds.

Found by its resources: the account is in use, so whoever holds it is the line. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.lines.model import LineProduct, LineSuspension
from engine.orders.model import OrderItem, Product, ServiceOrder
from engine.partners.model import PartnerOrder
from engine.ports import LocalCall, Operation, Repeat
from engine.resources import holdings
from engine.resources.candidates import candidates
from engine.resources.model import OWN, Coverage, NetworkNode
from engine.resources.places import find_building
from engine.runtime.model import ProcessInstance
from engine.store.base import table_of
from engine.store.prepared import Prepared

NO_LINE = {"NO_LINE": "没有此线路 no such line"}
NAMED_BY = ("account", "number", "circuit")
"""Kinds of resources by which people name a line, in the order in which they are tried."""

_c = table_of(Coverage).c
_TECHNOLOGY = Prepared(
    select(_c.technology, _c.top_speed_mbps).where(_c.node == bindparam("of_node")).order_by(_c.id).limit(1)
)


class FindRequest(Schema):
    """Its account, telephone number or circuit code."""

    line = fields.String(required=True, allow_none=True, validate=validate.Length(max=64))


class HeldShape(Schema):
    """One thing that the line has."""

    kind = fields.String(required=True)
    place = fields.String(required=True)
    name = fields.String(required=True)
    slot = fields.String(required=True)
    vlan = fields.Integer(required=True, allow_none=True)


class LineShape(Schema):
    """The line as processes see it; docs/reference/lines.md says what each field means."""

    account = fields.String(required=True, allow_none=True)
    order = fields.String(required=True, allow_none=True)
    holder = fields.String(required=True)
    product = fields.String(required=True, allow_none=True)
    speed_mbps = fields.Integer(required=True)
    services = fields.List(fields.String(), required=True)
    network = fields.String(required=True)
    partner_order = fields.String(required=True, allow_none=True)
    node = fields.String(required=True, allow_none=True)
    node_kind = fields.String(required=True, allow_none=True)
    port = fields.String(required=True, allow_none=True)
    vlan = fields.Integer(required=True, allow_none=True)
    onu_serial = fields.String(required=True, allow_none=True)
    numbers = fields.List(fields.String(), required=True)
    technology = fields.String(required=True, allow_none=True)
    automated = fields.Boolean(required=True)
    suspended = fields.List(fields.String(), required=True)
    customer = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    area = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    tier = fields.String(required=True, allow_none=True)
    resources = fields.List(fields.Nested(HeldShape), required=True)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that works. `order` and `item` are empty where it is older than our orders."""

    holder: str
    held: Sequence[Any]
    order: ServiceOrder | None
    item: OrderItem | None

    def first(self, kind: str) -> Any | None:
        """The first thing of a kind that it has."""
        return next((row for row in self.held if row.kind == kind), None)

    def names(self, kind: str) -> list[str]:
        """What it has of a kind."""
        return [row.name for row in self.held if row.kind == kind]

    @property
    def account(self) -> str | None:
        """The account with which it logs in; a circuit has none."""
        found = self.first("account")
        return found.name if found is not None else None


class FindLine:
    """The line of an account, a number or a circuit."""

    operation = Operation(
        "line.find", "查在网线路", "Find the line", FindRequest, LineShape, Repeat.NATIVE, errors=NO_LINE
    )
    reads_only = True

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Raises NO_LINE for what is not in use: reserved, cooling, or not ours."""
        return shape(session, find_line(session, call.args["line"] or ""))


def find_line(session: Session, name: str) -> Line:
    """The line that is called like that. Raises NO_LINE."""
    for kind in NAMED_BY:
        row = holdings.named(session, kind, name)
        if row is not None and row.state == "in_use" and row.holder:
            held = [one for one in holdings.held_by(session, row.holder) if one.state == "in_use"]
            return Line(row.holder, held, *_order_of(session, row.holder))
    raise Permanent("NO_LINE", target="lines", detail=f"no line in use is called {name}")


def customer_of(session: Session, name: str) -> dict[str, Any]:
    """What an order for this line need not tell again, by the names of its characteristics; empty for an unknown line."""
    try:
        order = find_line(session, name).order
    except Permanent:
        return {}
    if order is None:
        return {}
    building = find_building(session, order.address, order.area)
    return {
        "customerName": order.customer,
        "contactPhone": order.phone,
        "area": order.area,
        "address": order.address,
        "building": building.name if building is not None else order.address[:200],
        "tier": order.tier,
    }


def product_of(session: Session, line: Line) -> tuple[str | None, int]:
    """What the customer has now: code and speed."""
    changed = session.get(LineProduct, line.account) if line.account else None
    if changed is not None:
        return changed.product, changed.speed_mbps
    product = session.get(Product, line.item.product) if line.item else None
    return (product.code, product.speed_mbps) if product else (None, 0)


def suspended_for(session: Session, account: str | None) -> list[str]:
    """The reasons for which a line is off; none: it is on."""
    query = select(LineSuspension.reason).where(
        LineSuspension.account == account, LineSuspension.is_on.is_(True)
    )
    return list(session.scalars(query.order_by(LineSuspension.reason)))


def shape(session: Session, line: Line) -> dict[str, Any]:
    """All that is known of it."""
    code, speed = product_of(session, line)
    product = session.get(Product, code) if code else None
    port, onu, order = line.first("port"), line.first("onu"), line.order
    partner = partner_order_of(session, line.holder) if port is None else None
    technology = technology_of(session, line)
    return {
        "account": line.account,
        "order": order.id if order else None,
        "holder": line.holder,
        "product": code,
        "speed_mbps": speed,
        "services": product.services if product else [],
        "network": partner.partner if partner else OWN,
        "partner_order": partner.id if partner else None,
        "node": port.place if port is not None else None,
        "node_kind": _node_kind(session, line),
        "port": port.name if port is not None else None,
        "vlan": port.vlan if port is not None else None,
        "onu_serial": onu.name if onu is not None else None,
        "numbers": line.names("number"),
        "technology": technology,
        "automated": port is not None and technology == "FTTH",
        "suspended": suspended_for(session, line.account),
        **{name: getattr(order, name, None) for name in ("customer", "phone", "area", "address", "tier")},
        "resources": [
            {"kind": r.kind, "place": r.place, "name": r.name, "slot": r.slot, "vlan": r.vlan}
            for r in line.held
        ],
    }


def _node_kind(session: Session, line: Line) -> str | None:
    """OLT, PE and so on; None for a node that is not in the network data."""
    port = line.first("port")
    node = session.get(NetworkNode, port.place) if port is not None else None
    return node.kind if node is not None else None


def technology_of(session: Session, line: Line) -> str | None:
    """That of the coverage by which its port reaches the building; else of any building of the node."""
    port = line.first("port")
    if port is None:
        return None
    building = find_building(session, line.order.address, line.order.area) if line.order else None
    reach = candidates(session, building.id) if building is not None else ()
    found = next((c.technology for c in reach if c.node == port.place), None)
    row = None if found else _TECHNOLOGY.first(session, of_node=port.place)
    return found or (row.technology if row is not None else None)


def _order_of(session: Session, holder: str) -> tuple[ServiceOrder | None, OrderItem | None]:
    """The order whose item this business key is."""
    query = (
        select(ServiceOrder, OrderItem)
        .join(OrderItem, OrderItem.order_id == ServiceOrder.id)
        .join(ProcessInstance, ProcessInstance.id == OrderItem.instance_id)
        .where(ProcessInstance.business_key == holder)
    )
    found = session.execute(query).first()
    return (found[0], found[1]) if found is not None else (None, None)


def partner_order_of(session: Session, holder: str) -> PartnerOrder | None:
    """The try that was confirmed: the partner whose line it is."""
    query = select(PartnerOrder).where(
        PartnerOrder.business_key == holder, PartnerOrder.state.not_in(["refused", "stopped"])
    )
    return session.scalars(query.order_by(PartnerOrder.attempt.desc())).first()
