"""Local operations of a survey: a port is held for the customer, or his demand is written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from engine.events import record
from engine.orders.numbering import next_serial
from engine.ports import LocalCall, Operation, Repeat
from engine.resources import holdings
from engine.resources.checking import CheckRequest, serving
from engine.resources.demand import note_demand
from engine.resources.holdings import Wish


class HoldRequest(CheckRequest):
    """Where, how fast, and for how many days."""

    days = fields.Integer(load_default=7, validate=validate.Range(min=1, max=90))


class HoldResponse(Schema):
    """The number that an order names to have the port; null where no port of ours could be held."""

    hold = fields.String(required=True, allow_none=True)
    until = fields.String(required=True, allow_none=True)


class DemandRequest(Schema):
    """Where a line is wanted, and how fast."""

    area = fields.String(required=True)
    building = fields.String(required=True)
    speed_mbps = fields.Integer(required=True)


class DemandResponse(Schema):
    """It is noted."""

    noted = fields.Boolean(required=True)


class HoldPort:
    """A port of ours at the best node of a place is kept for whoever names the hold in his order."""

    operation = Operation(
        "resource.hold", "保留端口", "Hold a port", HoldRequest, HoldResponse, Repeat.BY_KEY
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """It ends by itself. A partner's line cannot be held: then there is no hold, and that is no error."""
        until = call.now + timedelta(days=call.args["days"])
        for one in serving(session, call.args):
            row = holdings.pick(session, "port", one.node) if one.node else None
            if row is None:
                continue
            day = f"{call.now:%Y%m%d}"
            number = f"HD-{day}-{next_serial(session, 'HD', day):06d}"
            if holdings.move(session, row, "held", Wish(number, call.now, "", call.key), until, call.now):
                record(
                    session,
                    "PortHeld",
                    at=call.now,
                    actor="system",
                    business_key=call.business_key,
                    instance_id=call.instance_id,
                    node=row.place,
                    port=row.name,
                    until=until.isoformat(),
                )
                return {"hold": number, "until": until.isoformat()}
        return {"hold": None, "until": None}


class NoteDemand:
    """Somebody wants a line where there is none yet (需求预登记)."""

    operation = Operation(
        "resource.demand", "需求预登记", "Note the demand", DemandRequest, DemandResponse, Repeat.NATIVE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Once for each order and building."""
        args = call.args
        note_demand(session, args["area"], args["building"], args["speed_mbps"], call.business_key, call.now)
        return {"noted": True}
