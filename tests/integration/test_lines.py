"""Lines that work: found by what people call them, with what they hold and what has become of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Permanent
from engine.jobs.local import run_local
from engine.lines.operations import operations
from engine.ports import LocalCall
from engine.resources.model import Resource
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


@pytest.fixture
def lines(store: Store, tmp_path: Path) -> Iterator[Lines]:
    with running_site(store, tmp_path) as site:
        yield Lines(site)


OWN_LINE = (
    ("port", "OLT-X", "1/5/7"),
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
    assert (found["node"], found["port"], found["vlan"]) == ("OLT-X", "1/5/7", 1205)
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
    assert found["port"] == "1/5/7"


def test_where_the_building_says_nothing_the_node_says_whether_adapters_can_configure_it(
    lines: Lines,
) -> None:
    lines.line(("account", "", "yt5"), ("port", "OLT-E01", "9/1/1"), address="东汀区新街1号")
    found = lines.do("line.find", line="yt5")
    assert (found["technology"], found["automated"]) == ("FTTH", True)
    lines.line(("account", "", "yt6"), ("port", "OLT-X", "9/1/1"))
    assert not lines.do("line.find", line="yt6")["automated"]
