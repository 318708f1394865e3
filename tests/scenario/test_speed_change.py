"""Every way out of a change of speed: by machines alone, by hand, on a day, with a visit, and back to the old speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from engine.store import Store
from tests.scenario.coverage import never_passed
from tests.scenario.lines import BY_HAND, LineOnStage, a_line, a_partners_line, more_network
from tests.scenario.stage import Play, Stage, running_stage, stage_of_its_own
from tests.scenario.stories import Played, Stories

pytestmark = pytest.mark.xdist_group("speed_change")

STORIES = Stories()
story = STORIES.story


def _change(stage: Stage, product: str, on: LineOnStage | None = None, **values: Any) -> Play:
    line = on or a_line(stage, product="BB-500")
    play = line.order("CH", product=product, **values)
    play.line = line
    return play


def _visit(stage: Stage, **values: Any) -> Play:
    """The terminal is too old for the new speed."""
    return _change(stage, "BB-1000", a_line(stage, product="BB-500").device_carries(500), **values)


def _to(play: Play, element: str) -> Play:
    return play.to(element)


# ---- without a visit


@story("completed")
def a_faster_product_needs_machines_only(stage: Stage) -> Play:
    return _change(stage, "BB-1000")


@story("completed")
def a_slower_product_begins_on_its_day(stage: Stage) -> Play:
    play = _change(stage, "BB-300", effective_at=stage.later(days=3))
    assert play.state == "held"
    assert play.line.account_outside()["speed_mbps"] == 500
    return play.wait(days=3)


@story("completed")
def a_line_without_automation_is_changed_by_hand(stage: Stage) -> Play:
    return _change(stage, "BB-1000", a_line(stage, product="BB-500", **BY_HAND)).do("CH_04M")


@story("completed")
def a_partners_line_is_changed_by_hand(stage: Stage) -> Play:
    return _change(stage, "BB-500", a_partners_line(stage)).do("CH_04M")


@story("completed")
def a_line_that_is_off_is_not_tested(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500")
    line.order("SP", suspend_reason="customer", product="BB-500")
    return _change(stage, "BB-1000", line)


@story("completed")
def a_login_that_fails_is_mended(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500")
    stage.simulators.aaa.fault("refuse", times=1, operation="aaa.login.test")
    return _change(stage, "BB-1000", line).do("CH_07V")


@story("failed", "R05")
def a_line_that_does_not_become_faster_keeps_its_old_product(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500")
    with stage.slow_plan("BB-1000-1000M"):
        play = _change(stage, "BB-1000", line)
        return play.do("CH_07V", decision="keep_old")


@story("failed", "R05")
def a_line_without_automation_keeps_its_old_product(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500", **BY_HAND)
    stage.simulators.aaa.fault("refuse", times=1, operation="aaa.login.test")
    play = _change(stage, "BB-1000", line).do("CH_04M").do("CH_07V", decision="keep_old")
    return play.do("CH_U3")


# ---- refused


@story("rejected", "R13")
def arrears_are_rejected(stage: Stage) -> Play:
    return _change(stage, "BB-1000", credit_state="arrears")


@story("completed")
def a_wrong_account_is_corrected(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500")
    play = _change(stage, "BB-1000", line, line="yt00000000")
    assert play.state == "pending"
    return play.do("CH_01P", line=line.account)


@story("failed", "R07")
def nobody_knows_the_account(stage: Stage) -> Play:
    return _change(stage, "BB-1000", line="yt00000000").do("CH_01P", only={"clarified": "wrong"})


@story("failed", "R04")
def nothing_is_fast_enough(stage: Stage) -> Play:
    return _change(stage, "BB-2000", a_line(stage, product="BB-500", **NORTH))


NORTH = {
    "area": "YT-N",
    "address": "北岭区北岭大道6号801",
    "building": "北岭大道6号",
}


# ---- with a visit


@story("completed")
def an_old_terminal_is_replaced(stage: Stage) -> Play:
    return _visit(stage).do("CH_09").do("CH_10").do("CH_12")


@story("completed")
def a_faster_node_takes_the_line(stage: Stage) -> Play:
    return _change(stage, "BB-2000").do("CH_09").do("CH_10").do("CH_12")


@story("failed", "R04")
def another_order_takes_the_last_port_of_the_faster_node(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500")
    with stage.rival_at("line.capability", "OLT-E02"):
        return _change(stage, "BB-2000", line)


@story("completed")
def no_crew_fits_and_the_dispatcher_chooses(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500").device_carries(500)
    with stage.without_crew("E1"), stage.without_crew("E2"):
        play = _change(stage, "BB-1000", line)
    return play.do("CH_09D").do("CH_09").do("CH_10").do("CH_12")


@story("completed")
def the_visit_moves_twice(stage: Stage) -> Play:
    play = _visit(stage)
    play.do("CH_09", only={"appointment": "later", "suspended_until": stage.later(days=2)})
    assert play.state == "held"
    play.wait(days=2).do("CH_09").do("CH_10", only={"result": "again", "reason": "用户不在家"})
    return play.do("CH_09").do("CH_10").do("CH_12")


@story("failed", "R03")
def the_customer_does_not_want_a_visit(stage: Stage) -> Play:
    return _visit(stage).do("CH_09", only={"appointment": "declines"})


@story("failed", "R05")
def the_terminal_cannot_be_replaced(stage: Stage) -> Play:
    play = _visit(stage).do("CH_09")
    return play.do("CH_10", only={"result": "cannot_build", "reason": "弱电箱打不开"})


@story("completed")
def the_first_terminal_is_not_in_the_store(stage: Stage) -> Play:
    play = _visit(stage).do("CH_09")
    right, play.onu = play.onu, "YTGPFFFFFFFF"
    play.do("CH_10")
    play.onu = right
    return play.do("CH_10").do("CH_12")


@story("completed")
def the_new_terminal_is_not_seen_at_first(stage: Stage) -> Play:
    play = _visit(stage).do("CH_09")
    stage.simulators.olt.set_line(onu_serial=play.onu, seen=False)
    play.do("CH_10")
    stage.simulators.olt.set_line(onu_serial=play.onu, seen=True)
    return play.do("CH_10").do("CH_12")


@story("completed")
def the_customer_refuses_at_first(stage: Stage) -> Play:
    play = _visit(stage).do("CH_09").do("CH_10")
    play.do("CH_12", only={"acceptance": "refused", "refusal_reason": "网口松动"})
    return play.do("CH_10").do("CH_12")


@story("failed", "R05")
def a_visit_that_does_not_help_is_taken_back(stage: Stage) -> Play:
    play = _change(stage, "BB-2000").do("CH_09")
    stage.simulators.aaa.fault("refuse", times=1, operation="aaa.login.test")
    return play.do("CH_10").do("CH_07V", decision="keep_old").do("CH_U5", device_state="broken")


# ---- cancelled at each place where an order waits


def _failing(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500")
    stage.simulators.aaa.fault("refuse", times=1, operation="aaa.login.test")
    return _change(stage, "BB-1000", line)


def _later(stage: Stage) -> Play:
    play = _visit(stage)
    return play.do("CH_09", only={"appointment": "later", "suspended_until": stage.later(days=2)})


def _without_crew(stage: Stage) -> Play:
    line = a_line(stage, product="BB-500").device_carries(500)
    with stage.without_crew("E1"), stage.without_crew("E2"):
        return _change(stage, "BB-1000", line)


def _cancelled(play: Callable[[Stage], Play]) -> Callable[[Stage], Play]:
    return lambda stage: play(stage).cancel()


WAITING: Mapping[str, Callable[[Stage], Play]] = {
    "CH_01P": lambda stage: _change(stage, "BB-1000", line="yt00000000"),
    "CH_03": lambda stage: _change(stage, "BB-300", effective_at=stage.later(days=3)),
    "CH_04M": lambda stage: _change(stage, "BB-1000", a_line(stage, product="BB-500", **BY_HAND)),
    "CH_07V": _failing,
    "CH_09": lambda stage: _change(stage, "BB-2000"),
    "CH_09D": _without_crew,
    "CH_09S": _later,
    "CH_10": lambda stage: _visit(stage).do("CH_09"),
    "CH_12": lambda stage: _change(stage, "BB-2000").do("CH_09").do("CH_10"),
}
STORIES.cancelled({name: _cancelled(play) for name, play in WAITING.items()})
ON_EACH_DATABASE = ("a_faster_node_takes_the_line", "cancelled_at_CH_12", "nothing_is_fast_enough")


# ---- the stage, and what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path_factory.mktemp("speed_change")) as running:
        more_network(running)
        yield running


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    return STORIES.play(stage)


@pytest.mark.parametrize("name", STORIES)
def test_the_order_ends_as_it_should(played: Played, name: str) -> None:
    played.as_told(name)


@pytest.mark.parametrize("name", STORIES)
def test_the_line_has_the_new_product_or_all_that_it_had(played: Played, name: str) -> None:
    play = played.of(name)
    line, done = play.line, STORIES[name].state == "completed"
    facts, outside = line.facts(), line.account_outside()
    if not done:
        assert facts["product"] in ("BB-500", "BB-1000")
        assert facts["product"] == line.built_product
    assert (outside["plan"], outside["speed_mbps"]) == (facts["product"], facts["speed_mbps"])
    if facts["automated"]:
        bound = line.onus_outside(play.onu)
        profile = f"line-{facts['speed_mbps']}m"
        assert bound == {facts["onu_serial"]: (facts["node"], facts["port"], profile)}
        assert line.places_outside() == 1
    assert play.holds() == {}
    assert play.calls() <= {"DONE", "UNDONE", "FAILED"}


@pytest.mark.parametrize("name", ["an_old_terminal_is_replaced", "a_faster_node_takes_the_line"])
def test_what_a_visit_replaces_is_free_again(stage: Stage, played: Played, name: str) -> None:
    play = played.of(name)
    line = play.line
    assert line.facts()["onu_serial"] == play.onu
    assert line.state_of("onu", line.built.onu) == "free"


def test_a_broken_terminal_of_a_visit_in_vain_is_not_given_to_others(played: Played) -> None:
    play = played.of("a_visit_that_does_not_help_is_taken_back")
    line = play.line
    assert line.state_of("onu", play.onu) == "faulty"
    assert line.facts()["onu_serial"] == line.built.onu


def test_every_element_and_every_flow_is_passed(stage: Stage, played: Played) -> None:
    assert never_passed(stage.store, "speed_change") == []


def test_changes_work_on_each_database(store: Store, tmp_path: Any) -> None:
    with running_stage(store, tmp_path) as stage:
        more_network(stage)
        STORIES.play(stage, ON_EACH_DATABASE).all_as_told()


def test_the_stories_end_the_same_when_an_order_is_stored_between_all_steps(tmp_path: Any) -> None:
    with stage_of_its_own(tmp_path) as stage:
        more_network(stage)
        stage.store_between_all_steps()
        STORIES.play(stage, ON_EACH_DATABASE).all_as_told()
