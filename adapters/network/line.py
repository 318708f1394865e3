"""A whole line (线路): tests all that carries it, and mends from afar what can be mended there.

Nothing new is spoken here: the OLT, the AAA server and the router are asked in their own words by the parts of their
adapters.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.addresses import Addresses
from adapters.json_http import JsonHttp
from adapters.network import line_findings, netconf, router_cli
from adapters.network import line_schemas as schemas
from adapters.network.aaa import LOGIN_FAILED, LoginTest, session_reset
from adapters.network.aaa_account import TARGET as AAA
from adapters.network.aaa_account import ResetSession
from adapters.network.line_findings import Measured
from adapters.network.netconf import Netconf
from adapters.network.olt import Reset, SetProfile, operations_of_olts
from adapters.network.olt_entries import KIND as OLT
from adapters.network.olt_entries import Create, Olts, Onus
from adapters.network.olt_model import line_profile
from adapters.network.router_cli import Routers, access_name
from adapters.network.transport import HttpTransport
from adapters.operation import Args, Look, OperationAdapter, OutsideOperation
from engine.config import Settings
from engine.errors import AdapterError, NeedsHuman, Permanent
from engine.ports import Call, Observed, Operation, Plan, Repeat, Result, Undo

DOWN, UNKNOWN = "DIAGNOSIS_DOWN", "LINE_DATA_MISSING"
_HOME, _CIRCUIT = ("node", "port", "onu_serial", "account"), ("device", "interface", "vlan")
_ERRORS = {
    DOWN: "网管系统无应答 / a system that has to be asked does not answer",
    UNKNOWN: "线路资料不全 / not enough is known of the line to test it",
}


@dataclass(frozen=True, slots=True)
class Systems:
    """Whom a line asks."""

    olts: Olts
    routers: Routers
    login: LoginTest
    session: ResetSession


class DiagnoseLine(Look):
    """Tests a line. Changes nothing. A system that does not answer is told at once: a person can look instead."""

    target = "line"

    def __init__(self, systems: Systems, timeout_s: float) -> None:
        self._ask = systems
        self.operation = Operation(
            "line.diagnose",
            "线路诊断",
            "Diagnose a line",
            schemas.LineRequest,
            schemas.DiagnoseResponse,
            Repeat.NATIVE,
            timeout_s=timeout_s,
            errors=_ERRORS,
        )

    def target_of(self, args: Args) -> str:
        """The device that the line begins at."""
        return _target_of(args)

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Nothing will change."""
        return Plan(steps=(f"test {_target_of(args)}",), before={}, after={})

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """One test of everything, and what it means."""
        try:
            if _knows(args, _CIRCUIT):
                seen = self._circuit(args, deadline)
                finding = line_findings.of_circuit(seen)
            elif _knows(args, _HOME):
                seen = self._home(args, deadline)
                finding = line_findings.of_home(seen)
            else:
                raise Permanent(UNKNOWN, target=self.target, detail="neither a home line nor a circuit")
        except AdapterError as e:
            if isinstance(e, Permanent) and e.bpmn_code in _ERRORS:
                raise
            raise Permanent(DOWN, target=_target_of(args), detail=e.text()) from e
        return Result("done", line_findings.told(finding, seen))

    def _home(self, args: Args, deadline: float) -> Measured:
        line, pon = self._ask.olts.line(args, deadline)
        if pon is None:
            raise Permanent(UNKNOWN, target=_target_of(args), detail=f"no PON port for {args['port']}")
        onu = pon.onu(args["onu_serial"])
        wanted = None if args["speed_mbps"] is None else line_profile(args["speed_mbps"])
        login_ok, login_ms = self._login(args, deadline)
        return Measured(
            port_ok=pon.is_up and args["port"] not in pon.faulty_ports,
            bound=onu is not None,
            sync=line.sync,
            rx_power_dbm=line.rx_power_dbm,
            profile_ok=wanted is None or onu is None or onu.line_profile == wanted,
            session_stuck=not login_ok and self._ask.session.is_stuck(args["account"], deadline),
            login_ok=login_ok,
            login_ms=login_ms,
        )

    def _login(self, args: Args, deadline: float) -> tuple[bool, int | None]:
        asked = {"account": args["account"], "password": None, "speed_mbps": None}
        try:
            done = self._ask.login.apply(_NO_CALL, asked, _NO_PLAN, deadline)
        except Permanent as e:
            if e.bpmn_code != LOGIN_FAILED:
                raise
            return False, None
        return True, done.output["login_ms"]

    def _circuit(self, args: Args, deadline: float) -> Measured:
        try:
            seen = self._ask.routers.tested(args["device"], access_name(args), deadline)
        except Permanent as e:
            if e.bpmn_code not in (router_cli.NOT_CONFIGURED, router_cli.INTERFACE_UNKNOWN):
                raise NeedsHuman(target=_target_of(args), detail=e.text()) from e
            return Measured(configured=False)
        return Measured(loss_percent=seen.loss_percent, delay_ms=seen.delay_ms)


class RepairLine(OutsideOperation):
    """Mends one thing from afar, as the operation of the device does it; taken back by what was there before."""

    target = "line"

    def __init__(self, systems: Systems, timeout_s: float) -> None:
        onus, offered = Onus(), operations_of_olts(timeout_s)
        self._parts: Mapping[str, OutsideOperation] = {
            "rebind": Create(systems.olts, onus, offered["olt.onu.bind"]),
            "reset": Reset(systems.olts, onus, offered["olt.onu.reset"]),
            "profile": SetProfile(systems.olts, onus, offered["olt.onu.profile"]),
            "session": systems.session,
        }
        known = {code: text for part in self._parts.values() for code, text in part.operation.errors.items()}
        self.operation = Operation(
            "line.repair",
            "远程修复",
            "Mend a line from afar",
            schemas.RepairRequest,
            schemas.RepairResponse,
            Repeat.BY_OBSERVE,
            Undo.SNAPSHOT,
            timeout_s=timeout_s,
            errors={**known, UNKNOWN: _ERRORS[UNKNOWN]},
        )

    def target_of(self, args: Args) -> str:
        """The device that is changed."""
        return AAA if args.get("remedy") == "session" else _target_of(args)

    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """As the device's own operation plans it."""
        needed = ("account",) if args["remedy"] == "session" else _HOME[:3]
        more = {"rebind": ("vlan", "speed_mbps"), "profile": ("speed_mbps",)}.get(args["remedy"], ())
        if not _knows(args, (*needed, *more)):
            raise Permanent(UNKNOWN, target=self.target, detail=f"{args['remedy']} needs {needed + more}")
        return self._part(args).plan(call, args, deadline)

    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """One effect, then reads back."""
        return Result(self._part(args).apply(call, args, plan, deadline).outcome, _done(args))

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """The truth at the device."""
        seen, _ = self._part(args).observe(call, args, plan, deadline)
        return seen, _done(args) if seen is Observed.EQUAL else {}

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """What was there before; a restart and an ended session leave nothing to take back."""
        part = self._part(args)
        if part.operation.undo is Undo.NONE:
            return Result("already", {})
        return part.undo(call, args, plan, deadline)

    def _part(self, args: Args) -> OutsideOperation:
        return self._parts[args["remedy"]]


_NO_CALL, _NO_PLAN = Call("aaa.login.test", "", {}), Plan(steps=(), before={}, after={})


def _done(args: Args) -> Mapping[str, Any]:
    return {"remedy": args["remedy"]}


def _knows(args: Args, names: Sequence[str]) -> bool:
    return all(args[name] is not None for name in names)


def _target_of(args: Args) -> str:
    if args.get("device"):
        return router_cli.target_of(args["device"])
    return f"{OLT}:{args.get('node') or ''}"


class LineAdapter(OperationAdapter):
    """Lines of a site, whatever carries them."""

    name = "line"

    def __init__(self, settings: Settings) -> None:
        timeout, where = settings.adapter_timeout_seconds, Addresses(settings)
        self._timeout, secret = timeout, str(settings.aaa_secret)
        self._http = JsonHttp(AAA)
        self._olt = HttpTransport(OLT, where.olt_url, netconf.MEDIA)
        self._router = HttpTransport(router_cli.KIND, where.router_url, router_cli.MEDIA)
        systems = Systems(
            Olts(Netconf(OLT, self._olt)),
            Routers(self._router),
            LoginTest(where, timeout, secret),
            ResetSession(self._http, where.aaa_url, session_reset(timeout)),
        )
        super().__init__([DiagnoseLine(systems, timeout), RepairLine(systems, timeout)])

    def probe(self) -> Mapping[str, Any]:
        """Whether the OLTs can be reached; the others have probes of their own."""
        started = time.monotonic()
        try:
            ok = self._olt.reachable(started + self._timeout)
        except AdapterError as e:
            return {"ok": False, "detail": e.text()}
        return {"ok": ok, "ms": round((time.monotonic() - started) * 1000)}

    def close(self) -> None:
        """Gives back connections."""
        for client in (self._http, self._olt, self._router):
            client.close()
