"""A new report that follows from a closed one: the customer is asked afterwards, and it is broken again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NeedsHuman
from engine.orders.model import ServiceOrder
from engine.ports import LocalCall, Operation, OrderListener, Repeat
from engine.tickets.intake import ReportFault, report_fault
from engine.tickets.model import TroubleTicket

if TYPE_CHECKING:
    from engine.runtime.kernel import Kernel


class LinkedRequest(Schema):
    """The report that was closed, and what is wrong now."""

    order = fields.String(required=True)
    symptom = fields.String(required=True, validate=validate.Length(min=1, max=200))


class LinkedResponse(Schema):
    """The new one."""

    ticket = fields.String(required=True)


class OpenLinked:
    """Reports the line's fault again, for the customer of a closed report."""

    operation = Operation(
        "ticket.open_linked",
        "开关联工单",
        "Open a linked ticket",
        LinkedRequest,
        LinkedResponse,
        Repeat.NATIVE,
    )
    reads_only = False

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.kernel: Kernel | None = None
        self.listeners: Sequence[OrderListener] = ()
        """Set where all is put together: the kernel knows its operations from the beginning."""

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """One for each call: a repeat gives the one that there is."""
        known = session.get(TroubleTicket, call.args["order"])
        if known is None or self.kernel is None:
            raise NeedsHuman(target="ticket", detail=f"{call.args['order']} is no trouble ticket")
        key = f"linked:{call.key}"
        made = session.scalars(select(ServiceOrder.id).where(ServiceOrder.external_id == key)).first()
        if made is None:
            report = _again(session, known, call.args["symptom"], key)
            made = report_fault(
                session,
                report,
                self.kernel,
                self.listeners,
                at=call.now,
                zone=self.zone,
                actor="system",
            ).id
        return {"ticket": made}


def _again(session: Session, known: TroubleTicket, symptom: str, key: str) -> ReportFault:
    order = session.get_one(ServiceOrder, known.id)
    relation = {"id": known.id, "relationshipType": "follows", "@type": "TroubleTicketRelationship"}
    return ReportFault(
        source=order.source,
        external_id=key[:100],
        line=known.line,
        ticket_type=known.ticket_type,
        severity=known.severity,
        description=symptom,
        symptom=symptom,
        origin="desk",
        phone=order.phone,
        product=order.product,
        area=order.area,
        address=order.address,
        customer=order.customer,
        tier=order.tier,
        node=known.node,
        port=known.port,
        document={"troubleTicketRelationship": [relation]},
    )
