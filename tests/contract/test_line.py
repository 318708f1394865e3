"""A whole line: what each fault shows as, what mends it, and that a silent system is told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from engine.errors import Permanent
from engine.ports import Call

from .kit import ACCOUNT, AT_ONU, AT_ROUTER, Bench, bind_onu, configure_access, open_account

HOME: Mapping[str, Any] = {**AT_ONU, "account": ACCOUNT, "vlan": 1203, "speed_mbps": 300}


def _working(bench: Bench) -> None:
    bind_onu(bench)
    open_account(bench)


def _diagnosed(bench: Bench, args: Mapping[str, Any] = HOME) -> Mapping[str, Any]:
    output = bench.do("line.diagnose", args, key="look").output
    assert bench.adapter("line.diagnose").operations()["line.diagnose"].response().validate(output) == {}
    return output


def _weak(bench: Bench) -> None:
    bench.sims.olt.set_line(onu_serial=AT_ONU["onu_serial"], rx_power_dbm=-31)


def _offline(bench: Bench) -> None:
    bench.sims.olt.set_line(onu_serial=AT_ONU["onu_serial"], sync=False)


def _unbound(bench: Bench) -> None:
    bench.do("olt.onu.unbind", AT_ONU, key="unbind")


def _slow_profile(bench: Bench) -> None:
    bench.do("olt.onu.profile", {**AT_ONU, "speed_mbps": 100}, key="wrong")


def _broken_port(bench: Bench) -> None:
    bench.sims.olt.set_port(node=AT_ONU["node"], port=AT_ONU["port"], faulty=True)


def _hanging(bench: Bench) -> None:
    bench.sims.aaa.set_session(account=ACCOUNT, stuck=True)


def _off(bench: Bench) -> None:
    bench.do("aaa.subscriber.switch", {"account": ACCOUNT, "active": False}, key="off")


FAULTS: Mapping[str, tuple[Callable[[Bench], None], str, str, str | None]] = {
    "weak optics": (_weak, "drop_cable", "F01", None),
    "offline": (_offline, "terminal", "F05", "reset"),
    "unbound": (_unbound, "config", "F07", "rebind"),
    "another profile": (_slow_profile, "config", "F07", "profile"),
    "a broken port": (_broken_port, "olt", "F04", None),
    "a session that hangs": (_hanging, "aaa", "F08", "session"),
    "an account that is off": (_off, "aaa", "F08", None),
}


def test_a_line_that_works_has_no_faulty_segment(bench: Bench) -> None:
    _working(bench)

    found = _diagnosed(bench)

    assert (found["ok"], found["segment"], found["cause_code"]) == (True, "none", None)
    assert found["rx_power_dbm"] == -19.8
    assert found["login_ms"] is not None


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_in_its_segment(bench: Bench, name: str) -> None:
    breaks, segment, code, remedy = FAULTS[name]
    _working(bench)
    breaks(bench)

    found = _diagnosed(bench)

    assert (found["ok"], found["segment"], found["cause_code"]) == (False, segment, code)
    assert found["remedy"] == remedy


@pytest.mark.parametrize("name", ["unbound", "another profile", "a session that hangs"])
def test_a_repair_from_afar_makes_the_line_work(bench: Bench, name: str) -> None:
    _working(bench)
    FAULTS[name][0](bench)

    done = bench.do("line.repair", {**HOME, "remedy": FAULTS[name][3]}, key="mend")

    assert done.output == {"remedy": FAULTS[name][3]}
    assert _diagnosed(bench)["ok"]


def test_a_restart_wakes_a_terminal_that_hangs(bench: Bench) -> None:
    _working(bench)
    _offline(bench)

    bench.do("line.repair", {**HOME, "remedy": "reset"}, key="mend")

    assert _diagnosed(bench)["ok"]


@pytest.mark.parametrize(("name", "segment"), [("unbound", "config"), ("another profile", "config")])
def test_a_repair_is_taken_back_by_what_was_there(bench: Bench, name: str, segment: str) -> None:
    _working(bench)
    FAULTS[name][0](bench)
    adapter, call = (
        bench.adapter("line.repair"),
        Call("line.repair", "TT-1:TT_05:3", {**HOME, "remedy": FAULTS[name][3]}),
    )
    plan = adapter.plan(call)
    adapter.apply(call, plan)

    assert adapter.undo(call, plan).outcome == "done"
    assert _diagnosed(bench)["segment"] == segment


@pytest.mark.parametrize("remedy", ["reset", "session"])
def test_what_leaves_nothing_behind_needs_no_taking_back(bench: Bench, remedy: str) -> None:
    _working(bench)
    adapter, call = (
        bench.adapter("line.repair"),
        Call("line.repair", "TT-1:TT_05:3", {**HOME, "remedy": remedy}),
    )
    plan = adapter.plan(call)
    adapter.apply(call, plan)

    assert adapter.undo(call, plan).outcome == "already"


@pytest.mark.parametrize(
    ("shown", "segment", "code"),
    [
        ({"loss_percent": 0, "delay_ms": 3.1}, "none", None),
        ({"loss_percent": 100}, "trunk_cable", "F03"),
        ({"loss_percent": 2, "delay_ms": 9}, "bearer", "F09"),
        ({"loss_percent": 0, "delay_ms": 80}, "bearer", "F09"),
    ],
)
def test_a_circuit_is_judged_by_loss_and_delay(
    bench: Bench, shown: Mapping[str, Any], segment: str, code: str | None
) -> None:
    configure_access(bench)
    bench.sims.router.set_circuit(**AT_ROUTER, **shown)

    found = _diagnosed(bench, AT_ROUTER)

    assert (found["segment"], found["cause_code"]) == (segment, code)


def test_a_circuit_that_the_router_does_not_have_is_a_matter_of_configuration(bench: Bench) -> None:
    assert _diagnosed(bench, AT_ROUTER)["segment"] == "config"


def test_a_system_that_does_not_answer_is_told_at_once(bench: Bench) -> None:
    _working(bench)
    bench.sims.olt.fault("unavailable", operation="olt.line.read")

    with pytest.raises(Permanent) as told:
        _diagnosed(bench)

    assert told.value.bpmn_code == "DIAGNOSIS_DOWN"


@pytest.mark.parametrize(
    ("operation", "args"),
    [("line.diagnose", {"account": ACCOUNT}), ("line.repair", {"account": ACCOUNT, "remedy": "rebind"})],
)
def test_a_line_of_which_too_little_is_known_is_left_to_people(
    bench: Bench, operation: str, args: Mapping[str, Any]
) -> None:
    with pytest.raises(Permanent) as told:
        bench.do(operation, args)

    assert told.value.bpmn_code == "LINE_DATA_MISSING"


@pytest.mark.parametrize("state", ["good", "arrears", "blacklist"])
def test_the_crm_says_how_an_account_stands(bench: Bench, state: str) -> None:
    if state != "good":
        bench.sims.crm.set_account(account=ACCOUNT, state=state, arrears_fen=5900)

    said = bench.do("crm.account.check", {"account": ACCOUNT}).output

    assert said == {"state": state, "arrears_fen": 0 if state == "good" else 5900}
