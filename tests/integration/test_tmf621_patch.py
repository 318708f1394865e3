"""TMF621 PATCH: notes, attributes, withdrawing, the customer's word, and no way that the drawing does not have."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from engine.store import Store
from engine.tickets.lifecycle import TICKET
from engine.tickets.model import TroubleTicket
from tests.machines import V1
from tests.tickets import NO_LINE, TICKETS, Reports, running_reports


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Iterator[Reports]:
    with running_reports(store, tmp_path) as found:
        yield found


def test_notes_are_appended_and_attributes_changed(reports: Reports) -> None:
    ticket = reports.report()
    known = reports.patch(ticket, note=[{"text": "第一条"}]).json["note"]

    answer = reports.patch(
        ticket,
        note=[*known, {"text": "第二条"}],
        priority="high",
        severity="critical",
        requestedResolutionDate="2026-11-23T10:00:00+08:00",
    )

    told = answer.json
    assert [n["text"] for n in told["note"]] == ["第一条", "第二条"]
    assert (told["priority"], told["severity"]) == ("high", "critical")
    assert told["requestedResolutionDate"].startswith("2026-11-23T02:00:00")
    assert "priority" not in reports.patch(ticket, priority=None).json
    assert [
        e["data"]["attribute"]
        for e in reports.machines.get(f"{V1}/orders/{ticket}/timeline", "service")["items"]
        if e["kind"] == "TicketChanged"
    ] == ["priority", "requestedResolutionDate", "severity", "priority"]


def test_what_cannot_be_changed_is_refused(reports: Reports) -> None:
    ticket = reports.report()
    wrong: list[dict[str, object]] = [
        {},
        {"id": "TT-1"},
        {"description": "other"},
        {"severity": None},
        {"status": "better"},
        {"status": 7},
        {"note": []},
    ]
    for body in wrong:
        answer = reports.patch(ticket, **body)

        assert (answer.status_code, answer.json["code"]) == (400, "order.field"), body


def test_a_closed_ticket_takes_notes_only(reports: Reports) -> None:
    ticket = reports.report()
    reports.do(ticket, "TT_09")
    reports.do(ticket, "TT_11")

    assert reports.patch(ticket, note=[{"text": "谢谢"}]).status_code == 200
    assert reports.patch(ticket, status="closed").status_code == 200
    assert reports.patch(ticket, priority="1").json["code"] == "order.ended"


def test_a_customer_withdraws_his_report(reports: Reports) -> None:
    ticket = reports.report()

    answer = reports.patch(ticket, status="Cancelled", statusChangeReason="F14")

    assert answer.status_code == 200, answer.text
    assert reports.status(ticket) == "cancelled"
    assert reports.open(ticket) == []
    assert reports.machines.get(f"{V1}/orders/{ticket}", "service")["state"] == "cancelled"


def test_a_customer_says_that_it_works_or_does_not(reports: Reports) -> None:
    ticket = reports.report()
    reports.do(ticket, "TT_09")

    assert reports.patch(ticket, status="inProgress", statusChangeReason="还是不行").status_code == 200
    assert (reports.status(ticket), reports.open(ticket)) == ("inProgress", ["TT_09"])
    reports.do(ticket, "TT_09")
    assert reports.patch(ticket, status="closed").status_code == 200
    assert reports.status(ticket) == "closed"


def test_who_may_not_cancel_may_not_set_a_status(reports: Reports) -> None:
    ticket = reports.report()

    assert reports.patch(ticket, "operator", note=[{"text": "看过"}]).status_code == 200
    assert reports.patch(ticket, "operator", status="cancelled").status_code == 403
    assert reports.patch(ticket, "operator", priority="1").status_code == 403
    assert reports.patch(ticket, "crm2", note=[{"text": "?"}]).status_code == 404


ASKED = {("acknowledged", "cancelled"), ("inProgress", "cancelled"), ("pending", "cancelled")}
"""Ways that the process of this test goes when its sender asks."""


def test_a_status_is_set_by_drawn_ways_only(reports: Reports) -> None:
    ticket = reports.report("line-0", **NO_LINE)
    for n, (before, wanted) in enumerate(product(sorted(TICKET.states), repeat=2), 1):
        is_asked = (before, wanted) in ASKED
        mine = reports.report(f"line-{n}", **NO_LINE) if is_asked else ticket
        with reports.site.store.write() as db:
            db.get_one(TroubleTicket, mine).status = before

        answer = reports.patch(mine, status=wanted)

        if before == wanted or is_asked:
            assert answer.status_code == 200, (before, wanted)
            continue
        assert answer.status_code == 409, (before, wanted)
        drawn = TICKET.draws(before, wanted)
        assert answer.json["code"] == ("ticket.status_follows" if drawn else "order.transition")
        assert reports.row(mine).status == before


def test_reading_says_the_same_as_the_patch(reports: Reports) -> None:
    ticket = reports.report()

    assert reports.patch(ticket, priority="1").json == reports.machines.get(f"{TICKETS}/{ticket}")
