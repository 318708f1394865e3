"""The contract kit: one bench for every adapter, and the list of write operations that must pass the same tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapters.registry import Registry
from adapters.sim import RunningSimulators, running_simulators
from adapters.sim.state import Simulator
from engine.config import Secret, Settings
from engine.ports import Adapter, Call, Observed, Plan, Result

CANARY = "canary-4f1d-never-shown"
IMPATIENT_S = 0.3
ACCOUNT = "yt10230123"
AT_ROUTER = {"device": "PE-E1", "interface": "ge-0/0/1", "vlan": 1203}
NUMBER = "+8657100001202"
AT_ONU = {"node": "OLT-E01", "port": "1/3/7", "onu_serial": "YTGP1A2B3C4D"}
AT_PORT = {"node": "OLT-E01", "port": "1/3/7"}


class Bench:
    """Running simulators, a patient client of them, and an impatient one that gives up after 0.3 s."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.settings = Settings(data_dir=data_dir, aaa_secret=Secret(CANARY))
        self.registry = Registry.from_settings(self.settings, plugins=[])
        self.impatient = Registry.from_settings(
            replace(self.settings, adapter_timeout_seconds=IMPATIENT_S), plugins=[]
        )
        self._stack = ExitStack()
        self.sims: RunningSimulators
        self.start()

    def start(self) -> None:
        """Starts the simulators on the files that are there."""
        self.sims = self._stack.enter_context(running_simulators(self.data_dir, secret=CANARY))

    def stop(self) -> None:
        """Stops the simulators; their last address stays known, and nobody answers there."""
        self._stack.close()

    def close(self) -> None:
        """Ends everything."""
        self.registry.close()
        self.impatient.close()
        self.stop()

    def adapter(self, operation: str, patient: bool = True) -> Adapter:
        """Who does the operation."""
        return (self.registry if patient else self.impatient).adapter_for(operation)

    def do(self, operation: str, args: Mapping[str, Any], key: str = "first") -> Result:
        """Plans and applies one call."""
        call = Call(operation, key, args)
        adapter = self.adapter(operation)
        return adapter.apply(call, adapter.plan(call))


def nothing(bench: Bench) -> None:
    """No preparation."""


def open_account(bench: Bench) -> None:
    """Somebody opened the account before."""
    bench.do("aaa.subscriber.open", {"account": ACCOUNT, "plan": "BB-500", "speed_mbps": 500}, key="earlier")


def bind_onu(bench: Bench) -> None:
    """Somebody bound the terminal before."""
    bench.do("olt.onu.bind", {**AT_ONU, "vlan": 1203, "speed_mbps": 300}, key="earlier")


def hang_session(bench: Bench) -> None:
    """An open account whose session hangs."""
    open_account(bench)
    bench.sims.aaa.set_session(account=ACCOUNT, stuck=True)


def create_service_port(bench: Bench) -> None:
    """Somebody made the service port before."""
    bench.do("olt.service_port.create", {**AT_PORT, "vlan": 1203}, key="earlier")


def give_channels(bench: Bench) -> None:
    """Somebody gave the place its channels before."""
    bench.do("olt.multicast.join", {**AT_PORT, "profile": "IPTV-4K"}, key="earlier")


def open_number(bench: Bench) -> None:
    """Somebody opened the number before."""
    bench.do("voice.subscriber.open", {"number": NUMBER}, key="earlier")


def configure_access(bench: Bench) -> None:
    """Somebody wrote the access before."""
    wanted = {**AT_ROUTER, "vrf": "CUST-A", "ip": "198.51.100.1/30", "bandwidth_mbps": 100}
    bench.do("router.access.configure", wanted, key="earlier")


PARTNER_ORDER: Mapping[str, Any] = {"partner": "P-CAT", "partner_order": "BB-20261122-000124-P01"}
PARTNER_WORK: Mapping[str, Any] = {
    **PARTNER_ORDER,
    "product": "BB-500",
    "speed_mbps": 500,
    "address": "西渡区渡口路9号",
    "customer": "林女士",
    "phone": "13800004021",
}


def send_to_partner(bench: Bench) -> None:
    """A partner has the order."""
    bench.do("partner.order.send", PARTNER_WORK, key="earlier")


PARTNER_TICKET: Mapping[str, Any] = {
    "partner": "P-CAT",
    "ticket": "TT-20261122-000045",
    "line": "CAT-77120",
    "description": "用户侧无信号",
}


def partner_done(bench: Bench) -> None:
    """A partner has done the work."""
    send_to_partner(bench)
    bench.sims.partner.advance(PARTNER_ORDER["partner_order"], to="done")


@dataclass(frozen=True)
class WriteOperation:
    """One operation and what is needed to put it through the contract."""

    name: str
    args: Mapping[str, Any]
    simulator: str
    refusal: str
    prepare: Callable[[Bench], None] = nothing
    read: str = ""
    """What the simulator calls the adapter's reading."""
    called: str = ""
    """What the simulator calls the operation, where it is another's."""
    secrets: tuple[str, ...] = field(default=(CANARY,))


WRITE_OPERATIONS = (
    WriteOperation(
        name="aaa.subscriber.open",
        args={
            "account": ACCOUNT,
            "password": CANARY + "-password",
            "plan": "BB-1000",
            "speed_mbps": 1000,
            "vlan": 1203,
            "port": "OLT-E01/1/3/7",
        },
        simulator="aaa",
        refusal="AAA_REFUSED",
        read="aaa.subscriber.get",
    ),
    WriteOperation(
        name="aaa.subscriber.close",
        args={"account": ACCOUNT},
        simulator="aaa",
        refusal="AAA_REFUSED",
        prepare=open_account,
        read="aaa.subscriber.get",
    ),
    WriteOperation(
        name="aaa.subscriber.change",
        args={"account": ACCOUNT, "plan": "BB-1000", "speed_mbps": 1000},
        simulator="aaa",
        refusal="AAA_REFUSED",
        prepare=open_account,
        read="aaa.subscriber.get",
    ),
    WriteOperation(
        name="aaa.subscriber.move",
        args={"account": ACCOUNT, "vlan": 1204, "port": "1/4/1"},
        simulator="aaa",
        refusal="AAA_REFUSED",
        prepare=open_account,
        read="aaa.subscriber.get",
    ),
    WriteOperation(
        name="aaa.subscriber.switch",
        args={"account": ACCOUNT, "active": False},
        simulator="aaa",
        refusal="AAA_REFUSED",
        prepare=open_account,
        read="aaa.subscriber.get",
    ),
    WriteOperation(
        name="aaa.session.reset",
        args={"account": ACCOUNT},
        simulator="aaa",
        refusal="AAA_REFUSED",
        prepare=hang_session,
        read="aaa.subscriber.get",
    ),
    WriteOperation(
        name="line.repair",
        args={**AT_ONU, "vlan": 1203, "speed_mbps": 1000, "remedy": "profile"},
        simulator="olt",
        refusal="OLT_REFUSED",
        prepare=bind_onu,
        read="olt.pon.get",
        called="olt.onu.profile",
    ),
    WriteOperation(
        name="partner.ticket.create",
        args=PARTNER_TICKET,
        simulator="partner",
        refusal="PARTNER_REFUSED",
        read="partner.ticket.get",
    ),
    WriteOperation(
        name="crm.order.report",
        args={
            "order": "BB-20261122-000123",
            "external_id": "CRM-88120031",
            "state": "completed",
            "message": "宽带已开通",
            "facts": {"rx_power_dbm": -19.8, "speed_mbps": 941},
        },
        simulator="crm",
        refusal="CRM_REFUSED",
        read="crm.report.get",
    ),
    WriteOperation(
        name="olt.service_port.create",
        args={**AT_PORT, "vlan": 1203},
        simulator="olt",
        refusal="OLT_REFUSED",
        read="olt.pon.get",
    ),
    WriteOperation(
        name="olt.service_port.remove",
        args=AT_PORT,
        simulator="olt",
        refusal="OLT_REFUSED",
        prepare=create_service_port,
        read="olt.pon.get",
    ),
    WriteOperation(
        name="olt.multicast.join",
        args={**AT_PORT, "profile": "IPTV-4K"},
        simulator="olt",
        refusal="OLT_REFUSED",
        read="olt.pon.get",
    ),
    WriteOperation(
        name="olt.multicast.leave",
        args=AT_PORT,
        simulator="olt",
        refusal="OLT_REFUSED",
        prepare=give_channels,
        read="olt.pon.get",
    ),
    WriteOperation(
        name="olt.onu.bind",
        args={**AT_ONU, "vlan": 1203, "speed_mbps": 1000},
        simulator="olt",
        refusal="OLT_REFUSED",
        read="olt.pon.get",
    ),
    WriteOperation(
        name="olt.onu.unbind",
        args=AT_ONU,
        simulator="olt",
        refusal="OLT_REFUSED",
        prepare=bind_onu,
        read="olt.pon.get",
    ),
    WriteOperation(
        name="olt.onu.profile",
        args={**AT_ONU, "speed_mbps": 1000},
        simulator="olt",
        refusal="OLT_REFUSED",
        prepare=bind_onu,
        read="olt.pon.get",
    ),
    WriteOperation(
        name="olt.onu.reset",
        args=AT_ONU,
        simulator="olt",
        refusal="OLT_REFUSED",
        prepare=bind_onu,
        read="olt.pon.get",
    ),
    WriteOperation(
        name="voice.subscriber.open",
        args={"number": NUMBER, "account": ACCOUNT},
        simulator="ims",
        refusal="IMS_REFUSED",
        read="voice.subscriber.get",
    ),
    WriteOperation(
        name="voice.subscriber.close",
        args={"number": NUMBER},
        simulator="ims",
        refusal="IMS_REFUSED",
        prepare=open_number,
        read="voice.subscriber.get",
    ),
    WriteOperation(
        name="voice.subscriber.bar",
        args={"number": NUMBER},
        simulator="ims",
        refusal="IMS_REFUSED",
        prepare=open_number,
        read="voice.subscriber.get",
    ),
    WriteOperation(
        name="router.access.configure",
        args={**AT_ROUTER, "vrf": "CUST-A", "ip": "198.51.100.1/30", "bandwidth_mbps": 500},
        simulator="router",
        refusal="ROUTER_REFUSED",
        prepare=configure_access,
        read="router.running.get",
    ),
    WriteOperation(
        name="router.access.remove",
        args=AT_ROUTER,
        simulator="router",
        refusal="ROUTER_REFUSED",
        prepare=configure_access,
        read="router.running.get",
    ),
    WriteOperation(
        name="partner.order.send",
        args=PARTNER_WORK,
        simulator="partner",
        refusal="PARTNER_REFUSED",
        read="partner.order.get",
    ),
    WriteOperation(
        name="partner.order.stop",
        args={**PARTNER_ORDER, "reason": "customer"},
        simulator="partner",
        refusal="PARTNER_REFUSED",
        prepare=send_to_partner,
        read="partner.order.get",
    ),
    WriteOperation(
        name="partner.order.confirm",
        args=PARTNER_ORDER,
        simulator="partner",
        refusal="PARTNER_REFUSED",
        prepare=partner_done,
        read="partner.order.get",
    ),
    WriteOperation(
        name="partner.order.send_back",
        args={**PARTNER_ORDER, "visit": 1, "reason": "no photo of the box"},
        simulator="partner",
        refusal="PARTNER_REFUSED",
        prepare=partner_done,
        read="partner.order.get",
    ),
)


class Case:
    """One write operation on a bench, with a call whose key holds what a diagram may put there."""

    def __init__(self, bench: Bench, operation: WriteOperation) -> None:
        self.bench = bench
        self.what = operation
        operation.prepare(bench)
        self._effects_before = len(self.simulator.effects())
        self.call = Call(operation.name, "BB-20261122-000123:任务/1:1", operation.args)
        self.adapter = bench.adapter(operation.name)
        self.impatient = bench.adapter(operation.name, patient=False)

    @property
    def simulator(self) -> Simulator:
        """The control object of the simulator, which outlives a restart."""
        return self.bench.sims.by_name()[self.what.simulator]

    @property
    def at_simulator(self) -> str:
        """What the simulator calls the operation."""
        return self.what.called or self.what.name

    def effects(self) -> list[dict[str, Any]]:
        """What the simulator really did since the preparation."""
        return self.simulator.effects()[self._effects_before :]

    def fail(self, fault: str, **switch: Any) -> None:
        """Makes this operation meet a fault."""
        self.simulator.fault(fault, **{"operation": self.at_simulator, **switch})

    def plan(self) -> Plan:
        """The plan of the call."""
        return self.adapter.plan(self.call)

    def apply(self) -> Result:
        """Plans and applies."""
        return self.adapter.apply(self.call, self.plan())

    def observe(self) -> Observed:
        """What is true at the target."""
        return self.adapter.observe(self.call, self.plan())[0]


def seconds_of(action: Callable[[], object]) -> float:
    """How long it took."""
    started = time.monotonic()
    action()
    return time.monotonic() - started
