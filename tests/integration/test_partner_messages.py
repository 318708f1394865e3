"""POST /api/v1/partners/{partner}/messages: who may, what is refused, and what happens to a message that comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.errors import KaitongError
from engine.partners.inbound import Report, take_report
from engine.runtime.model import BufferedMessage
from engine.store import Store
from tests.parallel_parts import at_once
from tests.partner_parts import Partnered, running_partners

AT = "2026-11-22T09:12:00+08:00"
WINDOW = {"from": "2026-11-23T18:00:00+08:00", "to": "2026-11-23T20:00:00+08:00"}


@pytest.fixture
def it(store: Store, tmp_path: Path) -> Iterator[Partnered]:
    with running_partners(store, tmp_path) as running:
        running.start()
        yield running


def told(it: Partnered, state: str = "accepted", ident: str = "m-1", **more: Any) -> dict[str, Any]:
    return {"id": ident, "order": f"{it.key}-P01", "state": state, "at": AT, **more}


def test_the_answer_says_how_the_order_stands(it: Partnered) -> None:
    answer = it.tell(told(it))

    assert (answer.status_code, answer.json) == (
        200,
        {"message": "m-1", "order": f"{it.key}-P01", "state": "accepted", "visit": 1, "applied": True},
    )
    assert "given_up" in it.resting()


def test_a_repeat_gets_the_first_answer_also_when_the_order_has_moved_on(it: Partnered) -> None:
    first = it.tell(told(it))
    it.tell(told(it, "on_site", "m-2"))
    again = it.tell(told(it))

    assert (again.status_code, again.json) == (200, first.json)
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(it.messages()) == 2


def test_an_id_that_was_used_for_another_message_is_refused(it: Partnered) -> None:
    it.tell(told(it))
    answer = it.tell(told(it, "on_site"))

    assert (answer.status_code, answer.json["code"]) == (409, "partner.message_reused")
    assert it.orders() == {"P01": "accepted"}


def test_ids_of_two_partners_do_not_meet(it: Partnered) -> None:
    it.tell(told(it, "refused", code="R04"))
    it.site.work()
    answer = it.tell({**told(it), "order": f"{it.key}-P02"}, "P-YQ")

    assert (answer.status_code, answer.json["applied"]) == (200, True)


def test_a_late_message_is_kept_and_changes_nothing(it: Partnered) -> None:
    it.tell(told(it, "on_site", "m-3"))
    before = it.resting()
    late = it.tell(told(it, "received", "m-1"))

    assert (late.status_code, late.json["applied"], late.json["state"]) == (200, False, "on_site")
    assert it.resting() == before
    assert it.order().received_at is not None, "when it was received is known now"
    assert [m.is_applied for m in it.messages()] == [True, False]


def test_an_order_that_nobody_knows_is_not_there_in_both_languages(it: Partnered) -> None:
    answer = it.tell({**told(it), "order": "BB-20261122-999999-P01"})
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert answer.json["detail"] == "There is no partner order BB-20261122-999999-P01."

    path = "/api/v1/partners/P-CAT/messages"
    zh = {"Accept-Language": "zh"}
    body = {**told(it), "order": "X-P01"}
    answer = it.machines.ask("POST", path, "partner-cat", json=body, headers=zh)
    assert answer.json["detail"] == "不存在 合作方工单 X-P01。"
    assert it.messages() == []


def test_an_order_of_another_partner_is_not_there(it: Partnered) -> None:
    assert it.tell(told(it), "P-YQ").status_code == 404
    assert it.orders() == {"P01": "sent"}


def test_a_partner_reports_for_itself_only(it: Partnered) -> None:
    assert it.tell(told(it), "P-CAT", who="partner-yq").status_code == 404
    assert it.tell(told(it), "P-CAT", who="crm").status_code == 403
    assert it.tell(told(it), "P-CAT", who="dispatcher").status_code == 403
    anonymous = it.machines.ask("POST", "/api/v1/partners/P-CAT/messages", None, json=told(it))
    assert anonymous.status_code == 401
    assert it.messages() == []


def test_a_partner_sees_nothing_else(it: Partnered) -> None:
    for path in ("/tasks", "/orders", "/incidents", "/definitions"):
        assert it.machines.ask("GET", f"/api/v1{path}", "partner-cat").status_code == 403


def test_a_message_with_the_number_of_another_order_is_refused(it: Partnered) -> None:
    answer = it.tell(told(it, partner_number="CAT-1"))

    assert (answer.status_code, answer.json["code"]) == (409, "partner.number_differs")
    assert it.orders() == {"P01": "sent"}
    assert it.messages() == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"state": "lost"}, "state"),
        ({"state": "confirmed"}, "state"),
        ({"id": ""}, "id"),
        ({"id": "a b"}, "id"),
        ({"at": "2026-11-22T09:12:00"}, "at"),
        ({"visit": 0}, "visit"),
        ({"visit": "1"}, "visit"),
        ({"state": "refused"}, "code"),
        ({"state": "refused", "code": "no code"}, "code"),
        ({"state": "appointed"}, "window"),
        ({"state": "appointed", "window": {"from": WINDOW["to"], "to": WINDOW["from"]}}, "window"),
        ({"state": "done"}, "proof"),
        ({"state": "done", "proof": {"onu_serial": "no serial"}}, "proof"),
        ({"state": "done", "proof": {"rx_power_dbm": -19.8, "surplus": 1}}, "proof"),
        ({"surplus": 1}, "surplus"),
    ],
)
def test_a_message_that_makes_no_sense_names_the_field(
    it: Partnered, wrong: dict[str, Any], field: str
) -> None:
    answer = it.tell({**told(it), **wrong})

    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [field]
    assert it.messages() == []


def test_a_window_and_a_proof_reach_the_order_and_the_process(it: Partnered) -> None:
    it.tell(told(it, "appointed", "m-1", window=WINDOW))
    it.tell(
        told(
            it,
            "done",
            "m-2",
            proof={"onu_serial": "YTGP1A2B3C4D", "rx_power_dbm": -19.8, "photos": ["a.jpg"]},
        )
    )

    order = it.order()
    assert order.window_to is not None
    assert order.window_from is not None
    assert order.window_to - order.window_from == timedelta(hours=2)
    assert order.proof == {"onu_serial": "YTGP1A2B3C4D", "rx_power_dbm": -19.8, "photos": ["a.jpg"]}
    assert it.variables()["partner_proof"] == order.proof
    assert it.variables()["partner_window_from"] == "2026-11-23T10:00:00+00:00"


def test_a_partner_whose_clock_is_ahead_reports_nothing_from_the_future(it: Partnered) -> None:
    it.tell(told(it, at="2027-01-01T00:00:00Z"))

    assert it.order().accepted_at == it.site.clock.now()


def test_a_message_for_a_process_that_has_ended_is_recorded_and_not_kept_for_anybody(it: Partnered) -> None:
    for number in ("P01", "P02"):
        it.move(number, to="refused", code="R04")
    assert it.state()[0] == "completed"

    assert it.tell(told(it, "done", "m-9", proof={})).json["applied"] is False
    with it.site.store.read() as session:
        assert session.query(BufferedMessage).count() == 0


def test_the_same_message_at_the_same_moment_counts_once(it: Partnered) -> None:
    site = it.site

    def send() -> Any:
        report = Report("m-1", f"{it.key}-P01", "accepted", site.clock.now(), body={"n": 1}, body_sha256="x")
        with site.store.write() as session:
            return take_report(
                session, site.services.kernel, "P-CAT", report, at=site.clock.now(), actor="partner-cat"
            )

    found = at_once(send, send, send)

    assert not [f for f in found if isinstance(f, KaitongError) or f is None]
    assert sorted(f.is_repeat for f in found) == [False, True, True]
    assert len({str(f.answer) for f in found}) == 1


def test_different_messages_at_the_same_moment_all_count(it: Partnered) -> None:
    site = it.site

    def send(state: str) -> Any:
        report = Report(state, f"{it.key}-P01", state, site.clock.now(), body={}, body_sha256=state)
        with site.store.write() as session:
            return take_report(
                session, site.services.kernel, "P-CAT", report, at=site.clock.now(), actor="partner-cat"
            )

    found = at_once(*(lambda s=s: send(s) for s in ("received", "accepted", "on_site", "done")))

    assert not [f for f in found if isinstance(f, KaitongError) or f is None]
    assert it.orders() == {"P01": "done"}
    assert it.resting() == ["check"]
