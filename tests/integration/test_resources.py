"""What orders hold: exactly one gets the last one, nothing is lost on the way back, and history tells who had what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.errors import NeedsHuman, Permanent
from engine.events import Event
from engine.jobs.local import run_local
from engine.ports import LocalCall
from engine.resources import expiry
from engine.resources.model import (
    Area,
    Building,
    Coverage,
    Demand,
    NetworkNode,
    Partner,
    Resource,
    ResourceUse,
)
from engine.resources.operations import operations
from engine.resources.places import find_building, key_of
from engine.resources.ports import add_ports
from engine.store import Store
from engine.testing import FakeClock
from web.master_data import load_base

PLACE = {"area": "YT-E", "building": "汀兰路18号3栋", "speed_mbps": 500}
WEST = {"area": "YT-W", "building": "渡口路5号", "speed_mbps": 500}
Act = Callable[..., Any]


class World:
    """Two areas: one with an OLT of three ports, one that only partners reach."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock, self.calls = store, FakeClock(), 0
        now = self.clock.now()
        with store.write() as db:
            load_base(db, now)
            db.add_all(
                [
                    Area(id="YT-E", name="东汀区", name_en="East"),
                    Area(id="YT-W", name="西渡区", name_en="West"),
                ]
            )
            db.add_all(
                Partner(id=i, name=i, name_en=i, kind="network", channel="api", quality=q, areas=[])
                for i, q in (("P-CAT", 92), ("P-YQ", 84))
            )
            db.flush()
            east = Building(area_id="YT-E", name="汀兰路18号3栋", key=key_of("汀兰路18号3栋"))
            west = Building(area_id="YT-W", name="渡口路5号", key=key_of("渡口路5号"))
            db.add_all([east, west])
            db.flush()
            reach = (
                (east, "P-CAT", None, 1000, 100),
                (east, "OWN", "OLT-1", 1000, 1800),
                (west, "P-CAT", None, 1000, 3200),
                (west, "P-YQ", None, 500, 2600),
            )
            db.add_all(
                Coverage(
                    building_id=b.id,
                    network=n,
                    technology="FTTH",
                    node=o,
                    top_speed_mbps=s,
                    quality=90,
                    cost_fen=c,
                )
                for b, n, o, s, c in reach
            )
            node = NetworkNode(
                id="OLT-1", kind="OLT", area_id="YT-E", pon_ports=1, lines_per_pon=3, first_vlan=1201
            )
            db.add(node)
            add_ports(db, node, now)
            db.add_all(
                Resource(kind=k, place=p, name=n, changed_at=now)
                for k, p, n in (
                    ("onu", "WH-E", "YTGP00000001"),
                    ("onu", "WH-E", "YTGP00000002"),
                    ("number", "YT-E", "85550001"),
                )
            )

    def do(self, name: str, order: str = "BB-1", key: str | None = None, **args: Any) -> Any:
        """One call as a step makes it; what it refuses is raised after the commit, as the kernel does."""
        self.calls += 1
        call = LocalCall(name, key or f"{order}:X:{self.calls}", args, 1, order, self.clock.now())
        refused: Permanent | None = None
        with self.store.write() as db:
            try:
                return run_local(db, operations()[name], call, "X").output
            except Permanent as e:
                refused = e
        raise refused

    def states(self, kind: str = "port") -> dict[str, tuple[str, str | None]]:
        with self.store.read() as db:
            rows = db.scalars(select(Resource).where(Resource.kind == kind).order_by(Resource.id))
            return {row.name: (row.state, row.holder) for row in rows}

    def history(self, name: str) -> list[tuple[str, str | None, bool]]:
        query = (
            select(ResourceUse)
            .join(Resource, Resource.id == ResourceUse.resource_id)
            .where(Resource.name == name)
            .order_by(ResourceUse.id)
        )
        with self.store.read() as db:
            return [(use.state, use.holder, use.until_at is not None) for use in db.scalars(query)]

    def events(self, order: str) -> list[str]:
        with self.store.read() as db:
            return list(db.scalars(select(Event.kind).where(Event.business_key == order).order_by(Event.id)))

    def later(self, **time: float) -> int:
        """Time passes and the ticker looks."""
        self.clock.advance(timedelta(**time))
        with self.store.write() as db:
            return expiry.sweep(db, self.clock.now())


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def refused(act: Act, *args: Any, **named: Any) -> str:
    with pytest.raises(Permanent) as caught:
        act(*args, **named)
    return caught.value.bpmn_code


# ---- check and choose


def test_the_check_names_the_own_network_first_and_the_partners_after_it(world: World) -> None:
    found = world.do("resource.check", **PLACE)
    assert (found["network"], found["node"], found["free_ports"]) == ("OWN", "OLT-1", 3)
    assert [(c["network"], c["kind"], c["free_ports"]) for c in found["candidates"]] == [
        ("OWN", "own", 3),
        ("P-CAT", "partner", None),
    ]


def test_the_cheaper_partner_comes_first_and_the_other_after_its_refusal(world: World) -> None:
    assert world.do("resource.choose", **WEST)["network"] == "P-YQ"
    assert world.do("resource.choose", **WEST, refused=["P-YQ"])["network"] == "P-CAT"
    assert refused(world.do, "resource.choose", **WEST, refused=["P-YQ", "P-CAT"]) == "R11"
    assert refused(world.do, "resource.choose", **WEST, refused=["P-YQ"], most_refusals=1) == "R11"


def test_a_speed_that_nobody_has_is_no_resource(world: World) -> None:
    assert refused(world.do, "resource.choose", **(PLACE | {"speed_mbps": 2000})) == "R04"


def test_an_own_network_without_a_free_port_is_no_candidate(world: World) -> None:
    for number in range(3):
        world.do("resource.reserve", f"BB-{number}", node="OLT-1")
    assert world.do("resource.choose", "BB-9", **PLACE)["network"] == "P-CAT"


def test_demand_is_written_down_once_although_the_check_says_no(world: World) -> None:
    nowhere = {"area": "YT-E", "building": "荒路1号", "speed_mbps": 300}
    for _ in range(2):
        assert refused(world.do, "resource.check", **nowhere) == "R04"
    with world.store.read() as db:
        assert [(d.building, d.speed_mbps, d.state) for d in db.scalars(select(Demand))] == [
            ("荒路1号", 300, "open")
        ]
    assert world.events("BB-1") == ["DemandRecorded"]


@pytest.mark.parametrize(
    ("address", "building"),
    [
        ("东汀区汀兰路18号3栋1202", "汀兰路18号3栋"),
        ("云汀市东汀区 汀兰路１８号 3栋 2单元", "汀兰路18号3栋"),
        ("汀兰路18号3栋", "汀兰路18号3栋"),
        ("东汀区汀兰路18号4栋", None),
        ("东汀区", None),
        ("", None),
    ],
)
def test_an_address_lies_in_the_building_that_it_begins_with(
    world: World, address: str, building: str | None
) -> None:
    with world.store.read() as db:
        found = find_building(db, address)
        assert (found.name if found else None) == building


def test_a_number_is_not_the_beginning_of_a_longer_one(world: World) -> None:
    with world.store.write() as db:
        db.add(Building(area_id="YT-E", name="汀兰路1", key=key_of("汀兰路1")))
    with world.store.read() as db:
        assert find_building(db, "东汀区汀兰路12") is None
        found = find_building(db, "东汀区汀兰路1号")
        assert found is not None
        assert found.name == "汀兰路1"


# ---- reserve


def test_a_repeated_reservation_gives_the_same_port_and_account(world: World) -> None:
    first = world.do("resource.reserve", node="OLT-1")
    assert (first["node"], first["port"], first["vlan"]) == ("OLT-1", "1/1/1", 1201)
    assert world.do("resource.reserve", node="OLT-1") == first
    assert world.states("account") == {first["account"]: ("reserved", "BB-1")}


def test_the_order_that_comes_too_late_is_told_that_it_lost_the_race(world: World) -> None:
    for number in range(3):
        world.do("resource.reserve", f"BB-{number}", node="OLT-1")
    assert refused(world.do, "resource.reserve", "BB-9", node="OLT-1") == "RACE_LOST"
    assert "BB-9" not in {holder for _, holder in (world.states("account") | world.states()).values()}


def test_two_ends_of_one_order_hold_a_port_each(world: World) -> None:
    a = world.do("resource.reserve", node="OLT-1", slot="A", with_account=False)
    z = world.do("resource.reserve", node="OLT-1", slot="Z", with_account=False)
    assert (a["port"], z["port"], a["account"]) == ("1/1/1", "1/1/2", None)
    assert world.do("resource.release", slot="Z") == {"ports": 1, "resources": 1}
    assert [state for state, _ in world.states().values()] == ["reserved", "free", "free"]


def test_a_partners_line_needs_an_account_and_no_port(world: World) -> None:
    found = world.do("resource.reserve", node=None)
    assert (found["node"], found["port"]) == (None, None)
    assert found["account"]


def test_another_choice_gives_the_first_port_back(world: World) -> None:
    first = world.do("resource.reserve", node="OLT-1")
    second = world.do("resource.reserve", node=None)
    assert second["account"] == first["account"]
    assert {state for state, _ in world.states().values()} == {"free"}


# ---- a faulty port


def test_a_faulty_port_is_marked_and_the_next_one_taken_once(world: World) -> None:
    world.do("resource.reserve", node="OLT-1")
    found = world.do("resource.next_port", key="BB-1:BB_11:7", reason="无光")
    assert (found["port"], found["faulty_port"]) == ("1/1/2", "1/1/1")
    assert world.do("resource.next_port", key="BB-1:BB_11:7", reason="无光") == found
    assert [state for state, _ in world.states().values()] == ["faulty", "reserved", "free"]


def test_the_faulty_port_stays_marked_when_there_is_no_other(world: World) -> None:
    for number in range(3):
        world.do("resource.reserve", f"BB-{number}", node="OLT-1")
    assert refused(world.do, "resource.next_port", "BB-1") == "R04"
    assert [state for state, _ in world.states().values()] == ["reserved", "faulty", "reserved"]


# ---- allocate, release, history


def test_a_line_that_is_closed_out_and_terminated_leaves_its_whole_history(world: World) -> None:
    line = world.do("resource.reserve", node="OLT-1")
    world.do("resource.draw_onu", serial="YTGP00000002")
    assert world.do("resource.allocate") == {"ports": 1, "resources": 3}
    assert world.do("resource.allocate") == {"ports": 0, "resources": 0}
    assert world.do("resource.release", "TM-1", account=line["account"]) == {"ports": 1, "resources": 3}
    assert world.do("resource.release", "TM-1", account=line["account"]) == {"ports": 0, "resources": 0}
    assert world.states()["1/1/1"] == ("free", None)
    assert world.states("onu")["YTGP00000002"] == ("free", None)
    assert world.history("1/1/1") == [("reserved", "BB-1", True), ("in_use", "BB-1", True)]
    assert world.history(line["account"]) == [
        ("reserved", "BB-1", True),
        ("in_use", "BB-1", True),
        ("cooling", "BB-1", False),
    ]
    assert world.events("BB-1") == ["PortReserved", "ResourceTaken", "ResourcesAllocated"]
    assert world.events("TM-1") == ["ResourcesReleased"]


def test_an_account_cools_for_seven_days_and_is_never_given_again(world: World) -> None:
    account = world.do("resource.reserve", node="OLT-1")["account"]
    world.do("resource.release")
    assert world.states("account")[account] == ("cooling", "BB-1")
    assert world.later(days=6.9) == 0
    assert world.later(days=0.2) == 1
    assert world.states("account")[account] == ("retired", None)


def test_a_telephone_number_cools_for_ninety_days_and_is_free_again(world: World) -> None:
    assert world.do("resource.take", kind="number", place="YT-E")["name"] == "85550001"
    world.do("resource.release")
    assert refused(world.do, "resource.take", "BB-2", kind="number", place="YT-E") == "R04"
    world.later(days=90)
    assert world.do("resource.take", "BB-2", kind="number", place="YT-E")["name"] == "85550001"


def test_relocation_takes_the_line_over_and_frees_the_old_port(world: World) -> None:
    old = world.do("resource.reserve", node="OLT-1")
    world.do("resource.draw_onu", serial="YTGP00000001")
    world.do("resource.allocate")
    new = world.do("resource.reserve", "MV-1", node="OLT-1", account=old["account"])
    assert new["account"] == old["account"]
    world.do("resource.allocate", "MV-1", account=old["account"])
    assert world.states()[old["port"]] == ("free", None)
    assert world.states()[new["port"]] == ("in_use", "MV-1")
    assert world.states("account")[old["account"]] == ("in_use", "MV-1")
    assert world.states("onu")["YTGP00000001"] == ("in_use", "MV-1")


# ---- time


def test_a_reservation_that_nobody_uses_runs_out_and_the_order_is_told(world: World) -> None:
    world.do("resource.reserve", node="OLT-1")
    assert world.later(days=29) == 0
    assert world.later(days=1) == 2
    assert world.states()["1/1/1"] == ("free", None)
    assert world.events("BB-1") == ["PortReserved", "ReservationExpired"]


def test_a_prolonged_reservation_outlives_its_first_end_and_never_gets_shorter(world: World) -> None:
    world.do("resource.reserve", node="OLT-1")
    until = world.clock.now() + timedelta(days=45)
    assert world.do("resource.prolong", until=until) == {"ports": 1, "resources": 2}
    assert world.do("resource.prolong") == {"ports": 0, "resources": 0}
    assert world.later(days=44) == 0
    assert world.later(days=1) == 2


def test_what_is_in_use_never_runs_out(world: World) -> None:
    world.do("resource.reserve", node="OLT-1")
    world.do("resource.allocate")
    assert world.later(days=4000) == 0


# ---- stock


def test_an_onu_belongs_to_one_order_until_it_comes_back(world: World) -> None:
    assert world.do("resource.draw_onu", key="k", place="WH-E")["serial"] == "YTGP00000001"
    assert world.do("resource.draw_onu", key="k", place="WH-E")["serial"] == "YTGP00000001"
    assert refused(world.do, "resource.draw_onu", "BB-2", serial="YTGP00000001") == "A04"
    assert refused(world.do, "resource.draw_onu", "BB-2", serial="YTGP99999999") == "A04"
    assert world.do("resource.return_onu") == {"returned": 1}
    assert world.do("resource.return_onu") == {"returned": 0}
    assert world.do("resource.draw_onu", "BB-2", serial="YTGP00000001")["serial"] == "YTGP00000001"


def test_a_broken_onu_does_not_go_back_to_stock(world: World) -> None:
    world.do("resource.draw_onu", serial="YTGP00000001")
    world.do("resource.return_onu", serial="YTGP00000001", faulty=True)
    assert refused(world.do, "resource.draw_onu", serial="YTGP00000001") == "A04"


def test_a_taken_number_is_the_same_for_the_same_key(world: World) -> None:
    first = world.do("resource.take", key="k", kind="circuit")["name"]
    assert world.do("resource.take", key="k", kind="circuit")["name"] == first
    assert world.do("resource.take", key="k2", kind="circuit")["name"] != first


def test_an_unknown_kind_needs_a_person(world: World) -> None:
    with pytest.raises(NeedsHuman, match="resource_kind"):
        world.do("resource.take", kind="spaceship")
