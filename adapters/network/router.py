"""The PE router (业务路由器): the customer's access on an interface, and tests of a circuit, by command lines.

A router does not know our keys. The `description` of what we write is the key of the call that wrote it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.addresses import Addresses
from adapters.json_http import same_order, wire_key
from adapters.network import router_cli as cli
from adapters.network import router_schemas as schemas
from adapters.network.router_cli import Block, Routers, access_name
from adapters.network.transport import HttpTransport, Transport
from adapters.operation import Args, Look, OperationAdapter, OutsideOperation
from engine.config import Settings
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result, Undo

VLAN_TAKEN = "VLAN_TAKEN"
_REFUSED = {"ROUTER_REFUSED": "路由器拒绝该配置 / the router refuses the configuration"}
_UNKNOWN = _REFUSED | {cli.INTERFACE_UNKNOWN: "接口不存在 / the router has no such interface"}


class _AtRouter(OutsideOperation):
    """One operation at the router that its arguments name."""

    target = cli.KIND

    def __init__(self, routers: Routers, operation: Operation) -> None:
        self._routers, self.operation = routers, operation

    def target_of(self, args: Args) -> str:
        """Each router is a target of its own."""
        return cli.target_of(args.get("device", ""))

    def _running(self, args: Args, deadline: float) -> Block | None:
        return self._routers.running(args["device"], access_name(args), deadline)


class _Change(_AtRouter):
    """Changes the block of one access. It is taken back by the block that stood there before."""

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Commits the change, then reads it back."""
        changed = self._routers.change(
            args["device"], access_name(args), _block(plan.after), call.key, deadline
        )
        output = self.read_back(call, args, plan, deadline)
        return Result("done" if changed else "already", output)

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Writes the old block again, as long as the router shows the one of this call."""
        before, after, now = _block(plan.before), _block(plan.after), self._running(args, deadline)
        if now == before:
            return Result("already", {})
        if now != after:
            detail = f"{access_name(args)} was changed by somebody else"
            raise NeedsHuman(target=self.target_of(args), detail=detail)
        self._routers.change(args["device"], access_name(args), before, call.key + ":undo", deadline)
        try:
            back = self._running(args, deadline)
        except AdapterError as e:
            raise OutcomeUnknown(target=self.target_of(args), detail="taken back, but not read back") from e
        if back != before:
            raise OutcomeUnknown(target=self.target_of(args), detail="taken back, but it does not show")
        return Result("done", {})


class Configure(_Change):
    """Writes the access of a circuit: VLAN, VRF, address and rate limit, in place of what this customer had there."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """The difference between the configuration now and then."""
        now = self._running(args, deadline)
        wanted = cli.access_block(args, wire_key(call.key))
        already = now is not None and self._is_wanted(call, args, now)
        if now is not None and not already and _is_anothers(call, args, now):
            detail = f"{access_name(args)} belongs to another customer"
            raise Permanent(VLAN_TAKEN, target=self.target_of(args), detail=detail)
        after = now if already else wanted
        return Plan(
            steps=cli.difference(access_name(args), now, after),
            before={"block": _listed(now)},
            after={"block": _listed(after)},
            undo={"block": _listed(now)},
            already=already,
        )

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when a call of this order wrote what this call wants; ABSENT as long as all is as it was before."""
        now = self._running(args, deadline)
        if now is not None and self._is_wanted(call, args, now):
            return Observed.EQUAL, {"interface": access_name(args), "config": "\n".join(now)}
        return (Observed.ABSENT if now == _block(plan.before) else Observed.DIFFERENT), {}

    @staticmethod
    def _is_wanted(call: Call, args: Args, now: Block) -> bool:
        reference = cli.value_of(now, "description")
        return same_order(reference, call.key) and now == cli.access_block(args, reference)


class Remove(_Change):
    """Takes the access of a circuit away, whoever wrote it; one that is not there is gone."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """What will be gone."""
        now = self._running(args, deadline)
        return Plan(
            steps=cli.difference(access_name(args), now or (), None),
            before={"block": _listed(now)},
            after={"block": None},
            undo={"block": _listed(now)},
            already=now is None,
        )

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """EQUAL when it is gone; as long as it is there, nothing has happened."""
        if self._running(args, deadline) is None:
            return Observed.EQUAL, {"interface": access_name(args)}
        return Observed.ABSENT, {}


class TestCircuit(Look, _AtRouter):
    """Sends packets over a configured circuit. Changes nothing, so it may be done as often as one likes."""

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"test circuit {access_name(args)}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """One test."""
        measured = self._routers.tested(args["device"], access_name(args), deadline)
        longest, delay = args["max_delay_ms"], measured.delay_ms
        ok = measured.loss_percent <= args["max_loss_percent"] and (
            longest is None or (delay is not None and delay <= longest)
        )
        output = {"loss_percent": measured.loss_percent, "delay_ms": delay, "ok": ok}
        return Result("done", output)


def _is_anothers(call: Call, args: Args, now: Block) -> bool:
    """A block that another order wrote is another customer's if its VRF differs, or, without a VRF, its address."""
    vrf, ip = cli.value_of(now, "vrf forwarding"), cli.value_of(now, "ip address")
    if same_order(cli.value_of(now, "description"), call.key):
        return False
    return vrf != (args["vrf"] or "") or (not vrf and ip != (args["ip"] or ""))


def _listed(block: Block | None) -> list[str] | None:
    """A block as a plan is stored."""
    return None if block is None else list(block)


def _block(stored: Mapping[str, Any]) -> Block | None:
    """And back."""
    lines = stored.get("block")
    return None if lines is None else tuple(lines)


def _operations(timeout_s: float) -> Mapping[str, Operation]:
    """What is offered, without who does it."""
    rows = (
        Operation(
            "router.access.configure",
            "配置专线接入",
            "Configure an access",
            schemas.ConfigureRequest,
            schemas.ConfigureResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            errors=_UNKNOWN
            | {
                VLAN_TAKEN: "VLAN 已被其他客户占用 / the VLAN on this interface belongs to another customer",
                cli.IP_TAKEN: "地址冲突 / the address overlaps with another interface",
            },
        ),
        Operation(
            "router.access.remove",
            "删除专线接入",
            "Remove an access",
            schemas.AccessRequest,
            schemas.RemoveResponse,
            Repeat.NATIVE,
            Undo.SNAPSHOT,
            errors=_UNKNOWN,
        ),
        Operation(
            "router.circuit.test",
            "专线测试",
            "Test a circuit",
            schemas.CircuitRequest,
            schemas.CircuitResponse,
            Repeat.NATIVE,
            errors=_UNKNOWN | {cli.NOT_CONFIGURED: "电路未配置 / there is no such circuit on the router"},
        ),
    )
    return {row.name: replace(row, timeout_s=timeout_s) for row in rows}


class RouterAdapter(OperationAdapter):
    """All PE routers of a site; the arguments say which."""

    name = "router"

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        self._timeout = settings.adapter_timeout_seconds
        self._transport = transport or HttpTransport(cli.KIND, Addresses(settings).router_url, cli.MEDIA)
        routers, offered = Routers(self._transport), _operations(self._timeout)
        super().__init__(
            [
                Configure(routers, offered["router.access.configure"]),
                Remove(routers, offered["router.access.remove"]),
                TestCircuit(routers, offered["router.circuit.test"]),
            ]
        )

    def probe(self) -> Mapping[str, Any]:
        """Whether the routers can be reached."""
        started = time.monotonic()
        try:
            ok = self._transport.reachable(started + self._timeout)
        except AdapterError as e:
            return {"ok": False, "detail": e.text()}
        return {"ok": ok, "ms": round((time.monotonic() - started) * 1000)}

    def close(self) -> None:
        """Gives back connections."""
        self._transport.close()
