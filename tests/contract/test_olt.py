"""What is special to OLTs: whose ONU it is, ports that are faulty or full, what is measured, and restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests

from adapters.network import OltAdapter
from engine.errors import NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.ports import Adapter, Call, Observed, Plan

from .kit import AT_ONU, AT_PORT, Bench, bind_onu

BIND: Mapping[str, Any] = {**AT_ONU, "vlan": 1203, "speed_mbps": 1000}
KEY = "BB-20261122-000123:BB_12:7"
AGAIN = "BB-20261122-000123:BB_12:19"


def _planned(
    bench: Bench, operation: str, args: Mapping[str, Any], key: str = KEY
) -> tuple[Adapter, Call, Plan]:
    call = Call(operation, key, args)
    adapter = bench.adapter(operation)
    return adapter, call, adapter.plan(call)


def _refusal(bench: Bench, operation: str, args: Mapping[str, Any], key: str = KEY) -> str:
    adapter, call, plan = _planned(bench, operation, args, key)
    with pytest.raises(Permanent) as refused:
        adapter.apply(call, plan)
    assert refused.value.bpmn_code in adapter.operations()[operation].errors
    return refused.value.bpmn_code


def _onus(bench: Bench) -> list[tuple[str, int, str]]:
    return [(o["serial"], o["onu_id"], o["line_profile"]) for o in bench.sims.olt.state()["onus"]]


# ---- binding


def test_an_onu_gets_the_lowest_free_number_of_its_pon_port(bench: Bench) -> None:
    other_port = {"port": "1/4/1", "onu_serial": "YTGP00000009"}
    given = [
        bench.do("olt.onu.bind", {**BIND, **more}, key=f"order-{k}").output["onu_id"]
        for k, more in enumerate(
            ({}, {"onu_serial": "YTGP00000002"}, {"onu_serial": "YTGP00000003"}, other_port)
        )
    ]
    bench.do("olt.onu.unbind", {**AT_ONU, "onu_serial": "YTGP00000002"}, key="unbind")
    given.append(
        bench.do("olt.onu.bind", {**BIND, "onu_serial": "YTGP00000004"}, key="next").output["onu_id"]
    )

    assert given == [1, 2, 3, 1, 2]


def test_the_plan_shows_what_will_stand_there(bench: Bench) -> None:
    _, _, plan = _planned(bench, "olt.onu.bind", BIND)

    assert plan.before == {"onu": None}
    assert plan.after["onu"] == {
        "serial": "YTGP1A2B3C4D",
        "onu_id": 1,
        "port": "1/3/7",
        "vlan": 1203,
        "line_profile": "line-1000m",
        "reference": "BB-20261122-000123:BB_12:7",
        "last_reset": "",
    }


def test_an_onu_that_the_port_does_not_see_is_a_business_no(bench: Bench) -> None:
    bench.sims.olt.set_line(onu_serial="YTGP1A2B3C4D", seen=False)

    assert _refusal(bench, "olt.onu.bind", BIND) == "ONU_NOT_SEEN"
    bench.sims.olt.set_line(onu_serial="YTGP1A2B3C4D")
    assert bench.do("olt.onu.bind", BIND, key=KEY).outcome == "done"


@pytest.mark.parametrize(
    "there", [{"port": "1/4/1"}, {"port": "1/3/7"}], ids=["at another PON port", "at the same PON port"]
)
def test_an_onu_of_another_order_is_refused_and_left_alone(bench: Bench, there: Mapping[str, str]) -> None:
    bench.do("olt.onu.bind", {**BIND, **there, "speed_mbps": 300}, key="BB-1:BB_12:1")
    before = bench.sims.olt.state()

    assert _refusal(bench, "olt.onu.bind", BIND) == "ONU_BOUND_ELSEWHERE"
    assert bench.sims.olt.state() == before


@pytest.mark.parametrize("operation", ["olt.onu.bind", "olt.service_port.create"])
@pytest.mark.parametrize("broken", ["1/3", "1/3/7"])
def test_a_faulty_port_takes_nothing_new(bench: Bench, operation: str, broken: str) -> None:
    args = BIND if operation == "olt.onu.bind" else {**AT_PORT, "vlan": 1203}
    bench.sims.olt.set_port(node="OLT-E01", port=broken, faulty=True)

    assert _refusal(bench, operation, args) == "PORT_FAULTY"
    bench.sims.olt.set_port(node="OLT-E01", port=broken, faulty=False)
    assert bench.do(operation, args, key=KEY).outcome == "done"


def test_a_port_that_the_olt_does_not_have_is_a_business_no(bench: Bench) -> None:
    for operation in ("olt.onu.bind", "olt.line.read"):
        args = {k: v for k, v in BIND.items() if operation == "olt.onu.bind" or k in AT_ONU}
        with pytest.raises(Permanent) as refused:
            bench.do(operation, {**args, "port": "1/17/1"})
        assert refused.value.bpmn_code == "PORT_UNKNOWN"


def test_a_full_pon_port_is_a_business_no(bench: Bench) -> None:
    with bench.sims.olt.write() as db:
        db.executemany(
            "INSERT INTO onu VALUES ('OLT-E01', '1/3', ?, ?, '1/3/1', 1000, 'line-300m', '')",
            [(f"YTGP{n:08d}", n) for n in range(1, 65)],
        )

    with pytest.raises(Permanent) as refused:
        bench.do("olt.onu.bind", BIND)
    assert refused.value.bpmn_code == "PORT_FULL"


def test_a_number_that_was_taken_meanwhile_is_planned_anew(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "olt.onu.bind", BIND)
    bench.do("olt.onu.bind", {**BIND, "onu_serial": "YTGP00000002"}, key="faster")

    with pytest.raises(Retryable):
        adapter.apply(call, plan)

    assert adapter.apply(call, adapter.plan(call)).output["onu_id"] == 2


def test_binding_again_in_the_same_order_is_already_done_and_only_the_first_call_takes_it_back(
    bench: Bench,
) -> None:
    """A test failed, the crew is sent back, and activation runs once more with another token."""
    adapter, first, plan = _planned(bench, "olt.onu.bind", BIND)
    adapter.apply(first, plan)
    _, second, second_plan = _planned(bench, "olt.onu.bind", BIND, AGAIN)

    assert second_plan.already
    assert adapter.apply(second, second_plan).outcome == "already"
    assert adapter.undo(second, second_plan).outcome == "already"
    assert len(_onus(bench)) == 1
    assert adapter.undo(first, plan).outcome == "done"
    assert _onus(bench) == []


def test_what_an_earlier_call_of_the_order_bound_otherwise_stays_when_a_later_one_is_undone(
    bench: Bench,
) -> None:
    bench.do("olt.onu.bind", BIND, key=KEY)
    adapter, later, plan = _planned(bench, "olt.onu.bind", {**BIND, "speed_mbps": 300}, AGAIN)

    with pytest.raises(Permanent):
        adapter.apply(later, plan)

    assert adapter.undo(later, plan).outcome == "already"
    assert _onus(bench) == [("YTGP1A2B3C4D", 1, "line-1000m")]


def test_undo_after_somebody_else_bound_it_again_asks_for_a_person(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "olt.onu.bind", BIND)
    adapter.apply(call, plan)
    bench.do("olt.onu.unbind", AT_ONU, key="foreign unbind")
    bench.do("olt.onu.bind", {**BIND, "speed_mbps": 300}, key="foreign bind")

    with pytest.raises(NeedsHuman):
        adapter.undo(call, plan)

    assert _onus(bench) == [("YTGP1A2B3C4D", 1, "line-300m")]


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("olt.onu.bind", {"vlan": 1203, "speed_mbps": 500}),
        ("olt.onu.unbind", {}),
        ("olt.onu.profile", {"speed_mbps": 500}),
    ],
)
def test_an_undo_whose_answer_was_lost_can_be_repeated(
    bench: Bench, operation: str, more: Mapping[str, Any]
) -> None:
    if operation != "olt.onu.bind":
        bind_onu(bench)
    before = bench.sims.olt.state()
    adapter, call, plan = _planned(bench, operation, {**AT_ONU, **more})
    adapter.apply(call, plan)
    bench.sims.olt.fault("lost_answer")

    with pytest.raises(OutcomeUnknown):
        adapter.undo(call, plan)

    assert adapter.undo(call, plan).outcome == "already"
    assert bench.sims.olt.state() == before


def test_an_undo_that_cannot_be_read_back_is_unknown(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "olt.onu.bind", BIND)
    adapter.apply(call, plan)
    bench.sims.olt.fault("delay", operation="olt.pon.get", seconds=0)
    bench.sims.olt.fault("unavailable", operation="olt.pon.get")

    with pytest.raises(OutcomeUnknown):
        adapter.undo(call, plan)

    assert adapter.undo(call, plan).outcome == "already"


# ---- unbinding, service ports


def test_unbinding_what_is_not_bound_is_already_done(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "olt.onu.unbind", AT_ONU)

    assert plan.already
    assert adapter.apply(call, plan).outcome == "already"
    assert adapter.undo(call, plan).outcome == "already"
    assert bench.sims.olt.effects() == []


def test_an_unbound_onu_comes_back_as_it_was_unless_its_place_is_taken(bench: Bench) -> None:
    bind_onu(bench)
    before = bench.sims.olt.state()["onus"]
    adapter, call, plan = _planned(bench, "olt.onu.unbind", AT_ONU)
    adapter.apply(call, plan)
    bench.do("olt.onu.bind", {**BIND, "onu_serial": "YTGP00000002"}, key="other")

    with pytest.raises(NeedsHuman):
        adapter.undo(call, plan)
    bench.do("olt.onu.unbind", {**AT_ONU, "onu_serial": "YTGP00000002"}, key="other gone")
    assert adapter.undo(call, plan).outcome == "done"
    assert bench.sims.olt.state()["onus"] == before


def test_a_service_port_of_another_order_is_refused(bench: Bench) -> None:
    args = {**AT_PORT, "vlan": 1203}
    bench.do("olt.service_port.create", args, key="BB-1:BB_09:1")

    assert _refusal(bench, "olt.service_port.create", args) == "PORT_TAKEN"


# ---- profile


def test_a_profile_needs_a_bound_onu(bench: Bench) -> None:
    with pytest.raises(Permanent) as refused:
        bench.do("olt.onu.profile", {**AT_ONU, "speed_mbps": 500})
    assert refused.value.bpmn_code == "ONU_NOT_BOUND"

    bind_onu(bench)
    adapter, call, plan = _planned(bench, "olt.onu.profile", {**AT_ONU, "speed_mbps": 500})
    bench.do("olt.onu.unbind", AT_ONU, key="gone meanwhile")
    with pytest.raises(Permanent) as refused:
        adapter.apply(call, plan)
    assert refused.value.bpmn_code == "ONU_NOT_BOUND"
    assert adapter.observe(call, plan)[0] is Observed.DIFFERENT


def test_a_profile_that_somebody_else_changed_is_not_taken_back(bench: Bench) -> None:
    bind_onu(bench)
    adapter, call, plan = _planned(bench, "olt.onu.profile", {**AT_ONU, "speed_mbps": 500})
    adapter.apply(call, plan)
    bench.do("olt.onu.profile", {**AT_ONU, "speed_mbps": 1000}, key="foreign")

    with pytest.raises(NeedsHuman):
        adapter.undo(call, plan)
    assert _onus(bench) == [("YTGP1A2B3C4D", 1, "line-1000m")]


# ---- measuring and restarting


def test_a_healthy_line_is_measured_before_and_after_binding(bench: Bench) -> None:
    seen = bench.do("olt.line.read", AT_ONU).output
    bind_onu(bench)

    healthy = {"sync": True, "rx_power_dbm": -19.8, "distance_m": 1840, "port_ok": True}
    assert seen == {**healthy, "bound": False, "multicast": None}
    assert bench.do("olt.line.read", AT_ONU).output == {**seen, "bound": True}
    assert bench.registry.operation("olt.line.read").response().validate(seen) == {}


def test_a_measurement_tells_the_channels_of_its_place_only(bench: Bench) -> None:
    bench.do("olt.multicast.join", {**AT_PORT, "profile": "IPTV-4K"})

    assert bench.do("olt.line.read", AT_ONU).output["multicast"] == "IPTV-4K"
    assert bench.do("olt.line.read", {**AT_ONU, "port": "1/3/8"}).output["multicast"] is None


def test_channels_of_another_order_are_refused(bench: Bench) -> None:
    bench.do("olt.multicast.join", {**AT_PORT, "profile": "IPTV-4K"}, key="BB-1:BB_12T:1")

    assert _refusal(bench, "olt.multicast.join", {**AT_PORT, "profile": "IPTV-4K"}) == "MULTICAST_TAKEN"


@pytest.mark.parametrize(
    ("line", "measured"),
    [
        ({"rx_power_dbm": -31.0, "distance_m": 2100}, (True, -31.0, 2100)),
        ({"sync": False}, (False, None, None)),
        ({"seen": False}, (False, None, None)),
    ],
)
def test_what_a_line_shows_can_be_set(
    bench: Bench, line: Mapping[str, Any], measured: tuple[bool, float | None, int | None]
) -> None:
    url = bench.sims.http_url + "/sim/olt/lines"
    assert requests.post(url, json={"onu_serial": "YTGP1A2B3C4D", **line}, timeout=5).ok

    output = bench.do("olt.line.read", AT_ONU).output
    assert (output["sync"], output["rx_power_dbm"], output["distance_m"]) == measured
    assert bench.do("olt.line.read", {**AT_ONU, "onu_serial": "YTGP00000002"}).output["rx_power_dbm"] == -19.8


@pytest.mark.parametrize(("broken", "sync"), [("1/3", False), ("1/3/7", True)])
def test_a_measurement_tells_that_the_port_is_faulty(bench: Bench, broken: str, sync: bool) -> None:
    url = bench.sims.http_url + "/sim/olt/ports"
    assert requests.post(url, json={"node": "OLT-E01", "port": broken, "faulty": True}, timeout=5).ok

    output = bench.do("olt.line.read", AT_ONU).output
    assert (output["port_ok"], output["sync"]) == (False, sync)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("lines", {"rx_power_dbm": -31}),
        ("lines", []),
        ("ports", {"node": "OLT-E01"}),
        ("lines", {"surplus": 1}),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(bench: Bench, what: str, body: Any) -> None:
    answer = requests.post(f"{bench.sims.http_url}/sim/olt/{what}", json=body, timeout=5)

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_SWITCH")


def test_a_measurement_is_met_by_faults_without_naming_it_and_then_only_retried(bench: Bench) -> None:
    for fault in ("unavailable", "lost_answer", "garbage"):
        bench.sims.olt.fault(fault, subject="YTGP1A2B3C4D")
        with pytest.raises(Retryable):
            bench.do("olt.line.read", AT_ONU)
    bench.sims.olt.fault("refuse", operation="olt.line.read")
    with pytest.raises(Permanent) as refused:
        bench.do("olt.line.read", AT_ONU)
    assert refused.value.bpmn_code == "OLT_REFUSED"


def test_a_restart_needs_a_bound_onu_and_each_call_restarts_it(bench: Bench) -> None:
    with pytest.raises(Permanent) as refused:
        bench.do("olt.onu.reset", AT_ONU)
    assert refused.value.bpmn_code == "ONU_NOT_BOUND"

    bind_onu(bench)
    for key in ("one", "two"):
        assert bench.do("olt.onu.reset", AT_ONU, key=key).outcome == "done"
    assert [e["operation"] for e in bench.sims.olt.effects()].count("olt.onu.reset") == 2


def test_a_restart_at_another_port_is_refused(bench: Bench) -> None:
    bind_onu(bench)

    assert _refusal(bench, "olt.onu.reset", {**AT_ONU, "port": "1/4/7"}) == "ONU_NOT_BOUND"


# ---- who is asked


def test_each_olt_is_a_target_of_its_own_and_knows_only_its_own(bench: Bench) -> None:
    bind_onu(bench)
    adapter = bench.adapter("olt.onu.bind")
    elsewhere = {**BIND, "node": "OLT-N01"}

    assert adapter.target(Call("olt.onu.bind", KEY, elsewhere)) == "olt:OLT-N01"
    assert bench.do("olt.onu.bind", elsewhere, key=KEY).output["onu_id"] == 1
    assert [o["node"] for o in bench.sims.olt.state()["onus"]] == ["OLT-E01", "OLT-N01"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"node": "../aaa"},
        {"port": "1"},
        {"port": "1/3/x"},
        {"onu_serial": "short"},
        {"onu_serial": "YTGP1A2B3C4D\n"},
        {"vlan": 0},
        {"speed_mbps": 10_001},
    ],
)
def test_bad_arguments_never_leave_the_house(bench: Bench, wrong: Mapping[str, Any]) -> None:
    with pytest.raises(NeedsHuman):
        bench.do("olt.onu.bind", {**BIND, **wrong})


def test_a_wrong_base_address_is_not_taken_for_an_absent_onu(bench: Bench) -> None:
    adapter = OltAdapter(replace(bench.settings, olt_url=bench.sims.http_url + "/nobody"))

    with pytest.raises(NeedsHuman):
        adapter.plan(Call("olt.onu.bind", KEY, BIND))

    adapter.close()


def test_without_simulators_an_empty_address_asks_for_a_person(bench: Bench) -> None:
    adapter = OltAdapter(replace(bench.settings, simulators=False))

    with pytest.raises(NeedsHuman, match="KAITONG_OLT_URL"):
        adapter.plan(Call("olt.onu.bind", KEY, BIND))
    assert adapter.probe()["ok"] is False

    adapter.close()
