"""What is special to routers: exact command lines, whose VLAN it is, the old block, and tests of a circuit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests

from adapters.network import RouterAdapter
from adapters.network import router_cli as cli
from adapters.network.router_cli import Measured, Routers
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.ports import Adapter, Call, Observed, Plan

from .kit import AT_ROUTER, Bench, configure_access

CONFIGURE: Mapping[str, Any] = {
    **AT_ROUTER,
    "vrf": "NONGXIN",
    "ip": "192.0.2.1/30",
    "bandwidth_mbps": 100,
}
KEY = "DL-20261122-000007:DL_11:4"
NAME = "ge-0/0/1.1203"
BLOCK = (
    "description DL-20261122-000007:DL_11:4",
    "encapsulation dot1q 1203",
    "vrf forwarding NONGXIN",
    "ip address 192.0.2.1/30",
    "rate-limit input 100 mbps",
    "rate-limit output 100 mbps",
    "no shutdown",
)
CHANGE = """\
configure exclusive
no interface ge-0/0/1.1203
interface ge-0/0/1.1203
 description DL-20261122-000007:DL_11:4
 encapsulation dot1q 1203
 vrf forwarding NONGXIN
 ip address 192.0.2.1/30
 rate-limit input 100 mbps
 rate-limit output 100 mbps
 no shutdown
exit
commit comment DL-20261122-000007:DL_11:4
end
"""


def _planned(
    bench: Bench, operation: str, args: Mapping[str, Any], key: str = KEY
) -> tuple[Adapter, Call, Plan]:
    call = Call(operation, key, args)
    adapter = bench.adapter(operation)
    return adapter, call, adapter.plan(call)


def _blocks(bench: Bench) -> dict[str, list[str]]:
    return {a["name"]: a["block"] for a in bench.sims.router.state()["accesses"]}


def _code(bench: Bench, operation: str, args: Mapping[str, Any]) -> str:
    with pytest.raises(Permanent) as refused:
        bench.do(operation, args, key=KEY)
    assert refused.value.bpmn_code in bench.registry.operation(operation).errors
    return refused.value.bpmn_code


# ---- the text


def test_the_text_of_a_change() -> None:
    assert cli.access_block(CONFIGURE, KEY) == BLOCK
    assert cli.change_text(NAME, BLOCK, KEY) == CHANGE


def test_the_text_of_a_removal_holds_a_key_in_plain_ascii() -> None:
    assert cli.change_text(NAME, None, "DL-1:任务/1:1") == (
        "configure exclusive\nno interface ge-0/0/1.1203\ncommit comment DL-1:%E4%BB%BB%E5%8A%A1/1:1\nend\n"
    )


def test_an_access_without_vrf_and_address_says_nothing_about_them() -> None:
    args = {**AT_ROUTER, "vrf": None, "ip": None, "bandwidth_mbps": 10}

    assert cli.access_block(args, "k")[1:3] == ("encapsulation dot1q 1203", "rate-limit input 10 mbps")


# ---- what a router says


class Told:
    """A transport that answers what a test tells it."""

    def __init__(self, reply: str) -> None:
        self.reply = reply

    def exchange(self, device: str, request: bytes, deadline: float, reads: bool) -> bytes:
        return self.reply.encode()

    def reachable(self, deadline: float) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


def _routers(reply: str) -> tuple[Routers, float]:
    return Routers(Told(reply)), time.monotonic() + 1


def _shown(reply: str) -> cli.Block | None:
    routers, deadline = _routers(reply)
    return routers.running("PE-E1", NAME, deadline)


def _committed(reply: str) -> bool:
    routers, deadline = _routers(reply)
    return routers.change("PE-E1", NAME, BLOCK, KEY, deadline)


def _tested(reply: str) -> Measured:
    routers, deadline = _routers(reply)
    return routers.tested("PE-E1", NAME, deadline)


def test_the_running_configuration_is_read_line_by_line() -> None:
    lines = "".join(f" {line}\r\n" for line in BLOCK)

    assert _shown(f"interface {NAME}\r\n{lines}!\r\nPE-E1#\r\n") == BLOCK
    assert _shown(f"% Interface {NAME} is not configured\nPE-E1#") is None


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "<html><body>502 Bad Gateway</body></html>",
        f"interface {NAME}\n vrf forwarding NONG",
        f"interface {NAME}\n vrf forwarding NONGXIN\nPE-E1#",
        "interface ge-0/0/2.7\n!\nPE-E1#",
        f"interface {NAME}\n!\nPE-N1#",
        "PE-E1#",
    ],
)
def test_a_configuration_that_is_not_whole_is_only_retried(reply: str) -> None:
    with pytest.raises(Retryable):
        _shown(reply)


@pytest.mark.parametrize(
    ("reply", "change", "read"),
    [
        ("% Invalid interface ge-9", Permanent, Permanent),
        ("% Refused (ROUTER_REFUSED): no", Permanent, Permanent),
        ("% Configuration is locked by noc", Retryable, Retryable),
        ("% Unknown command: show", NeedsHuman, NeedsHuman),
        ("Commit", OutcomeUnknown, Retryable),
    ],
)
def test_what_a_router_says_no_with(reply: str, change: type[AdapterError], read: type[AdapterError]) -> None:
    for ask, error in ((_committed, change), (_shown, read), (_tested, read)):
        with pytest.raises(error) as failed:
            ask(f"{reply}\nPE-E1#")
        assert failed.type is error
        assert failed.value.facts["target"] == "router:PE-E1"


def test_a_commit_is_told_from_one_that_changed_nothing() -> None:
    assert _committed("Commit complete.\nPE-E1#") is True
    assert _committed("% No configuration changes\nPE-E1#") is False
    with pytest.raises(OutcomeUnknown):
        _committed("Commit complete.")


def test_a_test_result_is_read() -> None:
    head = f"circuit {NAME}: 100 sent, "
    times = "round trip min/avg/max 2.9/3.1/3.4 ms"

    assert _tested(f"{head}98 received, 2.00 % loss\n{times}\nPE-E1#") == Measured(2.0, 3.1)
    assert _tested(f"{head}0 received, 100 % loss\nPE-E1#") == Measured(100.0, None)
    with pytest.raises(Retryable):
        _tested(f"{head}98 received, 2.00 % loss\nPE-E1#")


# ---- configuring


def test_the_plan_of_a_new_access_shows_every_line(bench: Bench) -> None:
    _, _, plan = _planned(bench, "router.access.configure", CONFIGURE)

    assert plan.before == {"block": None}
    assert plan.after == {"block": list(BLOCK)}
    assert plan.steps == (f"+ interface {NAME}", *(f"+ {line}" for line in BLOCK))


def test_the_plan_of_a_change_shows_the_difference_and_undo_restores_the_old_block(bench: Bench) -> None:
    configure_access(bench)
    before = bench.sims.router.state()
    wanted = {**CONFIGURE, "vrf": "CUST-A", "ip": "198.51.100.1/30", "bandwidth_mbps": 500}
    adapter, call, plan = _planned(bench, "router.access.configure", wanted)

    assert plan.steps == (
        f"  interface {NAME}",
        "- description earlier",
        "- rate-limit input 100 mbps",
        "- rate-limit output 100 mbps",
        f"+ description {KEY}",
        "+ rate-limit input 500 mbps",
        "+ rate-limit output 500 mbps",
    )
    adapter.apply(call, plan)
    assert _blocks(bench)[NAME] == plan.after["block"]
    assert adapter.undo(call, plan).outcome == "done"
    assert bench.sims.router.state() == before


def test_the_output_is_what_the_router_shows(bench: Bench) -> None:
    output = bench.do("router.access.configure", CONFIGURE, key=KEY).output

    assert output == {"interface": NAME, "config": "\n".join(BLOCK)}


@pytest.mark.parametrize(
    ("there", "wanted", "code"),
    [
        ({"vrf": "OTHER"}, {}, "VLAN_TAKEN"),
        ({"vrf": None}, {"vrf": None, "ip": "203.0.113.1/30"}, "VLAN_TAKEN"),
        ({"vlan": 1300}, {"ip": "192.0.2.2/30"}, "IP_TAKEN"),
        ({}, {"interface": "Loopback0"}, "INTERFACE_UNKNOWN"),
    ],
)
def test_what_belongs_to_another_customer_is_refused_and_left_alone(
    bench: Bench, there: Mapping[str, Any], wanted: Mapping[str, Any], code: str
) -> None:
    bench.do("router.access.configure", {**CONFIGURE, **there}, key="DL-1:DL_11:1")
    before = bench.sims.router.state()

    assert _code(bench, "router.access.configure", {**CONFIGURE, **wanted}) == code
    assert bench.sims.router.state() == before


@pytest.mark.parametrize("there", [{"vlan": 1300, "vrf": "OTHER"}, {"vlan": 1300, "ip": None}])
def test_the_same_address_in_another_vrf_is_no_conflict(bench: Bench, there: Mapping[str, Any]) -> None:
    bench.do("router.access.configure", {**CONFIGURE, **there}, key="DL-1:DL_11:1")

    assert bench.do("router.access.configure", CONFIGURE, key=KEY).outcome == "done"


def test_configuring_again_in_the_same_order_is_already_done_and_only_the_first_call_takes_it_back(
    bench: Bench,
) -> None:
    adapter, first, plan = _planned(bench, "router.access.configure", CONFIGURE)
    adapter.apply(first, plan)
    again = "DL-20261122-000007:DL_11:9"
    _, second, second_plan = _planned(bench, "router.access.configure", CONFIGURE, again)

    assert second_plan.already
    assert adapter.apply(second, second_plan).outcome == "already"
    assert adapter.undo(second, second_plan).outcome == "already"
    assert _blocks(bench)[NAME] == list(BLOCK)
    assert adapter.undo(first, plan).outcome == "done"
    assert _blocks(bench) == {}


def test_undo_after_somebody_else_changed_the_block_asks_for_a_person(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "router.access.configure", CONFIGURE)
    adapter.apply(call, plan)
    bench.do("router.access.configure", {**CONFIGURE, "bandwidth_mbps": 10}, key="foreign")
    foreign = bench.sims.router.state()

    assert adapter.observe(call, plan)[0] is Observed.DIFFERENT
    with pytest.raises(NeedsHuman):
        adapter.undo(call, plan)
    assert bench.sims.router.state() == foreign


@pytest.mark.parametrize("operation", ["router.access.configure", "router.access.remove"])
def test_an_undo_whose_answer_was_lost_can_be_repeated(bench: Bench, operation: str) -> None:
    args = AT_ROUTER if operation == "router.access.remove" else {**CONFIGURE, "vrf": "CUST-A"}
    configure_access(bench)
    before = bench.sims.router.state()
    adapter, call, plan = _planned(bench, operation, args)
    adapter.apply(call, plan)
    bench.sims.router.fault("lost_answer")

    with pytest.raises(OutcomeUnknown):
        adapter.undo(call, plan)

    assert adapter.undo(call, plan).outcome == "already"
    assert bench.sims.router.state() == before


def test_an_undo_that_cannot_be_read_back_is_unknown(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "router.access.configure", CONFIGURE)
    adapter.apply(call, plan)
    bench.sims.router.fault("delay", operation="router.running.get", seconds=0)
    bench.sims.router.fault("unavailable", operation="router.running.get")

    with pytest.raises(OutcomeUnknown):
        adapter.undo(call, plan)

    assert adapter.undo(call, plan).outcome == "already"


def test_removing_what_is_not_there_is_already_done(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "router.access.remove", AT_ROUTER)

    assert plan.already
    assert adapter.apply(call, plan).outcome == "already"
    assert adapter.undo(call, plan).outcome == "already"
    assert bench.sims.router.effects() == []


# ---- testing


def test_a_healthy_circuit_passes(bench: Bench) -> None:
    configure_access(bench)

    output = bench.do("router.circuit.test", {**AT_ROUTER, "max_delay_ms": 5}).output
    assert output == {"loss_percent": 0.0, "delay_ms": 3.1, "ok": True}


@pytest.mark.parametrize(
    ("shown", "limits", "measured"),
    [
        ({"loss_percent": 2}, {}, (2.0, 3.1, False)),
        ({"loss_percent": 2}, {"max_loss_percent": 2.5}, (2.0, 3.1, True)),
        ({"delay_ms": 40}, {}, (0.0, 40.0, True)),
        ({"delay_ms": 40}, {"max_delay_ms": 20}, (0.0, 40.0, False)),
        ({"loss_percent": 100}, {"max_loss_percent": 100, "max_delay_ms": 20}, (100.0, None, False)),
    ],
)
def test_what_a_test_shows_can_be_set(
    bench: Bench, shown: Mapping[str, Any], limits: Mapping[str, Any], measured: tuple[Any, ...]
) -> None:
    configure_access(bench)
    body = {"device": "PE-E1", "interface": "ge-0/0/1", "vlan": 1203, **shown}
    assert requests.post(bench.sims.http_url + "/sim/router/circuits", json=body, timeout=5).ok

    output = bench.do("router.circuit.test", {**AT_ROUTER, **limits}).output
    assert (output["loss_percent"], output["delay_ms"], output["ok"]) == measured


def test_a_circuit_that_is_not_configured_cannot_be_tested(bench: Bench) -> None:
    assert _code(bench, "router.circuit.test", AT_ROUTER) == "CIRCUIT_NOT_CONFIGURED"


def test_a_test_that_gets_no_answer_is_only_retried(bench: Bench) -> None:
    configure_access(bench)
    for fault in ("unavailable", "lost_answer", "garbage"):
        bench.sims.router.fault(fault, subject="PE-E1/ge-0/0/1.1203")
        with pytest.raises(Retryable):
            bench.do("router.circuit.test", AT_ROUTER)


# ---- who is asked


def test_each_router_is_a_target_of_its_own_and_knows_only_its_own(bench: Bench) -> None:
    configure_access(bench)
    elsewhere = {**CONFIGURE, "device": "PE-N1"}

    call = Call("router.access.configure", KEY, elsewhere)
    assert bench.adapter(call.operation).target(call) == "router:PE-N1"
    assert bench.do("router.access.configure", elsewhere, key=KEY).outcome == "done"
    assert [a["device"] for a in bench.sims.router.state()["accesses"]] == ["PE-E1", "PE-N1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"device": "../crm"},
        {"interface": "ge-0/0/1\nno interface ge-0/0/2.7"},
        {"interface": "0/0/1"},
        {"vlan": 4095},
        {"vrf": "A B"},
        {"ip": "192.0.2.1"},
        {"ip": "192.0.2.999/30"},
        {"ip": "2001:db8::1/64"},
        {"bandwidth_mbps": 0},
    ],
)
def test_bad_arguments_never_leave_the_house(bench: Bench, wrong: Mapping[str, Any]) -> None:
    with pytest.raises(NeedsHuman):
        bench.do("router.access.configure", {**CONFIGURE, **wrong})
    assert bench.sims.router.effects() == []


def test_a_wrong_base_address_is_not_taken_for_an_absent_access(bench: Bench) -> None:
    adapter = RouterAdapter(replace(bench.settings, router_url=bench.sims.http_url + "/nobody"))

    with pytest.raises(NeedsHuman):
        adapter.plan(Call("router.access.configure", KEY, CONFIGURE))

    adapter.close()


def test_without_simulators_an_empty_address_asks_for_a_person(bench: Bench) -> None:
    adapter = RouterAdapter(replace(bench.settings, simulators=False))

    with pytest.raises(NeedsHuman, match="KAITONG_ROUTER_URL"):
        adapter.plan(Call("router.access.configure", KEY, CONFIGURE))
    assert adapter.probe()["ok"] is False

    adapter.close()


# ---- the simulator, as another program sees it


def _type(bench: Bench, text: str, media: str = "application/x-cli") -> requests.Response:
    headers = {"Content-Type": media}
    return requests.post(bench.sims.http_url + "/router/PE-E1", data=text, headers=headers, timeout=5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("configure exclusive", "configure"),
        ("end\n", ""),
        ("exit\n", ""),
        (" no shutdown", " no shutdown now"),
        ("interface ge-0/0/1.1203\n desc", "interface ge-0/0/1.7\n desc"),
        ("no interface", "interface"),
        ("commit comment ", "commit "),
        ("192.0.2.1/30", "192.0.2.999/30"),
    ],
)
def test_a_session_that_makes_no_sense_changes_nothing(bench: Bench, old: str, new: str) -> None:
    assert old in CHANGE

    assert _type(bench, CHANGE.replace(old, new, 1)).text.startswith("% Unknown command")
    assert bench.sims.router.effects() == []
    assert _type(bench, CHANGE).text == "Commit complete.\nPE-E1#\n"
    assert _type(bench, CHANGE).text == "% No configuration changes\nPE-E1#\n"


def test_what_is_no_session_is_refused(bench: Bench) -> None:
    assert _type(bench, "").json()["code"] == "ROUTER_BAD_REQUEST"
    assert _type(bench, "reload").text == "% Unknown command: reload\nPE-E1#\n"
    assert _type(bench, CHANGE, "text/plain").status_code == 415
    bad = requests.post(bench.sims.http_url + "/sim/router/circuits", json={"vlan": 1}, timeout=5)
    assert bad.json()["code"] == "BAD_SWITCH"
    assert bench.sims.router.effects() == []
