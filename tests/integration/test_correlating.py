"""What a report belongs to: an open one of the line, planned work, a fault of the last days; and what follows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.orders.model import ServiceOrder
from engine.ports import LocalCall
from engine.store import Store
from tests.machines import V1
from tests.tickets import EVERYBODY, TICKETS, Reports, running_reports

LINE = "yt10230123"


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Iterator[Reports]:
    with running_reports(store, tmp_path) as found:
        yield found


def close(reports: Reports, ticket: str) -> None:
    reports.do(ticket, "TT_09")
    reports.do(ticket, "TT_11")


def work(reports: Reports, hours: float = 73, **more: Any) -> Any:
    now = reports.site.clock.now()
    begins = now + timedelta(hours=hours)
    body = {
        "node": "OLT-N01",
        "description": "OLT 升级",
        "from": begins.isoformat(),
        "until": (begins + timedelta(hours=4)).isoformat(),
    }
    return reports.machines.post(f"{V1}/planned-works", body | more, EVERYBODY)


def test_a_second_report_of_a_line_is_merged_and_counts_as_an_urge(reports: Reports) -> None:
    first = reports.report(LINE)

    second = reports.report(LINE, description="还是上不了网")

    told = reports.machines.get(f"{TICKETS}/{second}")
    assert (told["status"], told["statusChangeReason"]) == ("cancelled", f"duplicates {first}")
    assert told["troubleTicketRelationship"][0]["relationshipType"] == "duplicates"
    assert reports.row(first).urges == 1
    (note,) = reports.machines.get(f"{TICKETS}/{first}")["note"]
    assert note["text"] == f"{second}: 还是上不了网"
    assert reports.open(first) == ["TT_09"]


def test_the_same_line_again_within_a_week_is_a_repeat(reports: Reports) -> None:
    first = reports.report(LINE)
    close(reports, first)
    reports.later(days=6, hours=23)

    second = reports.report(LINE)
    assert (reports.row(second).relation, reports.row(second).related_id) == ("repeat", first)
    assert reports.row(second).priority == "high"
    close(reports, second)
    reports.later(days=7, minutes=1)
    assert reports.row(reports.report(LINE)).relation == "none"


def test_reports_during_planned_work_belong_to_it(reports: Reports) -> None:
    answer = work(reports)
    assert answer.status_code == 201, answer.text
    number = answer.json["id"]
    assert number.startswith("PW-")
    before = reports.report(LINE)
    close(reports, before)
    reports.later(hours=74)

    during = reports.report(LINE)

    row = reports.row(during)
    assert (row.relation, row.related_id, row.parent_id) == ("attached", number, number)
    assert reports.open(during) == []
    assert [w["id"] for w in reports.machines.get(f"{V1}/planned-works", EVERYBODY)["items"]] == [number]
    reports.later(hours=5)
    assert reports.machines.get(f"{V1}/planned-works", EVERYBODY)["items"] == []


def test_work_is_announced_three_days_ahead_and_may_be_withdrawn(reports: Reports) -> None:
    assert work(reports, hours=71).json["code"] == "planned_work.too_soon"
    assert work(reports, until="2026-11-22T00:00:00+08:00").json["code"] == "planned_work.window"
    assert work(reports, node="OLT-X").json["code"] == "mass_fault.place"
    number = work(reports).json["id"]

    path = f"{V1}/planned-works/{number}/withdraw"
    assert reports.machines.ask("POST", path, EVERYBODY).json["state"] == "withdrawn"  # type: ignore[index]
    assert reports.machines.ask("POST", path, EVERYBODY).status_code == 200
    assert reports.machines.ask("POST", path.replace(number, "PW-1"), EVERYBODY).status_code == 404
    reports.later(hours=74)
    assert reports.row(reports.report(LINE)).relation == "none"


def test_a_line_that_is_being_built_names_its_order(reports: Reports) -> None:
    with reports.site.store.write() as db:
        db.get_one(ServiceOrder, "BB-20261101-230123").state = "inProgress"

    row = reports.row(reports.report(LINE))

    assert (row.relation, row.related_id) == ("none", "BB-20261101-230123")


def test_a_report_that_follows_from_a_closed_one_is_linked_to_it(reports: Reports) -> None:
    closed = reports.report(LINE)
    close(reports, closed)
    operation = reports.site.services.kernel.local["ticket.open_linked"]
    args = {"order": closed, "symptom": "又断了"}
    call = LocalCall("ticket.open_linked", "k1", args, 1, closed, reports.site.clock.now())

    with reports.site.store.write() as db:
        first = operation.run(db, call)
        assert operation.run(db, call) == first

    told = reports.machines.get(f"{TICKETS}/{first['ticket']}")
    assert (told["description"], told["troubleTicketRelationship"][0]["id"]) == ("又断了", closed)
    reports.site.work()
    assert reports.row(str(first["ticket"])).relation == "repeat"


def test_proposals_are_decided_once_by_who_may(reports: Reports) -> None:
    reports.alarm("A-1", "OLT-N01")
    reports.later(minutes=3)
    (fault,) = reports.faults()
    path = f"{V1}/mass-faults/{fault['id']}"

    assert reports.machines.ask("POST", f"{path}/confirm", "service").status_code == 403
    assert reports.machines.get(path, "service")["state"] == "proposed"
    assert reports.machines.ask("GET", path, "crm").status_code == 403
    assert reports.machines.ask("POST", f"{path}/dismiss", "dispatcher").status_code == 404
    assert reports.decide(fault["id"], "dismiss").json["state"] == "dismissed"
    assert reports.decide(fault["id"], "confirm").json["code"] == "mass_fault.state"
    assert reports.decide("GF-1", "confirm").status_code == 404
    assert (reports.faults(), len(reports.faults("all")), len(reports.faults("dismissed"))) == ([], 1, 1)


def test_a_place_has_one_mass_fault_at_a_time(reports: Reports) -> None:
    body = {"node": "OLT-N01", "pon": "1/5", "description": "断网"}

    assert reports.machines.post(f"{V1}/mass-faults", body, EVERYBODY).status_code == 201
    again = reports.machines.post(f"{V1}/mass-faults", body, EVERYBODY)
    assert (again.status_code, again.json["code"]) == (409, "mass_fault.exists")  # type: ignore[index]
    for wrong in ({"node": "X"}, {"pon": "1/99"}, {"pon": "x"}, {"description": ""}):
        assert reports.machines.post(f"{V1}/mass-faults", body | wrong, EVERYBODY).status_code == 400
