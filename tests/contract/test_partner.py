"""What is special to partners: who is asked, what they are told of the customer, stopping, and their messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests

from adapters.partners import PartnerAdapter
from engine.config import Secret
from engine.errors import NeedsHuman, Permanent
from engine.ports import Call, Observed

from .kit import PARTNER_ORDER, PARTNER_WORK, Bench, partner_done, send_to_partner
from .scripted import scripted_server

NUMBER = PARTNER_ORDER["partner_order"]


class Heard:
    """Takes what partners tell, as our inbound address would."""

    def __init__(self) -> None:
        self.messages: list[Mapping[str, Any]] = []
        self.away = False

    def __call__(self, partner: str, message: Mapping[str, Any]) -> int | None:
        if self.away:
            return None
        self.messages.append({"partner": partner, **message})
        return 200

    def states(self) -> list[str]:
        return [str(m["state"]) for m in self.messages]


@pytest.fixture
def heard(bench: Bench) -> Heard:
    found = Heard()
    bench.sims.partner.inbound = found
    return found


# ---- sending


def test_each_partner_has_its_own_orders_and_numbers(bench: Bench) -> None:
    first = bench.do("partner.order.send", PARTNER_WORK, key="1")
    second = bench.do(
        "partner.order.send", {**PARTNER_WORK, "partner": "P-YQ", "partner_order": "BB-1-P02"}, key="2"
    )

    assert first.output == {"partner_number": "CAT-77120", "state": "received"}
    assert second.output["partner_number"] == "YQ-77121"
    listed = bench.do("partner.orders.list", {"partner": "P-CAT"}).output
    assert [o["order"] for o in listed["orders"]] == [NUMBER]


def test_a_partner_sees_the_number_but_not_the_whole_name_and_nothing_after_close_out(bench: Bench) -> None:
    send_to_partner(bench)
    (open_order,) = bench.sims.partner.orders()
    assert open_order["contact"] == {"name": "林**", "phone": "13800004021"}

    bench.sims.partner.advance(NUMBER, to="done")
    bench.do("partner.order.confirm", PARTNER_ORDER)

    (closed,) = bench.sims.partner.orders()
    assert closed["contact"] == {"name": "林**", "phone": "138****4021"}


@pytest.mark.parametrize("code", ["R04", "R05", "R11"])
def test_a_refusal_keeps_its_reason_code(bench: Bench, code: str) -> None:
    bench.sims.partner.fault("refuse", code=code)

    with pytest.raises(Permanent) as refused:
        send_to_partner(bench)

    assert refused.value.bpmn_code == code
    assert code in bench.adapter("partner.order.send").operations()["partner.order.send"].errors


def test_an_order_for_another_address_under_the_same_number_is_different(bench: Bench) -> None:
    send_to_partner(bench)
    call = Call("partner.order.send", "other", {**PARTNER_WORK, "address": "elsewhere"})
    adapter = bench.adapter(call.operation)

    assert adapter.observe(call, adapter.plan(call))[0] is Observed.DIFFERENT


@pytest.mark.parametrize(
    "wrong", [{"partner": "cat"}, {"partner_order": "a/b"}, {"phone": ""}, {"speed_mbps": 0}]
)
def test_bad_arguments_never_leave_the_house(bench: Bench, wrong: dict[str, Any]) -> None:
    with pytest.raises(NeedsHuman):
        bench.do("partner.order.send", {**PARTNER_WORK, **wrong})

    assert bench.sims.partner.effects() == []


def test_the_token_of_a_partner_goes_to_that_partner_only(bench: Bench) -> None:
    with scripted_server() as server:
        server.answers(200, b'{"orders": []}')
        urls = f"P-CAT={server.url},P-YQ={server.url}"
        adapter = PartnerAdapter(
            replace(bench.settings, partner_urls=urls, partner_tokens=Secret("P-CAT=open-sesame"))
        )
        for partner in ("P-CAT", "P-YQ"):
            call = Call("partner.orders.list", "k", {"partner": partner})
            adapter.apply(call, adapter.plan(call))
        adapter.close()

    assert [h.get("Authorization") for h in server.headers] == ["Bearer open-sesame", None]


@pytest.mark.parametrize("text", ["P-CAT", "P-CAT=,P-YQ=x", "=http://x"])
def test_a_list_of_addresses_that_cannot_be_read_asks_for_a_person(bench: Bench, text: str) -> None:
    adapter = PartnerAdapter(replace(bench.settings, partner_urls=text))

    with pytest.raises(NeedsHuman, match="KAITONG_PARTNER_URLS"):
        adapter.plan(Call("partner.order.send", "k", PARTNER_WORK))


def test_without_simulators_a_partner_without_an_address_asks_for_a_person(bench: Bench) -> None:
    adapter = PartnerAdapter(replace(bench.settings, simulators=False))

    with pytest.raises(NeedsHuman, match="KAITONG_PARTNER_URLS"):
        adapter.plan(Call("partner.order.send", "k", PARTNER_WORK))


# ---- looking, stopping, checking


def test_the_state_of_an_order_can_be_asked_for(bench: Bench) -> None:
    partner_done(bench)

    seen = bench.do("partner.order.state", PARTNER_ORDER).output

    assert (seen["state"], seen["visit"], seen["partner_number"]) == ("done", 1, "CAT-77120")
    assert seen["proof"]["onu_serial"] == "YTGP1A2B3C4D"


@pytest.mark.parametrize("operation", ["partner.order.state", "partner.order.confirm"])
def test_an_order_that_never_came_has_its_own_code(bench: Bench, operation: str) -> None:
    with pytest.raises(Permanent) as refused:
        bench.do(operation, PARTNER_ORDER)

    assert refused.value.bpmn_code == "ORDER_UNKNOWN"


def test_an_order_that_never_came_is_stopped(bench: Bench) -> None:
    assert bench.do("partner.order.stop", PARTNER_ORDER).output == {"outcome": "confirmed"}
    assert bench.sims.partner.effects() == []


def test_a_partner_may_need_time_to_stop_and_then_tells(bench: Bench, heard: Heard) -> None:
    bench.sims.partner.behave(slow_stop=True)
    send_to_partner(bench)

    assert bench.do("partner.order.stop", PARTNER_ORDER).output == {"outcome": "pending"}
    bench.sims.partner.advance(NUMBER, to="stopped")

    assert heard.states() == ["stopped"]


def test_work_that_is_done_cannot_be_stopped_nor_undone_without_a_person(bench: Bench) -> None:
    partner_done(bench)
    call = Call("partner.order.send", "earlier", PARTNER_WORK)
    adapter = bench.adapter(call.operation)

    with pytest.raises(NeedsHuman, match="late"):
        adapter.undo(call, adapter.plan(call))
    assert bench.do("partner.order.stop", PARTNER_ORDER).output == {"outcome": "late"}


def test_proof_is_checked_only_when_there_is_some(bench: Bench) -> None:
    send_to_partner(bench)

    with pytest.raises(Permanent) as refused:
        bench.do("partner.order.confirm", PARTNER_ORDER)

    assert refused.value.bpmn_code == "PARTNER_NOT_DONE"


def test_work_that_is_sent_back_is_done_again_at_the_next_visit(bench: Bench, heard: Heard) -> None:
    partner_done(bench)
    back = bench.do("partner.order.send_back", {**PARTNER_ORDER, "visit": 1, "reason": "photo"})
    for _ in range(3):
        bench.sims.partner.advance(NUMBER)

    assert back.output == {"visit": 2}
    assert [(m["state"], m["visit"]) for m in heard.messages[1:]] == [
        ("appointed", 2),
        ("on_site", 2),
        ("done", 2),
    ]


# ---- what the simulator tells


def test_a_partner_tells_of_every_step_once(bench: Bench, heard: Heard) -> None:
    send_to_partner(bench)
    for _ in range(7):
        bench.sims.partner.advance(NUMBER)

    assert heard.states() == ["received", "accepted", "appointed", "on_site", "done"]
    assert [m["id"] for m in heard.messages] == [f"P-CAT-{n}" for n in range(1, 6)]
    assert set(heard.messages[2]["window"]) == {"from", "to"}


def test_what_nobody_took_is_told_again_in_order(bench: Bench, heard: Heard) -> None:
    send_to_partner(bench)
    heard.away = True
    bench.sims.partner.advance(NUMBER)
    bench.sims.partner.advance(NUMBER)
    heard.away = False
    bench.sims.partner.tick()

    assert heard.states() == ["received", "accepted"]


def test_bad_manners_are_silence_doubling_and_a_wrong_order(bench: Bench, heard: Heard) -> None:
    send_to_partner(bench)
    bench.sims.partner.behave(silent=True)
    bench.sims.partner.advance(NUMBER)
    assert heard.states() == []

    bench.sims.partner.behave(silent=False, double=True)
    bench.sims.partner.tick()
    assert heard.states() == ["received", "received"]

    bench.sims.partner.behave(double=False, reverse=True)
    bench.sims.partner.advance(NUMBER)
    bench.sims.partner.advance(NUMBER)
    assert heard.states()[2:] == ["appointed", "accepted"]


def test_at_a_pace_everything_happens_by_itself(bench: Bench, heard: Heard) -> None:
    bench.sims.partner.behave(pace_seconds=0)
    send_to_partner(bench)
    for _ in range(6):
        bench.sims.partner.tick()

    assert heard.states() == ["received", "accepted", "appointed", "on_site", "done"]


def test_a_simulated_partner_is_steered_by_http(bench: Bench) -> None:
    send_to_partner(bench)
    sim = bench.sims.http_url + "/sim/partner"

    moved = requests.post(f"{sim}/{NUMBER}/advance", json={"to": "refused", "code": "R04"}, timeout=5)
    assert (moved.status_code, moved.json()["state"]) == (200, "refused")
    manners = requests.post(f"{sim}/manners", json={"pace_seconds": 5, "silent": True}, timeout=5).json()
    assert (manners["pace_seconds"], manners["silent"], manners["double"]) == (5.0, True, False)
    told = requests.get(f"{sim}/orders", timeout=5).json()
    assert told["messages"][0]["body"]["code"] == "R04"
    assert requests.post(f"{sim}/nobody/advance", json={}, timeout=5).status_code == 404
    assert requests.post(f"{sim}/manners", json={"loud": 1}, timeout=5).status_code == 400


def test_messages_are_posted_with_the_token_of_the_partner_until_they_are_taken(bench: Bench) -> None:
    send_to_partner(bench)
    with scripted_server() as server:
        listener = {"url": server.url + "/{partner}", "tokens": {"P-CAT": "kt_secret"}}
        requests.post(bench.sims.http_url + "/sim/partner/listener", json=listener, timeout=5)
        server.answers(503, b"{}")
        bench.sims.partner.advance(NUMBER)
        server.answers(200, b"{}")
        bench.sims.partner.tick()
        bench.sims.partner.tick()

    assert [h.get("Authorization") for h in server.headers] == ["Bearer kt_secret"] * 2
    assert "kt_secret" not in str(bench.sims.partner.outbox().all())
