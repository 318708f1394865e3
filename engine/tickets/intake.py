"""Taking a fault report in: the order of type TT that its process runs for, and the ticket beside it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from engine.orders.intake import FieldError, NewItem, PlaceOrder, place
from engine.ports import OrderListener
from engine.runtime.kernel import Kernel
from engine.tickets.lines import Line, find_line, pon_of
from engine.tickets.model import TroubleTicket
from engine.tickets.states import change
from engine.tickets.telling import CREATED, record_ticket, tell

ORDER_TYPE = "TT"


@dataclass(frozen=True, slots=True)
class ReportFault:
    """A report as it came. What we know of the line goes before what its sender says of it.

    `product`, `area`, `address`, `customer`: needed where no order of ours built the line.
    """

    source: str
    external_id: str | None
    line: str
    ticket_type: str
    severity: str
    description: str
    origin: str = "crm"
    symptom: str | None = None
    priority: str | None = None
    phone: str | None = None
    wished_window: str | None = None
    wished_at: datetime | None = None
    product: str | None = None
    area: str | None = None
    address: str | None = None
    customer: str | None = None
    tier: str | None = None
    node: str | None = None
    port: str | None = None
    alarm_id: int | None = None
    flaps: int = 0
    document: Mapping[str, Any] = field(default_factory=dict)


def report_fault(
    session: Session,
    report: ReportFault,
    kernel: Kernel,
    listeners: Sequence[OrderListener],
    *,
    at: datetime,
    zone: ZoneInfo,
    actor: str,
) -> TroubleTicket:
    """The new ticket, acknowledged; its process starts with the next job.

    Raises `FieldError`, `DuplicateOrder`, `NoProcess`.
    """
    line = find_line(session, report.line)
    command = _order(report, line)
    order = place(session, command, kernel, listeners, at=at, zone=zone, actor=actor)
    node, port = (line.node, line.port) if line and line.node else (report.node, report.port)
    ticket = TroubleTicket(
        id=order.id,
        ticket_type=report.ticket_type,
        severity=report.severity,
        priority=report.priority,
        description=report.description,
        symptom=report.symptom,
        origin=report.origin,
        line=report.line,
        line_order=line.order if line else None,
        node=node,
        port=port,
        pon=pon_of(port) or (port if node else None),
        alarm_id=report.alarm_id,
        status="acknowledged",
        status_at=at,
        changes=[change("acknowledged", at, None)],
        urges=0,
        wished_at=report.wished_at,
        document=dict(report.document),
        created_at=at,
        updated_at=at,
    )
    session.add(ticket)
    session.flush()
    record_ticket(session, "TicketReported", ticket, at, actor, line=report.line, origin=report.origin)
    tell(session, ticket, CREATED, at)
    return ticket


def _order(report: ReportFault, line: Line | None) -> PlaceOrder:
    facts = _facts(report, line)
    item = NewItem("1", "noChange", facts.pop("product"), ORDER_TYPE, _values(report, line))
    return PlaceOrder(
        source=report.source,
        external_id=report.external_id,
        phone=report.phone or (line.phone if line else None) or "",
        items=[item],
        document={},
        **facts,
    )


def _facts(report: ReportFault, line: Line | None) -> dict[str, str]:
    """Whose line it is and where: what we know, else what the sender says. Raises `FieldError` for what nobody says."""
    needed = ("product", "area", "address", "customer", "tier")
    found = {name: getattr(line, name, None) or getattr(report, name) for name in needed}
    found["tier"] = found["tier"] or "normal"
    missing = [name for name, value in found.items() if not value]
    if missing:
        detail = f"none of our orders built {report.line}; name its {', '.join(missing)}"
        raise FieldError(field="line", detail=detail)
    return found


def _values(report: ReportFault, line: Line | None) -> dict[str, Any]:
    """What the process begins with, besides what every order has."""
    port = line.port if line and line.port else report.port
    return {
        "line": report.line,
        "line_known": line is not None,
        "line_order": line.order if line else None,
        "account": line.account if line else None,
        "circuit": line.circuit if line else None,
        "onu": line.onu if line else None,
        "device": line.device if line else None,
        "interface": line.interface if line else None,
        "network": line.network if line else None,
        "node": line.node if line and line.node else report.node,
        "port": port,
        "pon": pon_of(port),
        "vlan": line.vlan if line else None,
        "symptom": report.symptom,
        "description": report.description,
        "ticket_type": report.ticket_type,
        "severity": report.severity,
        "priority": report.priority,
        "origin": report.origin,
        "wished_window": report.wished_window,
        "contact_phone": report.phone,
        "alarm": report.alarm_id,
        "flaps": report.flaps,
    }
