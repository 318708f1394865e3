"""What is shipped as files is in the database as rows, once, and what people change there stays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bpmn.catalog import packaged
from bpmn.parse import rebuild
from bpmn.steps import step_table
from engine.deploy.model import ProcessBinding
from engine.masterdata.loading import BadMasterData, Shipped, load
from engine.masterdata.model import ReasonCode, Tier
from engine.orders.model import Product
from engine.resources.model import NetworkNode, Partner, Resource
from engine.store import Store
from sla.model import SlaPolicy, SpecialDay, WorkCalendar
from sla.policy import choose
from tasks.field.model import Crew
from tests.machines import ORDERS, V1, an_order, running_machines
from web.master_data import TABLES, load_base, load_demo

NOW = datetime(2026, 11, 22, 1, 12, tzinfo=UTC)


@pytest.fixture
def demo(store: Store) -> Store:
    with store.write() as db:
        load_demo(db, NOW)
        load_base(db, NOW)
    return store


def test_every_reason_code_of_the_operators_is_there_in_both_languages(demo: Store) -> None:
    with demo.read() as db:
        codes = {c.code: c for c in db.scalars(select(ReasonCode))}
    counts = {family: sum(c.family == family for c in codes.values()) for family in "RSACF"}
    assert counts == {"R": 15, "S": 8, "A": 8, "C": 8, "F": 17}
    assert all(c.code[0] == c.family and c.name and c.name_en for c in codes.values())
    assert (codes["S02"].owner, codes["S02"].longest_minutes) == ("customer", 15 * 24 * 60)
    assert (codes["S05"].owner, codes["S05"].order_type) == ("third_party", "DL")
    assert (codes["S07"].longest_minutes, codes["S07"].approver) == (None, "manager")
    assert {c.owner for c in codes.values() if c.family in "SA"} == {
        *("customer", "third_party", "force_majeure", "crew", "us", "network", "partner")
    }


def test_the_demo_operator_is_complete(demo: Store) -> None:
    with demo.read() as db:
        crews = {c.id: (c.people, c.skills, c.employer) for c in db.scalars(select(Crew))}
        products = {p.code: p for p in db.scalars(select(Product))}
        partners = {p.id: (p.kind, p.quality) for p in db.scalars(select(Partner))}
        nodes = {n.id: n.kind for n in db.scalars(select(NetworkNode))}
        tiers = list(db.scalars(select(Tier.code).order_by(Tier.position)))
        line = db.scalars(select(Resource).where(Resource.place == "OLT-E01", Resource.name == "1/3/7")).one()
    assert crews["E1"] == (6, {"FTTH": 3, "IPTV": 2}, None)
    assert crews["W1"] == (4, {"FTTH": 2}, "P-HJ")
    assert {"NC", "CS", "G1", "N1", "S1"} <= set(crews)
    assert [p["product"] for p in products["HOME-1000"].parts] == ["BB-1000", "TV-4K", "VOICE"]
    assert {p.order_type for p in products.values() if p.speed_mbps in (10, 20, 100, 200)} == {"DL"}
    assert partners == {"P-CAT": ("network", 92), "P-YQ": ("network", 84), "P-HJ": ("crews", 88)}
    assert nodes["AAA-1"] == "AAA"
    assert tiers == ["A", "B", "C", "D", "VIP", "normal"]
    assert line.vlan == 1203


def test_an_olt_has_a_port_for_each_of_its_lines(demo: Store) -> None:
    with demo.read() as db:
        ports = db.scalars(
            select(Resource.name).where(Resource.kind == "port", Resource.place == "OLT-N01")
        ).all()
    assert len(ports) == 16 * 64


def test_people_have_as_long_for_a_broadband_step_as_its_table_says(demo: Store) -> None:
    table, expected = step_table("broadband").steps, {}
    for process in (
        p for b in packaged() for p in rebuild(b.xml).values() if p.process.startswith("broadband")
    ):
        for element, node in process.nodes.items():
            step = table.get(element[:5])
            limit = step.limit_of(node.attributes["role"]) if step and node.kind == "userTask" else None
            if limit is not None:
                expected[process.process, element] = limit.total_seconds() / 60
    with demo.read() as db:
        policies = db.scalars(
            select(SlaPolicy).where(SlaPolicy.process.startswith("broadband"), SlaPolicy.code != "BB11")
        )
        assert {(p.process, p.element): p.limit_minutes for p in policies} == expected


def test_holidays_of_2026_have_their_made_up_days(demo: Store) -> None:
    with demo.read() as db:
        days = {d.day: d.works for d in db.scalars(select(SpecialDay))}
        calendars = {c.code: c for c in db.scalars(select(WorkCalendar))}
    assert (days["2026-10-01"], days["2026-10-10"], days["2026-02-28"]) == (False, True, True)
    assert sum(not works for works in days.values()) == 33
    assert calendars["CW"].hours["mon"] == ["08:30-12:00", "13:30-17:30"]
    assert "sat" not in calendars["CW"].hours
    assert set(calendars) == {"C24", "CW", "CF"}


def test_a_file_is_loaded_once_and_what_people_changed_stays(demo: Store) -> None:
    with demo.write() as db:
        db.get_one(ReasonCode, "R04").name = "没有资源"
        db.delete(db.get_one(ReasonCode, "C08"))
    with demo.write() as db:
        assert load_base(db, NOW) == {}
        load_demo(db, NOW)
    with demo.read() as db:
        assert db.get_one(ReasonCode, "R04").name == "没有资源"
        assert db.get(ReasonCode, "C08") is None
        bound = db.scalars(select(ProcessBinding.order_type)).all()
        assert len(bound) == len(set(bound))


def test_a_row_that_is_there_already_is_not_overwritten_by_a_new_file(demo: Store) -> None:
    file = Shipped("later.yaml", "tier:\n  - {code: A, name: x, name_en: x, segment: x, position: 9}\n")
    with demo.write() as db:
        assert load(db, [file], TABLES, NOW) == {"later.yaml": 0}
    with demo.read() as db:
        assert db.get_one(Tier, "A").position == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tier: 5", "lists of rows"),
        ("person:\n  - {login: x}", "person"),
        ("tier:\n  - {code: Z, colour: red}", "colour"),
        ("tier: [", "line 1"),
        ("tier:\n  - !!python/object/apply:os.system ['true']", "python/object"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(store: Store, text: str, word: str) -> None:
    with pytest.raises(BadMasterData, match=word), store.write() as db:
        load(db, [Shipped("bad.yaml", text)], TABLES, NOW)


def test_a_tier_has_its_own_limit_and_a_country_home_a_longer_one(demo: Store) -> None:
    def limit(tier: str, area: str) -> tuple[str, int]:
        with demo.read() as db:
            found = choose(
                db,
                "order",
                order_type="TT",
                product=None,
                process=None,
                element=None,
                at=NOW,
                tier=tier,
                area=area,
            )
            assert found is not None
            return found.name_en, found.limit_minutes

    assert limit("A", "YT-E") == ("Fault, tier A, 4 h", 240)
    assert limit("normal", "YT-E") == ("Home fault 24 h", 1440)
    assert limit("normal", "YT-S") == ("Country home fault 72 h", 4320)


def test_a_limit_in_working_days_promises_nothing_yet(demo: Store) -> None:
    with demo.read() as db:
        stored = db.scalars(select(SlaPolicy).where(SlaPolicy.code == "DL-A")).one()
        assert (stored.calendar, stored.limit_days) == ("CW", 8)
        for_line = choose(
            db, "order", order_type="DL", product=None, process=None, element=None, at=NOW, tier="A"
        )
    assert for_line is None


def test_a_product_without_a_process_or_without_its_line_is_refused_by_name(
    store: Store, tmp_path: Path
) -> None:
    with running_machines(store, tmp_path) as machines:
        body = an_order("CRM-1")
        for product, code in (("NET-100M", "order.no_process"), ("TV-4K", "order.field")):
            body["serviceOrderItem"][0]["service"]["serviceSpecification"]["id"] = product
            answer = machines.post(ORDERS, body)
            assert (answer.status_code, answer.json["code"]) == (400, code), answer.text
            assert product in answer.text


def test_master_data_can_be_read_over_the_interface(store: Store, tmp_path: Path) -> None:
    with running_machines(store, tmp_path) as machines:
        found = machines.get(f"{V1}/master-data/work_calendar", "dispatcher")
        assert [c["code"] for c in found["items"]] == ["C24", "CF", "CW"]
        assert machines.ask("GET", f"{V1}/master-data/person", "admin").status_code == 404
