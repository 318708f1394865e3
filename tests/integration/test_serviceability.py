"""Before the sale: what reaches an address, and a port that waits for the customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from engine.resources.model import Building, Coverage, Resource
from engine.store import Store
from tests.machines import V1, Machines, an_order, running_machines
from web import bootstrap

ADDRESS = "东汀区汀兰路18号3栋1202"
ASK = f"{V1}/serviceability"


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def ports(machines: Machines, **wanted: Any) -> list[str]:
    """Ports of the first node with these values."""
    query = select(Resource.name).where(Resource.kind == "port", Resource.place == "OLT-E01")
    with machines.site.store.read() as db:
        return list(db.scalars(query.filter_by(**wanted).order_by(Resource.id)))


def take_all_but(machines: Machines, count: int) -> None:
    with machines.site.store.write() as db:
        rows = db.scalars(select(Resource.id).where(Resource.place == "OLT-E01").order_by(Resource.id)).all()
        db.execute(update(Resource).where(Resource.id.in_(rows[count:])).values(state="in_use"))


def test_an_address_leads_to_its_networks_and_their_speeds(machines: Machines) -> None:
    found = machines.get(f"{ASK}?address={ADDRESS}&speed_mbps=1000")
    assert found == {
        "building": {"area": "YT-E", "name": "汀兰路18号3栋"},
        "networks": [
            {
                "network": "OWN",
                "kind": "own",
                "name": None,
                "name_en": None,
                "technology": "FTTH",
                "top_speed_mbps": 1000,
            }
        ],
    }
    west = machines.get(f"{ASK}?address=西渡区西渡口路5号&area=YT-W")
    assert [(n["network"], n["kind"]) for n in west["networks"]] == [
        ("P-YQ", "partner"),
        ("P-CAT", "partner"),
    ]


def test_an_unknown_address_and_a_speed_too_fast_give_no_network(machines: Machines) -> None:
    assert machines.get(f"{ASK}?address=荒路1号") == {"building": None, "networks": []}
    assert machines.get(f"{ASK}?address={ADDRESS}&speed_mbps=2000")["networks"] == []


def test_only_who_may_place_orders_may_ask(machines: Machines) -> None:
    assert machines.ask("GET", f"{ASK}?address=x", "crew-e1").status_code == 403
    refused = machines.ask("GET", ASK, "crm")
    assert (refused.status_code, refused.json["code"]) == (400, "input.query")


def test_a_held_port_is_given_to_the_order_that_names_the_hold(machines: Machines) -> None:
    take_all_but(machines, 1)
    made = machines.post(f"{ASK}/holds", {"address": ADDRESS, "reference": "cart-7"})
    assert made.status_code == 201, made.text
    assert made.json["until"] == "2026-11-22T01:42:00.000Z"
    assert machines.post(f"{ASK}/holds", {"address": ADDRESS, "reference": "cart-7"}).json == made.json
    assert machines.get(f"{ASK}?address={ADDRESS}")["networks"] == []
    refused = machines.post(f"{ASK}/holds", {"address": ADDRESS})
    assert (refused.status_code, refused.json["code"]) == (409, "serviceability.nothing_to_hold")

    other = machines.place(an_order("CRM-1"))["id"]
    machines.site.work()
    assert machines.get(f"/tmf-api/serviceOrdering/v4/serviceOrder/{other}")["state"] == "failed"


def test_an_order_takes_its_hold_over(machines: Machines) -> None:
    hold = machines.post(f"{ASK}/holds", {"address": ADDRESS}).json["id"]
    assert ports(machines, state="held", holder=hold) == ["1/1/1"]
    order = machines.place(an_order("CRM-1", serviceabilityHold=hold))["id"]
    machines.site.work()
    assert ports(machines, state="held") == []
    assert ports(machines, state="reserved", holder=order) == ["1/1/1"]


def test_a_hold_ends_by_itself_after_half_an_hour(machines: Machines) -> None:
    machines.post(f"{ASK}/holds", {"address": ADDRESS})
    tick = bootstrap.expiry_sweep(machines.site.services)
    machines.site.clock.advance(timedelta(minutes=29))
    tick.run()
    assert ports(machines, state="held") == ["1/1/1"]
    machines.site.clock.advance(timedelta(minutes=1))
    tick.run()
    assert ports(machines, state="held") == []


def test_an_address_is_found_by_indexes_alone(machines: Machines) -> None:
    """What a million buildings would cost is decided by the plan: no look through a whole table."""
    with machines.site.store.write() as db:
        db.execute(
            insert(Building),
            [{"area_id": "YT-S", "name": f"圩街{n}号", "key": f"圩街{n}号"} for n in range(3000)],
        )
        first = db.scalar(select(Building.id).where(Building.key == "圩街2999号"))
        db.execute(
            insert(Coverage),
            [
                {
                    "building_id": first,
                    "network": "OWN",
                    "technology": "FTTH",
                    "node": "OLT-E01",
                    "top_speed_mbps": 1000,
                    "quality": 90,
                    "cost_fen": 1,
                    "active": True,
                }
            ],
        )
    found = machines.get(f"{ASK}?address=南圩县圩街2999号201")
    assert found["building"] == {"area": "YT-S", "name": "圩街2999号"}
    with machines.site.store.read() as db:
        connection = db.connection()
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT * FROM building WHERE key IN ('a', 'b') ORDER BY length(key) DESC"
            ).all()
            assert "USING INDEX ix_building_key" in str(plan)


def test_an_order_whose_hold_has_run_out_gets_a_port_all_the_same(machines: Machines) -> None:
    hold = machines.post(f"{ASK}/holds", {"address": ADDRESS}).json["id"]
    machines.site.clock.advance(timedelta(hours=1))
    bootstrap.expiry_sweep(machines.site.services).run()
    order = machines.place(an_order("CRM-1", serviceabilityHold=hold))["id"]
    machines.site.work()
    assert len(ports(machines, state="reserved", holder=order)) == 1
