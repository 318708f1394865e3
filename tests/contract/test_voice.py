"""What is special to the IMS: whose number it is, and which bar held before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests

from adapters.network import VoiceAdapter
from engine.errors import NeedsHuman, OutcomeUnknown, Permanent
from engine.ports import Adapter, Call, Observed, Plan

from .kit import NUMBER, Bench, open_number

OPEN: Mapping[str, Any] = {"number": NUMBER, "account": "yt10230123"}
KEY = "BB-20261122-000123:BB_12:7"


def _planned(bench: Bench, operation: str, args: Mapping[str, Any], key: str) -> tuple[Adapter, Call, Plan]:
    call = Call(operation, key, args)
    adapter = bench.adapter(operation)
    return adapter, call, adapter.plan(call)


def _barring(bench: Bench) -> str:
    return str(bench.sims.ims.state()["subscribers"][0]["barring"])


def test_a_number_gets_its_sip_address(bench: Bench) -> None:
    assert bench.do("voice.subscriber.open", OPEN).output == {
        "number": NUMBER,
        "sip_uri": f"sip:{NUMBER}@ims.yunting.example",
    }


@pytest.mark.parametrize("account", [None, "yt10230123"])
def test_a_number_of_another_order_is_refused_and_left_alone(bench: Bench, account: str | None) -> None:
    bench.do("voice.subscriber.open", {"number": NUMBER, "account": account}, key="BB-1:BB_12:1")
    adapter, call, plan = _planned(bench, "voice.subscriber.open", OPEN, KEY)

    with pytest.raises(Permanent) as refused:
        adapter.apply(call, plan)

    assert refused.value.bpmn_code == "NUMBER_TAKEN"
    assert adapter.observe(call, plan)[0] is Observed.DIFFERENT
    assert bench.sims.ims.state()["subscribers"][0]["account"] == account


def test_opening_again_in_the_same_order_is_already_done_and_only_the_first_call_takes_it_back(
    bench: Bench,
) -> None:
    adapter, first, plan = _planned(bench, "voice.subscriber.open", OPEN, KEY)
    adapter.apply(first, plan)
    _, second, second_plan = _planned(bench, "voice.subscriber.open", OPEN, "BB-20261122-000123:BB_12:19")

    assert second_plan.already
    assert adapter.apply(second, second_plan).outcome == "already"
    assert adapter.undo(second, second_plan).outcome == "already"
    assert len(bench.sims.ims.state()["subscribers"]) == 1
    assert adapter.undo(first, plan).outcome == "done"
    assert bench.sims.ims.state()["subscribers"] == []


def test_undo_after_somebody_else_opened_it_again_asks_for_a_person(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "voice.subscriber.open", OPEN, KEY)
    adapter.apply(call, plan)
    bench.do("voice.subscriber.close", {"number": NUMBER}, key="foreign close")
    bench.do("voice.subscriber.open", OPEN, key="foreign open")

    with pytest.raises(NeedsHuman):
        adapter.undo(call, plan)
    assert len(bench.sims.ims.state()["subscribers"]) == 1


def test_closing_a_number_that_is_not_there_is_already_done(bench: Bench) -> None:
    adapter, call, plan = _planned(bench, "voice.subscriber.close", {"number": NUMBER}, KEY)

    assert plan.already
    assert adapter.apply(call, plan).outcome == "already"
    assert bench.sims.ims.effects() == []


def test_a_bar_is_set_lifted_and_taken_back_to_what_held_before(bench: Bench) -> None:
    open_number(bench)
    bench.do("voice.subscriber.bar", {"number": NUMBER, "barring": "outgoing"}, key="arrears")
    adapter, call, plan = _planned(bench, "voice.subscriber.bar", {"number": NUMBER}, KEY)
    adapter.apply(call, plan)

    assert _barring(bench) == "all"
    assert adapter.undo(call, plan).outcome == "done"
    assert _barring(bench) == "outgoing"
    bench.do("voice.subscriber.bar", {"number": NUMBER, "barring": "none"}, key="paid")
    assert _barring(bench) == "none"


def test_a_bar_that_somebody_else_changed_is_not_taken_back(bench: Bench) -> None:
    open_number(bench)
    adapter, call, plan = _planned(bench, "voice.subscriber.bar", {"number": NUMBER}, KEY)
    adapter.apply(call, plan)
    bench.do("voice.subscriber.bar", {"number": NUMBER, "barring": "outgoing"}, key="foreign")

    with pytest.raises(NeedsHuman):
        adapter.undo(call, plan)
    assert _barring(bench) == "outgoing"


@pytest.mark.parametrize("operation", ["voice.subscriber.open", "voice.subscriber.bar"])
def test_an_undo_whose_answer_was_lost_can_be_repeated(bench: Bench, operation: str) -> None:
    if operation != "voice.subscriber.open":
        open_number(bench)
    before = bench.sims.ims.state()
    adapter, call, plan = _planned(bench, operation, {"number": NUMBER}, KEY)
    adapter.apply(call, plan)
    bench.sims.ims.fault("lost_answer")

    with pytest.raises(OutcomeUnknown):
        adapter.undo(call, plan)

    assert adapter.undo(call, plan).outcome == "already"
    assert bench.sims.ims.state() == before


def test_a_bar_needs_a_number_that_is_open(bench: Bench) -> None:
    with pytest.raises(Permanent) as refused:
        bench.do("voice.subscriber.bar", {"number": NUMBER})
    assert refused.value.bpmn_code == "NUMBER_UNKNOWN"

    open_number(bench)
    adapter, call, plan = _planned(bench, "voice.subscriber.bar", {"number": NUMBER}, KEY)
    bench.do("voice.subscriber.close", {"number": NUMBER}, key="gone meanwhile")
    with pytest.raises(Permanent) as refused:
        adapter.apply(call, plan)
    assert refused.value.bpmn_code == "NUMBER_UNKNOWN"
    assert adapter.observe(call, plan)[0] is Observed.DIFFERENT


@pytest.mark.parametrize(
    "wrong", [{"number": "12"}, {"number": "1/2"}, {"number": "call me"}, {"account": ""}]
)
def test_bad_arguments_never_leave_the_house(bench: Bench, wrong: Mapping[str, Any]) -> None:
    with pytest.raises(NeedsHuman):
        bench.do("voice.subscriber.open", {**OPEN, **wrong})


@pytest.mark.parametrize(
    ("path", "body"), [("", [1]), ("", {"surplus": 1}), ("/barring", {"barring": "some"})]
)
def test_the_simulator_refuses_what_makes_no_sense(bench: Bench, path: str, body: Any) -> None:
    answer = requests.put(f"{bench.sims.addresses.ims_url}/subscribers/1234{path}", json=body, timeout=5)

    assert (answer.status_code, answer.json()["code"]) == (400, "IMS_BAD_REQUEST")
    assert bench.sims.ims.effects() == []


def test_a_wrong_base_address_is_not_taken_for_an_absent_number(bench: Bench) -> None:
    adapter = VoiceAdapter(replace(bench.settings, ims_url=bench.sims.http_url + "/nobody"))

    with pytest.raises(NeedsHuman):
        adapter.plan(Call("voice.subscriber.open", KEY, OPEN))

    adapter.close()


def test_without_simulators_an_empty_address_asks_for_a_person(bench: Bench) -> None:
    adapter = VoiceAdapter(replace(bench.settings, simulators=False))

    with pytest.raises(NeedsHuman, match="KAITONG_IMS_URL"):
        adapter.plan(Call("voice.subscriber.open", KEY, OPEN))
    assert adapter.probe()["ok"] is False

    adapter.close()


def test_a_line_is_good_when_its_terminal_is_registered_and_nothing_is_barred(bench: Bench) -> None:
    open_number(bench)
    good = {"number": NUMBER, "registered": True, "ok": True}
    assert bench.do("voice.line.test", {"number": NUMBER}).output == good

    bench.do("voice.subscriber.bar", {"number": NUMBER, "barring": "outgoing"})
    assert bench.do("voice.line.test", {"number": NUMBER}).output == {**good, "ok": False}


def test_a_silent_terminal_shows_until_it_is_registered(bench: Bench) -> None:
    open_number(bench)
    url = bench.sims.http_url + "/sim/ims/terminals"
    requests.post(url, json={"number": NUMBER, "registered": False}, timeout=5).raise_for_status()
    silent = {"number": NUMBER, "registered": False, "ok": False}
    assert bench.do("voice.line.test", {"number": NUMBER}).output == silent

    assert requests.post(url, json={"number": NUMBER}, timeout=5).status_code == 400
    bench.sims.ims.set_terminal(number=NUMBER, registered=True)
    assert bench.do("voice.line.test", {"number": NUMBER}).output["ok"]


def test_a_number_that_is_not_open_cannot_be_tested(bench: Bench) -> None:
    with pytest.raises(Permanent) as refused:
        bench.do("voice.line.test", {"number": NUMBER})
    assert refused.value.bpmn_code == "NUMBER_UNKNOWN"
