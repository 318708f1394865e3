"""Every answer of a survey: from our data at once, from a look on site, with building, not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.resources import expiry
from engine.resources.model import Demand, Resource
from engine.store import Store
from tests.machines import an_order
from tests.scenario.coverage import never_passed
from tests.scenario.lines import WEST
from tests.scenario.stage import Play, Stage, running_stage, stage_of_its_own
from tests.scenario.stories import Played, Stories

pytestmark = pytest.mark.xdist_group("survey")

STORIES = Stories()
story = STORIES.story
NOWHERE = {"address": "东汀区远山路9号101", "building": "远山路9号"}
UNCLEAR = {"address": "东汀区汀兰路拐角5号"}


def _survey(stage: Stage, **values: Any) -> Play:
    return stage.order(**({"order_type": "SU", "action": "noChange"} | values))


@story("completed")
def our_data_answer_at_once(stage: Stage) -> Play:
    return _survey(stage)


@story("completed")
def a_partner_could_serve(stage: Stage) -> Play:
    return _survey(stage, **WEST)


@story("completed")
def an_unclear_address_is_looked_at(stage: Stage) -> Play:
    return _survey(stage, **UNCLEAR).do("SU_02")


@story("completed")
def a_line_can_be_built(stage: Stage) -> Play:
    play = _survey(stage, **NOWHERE)
    cost = {"survey_cost_yuan": 12000, "build_by": "2027-01-15", "building": "远山路9号"}
    return play.do("SU_02", survey_result="with_building", **cost)


@story("completed")
def no_line_can_be_built(stage: Stage) -> Play:
    return _survey(stage, **UNCLEAR).do("SU_02", survey_result="no", building="汀兰路拐角5号")


@story("failed", "R02")
def nobody_lets_us_in(stage: Stage) -> Play:
    only = {"survey_result": "unreachable", "survey_remark": "三次无人"}
    return _survey(stage, **UNCLEAR).do("SU_02", only=only)


STORIES.cancelled({"SU_02": lambda stage: _survey(stage, **UNCLEAR).cancel()})


# ---- the stage, and what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path_factory.mktemp("survey")) as running:
        yield running


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    return STORIES.play(stage)


@pytest.mark.parametrize("name", STORIES)
def test_the_order_ends_as_it_should_and_nothing_is_activated(played: Played, name: str) -> None:
    played.as_told(name)
    play = played.of(name)
    assert set(play.outside().values()) == {0}
    assert play.holds() == {}


def told(played: Played, name: str) -> Any:
    """What the CRM was told of a survey."""
    play = played.of(name)
    (facts,) = _facts(play)
    return facts


def _facts(play: Play) -> list[Any]:
    reports = play.stage.simulators.crm.state()["reports"]
    return [one["body"]["facts"] for one in reports if one["body"]["order"] == play.number]


def test_a_port_is_held_for_seven_days_and_named_to_the_crm(played: Played) -> None:
    for name in ("our_data_answer_at_once", "an_unclear_address_is_looked_at"):
        facts = told(played, name)
        assert facts["result"] == "yes"
        assert facts["hold"].startswith("HD-")
        with played.of(name).stage.store.read() as db:
            held = db.scalars(select(Resource).where(Resource.holder == facts["hold"])).one()
            assert (held.state, held.held_until.isoformat()) == ("held", facts["hold_until"])


def test_a_partners_line_is_not_held(played: Played) -> None:
    facts = told(played, "a_partner_could_serve")
    assert (facts["result"], facts["hold"]) == ("yes", None)
    assert facts["networks"] == ["P-YQ", "P-CAT"]


def test_what_building_costs_and_when_is_told(played: Played) -> None:
    facts = told(played, "a_line_can_be_built")
    assert (facts["result"], facts["cost_yuan"]) == ("with_building", 12000)
    assert str(facts["build_by"]).startswith("2027-01-15")


@pytest.mark.parametrize("name", ["a_line_can_be_built", "no_line_can_be_built"])
def test_what_cannot_be_served_yet_is_noted_as_demand(played: Played, name: str) -> None:
    play = played.of(name)
    with play.stage.store.read() as db:
        assert db.scalars(select(Demand).where(Demand.business_key == play.number)).one().state == "open"


def test_an_order_that_names_the_hold_gets_the_port_and_else_it_is_free_after_a_week(tmp_path: Any) -> None:
    with stage_of_its_own(tmp_path) as stage:
        first, second = _survey(stage), _survey(stage)
        first_hold, second_hold = (_facts(play)[0]["hold"] for play in (first, second))
        number = stage.machines.place(an_order("CRM-H1", serviceabilityHold=first_hold))["id"]
        with stage.store.read() as db:
            ports = select(Resource).where(Resource.kind == "port", Resource.holder == number)
            assert db.scalars(ports).one().state == "held"
        site = stage.machines.site
        site.clock.advance(timedelta(days=7, minutes=1))
        with stage.store.write() as db:
            expiry.sweep(db, site.clock.now())
        with stage.store.read() as db:
            assert db.scalars(select(Resource).where(Resource.holder == second_hold)).all() == []


def test_every_element_and_every_flow_is_passed(stage: Stage, played: Played) -> None:
    assert never_passed(stage.store, "survey") == []


def test_surveys_work_on_each_database(store: Store, tmp_path: Any) -> None:
    with running_stage(store, tmp_path) as stage:
        STORIES.play(stage, ("our_data_answer_at_once", "no_line_can_be_built")).all_as_told()
