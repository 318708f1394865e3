"""Local operations on what an order holds: reserve, next port, prolong, allocate, release.

Their effect is rows, in the step's own transaction. Repeated with the same key they change nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.events import record
from engine.ports import LocalCall, Operation, Repeat, Undo
from engine.resources import holdings
from engine.resources.checking import R04
from engine.resources.holdings import Wish
from engine.resources.replacing import replace_faulty

RACE_LOST = {"RACE_LOST": "端口已被他单占用 another order was faster"}
_SLOT = validate.Length(max=64)


class ReserveRequest(Schema):
    """On which node. A partner's network has none of ours: then only an account is reserved."""

    node = fields.String(load_default=None, allow_none=True)
    slot = fields.String(load_default="", validate=_SLOT)
    account = fields.String(load_default=None, allow_none=True)
    with_account = fields.Boolean(load_default=True)


class ReserveResponse(Schema):
    """What the order holds now."""

    node = fields.String(required=True, allow_none=True)
    port = fields.String(required=True, allow_none=True)
    vlan = fields.Integer(required=True, allow_none=True)
    account = fields.String(required=True, allow_none=True)
    reserved_until = fields.DateTime(required=True, allow_none=True)


class NextPortRequest(Schema):
    """Which of the order's lines, and what is wrong with its port."""

    slot = fields.String(load_default="", validate=_SLOT)
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class NextPortResponse(Schema):
    """The port instead."""

    node = fields.String(required=True)
    port = fields.String(required=True)
    vlan = fields.Integer(required=True, allow_none=True)
    faulty_port = fields.String(required=True)


class AllocateRequest(Schema):
    """The account of a line that this order takes over from an earlier one (relocation)."""

    account = fields.String(load_default=None, allow_none=True)


class ReleaseRequest(Schema):
    """Whose: the order's own, one slot of it, or all of the line with this account (termination)."""

    account = fields.String(load_default=None, allow_none=True)
    slot = fields.String(load_default=None, allow_none=True, validate=_SLOT)


class Counted(Schema):
    """How many changed: ports, and resources of all kinds."""

    ports = fields.Integer(required=True)
    resources = fields.Integer(required=True)


class ProlongRequest(Schema):
    """Until when; without it, as long as a new reservation would last."""

    until = fields.AwareDateTime(load_default=None, allow_none=True, default_timezone=UTC)


class Reserve:
    """Takes one free port, with its VLAN, and an account. Of two orders that want the last port, exactly one gets it."""

    operation = Operation(
        "resource.reserve",
        "预占",
        "Reserve a port and an account",
        ReserveRequest,
        ReserveResponse,
        Repeat.NATIVE,
        Undo.INVERSE,
        errors=RACE_LOST,
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat gives what is held already; another node than before gives the port there back."""
        args = call.args
        wish = Wish(call.business_key, call.now, args["slot"], call.key)
        mine = [row for row in holdings.held_by(session, wish.holder) if row.slot == wish.slot]
        port = self._port(session, wish, args, [row for row in mine if row.kind == "port"])
        account = next((row.name for row in mine if row.kind == "account"), None)
        if account is None and args["with_account"]:
            account = _account(session, wish, args["account"])
        return {
            "node": port.place if port else None,
            "port": port.name if port else None,
            "vlan": port.vlan if port else None,
            "account": account,
            "reserved_until": port.held_until if port else None,
        }

    def _port(self, session: Session, wish: Wish, args: Mapping[str, Any], mine: Sequence[Any]) -> Any | None:
        kept = next((row for row in mine if row.place == args["node"]), None)
        for row in mine:
            if row is not kept:
                holdings.give_back(session, row, wish.now)
        if args["node"] is None or (kept is not None and kept.state != "held"):
            return kept
        return reserve_port(session, wish, kept or holdings.pick(session, "port", args["node"]), args["node"])


class NextPort:
    """The order's port is faulty (marked, so that nobody gets it), and the next one of its node is reserved."""

    operation = Operation(
        "resource.next_port",
        "换端口",
        "Take the next port",
        NextPortRequest,
        NextPortResponse,
        Repeat.BY_KEY,
        errors={"R04": R04},
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """R04 when the node has no other port; the faulty one stays marked."""
        wish = Wish(call.business_key, call.now, call.args["slot"], call.key)
        held = holdings.held_by(session, wish.holder)
        old = next((row for row in held if row.kind == "port" and row.slot == wish.slot), None)
        if old is None:
            raise Permanent("R04", target="resources", detail=f"{wish.holder} holds no port")
        if old.taken_by == call.key:
            faulty = holdings.given_up_last(session, wish.holder, "port", "faulty") or ""
            return {"node": old.place, "port": old.name, "vlan": old.vlan, "faulty_port": faulty}
        new = replace_faulty(session, "PortFaulty", call, old, wish, "node", "port")
        _tell_port(session, wish, new, old.held_until)
        return {"node": new.place, "port": new.name, "vlan": new.vlan, "faulty_port": old.name}


class Allocate:
    """What is reserved is in use from now on."""

    operation = Operation(
        "resource.allocate", "实占", "Allocate what is reserved", AllocateRequest, Counted, Repeat.NATIVE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """With `account` the line is taken over: its account, number and ONU become this order's, its old port is free."""
        now, holder = call.now, call.business_key
        rows = list(holdings.held_by(session, holder))
        if call.args["account"]:
            rows += _taken_over(session, call.args["account"], holder, now)
        done = [
            row
            for row in rows
            if (row.state != "in_use" or row.holder != holder)
            and holdings.move(session, row, "in_use", Wish(holder, now, row.slot, call.key), None, now)
        ]
        _record(session, "ResourcesAllocated", call, done)
        return _counted(done)


class Release:
    """Gives back everything; accounts and numbers cool first."""

    operation = Operation(
        "resource.release", "释放", "Release what is held", ReleaseRequest, Counted, Repeat.NATIVE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat finds nothing left to give back."""
        holder, slot = call.business_key, call.args["slot"]
        if call.args["account"]:
            line = holdings.named(session, "account", call.args["account"])
            holder = line.holder if line is not None and line.holder else ""
        rows = [r for r in holdings.held_by(session, holder) if slot is None or r.slot == slot]
        done = [row for row in rows if holdings.give_back(session, row, call.now)]
        _record(session, "ResourcesReleased", call, done)
        return _counted(done)


class Prolong:
    """Reservations last longer, for example while the order is suspended."""

    operation = Operation(
        "resource.prolong", "预占延期", "Prolong reservations", ProlongRequest, Counted, Repeat.NATIVE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Never makes one shorter, so a repeat changes nothing."""
        done = prolonged(session, call.business_key, call.now, call.args["until"])
        _record(session, "ReservationsProlonged", call, done)
        return _counted(done)


def prolonged(session: Session, holder: str, now: datetime, until: datetime | None) -> list[Any]:
    """The reservations of a holder that last longer now."""
    return [
        row
        for row in holdings.held_by(session, holder)
        if holdings.prolong(session, row, until or _until(session, row.kind, now))
    ]


def _account(session: Session, wish: Wish, given: str | None) -> str:
    """A new account; of the given name, unless somebody has that: a line that moves keeps its account until the end."""
    known = holdings.named(session, "account", given) if given else None
    if known is None:
        return holdings.make(session, "account", holdings.rule_of(session, "account"), wish, given)
    return str(known.name)


def reserve_port(session: Session, wish: Wish, row: Any | None, node: str) -> Any:
    """A free port, or the one that was held for this order before the sale. Raises RACE_LOST."""
    until = _until(session, "port", wish.now)
    if row is None or not holdings.move(session, row, "reserved", wish, until, wish.now):
        detail = f"the last free port of {node} went to another order"
        raise Permanent("RACE_LOST", target="resources", detail=detail)
    _tell_port(session, wish, row, until)
    return row._replace(held_until=until)


def _until(session: Session, kind: str, now: datetime) -> datetime:
    return now + timedelta(minutes=holdings.rule_of(session, kind).reserve_minutes)


def _taken_over(session: Session, account: str, holder: str, now: datetime) -> list[Any]:
    """What an earlier order holds of the line; its ports are given back."""
    line = holdings.named(session, "account", account)
    if line is None or line.holder in (None, holder):
        return []
    old = holdings.held_by(session, line.holder)
    for row in old:
        if row.kind == "port":
            holdings.give_back(session, row, now)
    return [row for row in old if row.kind != "port"]


def _tell_port(session: Session, wish: Wish, row: Any, until: datetime | None) -> None:
    record(
        session,
        "PortReserved",
        at=wish.now,
        actor="system",
        business_key=wish.holder,
        node=row.place,
        port=row.name,
        until=until.isoformat() if until else None,
    )


def _record(session: Session, kind: str, call: LocalCall, done: Sequence[Any]) -> None:
    """An event where something changed."""
    if done:
        record(
            session,
            kind,
            at=call.now,
            actor="system",
            business_key=call.business_key,
            instance_id=call.instance_id,
            resources=[holdings.label(row) for row in done],
        )


def _counted(done: Sequence[Any]) -> Mapping[str, Any]:
    return {"ports": sum(row.kind == "port" for row in done), "resources": len(done)}
