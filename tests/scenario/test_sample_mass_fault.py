"""A trunk cable is cut: 23 customers of one PON report, 21 lines come back with it, and 2 need a visit of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.machines import V1
from tests.scenario.fault_stage import HomeLine, a_line, report
from tests.scenario.stage import EVERYBODY, Play, Stage, stage_of_its_own

pytestmark = pytest.mark.xdist_group("fault")
CHILDREN, BROKEN = 23, 2
NORTH = {"area": "YT-N", "address": "北岭区环路 8 号"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path) as running:
        yield running


def faults(stage: Stage, which: str = "") -> Any:
    """The mass faults that are going on, or one of them."""
    return stage.machines.get(f"{V1}/mass-faults{which}", EVERYBODY)


def decide(stage: Stage, fault: str, what: str) -> None:
    answer = stage.machines.ask("POST", f"{V1}/mass-faults/{fault}/{what}", EVERYBODY)
    assert answer.status_code == 200, answer.text
    stage.machines.site.work()


def children(stage: Stage, fault: str) -> Any:
    return faults(stage, f"/{fault}")["children"]


def a_proposal_that_is_none(stage: Stage) -> None:
    """The first number of the day is gone already."""
    body = {"node": "OLT-E02", "pon": "1/1", "description": "误报"}
    made = stage.machines.post(f"{V1}/mass-faults", body, EVERYBODY)
    assert made.status_code == 201, made.text
    decide(stage, made.json["id"], "withdraw")  # type: ignore[index]


def cut(stage: Stage) -> list[HomeLine]:
    """All lines of the PON are dark."""
    lines = [a_line(stage, "OLT-N01", "1/5/") for _ in range(CHILDREN)]
    return [line.dead() for line in lines]


def test_children_come_back_with_their_mass_fault_or_are_dispatched(stage: Stage) -> None:
    a_proposal_that_is_none(stage)
    lines = cut(stage)
    plays = [report(stage, line.account, **NORTH) for line in lines[:5]]
    (proposed,) = faults(stage)["items"]
    fault = Play(stage, proposed["id"], "")
    assert (fault.number[-7:], proposed["node"], proposed["pon"]) == ("-000002", "OLT-N01", "1/5")
    decide(stage, fault.number, "confirm")
    plays += [report(stage, line.account, **NORTH) for line in lines[5:]]
    assert children(stage, fault.number) == {"waiting": CHILDREN}
    assert [play.open() for play in plays] == [[]] * CHILDREN

    until = stage.later(hours=4)
    fault.do("GF_02", only={"repair_where": "site", "words": "光缆被挖断，正在抢修", "expected_at": until})
    for line in lines[BROKEN:]:
        line.mended()
    fault.do("GF_05", only={"repaired": "yes", "repair_note": "熔接 24 芯"})

    assert children(stage, fault.number) == {"good": CHILDREN - BROKEN, "bad": BROKEN}
    states = [status(play) for play in plays]
    assert states == ["inProgress"] * BROKEN + ["resolved"] * (CHILDREN - BROKEN)
    fault.do("GF_08", only={"cause_code": "F03", "segment": "北岭环路主干光缆"})
    told = faults(stage, f"/{fault.number}")
    assert (told["state"], told["cause_code"]) == ("closed", "F03")
    assert told["children"] == {"good": 21, "bad": 2}

    for play, line in zip(plays[:BROKEN], lines, strict=False):
        assert play.to("TT_08").task("TT_08")
        play.to("TT_09")
        line.mended()
        play.do("TT_09")
        close(play)
    close(plays[-1])


def close(play: Play) -> None:
    """The customer says yes, and the desk closes it."""
    play.do("TT_11").do("TT_12")
    assert (play.state, status(play)) == ("completed", "closed")


def status(play: Play) -> str:
    path = f"/tmf-api/troubleTicket/v4/troubleTicket/{play.number}"
    return str(play.machines.get(path)["status"])
