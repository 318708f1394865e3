"""The OLT (光线路终端): service ports and ONUs of the optical access network, by NETCONF."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.addresses import Addresses
from adapters.json_http import wire_key
from adapters.network import olt_model
from adapters.network import olt_schemas as schemas
from adapters.network.netconf import MEDIA, Netconf
from adapters.network.olt_entries import (
    BOUND_ELSEWHERE,
    KIND,
    MULTICAST_TAKEN,
    PORT_FULL,
    PORT_TAKEN,
    PORT_UNKNOWN,
    AtOlt,
    Create,
    Members,
    Olts,
    Onus,
    Remove,
    ServicePorts,
    target_of,
)
from adapters.network.olt_model import Onu, pon_of
from adapters.network.transport import HttpTransport, Transport
from adapters.operation import Args, Look, OperationAdapter
from engine.config import Settings
from engine.errors import AdapterError, NeedsHuman, Permanent
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result, Undo

_REFUSED = {"OLT_REFUSED": "OLT 拒绝该配置 / the OLT refuses the configuration"}
_PLACE = _REFUSED | {
    "PORT_FAULTY": "端口故障 / the port is faulty",
    PORT_UNKNOWN: "端口不存在 / the OLT has no such port",
}
NOT_BOUND = "ONU_NOT_BOUND"
_TERMINAL = _REFUSED | {NOT_BOUND: "光猫未绑定 / the ONU is not bound at this PON port"}


class SetProfile(AtOlt):
    """Gives a bound ONU another speed; taken back by the profile that it had."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """The profile before and after."""
        now: Onu | None = self._olts.entry(self._entries, args, deadline)
        if now is None:
            raise _not_bound(args)
        wanted = olt_model.line_profile(args["speed_mbps"])
        return Plan(
            steps=(f"edit-config merge onu {args['onu_serial']}: {now.line_profile} -> {wanted}",),
            before={"line_profile": now.line_profile},
            after={"line_profile": wanted},
            undo={"line_profile": now.line_profile},
            already=now.line_profile == wanted,
        )

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sets it, then reads it back."""
        replayed = self._set(args, plan.after["line_profile"], call.key, deadline)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL with the wanted profile, ABSENT with any other; without the ONU it cannot be said."""
        now: Onu | None = self._olts.entry(self._entries, args, deadline)
        if now is None:
            return Observed.DIFFERENT, {}
        if now.line_profile != olt_model.line_profile(args["speed_mbps"]):
            return Observed.ABSENT, {}
        return Observed.EQUAL, self._entries.output(now)

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Sets the old profile, as long as the ONU still has the one of this call."""
        before = (plan.undo or {}).get("line_profile")
        now: Onu | None = self._olts.entry(self._entries, args, deadline)
        if now is not None and now.line_profile == before:
            return Result("already", {})
        if now is None or before is None or now.line_profile != plan.after["line_profile"]:
            raise NeedsHuman(
                target=target_of(args), detail=f"{args['onu_serial']} was changed by somebody else"
            )
        self._set(args, before, call.key + ":undo", deadline)
        self._olts.expect(self._entries, replace(now, line_profile=before), args, deadline)
        return Result("done", {})

    def _set(self, args: Args, profile: str, key: str, deadline: float) -> bool:
        values = {"serial": args["onu_serial"], "line_profile": profile}
        edit = olt_model.edit(pon_of(args["port"]), Onu, values, "merge")
        said = self._olts.netconf.change(args["node"], edit, key, deadline)
        if said.tag:
            raise _not_bound(args)
        return said.replayed


class Reset(AtOlt):
    """Restarts a bound ONU. The OLT keeps the reference of the last restart, so a repeat does not restart it again."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing of the configuration will change."""
        done = self.observe(call, args, _NOTHING, deadline)[0] is Observed.EQUAL
        return Plan(steps=(f"reset-onu {args['onu_serial']}",), before={}, after={}, already=done)

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Restarts it, then reads the reference back."""
        rpc = olt_model.reset(pon_of(args["port"]), args["onu_serial"], wire_key(call.key))
        said = self._olts.netconf.change(args["node"], rpc, call.key, deadline)
        if said.tag:
            raise _not_bound(args)
        output = self.read_back(call, args, plan, deadline)
        return Result("already" if said.replayed else "done", output)

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when this call was the last that restarted it."""
        now: Onu | None = self._olts.entry(self._entries, args, deadline)
        if now is None or now.last_reset != wire_key(call.key):
            return Observed.ABSENT, {}
        return Observed.EQUAL, {"onu_id": now.onu_id}


class ReadLine(Look, AtOlt):
    """Measures the line to a terminal, bound or not. Changes nothing, so it may be done as often as one likes."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"get seen-onu {args['onu_serial']}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """One measurement."""
        line, pon = self._olts.line(args, deadline)
        if pon is None:
            raise Permanent(PORT_UNKNOWN, target=target_of(args), detail=f"no PON port for {args['port']}")
        member = pon.member(args["port"])
        return Result(
            "done",
            {
                "sync": line.sync,
                "rx_power_dbm": line.rx_power_dbm,
                "distance_m": line.distance_m,
                "bound": pon.onu(args["onu_serial"]) is not None,
                "port_ok": pon.is_up and args["port"] not in pon.faulty_ports,
                "multicast": None if member is None else member.profile,
            },
        )


_NOTHING = Plan(steps=(), before={}, after={})


def _not_bound(args: Args) -> Permanent:
    detail = f"{args['onu_serial']} is not bound at {args['node']} {args['port']}"
    return Permanent(NOT_BOUND, target=target_of(args), detail=detail)


def operations_of_olts(timeout_s: float) -> Mapping[str, Operation]:
    """What is offered, without who does it."""
    rows = (
        Operation(
            "olt.service_port.create",
            "创建业务端口",
            "Create a service port",
            schemas.ServicePortRequest,
            schemas.ServicePortResponse,
            Repeat.BY_OBSERVE,
            Undo.INVERSE,
            errors=_PLACE | {PORT_TAKEN: "端口已被占用 / the port belongs to another order"},
        ),
        Operation(
            "olt.service_port.remove",
            "删除业务端口",
            "Remove a service port",
            schemas.PortRequest,
            schemas.PortResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            errors=_REFUSED,
        ),
        Operation(
            "olt.multicast.join",
            "开通组播",
            "Give a place its channels",
            schemas.MulticastRequest,
            schemas.MulticastResponse,
            Repeat.BY_OBSERVE,
            Undo.INVERSE,
            errors=_PLACE
            | {MULTICAST_TAKEN: "组播成员属于他单 / the channels there belong to another order"},
        ),
        Operation(
            "olt.multicast.leave",
            "取消组播",
            "Take a place's channels away",
            schemas.PortRequest,
            schemas.PortResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            errors=_REFUSED,
        ),
        Operation(
            "olt.onu.bind",
            "绑定光猫",
            "Bind an ONU",
            schemas.BindRequest,
            schemas.BindResponse,
            Repeat.BY_OBSERVE,
            Undo.INVERSE,
            errors=_PLACE
            | {
                "ONU_NOT_SEEN": "未发现光猫 / the PON port does not see this ONU",
                BOUND_ELSEWHERE: "光猫已绑定在别处 / the ONU is bound elsewhere, or by another order",
                PORT_FULL: "PON 口已满 / the PON port is full",
            },
        ),
        Operation(
            "olt.onu.unbind",
            "解绑光猫",
            "Unbind an ONU",
            schemas.OnuRequest,
            schemas.UnbindResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            errors=_REFUSED,
        ),
        Operation(
            "olt.onu.profile",
            "调整光猫速率",
            "Change the speed of an ONU",
            schemas.ProfileRequest,
            schemas.BindResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            errors=_TERMINAL,
        ),
        Operation(
            "olt.onu.reset",
            "重启光猫",
            "Restart an ONU",
            schemas.OnuRequest,
            schemas.ResetResponse,
            Repeat.BY_OBSERVE,
            errors=_TERMINAL,
        ),
        Operation(
            "olt.line.read",
            "读取线路光功率",
            "Read a line",
            schemas.OnuRequest,
            schemas.LineResponse,
            Repeat.NATIVE,
            errors={PORT_UNKNOWN: _PLACE[PORT_UNKNOWN]} | _REFUSED,
        ),
    )
    return {row.name: replace(row, timeout_s=timeout_s) for row in rows}


class OltAdapter(OperationAdapter):
    """All OLTs of a site; the arguments say which."""

    name = "olt"

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        self._timeout = settings.adapter_timeout_seconds
        self._transport = transport or HttpTransport(KIND, Addresses(settings).olt_url, MEDIA)
        olts, ports, onus = Olts(Netconf(KIND, self._transport)), ServicePorts(), Onus()
        members, offered = Members(), operations_of_olts(self._timeout)
        super().__init__(
            [
                Create(olts, ports, offered["olt.service_port.create"]),
                Remove(olts, ports, offered["olt.service_port.remove"]),
                Create(olts, members, offered["olt.multicast.join"]),
                Remove(olts, members, offered["olt.multicast.leave"]),
                Create(olts, onus, offered["olt.onu.bind"]),
                Remove(olts, onus, offered["olt.onu.unbind"]),
                SetProfile(olts, onus, offered["olt.onu.profile"]),
                Reset(olts, onus, offered["olt.onu.reset"]),
                ReadLine(olts, onus, offered["olt.line.read"]),
            ]
        )

    def probe(self) -> Mapping[str, Any]:
        """Whether the OLTs can be reached."""
        started = time.monotonic()
        try:
            ok = self._transport.reachable(started + self._timeout)
        except AdapterError as e:
            return {"ok": False, "detail": e.text()}
        return {"ok": ok, "ms": round((time.monotonic() - started) * 1000)}

    def close(self) -> None:
        """Gives back connections."""
        self._transport.close()
