"""What is special to the AAA server: other people's accounts, closing twice, and logins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from adapters.network import AaaAdapter
from adapters.network.aaa import derived_password
from adapters.sim import running_simulators
from engine.config import Secret
from engine.errors import NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.ports import Call, Observed

from .kit import ACCOUNT, CANARY, Bench, open_account, seconds_of

OPEN: Mapping[str, Any] = {"account": ACCOUNT, "plan": "BB-1000", "speed_mbps": 1000}


def _login(bench: Bench, **args: Any) -> Mapping[str, Any]:
    return bench.do("aaa.login.test", {"account": ACCOUNT, **args}).output


# ---- accounts


def test_an_account_of_another_order_is_refused_and_left_alone(bench: Bench) -> None:
    open_account(bench)
    call = Call("aaa.subscriber.open", "mine", OPEN)
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)

    with pytest.raises(Permanent) as refused:
        adapter.apply(call, plan)

    assert refused.value.bpmn_code == "AAA_ACCOUNT_TAKEN"
    assert plan.before["subscriber"]["plan"] == "BB-500"
    assert adapter.observe(call, plan)[0] is Observed.DIFFERENT
    assert bench.sims.aaa.state()["subscribers"][0]["plan"] == "BB-500"


def test_undo_after_somebody_else_reopened_the_account_asks_for_a_person(bench: Bench) -> None:
    call = Call("aaa.subscriber.open", "mine", OPEN)
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)
    adapter.apply(call, plan)
    bench.do("aaa.subscriber.close", {"account": ACCOUNT}, key="foreign close")
    bench.do("aaa.subscriber.open", {**OPEN, "speed_mbps": 300}, key="foreign open")

    with pytest.raises(NeedsHuman):
        adapter.undo(call, plan)

    assert bench.sims.aaa.state()["subscribers"][0]["speed_mbps"] == 300


def test_opening_again_in_the_same_order_is_already_done_and_only_the_first_call_takes_it_back(
    bench: Bench,
) -> None:
    """A test failed, the crew is sent back, and activation runs once more with another token."""
    adapter = bench.adapter("aaa.subscriber.open")
    first = Call("aaa.subscriber.open", "BB-20261122-000123:BB_12:7", OPEN)
    plan = adapter.plan(first)
    adapter.apply(first, plan)
    second = replace(first, key="BB-20261122-000123:BB_12:19")
    again = adapter.plan(second)

    assert again.already
    assert adapter.apply(second, again).outcome == "already"
    assert adapter.undo(second, again).outcome == "already"
    assert len(bench.sims.aaa.state()["subscribers"]) == 1
    assert adapter.undo(first, plan).outcome == "done"
    assert bench.sims.aaa.state()["subscribers"] == []


def test_the_same_order_with_another_speed_is_refused(bench: Bench) -> None:
    bench.do("aaa.subscriber.open", OPEN, key="BB-1:BB_12:7")

    with pytest.raises(Permanent) as refused:
        bench.do("aaa.subscriber.open", {**OPEN, "speed_mbps": 300}, key="BB-1:BB_12:19")
    assert refused.value.bpmn_code == "AAA_ACCOUNT_TAKEN"


def test_undo_of_what_never_happened_is_harmless(bench: Bench) -> None:
    call = Call("aaa.subscriber.open", "mine", OPEN)
    adapter = bench.adapter(call.operation)

    assert adapter.undo(call, adapter.plan(call)).outcome == "already"
    assert bench.sims.aaa.effects() == []


def test_an_undo_whose_answer_was_lost_can_be_repeated(bench: Bench) -> None:
    call = Call("aaa.subscriber.open", "mine", OPEN)
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)
    adapter.apply(call, plan)
    bench.sims.aaa.fault("lost_answer", operation="aaa.subscriber.close")

    with pytest.raises(OutcomeUnknown):
        adapter.undo(call, plan)

    assert adapter.undo(call, plan).outcome == "already"
    assert len(bench.sims.aaa.effects()) == 2


def test_an_undo_that_cannot_be_read_back_is_unknown(bench: Bench) -> None:
    call = Call("aaa.subscriber.open", "mine", OPEN)
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)
    adapter.apply(call, plan)
    bench.sims.aaa.fault("delay", operation="aaa.subscriber.get", seconds=0)
    bench.sims.aaa.fault("unavailable", operation="aaa.subscriber.get")

    with pytest.raises(OutcomeUnknown):
        adapter.undo(call, plan)

    assert adapter.undo(call, plan).outcome == "already"


def test_a_key_is_never_performed_again_even_after_an_undo(bench: Bench) -> None:
    """A copy of the first request that arrives late must not open the account again."""
    call = Call("aaa.subscriber.open", "mine", OPEN)
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)
    adapter.apply(call, plan)
    adapter.undo(call, plan)

    with pytest.raises(OutcomeUnknown):
        adapter.apply(call, plan)

    assert bench.sims.aaa.state()["subscribers"] == []


def test_closing_an_account_that_is_not_there_is_already_done(bench: Bench) -> None:
    call = Call("aaa.subscriber.close", "mine", {"account": ACCOUNT})
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)

    assert plan.already
    assert adapter.apply(call, plan).outcome == "already"
    assert bench.sims.aaa.effects() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "../crm/orders"},
        {"account": "."},
        {"account": "a b"},
        {"account": ""},
        {"speed_mbps": 0},
        {"speed_mbps": 100_000},
        {"vlan": 4095},
        {"password": "密码"},
        {"plan": None},
    ],
)
def test_bad_arguments_never_leave_the_house(bench: Bench, wrong: Mapping[str, Any]) -> None:
    call = Call("aaa.subscriber.open", "mine", {**OPEN, **wrong})

    with pytest.raises(NeedsHuman):
        bench.adapter(call.operation).plan(call)


def test_a_wrong_base_address_is_not_taken_for_an_absent_account(bench: Bench) -> None:
    adapter = AaaAdapter(replace(bench.settings, aaa_url=bench.sims.http_url + "/nobody"))
    call = Call("aaa.subscriber.open", "mine", OPEN)

    with pytest.raises(NeedsHuman):
        adapter.plan(call)

    adapter.close()


def test_without_simulators_an_empty_address_asks_for_a_person(bench: Bench) -> None:
    adapter = AaaAdapter(replace(bench.settings, simulators=False))

    with pytest.raises(NeedsHuman, match="KAITONG_AAA_URL"):
        adapter.plan(Call("aaa.subscriber.open", "mine", OPEN))

    assert adapter.probe()["ok"] is False


# ---- speed, on and off


def test_an_account_opened_off_lets_nobody_in_until_it_is_switched_on(bench: Bench) -> None:
    bench.do("aaa.subscriber.open", {**OPEN, "active": False})
    with pytest.raises(Permanent) as rejected:
        _login(bench)
    assert rejected.value.bpmn_code == "LOGIN_FAILED"

    bench.do("aaa.subscriber.switch", {"account": ACCOUNT, "active": True}, key="on")

    assert _login(bench, speed_mbps=1000)["ok"] is True


def test_a_changed_speed_is_that_of_the_next_login_and_comes_back_with_undo(bench: Bench) -> None:
    open_account(bench)
    call = Call("aaa.subscriber.change", "mine", {"account": ACCOUNT, "plan": "BB-1000", "speed_mbps": 1000})
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)

    assert plan.before == {"plan": "BB-500", "speed_mbps": 500}
    adapter.apply(call, plan)
    assert _login(bench)["speed_down_mbps"] == 1000
    adapter.undo(call, plan)
    assert _login(bench)["speed_down_mbps"] == 500


@pytest.mark.parametrize(
    ("operation", "wanted", "foreign"),
    [
        (
            "aaa.subscriber.change",
            {"plan": "BB-1000", "speed_mbps": 1000},
            {"plan": "BB-300", "speed_mbps": 300},
        ),
        ("aaa.subscriber.change", {"plan": "BB-1000", "speed_mbps": 1000}, None),
        ("aaa.subscriber.switch", {"active": False}, None),
    ],
)
def test_what_somebody_else_has_set_or_closed_since_is_not_taken_back(
    bench: Bench, operation: str, wanted: Mapping[str, Any], foreign: Mapping[str, Any] | None
) -> None:
    open_account(bench)
    call = Call(operation, "mine", {"account": ACCOUNT, **wanted})
    adapter = bench.adapter(operation)
    plan = adapter.plan(call)
    adapter.apply(call, plan)
    if foreign is None:
        bench.do("aaa.subscriber.close", {"account": ACCOUNT}, key="foreign")
        assert adapter.observe(call, plan)[0] is Observed.DIFFERENT
    else:
        bench.do(operation, {"account": ACCOUNT, **foreign}, key="foreign")
    before = bench.sims.aaa.state()

    with pytest.raises(NeedsHuman):
        adapter.undo(call, plan)
    assert bench.sims.aaa.state() == before


@pytest.mark.parametrize("fault", ["lost_answer", "garbage"])
def test_a_switch_whose_undo_got_lost_can_be_repeated(bench: Bench, fault: str) -> None:
    open_account(bench)
    before = bench.sims.aaa.state()
    call = Call("aaa.subscriber.switch", "mine", {"account": ACCOUNT, "active": False})
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)
    adapter.apply(call, plan)
    bench.sims.aaa.fault(fault)

    with pytest.raises(OutcomeUnknown):
        adapter.undo(call, plan)

    assert adapter.undo(call, plan).outcome == "already"
    assert bench.sims.aaa.state() == before


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        ("aaa.subscriber.change", {"plan": "BB-500", "speed_mbps": 500}),
        ("aaa.subscriber.switch", {"active": True}),
    ],
)
def test_what_is_not_open_can_be_neither_changed_nor_switched(
    bench: Bench, operation: str, wanted: Mapping[str, Any]
) -> None:
    with pytest.raises(Permanent) as refused:
        bench.do(operation, {"account": ACCOUNT, **wanted})
    assert refused.value.bpmn_code == "AAA_NOT_FOUND"
    assert refused.value.bpmn_code in bench.registry.operation(operation).errors


# ---- logins


def test_a_login_after_opening_shows_the_sold_speed(bench: Bench) -> None:
    bench.do("aaa.subscriber.open", OPEN)

    output = _login(bench, speed_mbps=1000)

    assert output["ok"] is True
    assert output["speed_down_mbps"] == 1000
    assert 0 <= output["login_ms"] < 5000
    operation = bench.registry.operation("aaa.login.test")
    assert operation.response().validate(output) == {}


def test_a_login_below_the_sold_speed_is_not_ok(bench: Bench) -> None:
    open_account(bench)

    assert {**_login(bench, speed_mbps=1000, plan="BB-1000"), "login_ms": 0} == {
        "login_ms": 0,
        "ok": False,
        "speed_down_mbps": 500,
    }


def test_a_users_own_speed_goes_before_that_of_the_group(bench: Bench) -> None:
    open_account(bench)
    with bench.sims.aaa.write() as db:
        db.execute(
            "INSERT INTO radreply(username, attribute, op, value) VALUES (?, ?, ':=', ?)",
            (ACCOUNT, "WISPr-Bandwidth-Max-Down", "20000000"),
        )

    assert _login(bench)["speed_down_mbps"] == 20


def test_an_account_that_does_not_exist_fails_the_login(bench: Bench) -> None:
    with pytest.raises(Permanent) as failed:
        _login(bench)

    assert failed.value.bpmn_code == "LOGIN_FAILED"


def test_a_closed_account_fails_the_login(bench: Bench) -> None:
    open_account(bench)
    bench.do("aaa.subscriber.close", {"account": ACCOUNT})

    with pytest.raises(Permanent):
        _login(bench)


def test_a_given_password_is_the_one_that_counts(bench: Bench) -> None:
    bench.do("aaa.subscriber.open", {**OPEN, "password": "given by hand"})

    assert _login(bench, password="given by hand")["ok"] is True
    with pytest.raises(Permanent):
        _login(bench)


def test_a_login_can_be_refused_by_a_fault(bench: Bench) -> None:
    open_account(bench)
    bench.sims.aaa.fault("refuse", operation="aaa.login.test")

    with pytest.raises(Permanent):
        _login(bench)

    assert _login(bench)["ok"] is True


@pytest.mark.parametrize("fault", ["unavailable", "lost_answer", "lost_request", "garbage", "delay"])
def test_a_silent_radius_server_is_retryable_within_the_time_out(bench: Bench, fault: str) -> None:
    open_account(bench)
    bench.sims.aaa.fault(fault, times=-1, operation="aaa.login.test", seconds=60)
    call = Call("aaa.login.test", "first", {"account": ACCOUNT})
    adapter = bench.adapter(call.operation, patient=False)

    def silent() -> None:
        with pytest.raises(Retryable):
            adapter.apply(call, adapter.plan(call))

    assert seconds_of(silent) < 3


def test_one_lost_datagram_is_sent_again(bench: Bench) -> None:
    open_account(bench)
    bench.sims.aaa.fault("lost_request", operation="aaa.login.test")
    call = Call("aaa.login.test", "first", {"account": ACCOUNT})
    adapter = AaaAdapter(replace(bench.settings, adapter_timeout_seconds=1.0))

    assert adapter.apply(call, adapter.plan(call)).output["ok"] is True
    adapter.close()


def test_a_server_with_another_shared_secret_is_retryable(bench: Bench) -> None:
    settings = replace(bench.settings, aaa_secret=Secret("another"), adapter_timeout_seconds=0.3)
    adapter = AaaAdapter(settings)

    with pytest.raises(Retryable, match="shared secret"):
        adapter.apply(call := Call("aaa.login.test", "first", {"account": ACCOUNT}), adapter.plan(call))

    adapter.close()


def test_a_radius_server_that_is_not_there_is_retryable(bench: Bench) -> None:
    call = Call("aaa.login.test", "first", {"account": ACCOUNT})
    adapter = bench.adapter(call.operation, patient=False)
    bench.stop()

    with pytest.raises(Retryable):
        adapter.apply(call, adapter.plan(call))


@pytest.mark.parametrize("address", ["no-port", "host:", ":1812", "host:radius"])
def test_a_radius_address_that_makes_no_sense_asks_for_a_person(bench: Bench, address: str) -> None:
    adapter = AaaAdapter(replace(bench.settings, aaa_radius=address))
    call = Call("aaa.login.test", "first", {"account": ACCOUNT})

    with pytest.raises(NeedsHuman, match="KAITONG_AAA_RADIUS"):
        adapter.apply(call, adapter.plan(call))


def test_a_login_changes_nothing_and_is_simply_done_again(bench: Bench) -> None:
    open_account(bench)
    call = Call("aaa.login.test", "first", {"account": ACCOUNT})
    adapter = bench.adapter(call.operation)

    assert adapter.observe(call, adapter.plan(call)) == (Observed.ABSENT, {})
    assert adapter.target(call) == "radius:AAA-1"
    assert len(bench.sims.aaa.effects()) == 1


def test_two_sites_derive_different_passwords_and_one_site_always_the_same() -> None:
    assert derived_password(CANARY, ACCOUNT) == derived_password(CANARY, ACCOUNT)
    assert derived_password(CANARY, ACCOUNT) != derived_password("other", ACCOUNT)
    assert derived_password(CANARY, ACCOUNT) != derived_password(CANARY, "yt1")


def test_the_simulator_keeps_the_secret_it_was_started_with(bench: Bench) -> None:
    open_account(bench)
    bench.stop()
    with running_simulators(bench.data_dir, secret="changed") as sims:
        adapter = AaaAdapter(replace(sims.applied_to(bench.settings), adapter_timeout_seconds=0.3))
        with pytest.raises(Retryable):
            adapter.apply(call := Call("aaa.login.test", "first", {"account": ACCOUNT}), adapter.plan(call))
        adapter.close()
