"""What a report needs to know of its line: who the customer is, and which device serves it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.lines import finding
from engine.orders.model import ServiceOrder
from engine.resources.model import OWN


@dataclass(frozen=True, slots=True)
class Line:
    """A line that works. `node`, `port`: of a PON; `device`, `interface`: of a router.

    One that is older than our orders has no order, and of its customer nothing is known.
    """

    order: str | None = None
    product: str | None = None
    tier: str | None = None
    area: str | None = None
    customer: str | None = None
    phone: str | None = None
    address: str | None = None
    network: str | None = None
    node: str | None = None
    port: str | None = None
    vlan: int | None = None
    device: str | None = None
    interface: str | None = None
    account: str | None = None
    circuit: str | None = None
    onu: str | None = None


def pon_of(port: str | None) -> str | None:
    """The PON that a port belongs to, 1/5 of 1/5/12; None for a port that is not one of three parts."""
    parts = (port or "").split("/")
    return "/".join(parts[:2]) if len(parts) == 3 else None


def find_line(session: Session, name: str) -> Line | None:
    """The line that is called like that, or was built by the order of that number."""
    try:
        found = finding.find_line(session, name)
    except Permanent:
        order = session.get(ServiceOrder, name)
        return _of(order, order.product) if order is not None and order.order_type != "TT" else None
    order = found.order or session.get(ServiceOrder, found.holder.partition(".")[0])
    code, _ = finding.product_of(session, found)
    return _of(
        order,
        code or (order.product if order else None),
        found,
        str(finding.shape(session, found)["network"]),
    )


def _of(
    order: ServiceOrder | None,
    product: str | None,
    line: finding.Line | None = None,
    network: str | None = None,
) -> Line:
    port = line.first("port") if line else None
    is_pon = port is not None and pon_of(port.name) is not None
    names = {kind: line.names(kind)[:1] if line else [] for kind in ("account", "circuit", "onu")}
    return Line(
        order=order.id if order else None,
        product=product,
        **{name: getattr(order, name, None) for name in ("tier", "area", "customer", "phone", "address")},
        network=network if port is not None or network != OWN else None,
        node=port.place if port is not None and is_pon else None,
        port=port.name if port is not None and is_pon else None,
        vlan=port.vlan if port is not None else None,
        device=port.place if port is not None and not is_pon else None,
        interface=port.name if port is not None and not is_pon else None,
        **{kind: found[0] for kind, found in names.items() if found},
    )
