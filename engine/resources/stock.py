"""Local operations on things in stock: material for a crew, and numbers, VLANs, IPs and circuits for a line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.events import record
from engine.ports import LocalCall, Operation, Repeat, Undo
from engine.resources import holdings
from engine.resources.checking import R04
from engine.resources.holdings import Wish

A04 = "缺料 no material"
_SLOT = validate.Length(max=64)


class TakeRequest(Schema):
    """What, and where it is kept: numbers by exchange area, VLANs and IPs by device."""

    kind = fields.String(required=True)
    place = fields.String(load_default="", allow_none=True)
    slot = fields.String(load_default="", validate=_SLOT)


class TakeResponse(Schema):
    """What was taken, and until when it is reserved."""

    name = fields.String(required=True)
    reserved_until = fields.DateTime(required=True, allow_none=True)


class DrawRequest(Schema):
    """A certain device by its serial number, or any of a store."""

    serial = fields.String(load_default=None, allow_none=True)
    place = fields.String(load_default="", allow_none=True)
    slot = fields.String(load_default="", validate=_SLOT)


class DrawResponse(Schema):
    """The device that is the order's now."""

    serial = fields.String(required=True)
    place = fields.String(required=True)


class ReturnRequest(Schema):
    """Which device comes back, and whether it is broken; without a serial number all that the order has."""

    serial = fields.String(load_default=None, allow_none=True)
    faulty = fields.Boolean(load_default=False)


class ReturnResponse(Schema):
    """How many came back."""

    returned = fields.Integer(required=True)


class Take:
    """Reserves one of a kind: from stock, or with a name that we make (accounts, circuit codes)."""

    operation = Operation(
        "resource.take",
        "预占资源",
        "Take one of a kind",
        TakeRequest,
        TakeResponse,
        Repeat.BY_KEY,
        Undo.INVERSE,
        errors={"R04": R04},
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat with the same key gives what that key took."""
        kind, place = call.args["kind"], call.args["place"] or ""
        for row in holdings.held_by(session, call.business_key):
            if row.kind == kind and row.taken_by == call.key:
                return {"name": row.name, "reserved_until": row.held_until}
        rule = holdings.rule_of(session, kind)
        until = call.now + timedelta(minutes=rule.reserve_minutes)
        wish = Wish(call.business_key, call.now, call.args["slot"], call.key)
        if rule.prefix:
            name = holdings.make(session, kind, rule, wish)
        else:
            row = holdings.pick(session, kind, place)
            if row is None or not holdings.move(session, row, "reserved", wish, until, call.now):
                raise Permanent("R04", target="resources", detail=f"no free {kind} {place}".rstrip())
            name = row.name
        _record(session, "ResourceTaken", call, f"{kind} {name}")
        return {"name": name, "reserved_until": until}


class DrawOnu:
    """An optical network unit leaves the store for the order (领料)."""

    operation = Operation(
        "resource.draw_onu",
        "领料",
        "Draw an ONU",
        DrawRequest,
        DrawResponse,
        Repeat.BY_KEY,
        Undo.INVERSE,
        errors={"A04": A04},
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat gives the device that the order has. A04: none is left, or this one is not in stock."""
        serial, place = call.args["serial"], call.args["place"] or ""
        for row in holdings.held_by(session, call.business_key):
            if row.kind == "onu" and (row.name == serial or row.taken_by == call.key):
                return {"serial": row.name, "place": row.place}
        found = holdings.named(session, "onu", serial) if serial else holdings.pick(session, "onu", place)
        wish = Wish(call.business_key, call.now, call.args["slot"], call.key)
        if (
            found is None
            or found.state != "free"
            or not holdings.move(session, found, "reserved", wish, None, call.now)
        ):
            detail = f"{serial} is not in stock" if serial else f"no ONU in stock {place}".rstrip()
            raise Permanent("A04", target="resources", detail=detail)
        _record(session, "ResourceTaken", call, f"onu {found.name}")
        return {"serial": found.name, "place": found.place}


class ReturnOnu:
    """A device comes back to its store (退料), usable or broken."""

    operation = Operation(
        "resource.return_onu", "退料", "Return an ONU", ReturnRequest, ReturnResponse, Repeat.NATIVE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat finds nothing to bring back. With a serial number it may be another order's: the customer kept it."""
        serial, faulty = call.args["serial"], call.args["faulty"]
        if serial:
            one = holdings.named(session, "onu", serial)
            rows = [one] if one is not None and one.state in ("reserved", "in_use") else []
        else:
            rows = [r for r in holdings.held_by(session, call.business_key) if r.kind == "onu"]
        done = [
            row
            for row in rows
            if holdings.move(session, row, "faulty" if faulty else "free", None, None, call.now)
        ]
        if done:
            _record(session, "ResourcesReleased", call, *(holdings.label(row) for row in done))
        return {"returned": len(done)}


def _record(session: Session, kind: str, call: LocalCall, *resources: str) -> None:
    record(
        session,
        kind,
        at=call.now,
        actor="system",
        business_key=call.business_key,
        instance_id=call.instance_id,
        resources=list(resources),
    )
