"""Making and deleting entries of an OLT's configuration: service ports, and ONUs.

An OLT does not know our keys. What we create carries the key of its call as `reference`, and `create` of what is there,
or `delete` of what is not, is refused by the OLT: so we look who made it, and a repeat is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Protocol, TypeVar

from lxml import etree

from adapters.json_http import same_order, wire_key
from adapters.network import olt_model
from adapters.network.netconf import DATA_MISSING, NOT_UNIQUE, Netconf
from adapters.network.olt_model import Line, MulticastMember, Onu, Pon, ServicePort, pon_of
from adapters.operation import Args, OutsideOperation
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.ports import Call, Observed, Operation, Plan, Result

KIND = "olt"
PORT_UNKNOWN, PORT_TAKEN, PORT_FULL = "PORT_UNKNOWN", "PORT_TAKEN", "PORT_FULL"
BOUND_ELSEWHERE = "ONU_BOUND_ELSEWHERE"
MULTICAST_TAKEN = "MULTICAST_TAKEN"


class Entries(Protocol):
    """One kind of entry. Entries are found in what a PON port shows, and described by the arguments of a call."""

    kind: Any
    """Its class in the model."""
    name: str
    taken: str
    """The code for an entry that another order made."""
    inverse: str

    def find(self, pon: Pon, args: Args) -> Any:
        """The entry that the arguments mean, or None."""

    def wanted(self, pon: Pon, args: Args, reference: str) -> Any:
        """The entry that the arguments ask for."""

    def fits(self, entry: Any, args: Args) -> bool:
        """Whether the entry is what the arguments ask for, whoever made it."""

    def deletion(self, args: Args) -> etree._Element:
        """The edit that deletes it."""

    def output(self, entry: Any) -> Mapping[str, Any]:
        """What making it gives."""

    def gone(self, args: Args) -> Mapping[str, Any]:
        """What deleting it gives."""

    def described(self, args: Args) -> str:
        """For people."""


class ServicePorts:
    """Entries of the kind service port, known by their place at the OLT."""

    kind, name, taken, inverse = ServicePort, "service_port", PORT_TAKEN, "olt.service_port.remove"

    def find(self, pon: Pon, args: Args) -> ServicePort | None:
        """By place."""
        return pon.service_port(args["port"])

    def wanted(self, pon: Pon, args: Args, reference: str) -> ServicePort:
        """With the VLAN."""
        return ServicePort(args["port"], args["vlan"], reference)

    def fits(self, entry: ServicePort, args: Args) -> bool:
        """The same VLAN."""
        return bool(entry.vlan == args["vlan"])

    def deletion(self, args: Args) -> etree._Element:
        """By place."""
        return olt_model.edit(pon_of(args["port"]), ServicePort, {"name": args["port"]}, "delete")

    def output(self, entry: ServicePort) -> Mapping[str, Any]:
        """Place and VLAN."""
        return {"port": entry.name, "vlan": entry.vlan}

    def gone(self, args: Args) -> Mapping[str, Any]:
        """The place."""
        return {"port": args["port"]}

    def described(self, args: Args) -> str:
        """For people."""
        return f"{args['node']} {args['port']}"


class Onus:
    """Entries of the kind ONU, known by their serial number at a PON port."""

    kind, name, taken, inverse = Onu, "onu", BOUND_ELSEWHERE, "olt.onu.unbind"

    def find(self, pon: Pon, args: Args) -> Onu | None:
        """By serial number."""
        return pon.onu(args["onu_serial"])

    def wanted(self, pon: Pon, args: Args, reference: str) -> Onu:
        """With the lowest number that is free at the PON port."""
        onu_id = pon.free_onu_id()
        if onu_id is None:
            raise Permanent(PORT_FULL, target=target_of(args), detail=f"PON port {pon.name} is full")
        profile = olt_model.line_profile(args["speed_mbps"])
        return Onu(args["onu_serial"], onu_id, args["port"], args["vlan"], profile, reference)

    def fits(self, entry: Onu, args: Args) -> bool:
        """The same place, VLAN and speed."""
        profile = olt_model.line_profile(args["speed_mbps"])
        return (entry.port, entry.vlan, entry.line_profile) == (args["port"], args["vlan"], profile)

    def deletion(self, args: Args) -> etree._Element:
        """By serial number."""
        return olt_model.edit(pon_of(args["port"]), Onu, {"serial": args["onu_serial"]}, "delete")

    def output(self, entry: Onu) -> Mapping[str, Any]:
        """Number and profile."""
        return {"onu_id": entry.onu_id, "line_profile": entry.line_profile}

    def gone(self, args: Args) -> Mapping[str, Any]:
        """The serial number."""
        return {"onu_serial": args["onu_serial"]}

    def described(self, args: Args) -> str:
        """For people."""
        return f"{args['node']} {args['port']} {args['onu_serial']}"


class Members:
    """Entries of the kind multicast member, known by their place at the OLT."""

    kind, name, taken, inverse = MulticastMember, "multicast_member", MULTICAST_TAKEN, "olt.multicast.leave"

    def find(self, pon: Pon, args: Args) -> MulticastMember | None:
        """By place."""
        return pon.member(args["port"])

    def wanted(self, pon: Pon, args: Args, reference: str) -> MulticastMember:
        """With the profile of its channels."""
        return MulticastMember(args["port"], args["profile"], reference)

    def fits(self, entry: MulticastMember, args: Args) -> bool:
        """The same profile."""
        return bool(entry.profile == args["profile"])

    def deletion(self, args: Args) -> etree._Element:
        """By place."""
        return olt_model.edit(pon_of(args["port"]), MulticastMember, {"name": args["port"]}, "delete")

    def output(self, entry: MulticastMember) -> Mapping[str, Any]:
        """Place and profile."""
        return {"port": entry.name, "profile": entry.profile}

    def gone(self, args: Args) -> Mapping[str, Any]:
        """The place."""
        return {"port": args["port"]}

    def described(self, args: Args) -> str:
        """For people."""
        return f"{args['node']} {args['port']}"


class Olts:
    """Questions to OLTs, in the words of the model."""

    def __init__(self, netconf: Netconf) -> None:
        self.netconf = netconf

    def pon(self, args: Args, deadline: float) -> Pon | None:
        """The PON port that the arguments name; None where the OLT has none."""
        name = pon_of(args["port"])
        data = self.netconf.read(args["node"], olt_model.pon_filter(name), deadline)
        return _fitting(args, lambda: olt_model.read_pon(data, name))

    def line(self, args: Args, deadline: float) -> tuple[Line, Pon | None]:
        """What is measured at the terminal, and its PON port with no other terminal than this."""
        name = pon_of(args["port"])
        asked = olt_model.line_filter(args["port"], args["onu_serial"])
        data = self.netconf.read(args["node"], asked, deadline)
        return _fitting(
            args, lambda: (olt_model.read_line(data, args["onu_serial"]), olt_model.read_pon(data, name))
        )

    def entry(self, entries: Entries, args: Args, deadline: float) -> Any:
        """The entry that the arguments name, or None."""
        pon = self.pon(args, deadline)
        return None if pon is None else entries.find(pon, args)

    def expect(self, entries: Entries, wanted: Any, args: Args, deadline: float) -> None:
        """Reads back after taking something back."""
        try:
            now = self.entry(entries, args, deadline)
        except AdapterError as e:
            raise OutcomeUnknown(target=target_of(args), detail="taken back, but not read back") from e
        if now != wanted:
            raise OutcomeUnknown(target=target_of(args), detail="taken back, but it does not show")


_T = TypeVar("_T")


def _fitting(args: Args, read: Callable[[], _T]) -> _T:
    """What was read, if it fits the model."""
    try:
        return read()
    except ValueError as e:
        raise Retryable(target=target_of(args), detail=f"the answer does not fit: {e}") from e


def target_of(args: Args) -> str:
    """Each OLT is a target of its own."""
    return f"{KIND}:{args.get('node', '')}"


class AtOlt(OutsideOperation):
    """One operation at the OLT that its arguments name."""

    target = KIND

    def __init__(self, olts: Olts, entries: Entries, operation: Operation) -> None:
        self._olts, self._entries, self.operation = olts, entries, operation

    def target_of(self, args: Args) -> str:
        """Each OLT is a target of its own."""
        return target_of(args)


class Create(AtOlt):
    """Makes an entry that must not be there yet. It is taken back as long as it is still the one that was made."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """What is there now, and the entry to be made."""
        pon = self._olts.pon(args, deadline)
        if pon is None:
            raise Permanent(PORT_UNKNOWN, target=target_of(args), detail=f"no PON port for {args['port']}")
        now, name = self._entries.find(pon, args), self._entries.name
        if now is not None and self._is_wanted(call, args, now):
            wanted = now
        else:
            wanted = self._entries.wanted(pon, args, wire_key(call.key))
        return Plan(
            steps=(f"edit-config create {name} {self._entries.described(args)}",),
            before={name: None if now is None else asdict(now)},
            after={name: asdict(wanted)},
            undo={"operation": self._entries.inverse},
            already=wanted is now,
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Creates it, then reads it back. If it is there already, ours is good and another's is a no."""
        entry = replace(self._entries.kind(**plan.after[self._entries.name]), reference=wire_key(call.key))
        edit = olt_model.creation(pon_of(args["port"]), entry)
        said = self._olts.netconf.change(args["node"], edit, call.key, deadline)
        if not said.tag:
            output = self.read_back(call, args, plan, deadline)
            return Result("already" if said.replayed else "done", output)
        if said.tag == DATA_MISSING:
            raise Permanent(PORT_UNKNOWN, target=target_of(args), detail=f"no PON port for {args['port']}")
        if said.tag == NOT_UNIQUE:
            raise Retryable(target=target_of(args), detail="its number has just been given to another")
        seen, output = self.observe(call, args, plan, deadline)
        if seen is not Observed.EQUAL:
            detail = f"{self._entries.described(args)} belongs to another order"
            raise Permanent(self._entries.taken, target=target_of(args), detail=detail)
        return Result("already", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when it was made by a call of this order and shows what this call wants."""
        now = self._olts.entry(self._entries, args, deadline)
        if now is None:
            return Observed.ABSENT, {}
        if not self._is_wanted(call, args, now):
            return Observed.DIFFERENT, {}
        return Observed.EQUAL, self._entries.output(now)

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Deletes what this very call made; what an earlier call of the order made is left to that one."""
        now = self._olts.entry(self._entries, args, deadline)
        if now is None:
            return Result("already", {})
        if now.reference != wire_key(call.key) and same_order(now.reference, call.key):
            return Result("already", {})
        if now.reference != wire_key(call.key) or not self._entries.fits(now, args):
            detail = f"{self._entries.described(args)} was changed by somebody else"
            raise NeedsHuman(target=target_of(args), detail=detail)
        edit = self._entries.deletion(args)
        said = self._olts.netconf.change(args["node"], edit, call.key + ":undo", deadline)
        self._olts.expect(self._entries, None, args, deadline)
        return Result("already" if said.tag else "done", {})

    def _is_wanted(self, call: Call, args: Args, now: Any) -> bool:
        return self._entries.fits(now, args) and same_order(now.reference, call.key)


class Remove(AtOlt):
    """Deletes an entry, whoever made it; it is taken back by making it again as it was."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """The whole entry, so that it can be made again."""
        now, name = self._olts.entry(self._entries, args, deadline), self._entries.name
        return Plan(
            steps=(f"edit-config delete {name} {self._entries.described(args)}",),
            before={name: None if now is None else asdict(now)},
            after={name: None},
            undo={name: None if now is None else asdict(now)},
            already=now is None,
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Deletes it, then looks whether it is gone."""
        edit = self._entries.deletion(args)
        said = self._olts.netconf.change(args["node"], edit, call.key, deadline)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if said.tag or said.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when it is gone; as long as it is there, nothing has happened."""
        if self._olts.entry(self._entries, args, deadline) is None:
            return Observed.EQUAL, self._entries.gone(args)
        return Observed.ABSENT, {}

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Makes it again, unless something else stands there by now."""
        stored = (plan.undo or {}).get(self._entries.name)
        now = self._olts.entry(self._entries, args, deadline)
        before = None if stored is None else self._entries.kind(**stored)
        if before is None or now == before:
            return Result("already", {})
        edit = olt_model.creation(pon_of(args["port"]), before)
        said = None if now else self._olts.netconf.change(args["node"], edit, call.key + ":undo", deadline)
        if said is None or said.tag:
            detail = f"the place of {self._entries.described(args)} is taken"
            raise NeedsHuman(target=target_of(args), detail=detail)
        self._olts.expect(self._entries, before, args, deadline)
        return Result("done", {})
