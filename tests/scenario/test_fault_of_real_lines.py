"""Faults of lines that our own orders have built: what the order set up is found, tested, mended and set back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.ports import Call
from tests.dedicated_line_parts import NET, P2P
from tests.scenario.fault_stage import report
from tests.scenario.line_stage import line, line_stage
from tests.scenario.stage import Play, Stage

pytestmark = pytest.mark.xdist_group("fault")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with line_stage(tmp_path_factory.mktemp("real")) as running:
        yield running


def built(stage: Stage) -> tuple[Play, str, dict[str, Any]]:
    """A home line from its order: the order, its account, and its terminal at the OLT."""
    order = stage.order().to("BB_14").do("BB_14")
    (account,) = (a for a in stage.simulators.aaa.state()["subscribers"] if _made_by(order, a["reference"]))
    return order, account["account"], terminal(stage, order.onu)


def terminal(stage: Stage, serial: str) -> dict[str, Any]:
    """What the OLT has of a terminal."""
    found = [onu for onu in stage.simulators.olt.state()["onus"] if onu["serial"] == serial]
    return dict(found[0]) if found else {}


def _made_by(order: Play, reference: str | None) -> bool:
    return bool(reference) and str(reference).startswith(order.number)


def somebody(stage: Stage, operation: str, **args: Any) -> None:
    """Somebody changes the network behind our back."""
    adapter = stage.machines.site.services.registry.adapter_for(operation)
    call = Call(operation, "SOMEBODY:x:1", args)
    adapter.apply(call, adapter.plan(call))


def at(onu: dict[str, Any]) -> dict[str, Any]:
    return {"node": onu["node"], "port": onu["port"], "onu_serial": onu["serial"]}


def test_a_profile_that_somebody_changed_is_set_again(stage: Stage) -> None:
    order, account, onu = built(stage)
    somebody(stage, "olt.onu.profile", **at(onu), speed_mbps=100)

    play = report(stage, account).do("TT_11").do("TT_12")

    assert play.state == "completed"
    assert terminal(stage, order.onu)["line_profile"] == onu["line_profile"] == "line-1000m"


def test_a_terminal_that_somebody_unbound_is_bound_again(stage: Stage) -> None:
    order, account, onu = built(stage)
    somebody(stage, "olt.onu.unbind", **at(onu))

    play = report(stage, account).do("TT_11").do("TT_12")

    assert play.state == "completed"
    assert terminal(stage, order.onu)["port"] == onu["port"]


def test_what_was_changed_from_afar_is_set_back_when_the_customer_withdraws_before_it_works(
    stage: Stage,
) -> None:
    order, account, onu = built(stage)
    somebody(stage, "olt.onu.unbind", **at(onu))
    stage.simulators.olt.set_line(onu_serial=order.onu, rx_power_dbm=-31)
    play = report(stage, account).to("TT_08")
    assert terminal(stage, order.onu) != {}

    play.cancel()

    assert play.state == "cancelled"
    assert terminal(stage, order.onu) == {}
    assert "UNDONE" in play.calls()


def test_a_circuit_on_a_router_is_tested_there(stage: Stage) -> None:
    circuit = line(stage, **NET).end()
    (code,) = circuit.names("circuit").values()
    device, _, access = circuit.accesses()[0].partition(" ")
    interface, _, vlan = access.partition(".")
    place = {"device": device, "interface": interface, "vlan": int(vlan)}
    stage.simulators.router.set_circuit(**place, loss_percent=100)

    play = report(stage, code, tier="C").do("TT_06").to("TT_09")
    stage.simulators.router.set_circuit(**place, loss_percent=0, delay_ms=3.1)
    play.do("TT_09", cause_code="F03", segment="trunk_cable").do("TT_11").do("TT_12")

    assert play.state == "completed"


def test_a_circuit_on_transmission_equipment_is_tested_by_hand(stage: Stage) -> None:
    circuit = (
        line(stage, **P2P)
        .to("DL_03")
        .do("DL_03", a_node="MSTP-E1", z_node="MSTP-S1", z_cable="GL-S-01")
        .end()
    )
    (code,) = circuit.names("circuit").values()

    play = report(stage, code)

    assert "TT_04M" in play.open()
    play.do("TT_06").do("TT_04M").to("TT_09").do("TT_09").do("TT_10M").do("TT_11").do("TT_12")
    assert play.state == "completed"
