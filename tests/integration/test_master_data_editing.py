"""Master data are changed by page and interface, checked column by column."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.events import Event
from engine.store import Store
from tests.machines import V1, Machines, running_machines

E3 = {
    "id": "E3",
    "name": "东汀三班",
    "name_en": "East crew 3",
    "areas": ["YT-E"],
    "skills": {"FTTH": 2},
    "people": 5,
}


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as running:
        yield running


def put(machines: Machines, table: str, row: dict[str, Any], who: str = "admin") -> Any:
    return machines.ask("PUT", f"{V1}/master-data/{table}", who, json={"row": row})


def rows(machines: Machines, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = machines.get(f"{V1}/master-data/{table}", "admin")["items"]
    return found


def test_a_new_row_and_a_changed_one_are_there_at_once_with_their_events(machines: Machines) -> None:
    assert put(machines, "crew", E3).status_code == 200
    assert put(machines, "crew", {**E3, "people": 7}).json["row"]["people"] == 7
    assert [row["people"] for row in rows(machines, "crew") if row["id"] == "E3"] == [7]
    with machines.site.store.read() as db:
        query = select(Event).where(Event.kind == "MasterDataChanged").order_by(Event.id)
        first, second = db.scalars(query)
    assert first.data["before"] is None
    assert (second.data["before"]["people"], second.data["after"]["people"]) == (5, 7)
    assert (second.data["table"], second.actor) == ("crew", "admin")


@pytest.mark.parametrize(
    ("table", "change", "field"),
    [
        ("crew", {"colour": "red"}, "colour"),
        ("crew", {"people": "five"}, "people"),
        ("crew", {"people": True}, "people"),
        ("crew", {"areas": "YT-E"}, "areas"),
        ("crew", {"active": "perhaps"}, "active"),
        ("crew", {"name": ""}, "name"),
        ("crew", {"id": "E" * 65}, "id"),
        (
            "role",
            {"code": "FC", "name": "装维", "name_en": "field crew", "rights": "view_tasks fly"},
            "rights",
        ),
        ("process_binding", {"order_type": "BB", "process_key": "nothing"}, "process_key"),
        ("special_day", {"day": 12}, "day"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_column(
    machines: Machines, table: str, change: dict[str, Any], field: str
) -> None:
    before = rows(machines, table)
    answer = put(machines, table, {**(E3 if table == "crew" else {}), **change})
    assert (answer.status_code, answer.json["code"]) == (400, "master_data.row")
    assert answer.json["detail"].startswith(f"{field} of {table}")
    assert rows(machines, table) == before


def test_a_row_without_its_key_is_refused(machines: Machines) -> None:
    answer = put(machines, "crew", {name: value for name, value in E3.items() if name != "id"})
    assert answer.status_code == 400
    assert answer.json["detail"].startswith("id of crew")


def test_only_administrators_change_them(machines: Machines) -> None:
    assert put(machines, "crew", E3, "supervisor").status_code == 403
    assert put(machines, "nothing", E3).status_code == 404


def test_a_role_gets_another_right_and_holds_it_from_the_next_request_on(machines: Machines) -> None:
    assert machines.ask("GET", f"{V1}/incidents", "quality").status_code == 403
    (qa,) = [row for row in rows(machines, "role") if row["code"] == "QA"]
    assert put(machines, "role", {**qa, "rights": qa["rights"] + " view_incidents"}).status_code == 200
    assert machines.ask("GET", f"{V1}/incidents", "quality").status_code == 200


def test_a_new_limit_holds_for_new_orders_and_the_old_one_for_old_ones(machines: Machines) -> None:
    old = machines.place()
    (home,) = [row for row in rows(machines, "sla_policy") if row["code"] == "HOME48"]
    known = {name: home[name] for name in home if name not in ("id", "valid_from")}
    assert put(machines, "sla_policy", {**known, "limit_minutes": 60}).status_code == 200
    assert [row["limit_minutes"] for row in rows(machines, "sla_policy") if row["code"] == "HOME48"] == [
        2880,
        60,
    ]
    form = machines.site.browser("admin").read("/master-data/sla_policy/row?code=HOME48")
    assert 'name="limit_minutes" value="60"' in form
    path = "/tmf-api/serviceOrdering/v4/serviceOrder"
    assert machines.get(f"{path}/{old['id']}")["expectedCompletionDate"] == old["expectedCompletionDate"]


def test_the_page_shows_tables_and_saves_a_row(machines: Machines) -> None:
    browser = machines.site.browser("admin")
    assert "Crews" in browser.read("/master-data")
    assert "东汀一班" in browser.read("/master-data/crew")
    page = browser.read("/master-data/crew/row?id=E1")
    assert 'value="东汀一班"' in page
    values = {"id": "E1", "name": "东汀一队", "name_en": "East 1", "areas": "[YT-E]", "skills": "{FTTH: 3}"}
    values |= {"people": "6", "visits_a_day": "6", "window_minutes": "120", "active": "true"}
    assert "东汀一队" in browser.follow(browser.post("/master-data/crew/row", values))


def test_a_mistake_on_the_page_loses_nothing_and_stands_at_its_field(machines: Machines) -> None:
    browser = machines.site.browser("admin")
    browser.read("/master-data/crew/row?id=E1")
    answer = browser.post("/master-data/crew/row", {"id": "E1", "name": "别的名字", "people": "many"})
    assert answer.status_code == 400
    assert 'value="别的名字"' in answer.text
    assert 'id="f-' in answer.text
    assert "aria-invalid=true" in answer.text
    broken = browser.post("/master-data/crew/row", {"id": "E1", "name": "x", "areas": "[YT-E"})
    assert "this is not YAML" in broken.text


def test_pages_are_for_administrators_and_unknown_rows_are_not_found(machines: Machines) -> None:
    assert machines.site.browser("supervisor").get("/master-data").status_code == 403
    admin = machines.site.browser("admin")
    assert admin.get("/master-data/nothing").status_code == 404
    assert admin.get("/master-data/crew/row?id=E77").status_code == 404
