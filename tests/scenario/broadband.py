"""What all stories of the broadband process share: where customers live, and what a crew tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.resources.model import Building, Coverage
from engine.resources.places import key_of
from tests.scenario.stage import Play, Stage
from tests.scenario.stories import Stories

AT_HOME = {"address": "东汀区汀兰路18号3栋1202", "building": "汀兰路18号3栋"}
PARTNERS = {"area": "YT-W", "address": "西渡区西渡口路5号301", "building": "西渡口路5号"}
BY_HAND = {"address": "东汀区工业路1号201", "building": "工业路1号"}
LAST_PORT = {
    "address": "北岭区北岭大道6号801",
    "building": "北岭大道6号",
    "area": "YT-N",
    "product": "BB-500",
}


BUNDLE = {"product": "HOME-1000"}
SPEEDS_500 = {"speed_1": 480, "speed_2": 490, "speed_3": 470}
REFUSED = {"acceptance": "refused", "refusal_reason": "信号太差"}
STORIES = Stories()
story = STORIES.story


def returned(stage: Stage, code: str) -> Play:
    """The crew cannot build the line."""
    play = stage.order().to("BB_11")
    return play.do("BB_11", only={"result": "cannot_build", "return_code": code, "reason": "现场无法施工"})


def later(stage: Stage, play: Play, code: str = "S01", **length: float) -> Play:
    """The customer wants it later."""
    until = stage.later(**length)
    return play.do("BB_07", only={"appointment": "later", "suspend_code": code, "suspended_until": until})


def at(element: str, **where: Any) -> Callable[[Stage], Play]:
    """An order that waits there."""
    return lambda stage: stage.order(**where).to(element)


def more_buildings(stage: Stage) -> None:
    """A building whose technology has no automation."""
    with stage.machines.site.store.write() as db:
        building = Building(area_id="YT-E", name="工业路1号", key=key_of("工业路1号"))
        db.add(building)
        db.flush()
        db.add(
            Coverage(
                building_id=building.id,
                network="OWN",
                technology="LAN",
                node="OLT-E02",
                top_speed_mbps=1000,
                quality=80,
                cost_fen=1000,
            )
        )
