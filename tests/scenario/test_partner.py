"""A partner builds the last mile: it accepts, refuses, stays silent, loses answers, tells late and twice, or is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.events import Event
from engine.identity.actor import SYSTEM
from engine.jobs.incidents import incidents, retry_incident
from engine.store import Store
from tests.partner_parts import Partnered, running_partners

HOUR = timedelta(hours=1)


@pytest.fixture
def it(store: Store, tmp_path: Path) -> Iterator[Partnered]:
    with running_partners(store, tmp_path) as running:
        yield running


def effects(it: Partnered) -> list[str]:
    return [e["operation"] for e in it.partners.effects()]


def test_a_partner_accepts_builds_and_its_proof_is_confirmed(it: Partnered) -> None:
    it.start()
    assert (it.orders(), it.resting()) == (
        {"P01": "sent"},
        ["accepted", "answer", "cancelled", "refused", "silent"],
    )
    for _ in range(5):
        it.move()
    assert it.resting() == ["check"]
    assert it.variables()["progress"] == "appointed on_site "
    assert it.variables()["partner_proof"]["onu_serial"] == "YTGP1A2B3C4D"

    it.check("good")

    assert it.state() == ("completed", "e")
    assert it.orders() == {"P01": "confirmed"}
    assert effects(it) == ["partner.order.send", "partner.order.confirm"]
    order = it.order()
    assert order.partner_number == "CAT-77120"
    assert None not in (order.sent_at, order.received_at, order.accepted_at, order.on_site_at, order.done_at)


def test_a_partner_that_refuses_at_once_gives_way_to_the_next(it: Partnered) -> None:
    it.partners.fault("refuse", code="R04")
    it.start()
    assert it.orders() == {"P01": "refused", "P02": "sent"}
    assert it.order().refusal_code == "R04"
    assert [o["partner"] for o in it.partners.orders()] == ["P-YQ"]


def test_a_partner_that_refuses_later_gives_way_to_the_next_and_after_two_there_is_none(
    it: Partnered,
) -> None:
    it.start()
    it.move(to="refused", code="R05")
    assert it.orders() == {"P01": "refused", "P02": "sent"}
    assert it.variables()["partner_code"] == "R05"
    it.move("P02", to="refused", code="R11")
    assert it.state() == ("completed", "none")


def test_a_partner_that_gives_up_after_accepting_gives_way_to_the_next(it: Partnered) -> None:
    it.start()
    it.move(to="accepted")
    it.move(to="refused", code="R06")
    assert it.orders() == {"P01": "refused", "P02": "sent"}


def test_a_silent_partner_is_stopped_after_two_hours_and_the_next_one_asked(it: Partnered) -> None:
    it.partners.behave(silent=True)
    it.start()
    it.move(to="accepted")
    it.site.clock.advance(2 * HOUR)
    it.site.work()

    assert it.orders() == {"P01": "stopped", "P02": "sent"}
    assert effects(it) == ["partner.order.send", "partner.order.stop", "partner.order.send"]
    it.partners.behave(silent=False)
    it.partners.tick()
    assert [m.is_applied for m in it.messages()] == [False, False]
    assert it.orders() == {"P01": "stopped", "P02": "sent"}
    assert it.resting() == ["accepted", "answer", "cancelled", "refused", "silent"]


def test_an_order_whose_answer_was_lost_is_sent_once(it: Partnered) -> None:
    it.partners.fault("lost_answer", operation="partner.order.send")
    it.start()
    it.site.clock.advance(HOUR / 60)
    it.site.work()

    assert it.orders() == {"P01": "sent"}
    assert effects(it) == ["partner.order.send"]


def test_a_message_that_is_faster_than_the_answer_to_our_call_is_not_lost(it: Partnered) -> None:
    it.partners.fault("lost_answer", operation="partner.order.send")
    it.start()
    it.move(to="accepted")
    assert (it.orders(), it.resting()) == ({"P01": "accepted"}, ["send", "send_no"])

    it.site.clock.advance(HOUR / 60)
    it.site.work()

    assert it.resting() == ["done", "given_up", "progress", "work"]
    assert it.order().partner_number == "CAT-77120"


def test_doubled_messages_count_once(it: Partnered) -> None:
    it.partners.behave(double=True)
    it.start()
    for _ in range(5):
        it.move()

    assert [a.headers.get("Idempotent-Replay") for a in it.answers] == [None, "true"] * 5
    assert [m.is_applied for m in it.messages()] == [True] * 5
    assert it.variables()["progress"] == "appointed on_site "
    assert it.resting() == ["check"]


def test_messages_in_the_wrong_order_lose_nothing_and_never_go_back(it: Partnered) -> None:
    it.partners.behave(reverse=True)
    it.start()
    it.partners.advance(f"{it.key}-P01", to="accepted")
    it.partners.advance(f"{it.key}-P01", to="done")

    assert [(m.body["state"], m.is_applied) for m in it.messages()] == [("done", True), ("accepted", False)]
    assert it.orders() == {"P01": "done"}
    assert it.resting() == ["check"]


def test_work_that_is_sent_back_is_done_again(it: Partnered) -> None:
    it.start()
    it.move(to="done")
    it.check("bad")
    assert it.orders() == {"P01": "sent_back"}
    it.move(to="done", visit=1)
    assert it.orders() == {"P01": "sent_back"}, "the proof of the first visit again"
    it.move(to="on_site", visit=2)
    it.move(to="done", visit=2)
    assert (it.resting(), it.variables()["partner_visit"]) == (["check"], 2)
    it.check("good")
    assert it.orders() == {"P01": "confirmed"}


def test_an_order_that_is_cancelled_is_stopped_at_the_partner_also_when_that_tells_nothing(
    it: Partnered,
) -> None:
    it.partners.behave(silent=True)
    it.start()
    it.cancel()

    assert it.state() == ("completed", "none")
    assert it.orders() == {"P01": "stopped"}
    assert effects(it) == ["partner.order.send", "partner.order.stop"]


def test_a_partner_that_cannot_stop_at_once_needs_a_person_when_the_order_is_cancelled(it: Partnered) -> None:
    it.partners.behave(slow_stop=True)
    it.start()
    it.cancel()

    with it.site.store.read() as session:
        (found,), _ = incidents(session, SYSTEM)
        assert (found.element, found.code) == ("undo", "adapter.needs_human")
    assert it.orders() == {"P01": "sent"}

    it.move(to="stopped")
    with it.site.store.write() as session:
        retry_incident(session, it.site.services.kernel, SYSTEM, found.id, at=it.site.clock.now())
    it.site.work()
    assert (it.state(), it.orders()) == (("completed", "none"), {"P01": "stopped"})


def test_every_change_has_its_event(it: Partnered) -> None:
    it.start()
    it.move(to="done")
    it.check("good")
    with it.site.store.read() as session:
        told = [e for e in session.query(Event).order_by(Event.id) if e.kind.startswith("Partner")]

    assert [e.kind for e in told] == [
        "PartnerOrderOpened",
        "PartnerOrderSent",
        "PartnerReported",
        "PartnerOrderChecked",
    ]
    assert {e.business_key for e in told} == {it.key}
    assert (told[2].actor, told[2].data["before"], told[2].data["after"]) == ("partner-cat", "sent", "done")
