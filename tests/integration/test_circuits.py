"""What both ends of a circuit hold: reserved together or not at all, a lost core replaced, and in service at the end."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.errors import NeedsHuman, Permanent
from engine.events import Event
from engine.jobs.local import run_local
from engine.ports import LocalCall
from engine.resources.model import NetworkNode, Resource
from engine.resources.operations import operations
from engine.store import Store
from engine.testing import FakeClock
from web.master_data import load_base

EAST = {"end": "A", "node": "PE-1", "cable": "C-1"}
WEST = {"end": "Z", "node": "MSTP-2", "cable": "C-2"}


class World:
    """Two devices with two ports each, two cables with two cores each, and one address."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock, self.calls = store, FakeClock(), 0
        now = self.clock.now()
        things = [
            (kind, place, name)
            for n, (node, cable) in enumerate((("PE-1", "C-1"), ("MSTP-2", "C-2")))
            for kind, place, names in (
                ("port", node, ("ge-0/1/0", "ge-0/1/1")),
                ("vlan", node, (f"{n + 1}01", f"{n + 1}02")),
                ("fibre", cable, ("001", "002")),
            )
            for name in names
        ]
        with store.write() as db:
            load_base(db, now)
            db.add_all([NetworkNode(id="PE-1", kind="PE"), NetworkNode(id="MSTP-2", kind="MSTP")])
            db.add_all(
                Resource(kind=k, place=p, name=n, changed_at=now)
                for k, p, n in [*things, ("ip", "PE-1", "192.0.2.0/30")]
            )

    def act(self, operation: str, order: str = "DL-1", **args: Any) -> Any:
        self.calls += 1
        call = LocalCall(operation, f"{order}:{self.calls}", args, 1, order, self.clock.now())
        refused = None
        with self.store.write() as db:  # a business error is a result of the step, which is kept
            try:
                return run_local(db, operations()[operation], call, "DL_X").output
            except Permanent as e:
                refused = e
        raise refused

    def reserve(self, order: str = "DL-1", **more: Any) -> Any:
        return self.act("circuit.reserve", order, **{"ends": [EAST, WEST]} | more)

    def held(self, order: str = "DL-1") -> list[str]:
        taken = Resource.state.in_(["reserved", "in_use"])
        with self.store.read() as db:
            rows = db.scalars(select(Resource).where(Resource.holder == order, taken))
            return sorted(f"{r.kind} {r.slot} {r.name}" for r in rows if r.kind != "circuit")

    def states(self, kind: str) -> list[str]:
        with self.store.read() as db:
            return list(db.scalars(select(Resource.state).where(Resource.kind == kind).order_by(Resource.id)))


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def test_both_ends_an_address_and_a_code_are_reserved_together(world: World) -> None:
    got = world.reserve(address_from="PE-1")
    assert got["circuit"].startswith("YTC")
    assert got["address"] == "192.0.2.0/30"
    assert got["ends"]["A"] == {
        "node": "PE-1",
        "node_kind": "PE",
        "cable": "C-1",
        "port": "ge-0/1/0",
        "vlan": 101,
        "fibre": "001",
    }
    assert got["ends"]["Z"]["node_kind"] == "MSTP"
    assert len(world.held()) == 7


def test_a_repeat_gives_what_is_held(world: World) -> None:
    first = world.reserve()
    again = world.reserve()
    assert {**again, "reserved_until": None} == {**first, "reserved_until": None}
    assert len(world.held()) == 6


def test_of_what_is_not_complete_nothing_is_kept(world: World) -> None:
    world.reserve("DL-1")
    world.reserve("DL-2")
    with pytest.raises(Permanent) as lost:
        world.reserve("DL-3")
    assert lost.value.bpmn_code == "RACE_LOST"
    assert world.held("DL-3") == []


def test_a_device_that_nobody_knows_is_a_race_that_is_lost(world: World) -> None:
    with pytest.raises(Permanent, match="no free port at PE-9"):
        world.reserve(ends=[{**EAST, "node": "PE-9"}])
    assert world.held() == []


def test_another_design_gives_back_what_it_does_not_need(world: World) -> None:
    world.reserve(address_from="PE-1")
    world.reserve(ends=[EAST, {**WEST, "node": "PE-1", "cable": "C-1"}])
    assert world.held() == [
        "fibre A 001",
        "fibre Z 002",
        "port A ge-0/1/0",
        "port Z ge-0/1/1",
        "vlan A 101",
        "vlan Z 102",
    ]
    assert world.states("ip") == ["free"]


def test_a_lost_core_is_marked_and_the_next_one_taken(world: World) -> None:
    world.reserve()
    got = world.act("circuit.next_fibre", end="Z", reason="断芯")
    assert got == {"cable": "C-2", "fibre": "002", "faulty_fibre": "001"}
    assert "fibre Z 002" in world.held()
    assert world.states("fibre") == ["reserved", "free", "faulty", "reserved"]


def test_the_last_core_of_a_cable_stays_marked(world: World) -> None:
    world.reserve()
    world.act("circuit.next_fibre", end="Z", reason="断芯")
    with pytest.raises(Permanent) as gone:
        world.act("circuit.next_fibre", end="Z", reason="断芯")
    assert gone.value.bpmn_code == "R04"
    assert world.states("fibre")[2:] == ["faulty", "faulty"]


def test_the_first_address_is_ours_and_a_line_has_one_vrf(world: World) -> None:
    world.reserve()
    got = world.act("circuit.plan", with_vrf=True, address="192.0.2.0/30")
    assert (got["our_address"], got["customer_address"]) == ("192.0.2.1/30", "192.0.2.2/30")
    assert got["vrf"].startswith("VRF")
    assert world.act("circuit.plan", with_vrf=True, address=None)["vrf"] == got["vrf"]
    assert world.act("circuit.plan", with_vrf=False)["vrf"] is None
    assert world.states("vrf") == ["retired"]


def test_an_address_that_has_no_two_sides_is_for_a_person(world: World) -> None:
    with pytest.raises(NeedsHuman):
        world.act("circuit.plan", address="192.0.2.1/33")


def test_new_cables_come_into_the_inventory_once(world: World) -> None:
    assert world.act("circuit.build", cables=["C-1", "C-9"], cores=3) == {"added": 4}
    assert world.act("circuit.build", cables=["C-1", "C-9"], cores=3) == {"added": 0}


def test_in_service_everything_is_in_use_and_the_promise_is_told(world: World) -> None:
    circuit = world.reserve()["circuit"]
    assert world.act("circuit.put_in_service", circuit=circuit, tier="A") == {"resources": 7}
    with world.store.read() as db:
        told = db.scalars(select(Event).where(Event.kind == "CircuitInService")).one()
    assert (told.data["circuit"], told.data["tier"]) == (circuit, "A")
    assert set(world.states("circuit")) == {"in_use"}


def test_a_circuit_that_is_not_held_any_more_is_for_a_person(world: World) -> None:
    with pytest.raises(NeedsHuman):
        world.act("circuit.put_in_service", circuit="YTC26112200001", tier="A")
