"""Bad work is done again: by somebody else, checked, asked after; and started by an unhappy customer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from engine.orders.model import ServiceOrder
from engine.store import Store
from tests.machines import V1
from tests.scenario.coverage import never_passed
from tests.scenario.lines import a_line
from tests.scenario.stage import Play, Stage, running_stage, stage_of_its_own
from tests.scenario.stories import Played, Stories

pytestmark = pytest.mark.xdist_group("quality_order")

STORIES = Stories()
story = STORIES.story
ANOTHER = "another"
"""Somebody of another crew."""


def _bad(stage: Stage) -> Play:
    """An order whose work was not good, and the quality order for it."""
    built = a_line(stage).built
    return stage.order(order_type="QO", action="noChange", repairs=built.number)


def redo(play: Play, who: str = ANOTHER) -> Play:
    """The work is done again."""
    return play.do("QO_03", who=who)


@story("completed")
def another_crew_puts_it_right(stage: Stage) -> Play:
    return redo(_bad(stage)).do("QO_04").do("QO_05")


@story("completed")
def no_other_crew_is_there_and_the_dispatcher_chooses(stage: Stage) -> Play:
    built = a_line(stage).built
    with stage.without_crew("E1"), stage.without_crew("E2"):
        play = stage.order(order_type="QO", action="noChange", repairs=built.number)
    return redo(play.do("QO_02D")).do("QO_04").do("QO_05")


@story("completed")
def the_same_person_does_not_count(stage: Stage) -> Play:
    play = _bad(stage).do("QO_03")
    assert play.open() == ["QO_02D"]
    return redo(play.do("QO_02D", crew="E2")).do("QO_04").do("QO_05")


@story("completed")
def the_photos_are_not_good_at_first(stage: Stage) -> Play:
    play = redo(_bad(stage)).do("QO_04", only={"photo_check": "bad", "photo_note": "缺分纤箱照片"})
    return redo(play).do("QO_04").do("QO_05")


@story("completed")
def the_customer_is_not_reached(stage: Stage) -> Play:
    play = redo(_bad(stage)).do("QO_04")
    for _ in range(2):
        play.do("QO_05", only={"follow_up": "unreachable"}).wait(hours=4)
    return play.do("QO_05", only={"follow_up": "unreachable"})


@story("completed")
def the_customer_is_unhappy_and_it_is_done_once_more(stage: Stage) -> Play:
    play = redo(_bad(stage)).do("QO_04").do("QO_05", follow_up="unhappy", follow_up_rating=1).do("QO_06")
    return redo(play).do("QO_04").do("QO_05")


@story("completed")
def the_customer_is_unhappy_and_the_supervisor_closes(stage: Stage) -> Play:
    play = redo(_bad(stage)).do("QO_04").do("QO_05", follow_up="unhappy", follow_up_rating=1)
    return play.do("QO_06", decision="close")


@story("completed")
def an_order_that_nobody_names_is_put_right_by_anybody(stage: Stage) -> Play:
    return stage.order(order_type="QO", action="noChange").do("QO_03").do("QO_04").do("QO_05")


WAITING = {
    "QO_02D": lambda stage: _bad(stage).do("QO_03").cancel(),
    "QO_03": lambda stage: _bad(stage).cancel(),
    "QO_04": lambda stage: redo(_bad(stage)).cancel(),
    "QO_05": lambda stage: redo(_bad(stage)).do("QO_04").cancel(),
    "QO_05T": lambda stage: (
        redo(_bad(stage)).do("QO_04").do("QO_05", only={"follow_up": "unreachable"}).cancel()
    ),
    "QO_06": lambda stage: (
        redo(_bad(stage)).do("QO_04").do("QO_05", follow_up="unhappy", follow_up_rating=1).cancel()
    ),
}
STORIES.cancelled(WAITING)


# ---- the stage, and what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path_factory.mktemp("quality_order")) as running:
        _more_people(running)
        yield running


def _more_people(stage: Stage) -> None:
    roles = ("FC", "DP", "SV", "QA")
    stage.machines.add_person(ANOTHER, *roles, areas=("YT-E", "YT-N", "YT-W", "YT-S"))


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    return STORIES.play(stage)


@pytest.mark.parametrize("name", STORIES)
def test_the_order_ends_as_it_should_and_holds_nothing(played: Played, name: str) -> None:
    played.as_told(name)
    assert played.of(name).holds() == {}


def test_an_unhappy_customer_gets_a_quality_order_that_names_his_order(stage: Stage) -> None:
    play = stage.order().to("BB_14").do("BB_14", rating=2)
    play.do("BB_16", follow_up="unhappy", follow_up_rating=1, follow_up_note="布线难看")
    with stage.store.read() as db:
        query = select(ServiceOrder).where(ServiceOrder.order_type == "QO")
        found = db.scalars(query.order_by(ServiceOrder.id.desc())).first()
        assert found is not None
        number, related = found.id, found.document["orderRelationship"]
        assert (found.customer, found.phone, found.area) == ("林女士", "13800004021", "YT-E")
    assert related == [{"id": play.number, "relationshipType": "repairs"}]
    assert play.state == "completed"
    again = redo(Play(stage, number, play.onu)).do("QO_04").do("QO_05")
    assert again.state == "completed"
    seen = stage.machines.get(f"{V1}/orders/{number}", "admin")
    assert seen["order_type"] == "QO"


def test_every_element_and_every_flow_is_passed(stage: Stage, played: Played) -> None:
    assert never_passed(stage.store, "quality_order") == []


def test_quality_orders_work_on_each_database(store: Store, tmp_path: Any) -> None:
    with running_stage(store, tmp_path) as stage:
        _more_people(stage)
        STORIES.play(stage, ("another_crew_puts_it_right", "cancelled_at_QO_05")).all_as_told()
