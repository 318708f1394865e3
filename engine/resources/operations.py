"""Local operations on resources: check, reserve, allocate, release. Their effect is rows, in the step's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.events import record
from engine.orders.numbering import next_serial
from engine.ports import LocalCall, LocalOperation, Operation, Repeat, Undo
from engine.resources.model import AccessPort, Coverage

RESERVED_FOR = timedelta(days=30)
NO_RESOURCE = {"R04": "无资源 no resource"}


class CheckRequest(Schema):
    """Where the customer wants how much."""

    area = fields.String(required=True)
    building = fields.String(required=True)
    speed_mbps = fields.Integer(required=True)


class CheckResponse(Schema):
    """The access node that can serve."""

    node = fields.String(required=True)
    free_ports = fields.Integer(required=True)


class ReserveRequest(Schema):
    """On which node."""

    node = fields.String(required=True)


class ReserveResponse(Schema):
    """What the order holds now."""

    node = fields.String(required=True)
    port = fields.String(required=True)
    vlan = fields.Integer(required=True)
    account = fields.String(required=True)


class Nothing(Schema):
    """No data."""


class Released(Schema):
    """What was given back."""

    ports = fields.Integer(required=True)


class CheckResources:
    """Which node serves the building, and whether a port is free there."""

    operation = Operation(
        "resource.check",
        "资源核查",
        "Check resources",
        CheckRequest,
        CheckResponse,
        Repeat.NATIVE,
        errors=NO_RESOURCE,
    )

    reads_only = True

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Reads only."""
        query = select(Coverage).where(
            Coverage.area_id == call.args["area"],
            Coverage.building == call.args["building"],
            Coverage.top_speed_mbps >= call.args["speed_mbps"],
        )
        coverage = session.scalars(query).first()
        if coverage is None:
            where = f"{call.args['area']} {call.args['building']}"
            raise Permanent("R04", target="resources", detail=f"no network with this speed reaches {where}")
        free = session.scalar(
            select(func.count())
            .select_from(AccessPort)
            .where(AccessPort.node == coverage.node, AccessPort.state == "free")
        )
        if not free:
            raise Permanent("R04", target="resources", detail=f"{coverage.node} has no free port")
        return {"node": coverage.node, "free_ports": free}


class ReservePort:
    """Takes one free port for the instance. Of two orders that want the last one, exactly one gets it."""

    operation = Operation(
        "resource.reserve",
        "预占",
        "Reserve a port",
        ReserveRequest,
        ReserveResponse,
        Repeat.NATIVE,
        Undo.INVERSE,
        errors=NO_RESOURCE,
    )

    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat gives the port that is held already."""
        mine = select(AccessPort).where(
            AccessPort.holder == call.business_key, AccessPort.state == "reserved"
        )
        port = session.scalars(mine).first() or self._take(session, call)
        account = f"yt{call.now:%y%m%d}{next_serial(session, 'ACC', f'{call.now:%Y%m%d}'):05d}"
        return {"node": port.node, "port": port.port, "vlan": port.vlan, "account": account}

    def _take(self, session: Session, call: LocalCall) -> AccessPort:
        free = select(AccessPort).where(AccessPort.node == call.args["node"], AccessPort.state == "free")
        port = session.scalars(
            free.order_by(AccessPort.id).limit(1).with_for_update(skip_locked=True)
        ).first()
        if port is None:
            raise Permanent(
                "R04",
                target="resources",
                detail=f"the last free port of {call.args['node']} went to another order",
            )
        port.state, port.holder, port.changed_at = "reserved", call.business_key, call.now
        port.held_until = call.now + RESERVED_FOR
        record(
            session,
            "PortReserved",
            at=call.now,
            actor="system",
            business_key=call.business_key,
            instance_id=call.instance_id,
            node=port.node,
            port=port.port,
        )
        return port


class AllocatePort:
    """The reserved port is now in use."""

    operation = Operation("resource.allocate", "实占", "Allocate the port", Nothing, Released, Repeat.NATIVE)

    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Sets a state; a repeat changes nothing."""
        changed = session.execute(
            update(AccessPort)
            .where(AccessPort.holder == call.business_key)
            .values(state="in_use", held_until=None, changed_at=call.now)
        )
        return {"ports": int(changed.rowcount)}  # type: ignore[attr-defined]


class ReleasePort:
    """Gives back whatever the instance holds."""

    operation = Operation("resource.release", "释放", "Release the port", Nothing, Released, Repeat.NATIVE)

    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat finds nothing left to give back."""
        changed = session.execute(
            update(AccessPort)
            .where(AccessPort.holder == call.business_key)
            .values(state="free", holder=None, held_until=None, changed_at=call.now)
        )
        return {"ports": int(changed.rowcount)}  # type: ignore[attr-defined]


def operations() -> dict[str, LocalOperation]:
    """All of them by name."""
    found: list[LocalOperation] = [CheckResources(), ReservePort(), AllocatePort(), ReleasePort()]
    return {o.operation.name: o for o in found}
