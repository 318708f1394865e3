"""The local operations of the fault process: correlate, detach, close."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from engine.errors import NeedsHuman
from engine.orders.model import ServiceOrder
from engine.ports import LocalCall, LocalOperation, Operation, Repeat
from engine.tickets import children, closing, correlating, mass_fault_steps
from engine.tickets.linked import OpenLinked
from engine.tickets.model import TroubleTicket
from engine.tickets.states import locked


class CorrelateRequest(Schema):
    """Which report."""

    order = fields.String(required=True)
    line = fields.String(required=True)


class CorrelateResponse(Schema):
    """What it belongs to."""

    relation = fields.String(required=True)
    related = fields.String(required=True, allow_none=True)
    planned = fields.String(required=True, allow_none=True)


class Correlate:
    """Open report of the line, mass fault, planned work, repeated fault."""

    operation = Operation(
        "ticket.correlate",
        "查重关联",
        "Correlate a report",
        CorrelateRequest,
        CorrelateResponse,
        Repeat.NATIVE,
    )
    reads_only = False

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """What was found before is found again."""
        ticket = ticket_of(session, call.args["order"])
        order = session.get_one(ServiceOrder, ticket.id)
        found = correlating.correlate(session, ticket, order.tier, call.now, self.zone)
        planned = found.planned.isoformat() if found.planned else None
        return {"relation": found.kind, "related": found.related, "planned": planned}


class DetachRequest(Schema):
    """Which report."""

    order = fields.String(required=True)


class DetachResponse(Schema):
    """What it left."""

    left = fields.String(required=True, allow_none=True)


class Detach:
    """Leaves the mass fault or planned work that it waits for; the undo of correlating."""

    operation = Operation(
        "ticket.detach", "脱离群障", "Leave a mass fault", DetachRequest, DetachResponse, Repeat.NATIVE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A report that belongs to nothing leaves nothing."""
        ticket = ticket_of(session, call.args["order"])
        return {"left": children.detach(session, ticket, call.now, "system")}


class CloseRequest(Schema):
    """The cause."""

    order = fields.String(required=True)
    cause_code = fields.String(required=True)
    segment = fields.String(required=True)
    time_owner = fields.String(required=True)
    text = fields.String(load_default="")


class CloseResponse(Schema):
    """Done."""

    closed = fields.Boolean(required=True)


class Close:
    """Cause, segment and owner of the time."""

    operation = Operation(
        "ticket.close",
        "障碍归档",
        "Write down the cause of a fault",
        CloseRequest,
        CloseResponse,
        Repeat.NATIVE,
        errors={
            closing.UNKNOWN_CAUSE: "原因代码无效 no code of a cause",
            closing.VAGUE: "描述含糊 the text says nothing",
        },
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """The last words stay."""
        told = call.args
        ticket = ticket_of(session, told["order"])
        said = (told["cause_code"], told["segment"], told["time_owner"])
        closing.close(session, ticket, *said, call.now, told["text"])
        return {"closed": True}


def ticket_of(session: Session, number: str) -> TroubleTicket:
    """The ticket, locked; an order that is none needs a person."""
    found = locked(session, number)
    if found is None:
        raise NeedsHuman(target="ticket", detail=f"{number} is no trouble ticket")
    return found


def operations(linked: OpenLinked) -> dict[str, LocalOperation]:
    """All of them by name, those of mass faults too."""
    found: list[LocalOperation] = [Correlate(linked.zone), Detach(), Close(), linked]
    return {one.operation.name: one for one in found} | mass_fault_steps.operations(linked.zone)
