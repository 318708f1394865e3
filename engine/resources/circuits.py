"""Local operations on a dedicated line: what both ends of a circuit hold is reserved together, or nothing of it.

Ends are told apart by the slot of a resource: `A`, `Z`. Fibres belong to a cable, VLANs and ports to a device.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from engine.errors import NeedsHuman, Permanent
from engine.events import record
from engine.ports import LocalCall, LocalOperation, Operation, Repeat, Undo
from engine.resources import holdings
from engine.resources.checking import R04
from engine.resources.holdings import Wish
from engine.resources.model import NetworkNode, Resource
from engine.resources.replacing import replace_faulty
from engine.resources.reserving import RACE_LOST
from engine.store.base import table_of
from engine.store.prepared import Prepared

CIRCUIT, ADDRESS, VRF = "circuit", "ip", "vrf"
_OF_END = (("port", "node"), ("vlan", "node"), ("fibre", "cable"))
"""What an end holds, and which of its fields says where."""
_KIND = Prepared(select(table_of(NetworkNode).c.kind).where(table_of(NetworkNode).c.id == bindparam("node")))
_MOST_CORES = 288


class EndRequest(Schema):
    """One end: on which device it ends, and on which cable it gets there."""

    end = fields.String(required=True, validate=validate.OneOf(["A", "Z"]))
    node = fields.String(required=True, validate=validate.Length(1, 64))
    cable = fields.String(required=True, validate=validate.Length(1, 64))


class ReserveRequest(Schema):
    """The ends of the circuit, and from which device its address comes, if it needs one."""

    ends = fields.List(fields.Nested(EndRequest), required=True, validate=validate.Length(1, 2))
    address_from = fields.String(load_default=None, allow_none=True)


class EndResponse(Schema):
    """What an end holds. `node_kind` is empty for a device that we do not know."""

    node = fields.String(required=True)
    node_kind = fields.String(required=True)
    cable = fields.String(required=True)
    port = fields.String(required=True)
    vlan = fields.Integer(required=True)
    fibre = fields.String(required=True)


class ReserveResponse(Schema):
    """The code of the circuit, its ends by name, and its address."""

    circuit = fields.String(required=True)
    ends = fields.Dict(keys=fields.String(), values=fields.Nested(EndResponse), required=True)
    address = fields.String(required=True, allow_none=True)
    reserved_until = fields.DateTime(required=True)


class NextFibreRequest(Schema):
    """Which end's core is no good, and why."""

    end = fields.String(required=True, validate=validate.OneOf(["A", "Z"]))
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class NextFibreResponse(Schema):
    """The core instead."""

    cable = fields.String(required=True)
    fibre = fields.String(required=True)
    faulty_fibre = fields.String(required=True)


class PlanRequest(Schema):
    """Whether the line needs a VRF of its own, and the address that was reserved."""

    with_vrf = fields.Boolean(load_default=False)
    address = fields.String(load_default=None, allow_none=True)


class PlanResponse(Schema):
    """The VRF, and the addresses of both sides of the line."""

    vrf = fields.String(required=True, allow_none=True)
    our_address = fields.String(required=True, allow_none=True)
    customer_address = fields.String(required=True, allow_none=True)


class BuildRequest(Schema):
    """Cables that were laid, and how many cores each of them has."""

    cables = fields.List(fields.String(validate=validate.Length(1, 64)), required=True)
    cores = fields.Integer(required=True, validate=validate.Range(1, _MOST_CORES))


class BuildResponse(Schema):
    """How many cores are new in the inventory."""

    added = fields.Integer(required=True)


class ServiceRequest(Schema):
    """The circuit, and by which promise it is kept from now on."""

    circuit = fields.String(required=True)
    tier = fields.String(required=True)


class ServiceResponse(Schema):
    """How many resources are in use."""

    resources = fields.Integer(required=True)


class ReserveCircuit:
    """Ports, VLANs and fibres of both ends, an address and a circuit code: all of it, or RACE_LOST."""

    operation = Operation(
        "circuit.reserve",
        "预占电路",
        "Reserve a circuit",
        ReserveRequest,
        ReserveResponse,
        Repeat.NATIVE,
        Undo.INVERSE,
        errors=RACE_LOST,
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat gives what is held; what is held elsewhere than wished now is given back."""
        held = _Held(session, call)
        ends = {one["end"]: held.end(one) for one in call.args["ends"]}
        wanted = call.args["address_from"]
        address = held.one(ADDRESS, wanted, "") if wanted else None
        circuit = held.made(CIRCUIT)
        held.leave_others()
        record(
            session,
            "CircuitReserved",
            at=call.now,
            actor="system",
            business_key=call.business_key,
            instance_id=call.instance_id,
            circuit=circuit,
            resources=[f"port {one['node']} {one['port']}" for one in ends.values()],
        )
        return {"circuit": circuit, "ends": ends, "address": address, "reserved_until": held.until(CIRCUIT)}


class _Held:
    """What the order holds, while it is brought to what it wants."""

    def __init__(self, session: Session, call: LocalCall) -> None:
        self._session, self._call = session, call
        self._before: Sequence[Any] = holdings.held_by(session, call.business_key)
        self._kept: set[int] = set()

    def until(self, kind: str) -> datetime:
        """How long a new reservation of a kind lasts."""
        return self._call.now + timedelta(minutes=holdings.rule_of(self._session, kind).reserve_minutes)

    def end(self, wanted: Mapping[str, str]) -> dict[str, Any]:
        """Port, VLAN and fibre of one end."""
        names = {kind: self.one(kind, wanted[where], wanted["end"]) for kind, where in _OF_END}
        kind = _KIND.value(self._session, node=wanted["node"])
        return {
            "node": wanted["node"],
            "node_kind": str(kind or ""),
            "cable": wanted["cable"],
            "port": names["port"],
            "vlan": int(names["vlan"]),
            "fibre": names["fibre"],
        }

    def one(self, kind: str, place: str, slot: str) -> str:
        """The one that is held there already, or a free one. Raises RACE_LOST."""
        for row in self._before:
            if (row.kind, row.place, row.slot) == (kind, place, slot):
                self._kept.add(row.id)
                return str(row.name)
        me = self._call
        found = holdings.pick(self._session, kind, place)
        wish = Wish(me.business_key, me.now, slot, me.key)
        if found is None or not holdings.move(
            self._session, found, "reserved", wish, self.until(kind), me.now
        ):
            raise Permanent("RACE_LOST", target="resources", detail=f"no free {kind} at {place}")
        return str(found.name)

    def made(self, kind: str) -> str:
        """One of a kind whose names we make ourselves."""
        for row in self._before:
            if row.kind == kind:
                self._kept.add(row.id)
                return str(row.name)
        me = self._call
        wish = Wish(me.business_key, me.now, "", me.key)
        return holdings.make(self._session, kind, holdings.rule_of(self._session, kind), wish)

    def leave_others(self) -> None:
        """Gives back what an earlier design wanted. A VRF stays: the plan behind decides about it."""
        kinds = {CIRCUIT, ADDRESS, *(kind for kind, _ in _OF_END)}
        for row in self._before:
            if row.kind in kinds and row.id not in self._kept:
                holdings.give_back(self._session, row, self._call.now)


class NextFibre:
    """The core of an end is faulty (marked, so that nobody gets it), and the next one of its cable is reserved."""

    operation = Operation(
        "circuit.next_fibre",
        "换纤芯",
        "Take the next core",
        NextFibreRequest,
        NextFibreResponse,
        Repeat.BY_KEY,
        errors={"R04": R04},
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """R04 when the cable has no other core; the faulty one stays marked."""
        end, holder = call.args["end"], call.business_key
        wish = Wish(holder, call.now, end, call.key)
        held = holdings.held_by(session, holder)
        old = next((row for row in held if row.kind == "fibre" and row.slot == end), None)
        if old is None:
            raise Permanent("R04", target="resources", detail=f"{holder} holds no fibre at end {end}")
        if old.taken_by == call.key:
            faulty = holdings.given_up_last(session, holder, "fibre", "faulty") or ""
            return {"cable": old.place, "fibre": old.name, "faulty_fibre": faulty}
        new = replace_faulty(session, "FibreFaulty", call, old, wish, "cable", "fibre")
        return {"cable": new.place, "fibre": new.name, "faulty_fibre": old.name}


class PlanMetro:
    """A VRF of its own where the line needs one, and which address each side of the line has."""

    operation = Operation(
        "circuit.plan", "城域网资源", "Plan VRF and addresses", PlanRequest, PlanResponse, Repeat.NATIVE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat gives the VRF that the order has; one that it does not need any more is given back."""
        mine = [row for row in holdings.held_by(session, call.business_key) if row.kind == VRF]
        vrf: str | None = None
        if call.args["with_vrf"]:
            wish = Wish(call.business_key, call.now, "", call.key)
            vrf = mine[0].name if mine else holdings.make(session, VRF, holdings.rule_of(session, VRF), wish)
        else:
            for row in mine:
                holdings.give_back(session, row, call.now)
        ours, theirs = _addresses(call.args["address"])
        return {"vrf": vrf, "our_address": ours, "customer_address": theirs}


def _addresses(reserved: str | None) -> tuple[str | None, str | None]:
    """Both sides of a reserved network: `192.0.2.0/30` is ours at .1 and the customer's at .2."""
    if reserved is None:
        return None, None
    try:
        network = ipaddress.IPv4Network(reserved)
        ours, theirs = list(network.hosts())[:2]
    except ValueError as e:
        raise NeedsHuman(target="resources", detail=f"{reserved} is no network for a line: {e}") from e
    return f"{ours}/{network.prefixlen}", f"{theirs}/{network.prefixlen}"


class EnterCables:
    """Cables that civil work has laid come into the inventory: a free fibre for each core."""

    operation = Operation(
        "circuit.build", "光缆入库", "Enter new cables", BuildRequest, BuildResponse, Repeat.NATIVE
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Cores that are known stay as they are."""
        added = 0
        for cable in sorted(set(call.args["cables"])):
            query = select(Resource.name).where(Resource.kind == "fibre", Resource.place == cable)
            known = set(session.scalars(query))
            new = [name for name in core_names(call.args["cores"]) if name not in known]
            session.add_all(
                Resource(kind="fibre", place=cable, name=name, state="free", slot="", changed_at=call.now)
                for name in new
            )
            added += len(new)
        session.flush()
        return {"added": added}


def core_names(cores: int) -> list[str]:
    """How the cores of a cable are called."""
    return [f"{core:03}" for core in range(1, cores + 1)]


class PutInService:
    """The line works: what it holds is in use, and its devices and ports lead from an alarm to its circuit and tier."""

    operation = Operation(
        "circuit.put_in_service",
        "电路启用",
        "Put a circuit in service",
        ServiceRequest,
        ServiceResponse,
        Repeat.NATIVE,
    )
    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """A repeat changes nothing. A circuit that is not held any more is a person's to look at."""
        rows = holdings.held_by(session, call.business_key)
        if not any(row.kind == CIRCUIT and row.name == call.args["circuit"] for row in rows):
            detail = f"{call.business_key} does not hold the circuit {call.args['circuit']} any more"
            raise NeedsHuman(target="resources", detail=detail)
        now = call.now
        done = [
            row
            for row in rows
            if row.state != "in_use"
            and holdings.move(
                session, row, "in_use", Wish(call.business_key, now, row.slot, call.key), None, now
            )
        ]
        if done:
            record(
                session,
                "CircuitInService",
                at=now,
                actor="system",
                business_key=call.business_key,
                instance_id=call.instance_id,
                circuit=call.args["circuit"],
                tier=call.args["tier"],
                resources=[holdings.label(row) for row in done],
            )
        return {"resources": len(rows)}


def operations() -> list[LocalOperation]:
    """All of them."""
    return [ReserveCircuit(), NextFibre(), PlanMetro(), EnterCables(), PutInService()]
