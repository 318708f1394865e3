"""A diagram that uses OLT, IMS and router: what the network says decides its way, and `order.undo` leaves nothing behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.deploy.definitions import Upload
from engine.store import Store
from tests.bpmn_xml import end, flows, on_error, process, service, start, timer, xor
from tests.site import Site, running_site

KEY = "BB-20261122-000123"
SERIAL = "YTGP1A2B3C4D"
AT_ONU = ("input node = node", "input port = port", f"input onu_serial = '{SERIAL}'")


def diagram() -> bytes:
    """Pre-configure, bind, measure; too weak a line is repaired and bound again; then voice and router, and all back."""
    place = ("input node = node", "input port = port", "input vlan = 1203")
    return process(
        start(),
        service("ready", *place, operation="olt.service_port.create"),
        service(
            "bind",
            *AT_ONU,
            "input vlan = 1203",
            "input speed_mbps = 1000",
            "output onu_id = result.onu_id",
            operation="olt.onu.bind",
        ),
        on_error("unseen", "bind", "ONU_NOT_SEEN"),
        timer("on_site", "PT1H"),
        service("measure", *AT_ONU, "output rx = result.rx_power_dbm", operation="olt.line.read"),
        xor("weak", default="weak_voice"),
        timer("repair", "PT1H"),
        service("voice", "input number = '057100001202'", operation="voice.subscriber.open"),
        service("bar", "input number = '057100001202'", operation="voice.subscriber.bar"),
        service(
            "access",
            *("input device = 'PE-E1'", "input interface = 'ge-0/0/1'", "input vlan = 1203"),
            *("input vrf = 'NONGXIN'", "input ip = '192.0.2.1/30'", "input bandwidth_mbps = 100"),
            "output config = result.config",
            operation="router.access.configure",
        ),
        service(
            "try_it",
            *("input device = 'PE-E1'", "input interface = 'ge-0/0/1'", "input vlan = 1203"),
            "output delay = result.delay_ms",
            operation="router.circuit.test",
        ),
        timer("cancelled", "PT1H"),
        service("back", operation="order.undo"),
        end("e"),
        flows(
            "s ready bind measure weak voice bar access try_it cancelled back e",
            "unseen on_site bind",
            "weak repair if rx < -27",
            "repair bind",
        ),
        roots='<error id="X_ONU_NOT_SEEN" name="unseen" errorCode="ONU_NOT_SEEN" />',
    )


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with running_site(store, tmp_path, retry_seconds=0.0) as running:
        yield running


def _start(site: Site) -> None:
    at, me = site.clock.now(), site.services
    with site.store.write() as session:
        (version,) = me.definitions.upload(
            session, Upload("network.bpmn", diagram(), {}), at=at, actor="test"
        )
        me.definitions.deploy(session, version.id, at=at, actor="test")
        values = {"node": "OLT-E01", "port": "1/3/7"}
        me.kernel.start(session, version.id, KEY, values, at=at, actor="crm")
    site.work()


def _an_hour_later(site: Site) -> None:
    site.clock.advance(timedelta(hours=1))
    site.work()


def _effects(site: Site) -> Counter[str]:
    sims = site.simulators
    return Counter(e["operation"] for sim in (sims.olt, sims.ims, sims.router) for e in sim.effects())


def _left(site: Site) -> list[Any]:
    states = (site.simulators.olt.state(), site.simulators.ims.state(), site.simulators.router.state())
    return [row for s in states for name, rows in s.items() if name != "lines" for row in rows]


def test_a_line_that_was_repaired_is_activated_once_and_taken_back_completely(site: Site) -> None:
    olt = site.simulators.olt
    olt.set_line(onu_serial=SERIAL, seen=False)
    _start(site)
    assert _effects(site) == {"olt.service_port.create": 1}, "the ONU is not seen: the crew is asked"

    olt.set_line(onu_serial=SERIAL, rx_power_dbm=-31.0)
    _an_hour_later(site)
    assert [o["onu_id"] for o in olt.state()["onus"]] == [1]
    assert site.simulators.ims.effects() == [], "-31 dBm: the line is to be repaired"

    olt.set_line(onu_serial=SERIAL)
    for simulator in (olt, site.simulators.ims, site.simulators.router):
        simulator.fault("lost_answer")
    _an_hour_later(site)
    site.clock.advance(timedelta(minutes=1))
    site.work()
    assert _effects(site) == {
        "olt.service_port.create": 1,
        "olt.onu.bind": 1,
        "voice.subscriber.open": 1,
        "voice.subscriber.bar": 1,
        "router.access.configure": 1,
    }

    _an_hour_later(site)
    assert _left(site) == []
