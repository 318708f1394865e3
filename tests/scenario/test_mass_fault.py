"""A mass fault from the first reports to its end: every way through its process, and what its children see of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.store import Store
from tasks.field.model import Crew
from tests.machines import V1
from tests.scenario.coverage import never_passed
from tests.tickets import EVERYBODY, TICKETS, Reports, running_reports

UNTIL = "2026-11-23T18:00:00+08:00"
LOCATED = {"repair_where": "site", "words": "光缆中断，正在抢修", "expected_at": UNTIL}
REPAIRED = {"repaired": "yes", "repair_note": "熔接 24 芯"}
CAUSE = {"cause_code": "F03", "segment": "北岭环路至分光器", "report": "车辆挂断"}


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Iterator[Reports]:
    with running_reports(store, tmp_path) as found:
        yield found


def opened(reports: Reports, node: str = "OLT-N01", pon: str = "1/5") -> str:
    """A person opens it."""
    body = {"node": node, "pon": pon, "description": "多户断网"}
    answer = reports.machines.post(f"{V1}/mass-faults", body, EVERYBODY)
    assert answer.status_code == 201, answer.text
    reports.site.work()
    return str(answer.json["id"])  # type: ignore[index]


def detail(reports: Reports, fault: str) -> Any:
    return reports.machines.get(f"{V1}/mass-faults/{fault}", EVERYBODY)


def test_the_fifth_line_of_a_pon_in_a_quarter_of_an_hour_proposes_one(reports: Reports) -> None:
    lines = reports.neighbours(5)
    for line in lines[:4]:
        reports.report(line)
    assert reports.faults() == []

    reports.report(lines[4])

    (fault,) = reports.faults()
    assert (fault["state"], fault["origin"]) == ("proposed", "tickets")
    assert (fault["node"], fault["pon"], fault["area"]) == ("OLT-N01", "1/5", "YT-N")
    reports.report(reports.neighbours(1, first=6)[0])
    assert len(reports.faults()) == 1


def test_ten_lines_of_an_olt_propose_one_of_the_olt(reports: Reports) -> None:
    for pon in ("1/1", "1/2", "1/4"):
        for line in reports.neighbours(3, pon=pon):
            reports.report(line)
    assert reports.faults() == []

    reports.report(reports.neighbours(1, pon="1/6")[0])

    assert [(f["node"], f["pon"]) for f in reports.faults()] == [("OLT-N01", "")]


def test_reports_over_a_longer_time_propose_none(reports: Reports) -> None:
    for line in reports.neighbours(6):
        reports.report(line)
        reports.later(minutes=4)

    assert reports.faults() == []


def test_open_reports_join_and_new_ones_too(reports: Reports) -> None:
    early, late, elsewhere, gold = *reports.neighbours(2), "yt10230123", "yt10239999"
    reports.line(gold, port="1/5/60", tier="A")
    first, other, own = reports.report(early), reports.report(elsewhere), reports.report(gold)

    fault = opened(reports)
    second, second_gold = reports.report(late), reports.report(gold)

    assert [t["ticket"] for t in detail(reports, fault)["tickets"]] == [first, second]
    assert detail(reports, fault)["children"] == {"waiting": 2}
    assert [reports.row(t).parent_id for t in (first, second, other, own)] == [fault, fault, None, None]
    assert reports.status(second_gold) == "cancelled"
    assert reports.open(first) == reports.open(second) == []
    told = reports.machines.get(f"{TICKETS}/{second}")
    assert told["status"] == "inProgress"
    assert told["troubleTicketRelationship"][0]["id"] == fault


def test_all_customers_hear_the_same_words(reports: Reports) -> None:
    tickets = [reports.report(line) for line in reports.neighbours(2)]
    fault = opened(reports)

    reports.do(fault, "GF_02", **LOCATED)

    for ticket in tickets:
        (note,) = reports.machines.get(f"{TICKETS}/{ticket}")["note"]
        assert note["text"] == f"{fault}: 光缆中断，正在抢修 (2026-11-23 18:00)"
    assert detail(reports, fault)["told"] == "光缆中断，正在抢修"
    assert detail(reports, fault)["expected_at"].startswith("2026-11-23T10:00")


def test_a_parent_never_closes_before_every_line_was_tested(reports: Reports) -> None:
    good, bad = [reports.report(line) for line in reports.neighbours(2)]
    fault = opened(reports)
    reports.do(fault, "GF_02", **LOCATED)
    reports.do(fault, "GF_05", **REPAIRED)
    assert detail(reports, fault)["state"] == "restored"
    assert (reports.open(good), reports.open(bad), reports.open(fault)) == (["TT_02U"], ["TT_02U"], [])

    reports.do(good, "TT_02U")
    assert reports.open(fault) == []
    reports.do(bad, "TT_02U", answer="no")

    assert (reports.status(good), reports.status(bad)) == ("resolved", "inProgress")
    assert (reports.open(bad), reports.row(bad).parent_id) == (["TT_09"], None)
    reports.do(fault, "GF_08", **CAUSE)
    told = detail(reports, fault)
    assert (told["state"], told["cause_code"], told["children"]) == ("closed", "F03", {"good": 1, "bad": 1})
    assert reports.faults() == []
    assert reports.report(reports.neighbours(1, first=9)[0]) not in str(detail(reports, fault))


def test_a_person_takes_a_ticket_out(reports: Reports) -> None:
    ticket = reports.report(reports.neighbours(1)[0])
    fault = opened(reports)
    path = f"{V1}/mass-faults/{fault}/tickets/{ticket}"

    assert reports.machines.ask("DELETE", path, EVERYBODY).status_code == 204
    reports.site.work()

    assert reports.open(ticket) == ["TT_09"]
    assert [t["result"] for t in detail(reports, fault)["tickets"]] == ["left"]
    again = reports.machines.ask("DELETE", path, EVERYBODY)
    assert (again.status_code, again.json["code"]) == (409, "mass_fault.no_child")  # type: ignore[index]


# ---- every way through the diagram


def _withdrawn(reports: Reports) -> None:
    ticket = reports.report(reports.neighbours(1, pon="1/7")[0])
    fault = opened(reports, pon="1/7")
    assert reports.decide(fault, "withdraw").status_code == 200
    assert (reports.open(ticket), detail(reports, fault)["state"]) == (["TT_09"], "withdrawn")
    assert reports.decide(fault, "withdraw").json["code"] == "mass_fault.state"


def _cleared_by_its_alarm(reports: Reports) -> None:
    reports.alarm("A-8", "OLT-N01 1/8")
    reports.later(minutes=3)
    (fault,) = (f["id"] for f in reports.faults() if f["origin"] == "alarm")
    reports.decide(fault, "confirm")
    reports.do(fault, "GF_02", **LOCATED)
    reports.alarm("A-8", "OLT-N01 1/8", severity="cleared")
    assert detail(reports, fault)["state"] == "restored"
    reports.do(fault, "GF_08", **CAUSE | {"segment": "x"})
    reports.do(fault, "GF_08", **CAUSE)
    assert detail(reports, fault)["state"] == "closed"


def _repaired_from_afar(reports: Reports) -> None:
    fault = opened(reports, pon="1/9")
    reports.do(fault, "GF_02", **LOCATED | {"repair_where": "remote"})
    reports.do(fault, "GF_05N", **REPAIRED)
    reports.do(fault, "GF_08", **CAUSE)


def _without_crew_and_late(reports: Reports) -> None:
    ticket = reports.report(reports.neighbours(1, pon="1/10")[0])
    _set_crew(reports, active=False)
    fault = opened(reports, pon="1/10")
    reports.do(fault, "GF_02", **LOCATED)
    _set_crew(reports, active=True)
    reports.do(fault, "GF_04D", crew="N1")
    later = {"repaired": "late", "words": "还需两小时", "expected_at": "2026-11-23T20:00:00+08:00"}
    reports.do(fault, "GF_05", **later)
    assert detail(reports, fault)["told"] == "还需两小时"
    reports.do(fault, "GF_05", **REPAIRED)
    reports.later(hours=2)
    reports.do(fault, "GF_07U", remind_note="电话联系客户")
    reports.do(ticket, "TT_02U")
    reports.do(fault, "GF_08", **CAUSE)


def _set_crew(reports: Reports, *, active: bool) -> None:
    with reports.site.store.write() as db:
        db.get_one(Crew, "N1").active = active


def _dispatched(reports: Reports) -> None:
    fault = opened(reports, pon="1/11")
    reports.do(fault, "GF_02", **LOCATED)
    reports.do(fault, "GF_05", **REPAIRED)
    reports.do(fault, "GF_08", **CAUSE)


STORIES: tuple[Callable[[Reports], None], ...] = (
    _withdrawn,
    _cleared_by_its_alarm,
    _repaired_from_afar,
    _without_crew_and_late,
    _dispatched,
)


def test_stories_take_every_element_and_every_flow(reports: Reports) -> None:
    for story in STORIES:
        story(reports)

    assert never_passed(reports.site.store, "mass_fault") == []
