"""Alarms: what clears by itself leaves no trace, one ticket for each root, flapping is counted, clearing is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store
from tests.machines import V1
from tests.tickets import EVERYBODY, PLATFORM, TICKETS, Reports, running_reports

LINE = "yt10230123"


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Iterator[Reports]:
    with running_reports(store, tmp_path) as found:
        yield found


def tickets(reports: Reports) -> list[str]:
    return [t["id"] for t in reports.machines.get(TICKETS, "service")]


def test_an_alarm_that_clears_within_three_minutes_is_nobodys_work(reports: Reports) -> None:
    made = reports.alarm("A-1", LINE)
    assert (made["state"], made["raises"], made["result"]) == ("waiting", 1, None)
    reports.later(minutes=2, seconds=59)
    assert reports.alarm("A-1", LINE, severity="cleared")["state"] == "cleared"
    reports.later(minutes=5)

    assert tickets(reports) == []
    assert reports.faults() == []


def test_one_that_lasts_becomes_a_ticket_and_its_clearing_is_told(reports: Reports) -> None:
    reports.alarm("A-1", LINE, text="光信号丢失")
    reports.later(minutes=3)

    (ticket,) = tickets(reports)
    row = reports.row(ticket)
    assert (row.origin, row.line, row.severity, row.description) == ("alarm", LINE, "critical", "光信号丢失")
    assert reports.open(ticket) == ["TT_09"]
    assert reports.alarm("A-1", LINE)["result"] == ticket
    reports.alarm("A-1", LINE, severity="cleared")
    assert reports.row(ticket).status == "resolved"


def test_the_port_of_a_line_is_the_line(reports: Reports) -> None:
    reports.alarm("A-1", "OLT-N01 1/3/7")
    reports.later(minutes=3)

    (ticket,) = tickets(reports)
    assert reports.row(ticket).line == LINE


def test_one_ticket_for_each_root(reports: Reports) -> None:
    reports.alarm("A-2", LINE, root="A-1")
    reports.alarm("A-1", "OLT-N01 1/3")
    reports.alarm("A-3", LINE, root="A-9")
    reports.later(minutes=3)

    found = {a["id"]: a for a in reports.machines.get(f"{V1}/alarms", EVERYBODY)["items"]}
    assert {name: a["state"] for name, a in found.items()} == {
        "A-1": "raised",
        "A-2": "suppressed",
        "A-3": "raised",
    }
    (fault,) = reports.faults()
    assert (fault["id"], fault["origin"]) == (found["A-1"]["result"], "alarm")
    assert [found["A-3"]["result"]] == tickets(reports)
    waiting = reports.machines.get(f"{V1}/alarms?state=waiting", EVERYBODY)
    assert waiting == {"items": [], "next": None}


def test_told_twice_it_is_one_and_flapping_is_counted(reports: Reports) -> None:
    reports.alarm("A-1", LINE)
    assert reports.alarm("A-1", LINE)["raises"] == 1
    for n in range(2, 5):
        reports.alarm("A-1", LINE, severity="cleared")
        reports.alarm("A-1", LINE, severity="cleared")
        assert reports.alarm("A-1", LINE)["raises"] == n
        assert tickets(reports) == []
    reports.alarm("A-1", LINE, severity="cleared")

    reports.alarm("A-1", LINE)

    assert len(tickets(reports)) == 1


def test_what_nobody_knows_is_refused(reports: Reports) -> None:
    body = {"id": "A-1", "object": LINE, "kind": "LOS", "severity": "critical"}
    for wrong, code in (
        ({"object": "OLT-X01"}, "alarm.object"),
        ({"object": "OLT-N01 1/99"}, "alarm.object"),
        ({"severity": "bad"}, "input"),
        ({"colour": "red"}, "input"),
        ({"id": ""}, "input"),
    ):
        answer = reports.machines.post(f"{V1}/alarms", body | wrong, PLATFORM)
        assert (answer.status_code, answer.json["code"]) == (400, code)  # type: ignore[index]
    cleared = reports.machines.post(f"{V1}/alarms", body | {"severity": "cleared"}, PLATFORM)
    assert cleared.status_code == 404
    assert reports.machines.post(f"{V1}/alarms", body, "crm").status_code == 403


def test_a_long_list_is_read_page_by_page(reports: Reports) -> None:
    for n in range(3):
        reports.alarm(f"A-{n}", LINE)

    first = reports.machines.get(f"{V1}/alarms?limit=2", EVERYBODY)
    rest = reports.machines.get(f"{V1}/alarms?limit=2&after={first['next']}", EVERYBODY)

    assert [a["id"] for a in first["items"] + rest["items"]] == ["A-2", "A-1", "A-0"]
    assert rest["next"] is None
