"""What the scenarios of faults share: lines that work and what becomes of them, and reports about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from engine.ports import Call
from engine.resources.model import Resource
from engine.tickets.intake import ReportFault, report_fault
from tests.scenario.stage import Play, Stage

AT_HOME = {"area": "YT-E", "address": "东汀区汀兰路18号3栋1202", "customer": "林女士", "product": "BB-1000"}


@dataclass(frozen=True)
class HomeLine:
    """A line that was there before our orders."""

    stage: Stage
    account: str
    onu: str
    node: str
    port: str

    def weak(self, rx_power_dbm: float = -31) -> HomeLine:
        """Its light is too weak from now on, or good again."""
        self.stage.simulators.olt.set_line(onu_serial=self.onu, rx_power_dbm=rx_power_dbm)
        return self

    def mended(self) -> HomeLine:
        """Somebody has mended it."""
        self.stage.simulators.olt.set_port(node=self.node, port=self.port, faulty=False)
        self.stage.simulators.aaa.set_session(account=self.account, stuck=False)
        return self.weak(-19.8)

    def broken_port(self) -> HomeLine:
        """The port of the OLT is faulty."""
        self.stage.simulators.olt.set_port(node=self.node, port=self.port, faulty=True)
        return self

    def stuck(self) -> HomeLine:
        """A session hangs."""
        self.stage.simulators.aaa.set_session(account=self.account, stuck=True)
        return self

    def dead(self) -> HomeLine:
        """The terminal is offline, and a restart does not wake it."""
        self.stage.simulators.olt.set_line(onu_serial=self.onu, sync=False, seen=False)
        return self


def a_line(stage: Stage, place: str = "OLT-E01", pon: str = "1/") -> HomeLine:
    """One more line that works, at a place whose ports begin like that."""
    stage.played += 1
    number = stage.played
    line = f"LINE-{number}"
    account, onu = f"yt2{number:07d}", f"YTGF{number:08d}"
    at = stage.machines.site.clock.now()
    with stage.store.write() as db:
        free = select(Resource).where(Resource.kind == "port", Resource.state == "free")
        there = free.where(Resource.place == place, Resource.name.startswith(pon))
        port = db.scalars(there.order_by(Resource.id).limit(1)).one()
        port.state, port.holder, node, name, vlan = "in_use", line, port.place, port.name, port.vlan
        for kind, what in (("account", account), ("onu", onu)):
            db.add(Resource(kind=kind, name=what, state="in_use", holder=line, changed_at=at))
    bind = {"node": node, "port": name, "onu_serial": onu, "vlan": vlan, "speed_mbps": 1000}
    _done(stage, "olt.onu.bind", bind, line)
    _done(stage, "aaa.subscriber.open", {"account": account, "plan": "BB-1000", "speed_mbps": 1000}, line)
    return HomeLine(stage, account, onu, node, name)


def a_circuit(stage: Stage) -> tuple[str, dict[str, Any]]:
    """One more circuit that works: its code, and where it is at the router."""
    stage.played += 1
    code, vlan = f"YTC{stage.played:06d}", 1300 + stage.played
    place = {"device": "PE-E1", "interface": f"ge-0/0/{stage.played}", "vlan": vlan}
    at = stage.machines.site.clock.now()
    with stage.store.write() as db:
        for kind, where, name in (("circuit", "", code), ("port", "PE-E1", place["interface"])):
            line = {"state": "in_use", "holder": f"LINE-{code}", "changed_at": at, "vlan": vlan}
            db.add(Resource(kind=kind, place=where, name=name, **line))
    _done(stage, "router.access.configure", {**place, "bandwidth_mbps": 100}, f"LINE-{code}")
    return code, place


def a_bare_line(stage: Stage) -> str:
    """A line of which nothing but the account is known: nobody can test it from afar."""
    stage.played += 1
    account = f"yt3{stage.played:07d}"
    at = stage.machines.site.clock.now()
    with stage.store.write() as db:
        db.add(
            Resource(kind="account", name=account, state="in_use", holder=f"LINE-{account}", changed_at=at)
        )
    return account


def _done(stage: Stage, operation: str, args: Mapping[str, Any], line: str) -> None:
    adapter = stage.machines.site.services.registry.adapter_for(operation)
    call = Call(operation, f"{line}:x:1", args)
    adapter.apply(call, adapter.plan(call))


def report(stage: Stage, line: str, **told: Any) -> Play:
    """A fault report about a line, as far as machines move it."""
    site, given = stage.machines.site, {**AT_HOME, "symptom": "无法上网", "phone": "13800004021", **told}
    site.placed += 1
    said = ReportFault(
        source="crm",
        external_id=f"CRM-T{site.placed:05}",
        line=line,
        ticket_type=given.pop("ticket_type", "fault"),
        severity="major",
        description="客户报障",
        **given,
    )
    services = site.services
    with stage.store.write() as db:
        ticket = report_fault(
            db,
            said,
            services.kernel,
            services.order_listeners,
            at=site.clock.now(),
            zone=services.settings.zone,
            actor="crm",
        )
        number = ticket.id
    stage.orders.append(number)
    site.work()
    return Play(stage, number, "")


def tell(play: Play, message: str, **values: Any) -> Play:
    """A message to the process of a ticket."""
    site = play.site
    with site.store.write() as db:
        caught = site.services.kernel.correlate(
            db, message, play.number, values, at=site.clock.now(), actor="test"
        )
    assert caught == 1, (message, play.open())
    site.work()
    return play
