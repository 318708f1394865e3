"""TMF621 troubleTicket: reporting a fault, reading it, and how its status follows its process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.store import Store
from tests.machines import ORDERS, V1
from tests.tickets import NO_LINE, TICKETS, Reports, a_report, running_reports


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Iterator[Reports]:
    with running_reports(store, tmp_path) as found:
        yield found


def test_a_report_becomes_a_ticket_with_what_we_know_of_its_line(reports: Reports) -> None:
    answer = reports.machines.post(TICKETS, a_report(note=[{"text": "请尽快"}], colour="red"))

    assert answer.status_code == 201, answer.text
    told: Any = answer.json
    assert answer.headers["Location"] == told["href"] == f"{TICKETS}/{told['id']}"
    assert told["id"].startswith("TT-")
    assert (told["status"], told["externalId"], told["colour"]) == ("acknowledged", "CRM-F-1", "red")
    assert (told["ticketType"], told["severity"], told["description"]) == ("fault", "major", "上不了网")
    assert told["relatedEntity"][0]["id"] == "yt10230123"
    assert [n["text"] for n in told["note"]] == ["请尽快"]
    assert told["expectedResolutionDate"] > told["creationDate"]
    assert [c["status"] for c in told["statusChange"]] == ["acknowledged"]
    row = reports.row(told["id"])
    assert (row.node, row.pon, row.port, row.line_order) == ("OLT-N01", "1/3", "1/3/7", "BB-20261101-230123")


def test_its_order_is_seen_beside_the_others(reports: Reports) -> None:
    ticket = reports.report()

    order = reports.machines.get(f"{V1}/orders/{ticket}", "service")
    assert (order["order_type"], order["product"], order["area"]) == ("TT", "BB-1000", "YT-N")
    assert order["customer"] == "林女士"
    assert ticket in [o["id"] for o in reports.machines.get(f"{V1}/orders", "service")["items"]]
    assert ticket not in [o["id"] for o in reports.machines.get(ORDERS)]
    assert reports.machines.ask("GET", f"{ORDERS}/{ticket}").status_code == 404
    assert reports.machines.ask("PATCH", f"{ORDERS}/{ticket}", json={"priority": "1"}).status_code == 404


def test_a_line_that_none_of_our_orders_built_is_described_by_the_sender(reports: Reports) -> None:
    refused = reports.machines.post(TICKETS, a_report("unknown-7"))
    assert refused.status_code == 400
    assert refused.json is not None
    assert refused.json["code"] == "order.field"
    assert refused.json["message"].startswith("relatedEntity: none of our orders built the line unknown-7")
    chinese = reports.machines.ask(
        "POST", TICKETS, json=a_report("unknown-7"), headers={"Accept-Language": "zh-CN"}
    )
    assert "不是由本系统定单开通" in chinese.text

    assert reports.machines.post(TICKETS, a_report("unknown-7", **NO_LINE)).status_code == 201
    for name, wrong in (("product", "NOTHING"), ("area", "YT-X")):
        answer = reports.machines.post(TICKETS, a_report("unknown-8", None, **NO_LINE | {name: wrong}))
        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["message"].startswith(f"{name}: ")


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"description": None}, "description"),
    ({"description": ""}, "description"),
    ({"severity": None}, "severity"),
    ({"ticketType": None}, "ticketType"),
    ({"relatedEntity": None}, "relatedEntity"),
    ({"relatedEntity": []}, "relatedEntity"),
    ({"relatedEntity": [{"id": "", "role": "line"}]}, "relatedEntity[0].id"),
    ({"relatedEntity": [{"id": "a", "role": "line"}, {"id": "b", "role": "line"}]}, "relatedEntity"),
    ({"requestedResolutionDate": "tomorrow"}, "requestedResolutionDate"),
    ({"contactPhone": "call me"}, "contactPhone"),
    ({"note": [{"author": "x"}]}, "note[0].text"),
]


def test_a_report_with_mistakes_is_refused_with_their_place(reports: Reports) -> None:
    for change, field in MISTAKES:
        body = {k: v for k, v in (a_report() | change).items() if v is not None}

        answer = reports.machines.post(TICKETS, body)

        assert answer.status_code == 400, field
        assert answer.json is not None
        assert (answer.json["@type"], answer.json["code"]) == ("Error", "order.field")
        assert answer.json["message"].startswith(f"{field}: ")
    assert reports.machines.get(TICKETS) == []


def test_the_same_report_is_taken_once(reports: Reports) -> None:
    first = reports.machines.post(TICKETS, a_report(), **{"Idempotency-Key": "7"})
    again = reports.machines.post(TICKETS, a_report(), **{"Idempotency-Key": "7"})
    other = reports.machines.post(TICKETS, a_report())

    assert first.json == again.json
    assert again.headers["Idempotent-Replay"] == "true"
    assert other.status_code == 409
    assert first.json is not None
    assert other.json is not None
    assert other.json["code"] == "order.duplicate"
    assert first.json["id"] in other.json["message"]


def test_status_follows_the_process_to_its_end(reports: Reports) -> None:
    ticket = reports.report()
    assert reports.status(ticket) == "inProgress"

    reports.do(ticket, "TT_09")
    told = reports.machines.get(f"{TICKETS}/{ticket}")
    assert (told["status"], "resolutionDate" in told) == ("resolved", True)
    reports.do(ticket, "TT_11", answer="no")
    told = reports.machines.get(f"{TICKETS}/{ticket}")
    assert (told["status"], "resolutionDate" in told) == ("inProgress", False)
    reports.do(ticket, "TT_09")
    reports.do(ticket, "TT_11")

    told = reports.machines.get(f"{TICKETS}/{ticket}")
    assert [c["status"] for c in told["statusChange"]] == [
        "acknowledged",
        "inProgress",
        "resolved",
        "inProgress",
        "resolved",
        "closed",
    ]
    assert told["cause"] == {"code": "F01", "segment": "drop cable", "owner": "us"}


def test_a_question_makes_it_pending(reports: Reports) -> None:
    ticket = reports.report(symptom="unclear")

    told = reports.machines.get(f"{TICKETS}/{ticket}")
    assert (told["status"], told["informationRequired"]) == ("pending", ["symptom"])
    reports.do(ticket, "TT_03")
    assert reports.status(ticket) == "inProgress"


def test_reading_by_fields_filters_and_pages(reports: Reports) -> None:
    made = [
        reports.report(f"line-{n}", severity="minor" if n else "major", **NO_LINE, externalId=f"CRM-{n}")
        for n in range(3)
    ]
    get = reports.machines.get

    assert [t["id"] for t in get(TICKETS)] == made[::-1]
    assert [t["id"] for t in get(f'{TICKETS}?severity="minor"&status=inProgress')] == [made[2], made[1]]
    for name, value in (
        ("id", made[1]),
        ("externalId", "CRM-1"),
        ("relatedEntity.id", "line-1"),
    ):
        assert [t["id"] for t in get(f"{TICKETS}?{name}={value}")] == [made[1]], name
    assert get(f"{TICKETS}?status=closed") == get(f"{TICKETS}?priority=1") == []
    assert get(f"{TICKETS}/{made[0]}?fields=id,status") == {"id": made[0], "status": "inProgress"}
    assert set(get(f"{TICKETS}?fields=relatedEntity.id&limit=1")[0]) == {"id", "href", "relatedEntity"}
    assert reports.machines.ask("GET", f"{TICKETS}?colour=red").status_code == 400
    assert reports.machines.ask("GET", f"{TICKETS}?after=x").status_code == 400
    assert reports.machines.ask("GET", f"{TICKETS}/TT-20261122-999999").status_code == 404


def test_a_long_list_is_read_by_key(reports: Reports) -> None:
    made = [reports.report(f"line-{n}", **NO_LINE) for n in range(5)]

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        query = {"limit": "2", "fields": "id"} | ({"after": after} if after else {})
        answer = reports.machines.ask("GET", TICKETS, query_string=query)
        assert answer.headers["X-Total-Count"] == "5"
        seen += [t["id"] for t in answer.json]  # type: ignore[union-attr]
        after = answer.headers.get("X-Next-After")

    assert seen == made[::-1]


def test_others_see_only_what_is_theirs(reports: Reports) -> None:
    ticket = reports.report()

    assert reports.machines.ask("GET", f"{TICKETS}/{ticket}", "crm2").status_code == 404
    assert reports.machines.get(TICKETS, "crm2") == []
    masked = reports.machines.get(f"{TICKETS}/{ticket}", "operator")
    assert masked["description"] == "***"
    assert "relatedEntity" not in masked
    assert reports.machines.ask("POST", TICKETS, "operator", json=a_report()).status_code == 403
    assert reports.machines.ask("GET", TICKETS, None).status_code == 401
