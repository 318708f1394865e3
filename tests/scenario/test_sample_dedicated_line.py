"""A point-to-point line for a gold customer, from the CRM's order to the start of rent: one core is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.machines import ORDERS
from tests.scenario.line_stage import Line, line_stage
from tests.scenario.stage import Stage

pytestmark = pytest.mark.xdist_group("dedicated_line")

BANK = {
    "customerName": "云汀农信",
    "contactPhone": "13800134030",
    "area": "YT-E",
    "address": "东汀区总部机房",
    "building": "总部机房",
    "tier": "A",
    "zArea": "YT-S",
    "zAddress": "南圩县支行",
    "contractNumber": "HT-2026-118",
}
DESIGN = {"a_node": "PE-E1", "a_cable": "GL-E-01", "z_node": "MSTP-S1", "z_cable": "GL-S-01"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with line_stage(tmp_path) as running:
        yield running


def body(external_id: str, items: int = 1) -> dict[str, Any]:
    """The order as the CRM sends it, with one item for each circuit."""
    listed = [{"name": name, "value": value} for name, value in BANK.items()]
    item = {
        "action": "add",
        "service": {"serviceSpecification": {"id": "P2P-100M"}, "serviceCharacteristic": listed},
    }
    return {
        "externalId": external_id,
        "category": "DL",
        "serviceOrderItem": [{"id": str(n + 1), **item} for n in range(items)],
    }


def ordered(stage: Stage, external_id: str, items: int = 1) -> Line:
    """The order has come in, and machines have moved it."""
    answer = stage.machines.post(ORDERS, body(external_id, items))
    assert answer.status_code == 201, answer.text
    stage.machines.site.work()
    return Line(stage, str(answer.json["id"]), "")


def test_a_line_is_opened_although_a_core_is_lost(stage: Stage) -> None:
    clock = stage.machines.site.clock

    def by(day: str, hour: int) -> None:
        then = clock.now().replace(month=int(day[:2]), day=int(day[3:]), hour=hour - 8, minute=0)
        play.wait(seconds=(then - clock.now()) / timedelta(seconds=1))

    play = ordered(stage, "CRM-DL-7")
    assert play.number.startswith("DL-20261122-")
    by("11-23", 9)
    play.do("DL_01").do("DL_01R")
    by("11-24", 15)
    play.do("DL_021").do("DL_021", node="MSTP-S1", cable="GL-S-01", room="南圩机房")
    by("11-25", 10)
    play.do("DL_03", **DESIGN).do("DL_04")
    by("11-25", 14)
    lost = play.names("fibre")["Z"]
    play.do("DL_08", only={"route": "refused", "route_reason": f"GL-S-01 {lost} 断芯"})
    play.do("DL_08R", route_review="next_fibre", fibre_end="Z").do("DL_08")
    assert play.names("fibre")["Z"] != lost
    by("11-26", 11)
    play.do("DL_10").do("DL_11N")
    by("11-27", 10)
    play.to("DL_13F").do("DL_13F")
    assert play.open() == []  # the test runs for a day
    play.wait(hours=23)
    assert play.open() == []
    play.wait(hours=1)
    play.do("DL_13", loss_percent=play.variable("measured_loss"), delay_ms=play.variable("measured_delay"))
    by("12-01", 9)
    play.do("DL_14", rent_start="2026-12-01").do("DL_15")

    assert (play.state, play.open(), play.troubles()) == ("completed", [], [])
    (report,) = stage.simulators.crm.state()["reports"]
    facts = report["body"]["facts"]
    assert (facts["rent_from"], facts["loss_percent"], facts["delay_ms"]) == ("2026-12-01", 0.0, 3.1)
    assert facts["circuit"].startswith("YTC")
    assert play.accesses() == [f"PE-E1 {play.names('port')['A']}.{play.names('vlan')['A']}"]
    told = [m["name"] for m in stage.machines.get(f"{ORDERS}/{play.number}")["milestone"]]
    assert [m for m in told if m in ("designed", "routeUp", "tested")] == ["designed", "routeUp", "tested"]


def test_each_circuit_of_a_project_goes_its_own_way(stage: Stage) -> None:
    project = ordered(stage, "CRM-DL-8", items=2)
    second = Line(stage, f"{project.number}.2", "", order=project.number)
    project.end()
    assert project.state == "inProgress"

    second.to("DL_08").do("DL_08", only={"route": "refused", "route_reason": "断芯"})
    second.do("DL_08R").end()
    assert project.state == "completed"
    assert project.names("circuit") != second.names("circuit")
    assert len(project.accesses()) == len(second.accesses()) == 2
