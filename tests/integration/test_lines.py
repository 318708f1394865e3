"""Lines that work: found by what people call them, with what they hold and what has become of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.errors import Permanent
from engine.jobs.local import run_local
from engine.lines.operations import operations
from engine.ports import LocalCall
from engine.resources.model import Building, Coverage, Resource
from engine.store import Store
from tests.site import Site, running_site


class Lines:
    """A site with orders whose lines work."""

    def __init__(self, site: Site) -> None:
        self.site, self.calls = site, 0

    def line(self, *held: tuple[str, str, str], state: str = "in_use", **order: Any) -> str:
        """An order that holds these things (kind, place, name)."""
        number = self.site.place_order(**order)
        self.give(number, *held, state=state)
        return number

    def give(self, holder: str, *held: tuple[str, str, str], state: str = "in_use") -> None:
        now = self.site.clock.now()
        with self.site.store.write() as db:
            for kind, place, name in held:
                vlan = 1205 if kind == "port" else None
                row = {"kind": kind, "place": place, "name": name, "vlan": vlan, "state": state}
                db.add(Resource(**row, holder=holder, changed_at=now))

    def do(self, name: str, order: str = "CH-1", **args: Any) -> Any:
        """One call as a step makes it."""
        self.calls += 1
        call = LocalCall(name, f"{order}:X:{self.calls}", args, 1, order, self.site.clock.now())
        with self.site.store.write() as db:
            return run_local(db, operations()[name], call, "X").output

    def refused(self, name: str, order: str = "CH-1", **args: Any) -> str:
        with pytest.raises(Permanent) as caught:
            self.do(name, order, **args)
        return caught.value.bpmn_code

    def states(self, kind: str, *names: str) -> list[str]:
        with self.site.store.read() as db:
            query = select(Resource).where(Resource.kind == kind, Resource.name.in_(names))
            return [row.state for row in db.scalars(query.order_by(Resource.name))]

    def device_carries(self, serial: str, speed: int) -> None:
        with self.site.store.write() as db:
            db.execute(update(Resource).where(Resource.name == serial).values(top_speed_mbps=speed))

    def reach(self, node: str, speed: int) -> None:
        """One more node of ours at the building of the orders."""
        with self.site.store.write() as db:
            building = db.scalars(select(Building).where(Building.name == "汀兰路18号3栋")).one()
            row = {"network": "OWN", "technology": "XGPON", "node": node, "top_speed_mbps": speed}
            db.add(Coverage(building_id=building.id, **row, quality=90, cost_fen=2000))

    def later(self, hours: float) -> None:
        self.site.clock.advance(timedelta(hours=hours))

    def at(self, **shift: float) -> str:
        return (self.site.clock.now() + timedelta(**shift)).isoformat()


@pytest.fixture
def lines(store: Store, tmp_path: Path) -> Iterator[Lines]:
    with running_site(store, tmp_path) as site:
        yield Lines(site)


OWN_LINE = (
    ("port", "OLT-X", "19/5/7"),
    ("onu", "WH-E", "YTGPA0000001"),
    ("account", "", "yt1"),
    ("number", "YT-E", "85550001"),
)

# ---- finding


def test_a_line_is_found_by_its_account_with_all_that_it_holds(lines: Lines) -> None:
    order = lines.line(*OWN_LINE, product="BB-500")
    found = lines.do("line.find", line="yt1")
    assert (found["order"], found["holder"], found["product"]) == (order, order, "BB-500")
    assert (found["speed_mbps"], found["services"], found["network"]) == (500, ["BB-500"], "OWN")
    assert (found["node"], found["port"], found["vlan"]) == ("OLT-X", "19/5/7", 1205)
    assert (found["onu_serial"], found["numbers"]) == ("YTGPA0000001", ["85550001"])
    assert (found["customer"], found["area"], found["suspended"]) == ("林女士", "YT-E", [])
    assert len(found["resources"]) == 4


def test_a_line_is_found_by_its_telephone_number(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    assert lines.do("line.find", line="85550001")["account"] == "yt1"


def test_a_circuit_is_found_with_both_its_ends(lines: Lines) -> None:
    order = lines.line(("circuit", "", "YTC2611220007"))
    lines.give(order, ("port", "PE-E1", "ge-0/0/1"), ("port", "PE-N1", "ge-0/0/4"))
    found = lines.do("line.find", line="YTC2611220007")
    assert found["account"] is None
    assert [r["place"] for r in found["resources"] if r["kind"] == "port"] == ["PE-E1", "PE-N1"]


def test_an_account_that_is_only_reserved_or_is_cooling_is_no_line(lines: Lines) -> None:
    lines.line(("account", "", "yt2"), state="reserved")
    lines.line(("account", "", "yt3"), state="cooling")
    assert {lines.refused("line.find", line=name) for name in ("yt2", "yt3", "yt4")} == {"NO_LINE"}


def test_a_line_without_an_order_of_ours_is_found_by_what_it_holds(lines: Lines) -> None:
    lines.give("OLD-1", *OWN_LINE)
    found = lines.do("line.find", line="yt1")
    assert (found["order"], found["holder"], found["product"]) == (None, "OLD-1", None)
    assert found["port"] == "19/5/7"


def test_where_the_building_says_nothing_the_node_says_whether_adapters_can_configure_it(
    lines: Lines,
) -> None:
    lines.line(("account", "", "yt5"), ("port", "OLT-E01", "9/1/1"), address="东汀区新街1号")
    found = lines.do("line.find", line="yt5")
    assert (found["technology"], found["automated"]) == ("FTTH", True)
    lines.line(("account", "", "yt6"), ("port", "OLT-X", "9/1/1"))
    assert not lines.do("line.find", line="yt6")["automated"]


# ---- what a line can carry


def test_a_faster_product_of_the_same_network_needs_no_visit(lines: Lines) -> None:
    lines.line(("account", "", "yt1"), ("port", "OLT-E01", "9/1/1"), product="BB-300")
    found = lines.do("line.capability", line="yt1", speed_mbps=1000)
    assert (found["way"], found["new_port"], found["is_downgrade"]) == ("remote", False, False)
    assert lines.do("line.capability", line="yt1", speed_mbps=100)["is_downgrade"]


def test_a_terminal_that_is_too_slow_needs_a_visit(lines: Lines) -> None:
    lines.line(*OWN_LINE[1:3], ("port", "OLT-E01", "9/1/1"), product="BB-300")
    lines.device_carries("YTGPA0000001", 500)
    found = lines.do("line.capability", line="yt1", speed_mbps=1000)
    assert (found["way"], found["node"], found["new_port"]) == ("visit", "OLT-E01", False)
    assert lines.do("line.capability", line="yt1", speed_mbps=500)["way"] == "remote"


def test_another_node_of_ours_takes_a_line_that_its_own_is_too_slow_for(lines: Lines) -> None:
    lines.line(("account", "", "yt1"), ("port", "OLT-E01", "9/1/1"), product="BB-300")
    lines.reach("OLT-E02", 2000)
    found = lines.do("line.capability", line="yt1", speed_mbps=2000)
    assert (found["way"], found["node"], found["new_port"]) == ("visit", "OLT-E02", True)


def test_where_nothing_is_fast_enough_the_demand_is_noted(lines: Lines) -> None:
    lines.line(("account", "", "yt1"), ("port", "OLT-E01", "9/1/1"))
    assert lines.refused("line.capability", line="yt1", speed_mbps=10000) == "R04"


# ---- changing and ending


def test_a_changed_line_has_the_new_product_and_what_the_order_reserved(lines: Lines) -> None:
    order = lines.line(*OWN_LINE, product="BB-300")
    lines.give("CH-1", ("onu", "WH-E", "YTGPB0000001"), ("onu", "WH-E", "YTGPB0000002"), state="reserved")
    lines.do("line.change", line="yt1", product="BB-1000", speed_mbps=1000, onu_serial="YTGPB0000002")
    found = lines.do("line.find", line="yt1")
    assert (found["product"], found["speed_mbps"], found["onu_serial"]) == ("BB-1000", 1000, "YTGPB0000002")
    assert (found["holder"], found["port"]) == (order, "19/5/7")
    assert lines.states("onu", "YTGPA0000001", "YTGPB0000001") == ["free", "free"]


def test_of_an_ended_line_account_and_number_cool_and_the_rest_is_free(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    lines.do("line.change", line="yt1", product="BB-500", speed_mbps=500)
    lines.do("line.end", line="yt1", device="broken")
    assert lines.states("account", "yt1") == lines.states("number", "85550001") == ["cooling"]
    assert lines.states("port", "19/5/7") + lines.states("onu", "YTGPA0000001") == ["free", "faulty"]
    assert lines.refused("line.find", line="yt1") == "NO_LINE"


def test_a_service_of_a_line_ends_and_the_line_goes_on(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    lines.do("line.end", line="yt1", kinds=["number"])
    assert lines.states("number", "85550001") == ["cooling"]
    assert lines.do("line.find", line="yt1")["numbers"] == []


# ---- off and on


def test_a_line_is_on_again_when_nobody_wants_it_off(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    assert not lines.do("line.suspend", "SP-1", line="yt1", reason="arrears")["active"]
    assert not lines.do("line.suspend", "SP-2", line="yt1", reason="customer")["active"]
    lines.later(1)
    left = lines.do("line.resume", "RS-1", line="yt1", reason="arrears")
    assert (left["active"], left["suspended"]) == (False, ["customer"])
    assert lines.do("line.resume", "RS-2", line="yt1")["active"]
    assert lines.do("line.find", line="yt1")["suspended"] == []


def test_resuming_a_line_that_is_on_is_good(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    assert lines.do("line.resume", "RS-1", line="yt1")["active"]


def test_of_a_suspension_and_a_resumption_that_cross_the_later_wish_holds(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    early, late = lines.at(hours=-2), lines.at(hours=-1)
    assert lines.do("line.resume", "RS-1", line="yt1", asked_at=late)["active"]
    crossed = lines.do("line.suspend", "SP-1", line="yt1", reason="arrears", asked_at=early)
    assert (crossed["active"], crossed["is_changed"]) == (True, False)
    assert not lines.do("line.suspend", "SP-2", line="yt1", reason="arrears", asked_at=lines.at())["active"]


def test_only_its_issuer_lifts_a_legal_suspension(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    lines.do("line.suspend", "SP-1", line="yt1", reason="legal", issuer="东汀公安")
    lines.later(1)
    assert lines.refused("line.resume", "RS-1", line="yt1") == "LEGAL_HOLD"
    assert lines.refused("line.resume", "RS-2", line="yt1", reason="legal", issuer="别处") == "LEGAL_HOLD"
    assert not lines.do("line.state", line="yt1")["active"]
    assert lines.do("line.resume", "RS-3", line="yt1", reason="legal", issuer="东汀公安")["active"]


def test_a_cancelled_suspension_leaves_the_reasons_as_they_were(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    lines.do("line.suspend", "SP-1", line="yt1", reason="customer")
    lines.later(1)
    resumed = lines.do("line.resume", "RS-1", line="yt1")
    assert lines.do("line.restore", "RS-1", line="yt1", before=resumed["before"])["suspended"] == ["customer"]


def test_a_cancellation_leaves_alone_what_somebody_has_wished_since(lines: Lines) -> None:
    lines.line(*OWN_LINE)
    first = lines.do("line.suspend", "SP-1", line="yt1", reason="customer")
    lines.later(1)
    lines.do("line.suspend", "SP-2", line="yt1", reason="customer")
    assert lines.do("line.restore", "SP-1", line="yt1", before=first["before"])["suspended"] == ["customer"]
