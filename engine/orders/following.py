"""The local operation by which a process places an order that follows from its own: a quality order, for example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from engine.errors import NeedsHuman
from engine.orders.intake import NewItem, PlaceOrder, place
from engine.orders.model import ServiceOrder
from engine.ports import LocalCall, Operation, OrderListener, Repeat
from engine.runtime.kernel import Kernel

SOURCE = "kaitong"
"""Who placed it: nobody outside."""


class PlaceRequest(Schema):
    """The order from which it follows, its type, how both are related, and what its process is told besides."""

    order = fields.String(required=True)
    order_type = fields.String(required=True, validate=validate.Regexp(r"[A-Z]{2,8}\Z"))
    relation = fields.String(load_default="follows", validate=validate.Length(min=1, max=64))
    values = fields.Dict(keys=fields.String(), load_default=dict)


class PlaceResponse(Schema):
    """The number of the new order."""

    order = fields.String(required=True)


@dataclass(frozen=True, slots=True)
class OrderIntake:
    """What taking an order in needs."""

    kernel: Kernel
    listeners: Sequence[OrderListener]
    zone: ZoneInfo


class PlaceFollowing:
    """A new order for the same customer, place and product, in the transaction of the step."""

    operation = Operation(
        "order.place", "生成关联定单", "Place a related order", PlaceRequest, PlaceResponse, Repeat.BY_KEY
    )
    reads_only = False

    def __init__(self) -> None:
        self.intake: OrderIntake | None = None
        """Set where both are put together: the kernel knows its operations from the beginning."""

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """It names the order from which it follows (`orderRelationship`), which stays as it is."""
        args, intake = call.args, self.intake
        if intake is None:
            raise NeedsHuman(target="orders", detail="nobody takes orders in here")
        origin = session.get(ServiceOrder, args["order"])
        if origin is None:
            raise NeedsHuman(target="orders", detail=f"there is no order {args['order']}")
        item = NewItem("1", "noChange", origin.product, args["order_type"], args["values"])
        command = PlaceOrder(
            source=SOURCE,
            external_id=None,
            customer=origin.customer,
            phone=origin.phone,
            area=origin.area,
            address=origin.address,
            tier=origin.tier,
            items=[item],
            document={"orderRelationship": [{"id": origin.id, "relationshipType": args["relation"]}]},
        )
        placed = place(
            session, command, intake.kernel, intake.listeners, at=call.now, zone=intake.zone, actor="system"
        )
        return {"order": placed.id}
