"""Every way out of the broadband process, played by its people and the product's own worker on a virtual clock.

All orders are played once on one installation (SQLite); each test then looks at its order, one at what was covered. Some
are played again on each database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.resources.model import Building, Coverage
from engine.resources.places import key_of
from engine.store import Store
from tests.scenario.coverage import never_passed
from tests.scenario.stage import Play, Stage, running_stage, stage_of_its_own
from tests.scenario.stories import Played, Stories

pytestmark = pytest.mark.xdist_group("broadband")

AT_HOME = {"address": "东汀区汀兰路18号3栋1202", "building": "汀兰路18号3栋"}
PARTNERS = {"area": "YT-W", "address": "西渡区西渡口路5号301", "building": "西渡口路5号"}
BY_HAND = {"address": "东汀区工业路1号201", "building": "工业路1号"}
LAST_PORT = {
    "address": "北岭区北岭大道6号801",
    "building": "北岭大道6号",
    "area": "YT-N",
    "product": "BB-500",
}


STORIES = Stories()
story = STORIES.story


# ---- as it should go


@story("completed")
def all_goes_well(stage: Stage) -> Play:
    return stage.order().to("BB_14").do("BB_14")


@story("completed")
def the_customer_says_nothing_for_a_day(stage: Stage) -> Play:
    return stage.order().to("BB_14").wait(hours=24)


@story("completed")
def a_low_rating_is_followed_up_and_put_right(stage: Stage) -> Play:
    play = stage.order().to("BB_14").do("BB_14", rating=2)
    play.do("BB_16", only={"follow_up": "unreachable"}).wait(hours=4)
    return play.do("BB_16", follow_up="unhappy", follow_up_rating=1).do("BB_16Q")


@story("completed")
def a_low_rating_is_followed_up_and_nobody_answers(stage: Stage) -> Play:
    play = stage.order().to("BB_14").do("BB_14", rating=1)
    for _ in range(2):
        play.do("BB_16", only={"follow_up": "unreachable"}).wait(hours=4)
    return play.do("BB_16", only={"follow_up": "unreachable"})


@story("completed")
def a_low_rating_is_followed_up_and_all_is_well(stage: Stage) -> Play:
    return stage.order().to("BB_14").do("BB_14", rating=3).do("BB_16")


@story("completed")
def a_line_without_automation_is_configured_by_hand(stage: Stage) -> Play:
    return stage.order(**BY_HAND).to("BB_14").do("BB_14")


# ---- 01 to 05


@story("rejected", "R13")
def a_customer_in_arrears_is_rejected(stage: Stage) -> Play:
    return stage.order(credit_state="arrears")


@story("failed", "R10")
def a_duplicate_is_returned(stage: Stage) -> Play:
    play = stage.order(address="汀兰路无号")
    assert play.state == "pending"
    return play.do("BB_01P", only={"clarified": "duplicate"})


@story("completed")
def wrong_data_are_corrected(stage: Stage) -> Play:
    play = stage.order(phone="12 34 56")
    assert play.state == "pending"
    return play.do("BB_01P").to("BB_14").do("BB_14")


@story("completed")
def an_unclear_address_is_surveyed(stage: Stage) -> Play:
    return stage.order(address="东汀区汀兰路拐角5号").do("BB_03U").to("BB_14").do("BB_14")


@story("failed", "R04")
def nobody_reaches_the_building(stage: Stage) -> Play:
    return stage.order(address="东汀区远山路9号101", building="远山路9号")


@story("failed", "R04")
def the_last_port_is_gone_and_there_is_no_other_network(stage: Stage) -> Play:
    with stage.rival("OLT-E01"):
        return stage.order()


@story("failed", "R11", network="partner")
def both_partners_refuse(stage: Stage) -> Play:
    play = stage.order(**PARTNERS).partner("refused", code="R11")
    return play.partner("accepted").partner("on_site").partner("refused", code="R05")


# ---- 06 and 07


@story("completed")
def no_crew_fits_and_the_dispatcher_chooses(stage: Stage) -> Play:
    with stage.without_crew("N1"):
        play = stage.order(**LAST_PORT)
    return play.do("BB_06D", crew="N1").to("BB_14").do("BB_14", **SPEEDS_500)


@story("completed")
def the_crew_says_that_it_is_not_its_work(stage: Stage) -> Play:
    play = stage.order().do("BB_07", only={"appointment": "not_mine"})
    return play.do("BB_06D", crew="E2").to("BB_14").do("BB_14")


@story("completed")
def the_customer_wants_it_later(stage: Stage) -> Play:
    play = stage.order()
    play.do(
        "BB_07", only={"appointment": "later", "suspend_code": "S01", "suspended_until": stage.later(days=2)}
    )
    assert play.state == "held"
    return play.wait(days=2).to("BB_14").do("BB_14")


@story("completed")
def three_calls_fail_and_customer_service_waits_then_reaches_the_customer(stage: Stage) -> Play:
    play = stage.order().do("BB_07", only={"appointment": "unreachable"})
    play.do("BB_07C", call_result="later", suspended_until=stage.later(days=1)).wait(days=1)
    play.do("BB_07", only={"appointment": "unreachable"}).do("BB_07C")
    return play.to("BB_14").do("BB_14")


@story("failed", "R02")
def the_customer_cannot_be_reached(stage: Stage) -> Play:
    play = stage.order().do("BB_07", only={"appointment": "unreachable"})
    return play.do("BB_07C", call_result="unreachable")


@story("failed", "R03")
def the_customer_declines_on_the_telephone(stage: Stage) -> Play:
    play = stage.order().do("BB_07", only={"appointment": "declines"})
    return play.do("BB_07C", call_result="declines")


# ---- 08


@story("completed", network="partner")
def a_partner_builds_and_has_to_come_twice(stage: Stage) -> Play:
    play = stage.order(**PARTNERS).partner("accepted").partner("on_site").partner("done")
    play.do("BB_08D", only={"partner_check": "bad", "check_remark": "缺分纤箱照片"})
    return play.partner("done").do("BB_08D")


@story("completed", network="partner")
def the_line_of_a_partner_fails_its_test_at_first(stage: Stage) -> Play:
    play = stage.order(**PARTNERS).partner("accepted")
    stage.simulators.aaa.fault("refuse", times=1, operation="aaa.login.test")
    return play.partner("done").partner("done").do("BB_08D")


@story("completed", network="partner")
def a_silent_partner_is_stopped_and_the_next_one_builds(stage: Stage) -> Play:
    play = stage.order(**PARTNERS).wait(hours=2).do("BB_08S")
    return play.partner("accepted").partner("done").do("BB_08D")


@story("failed", "R11", network="partner")
def both_partners_accept_and_do_nothing(stage: Stage) -> Play:
    play = stage.order(**PARTNERS).partner("accepted").wait(hours=36).do("BB_08S")
    return play.partner("accepted").wait(hours=36).do("BB_08S")


@story("completed", network="partner")
def a_partner_refuses_at_once(stage: Stage) -> Play:
    stage.simulators.partner.fault("refuse", times=1, operation="partner.order.send", code="R04")
    return stage.order(**PARTNERS).partner("accepted").partner("done").do("BB_08D")


# ---- 10 and 11


@story("completed")
def material_is_missing_and_the_appointment_moves(stage: Stage) -> Play:
    play = stage.order().to("BB_10").do("BB_10", only={"material": "none"}).do("BB_07A")
    return play.to("BB_14").do("BB_14")


@story("completed")
def the_device_is_not_in_the_store(stage: Stage) -> Play:
    play = stage.order().to("BB_10")
    right, play.onu = play.onu, "YTGPFFFFFFFF"
    play.do("BB_10")
    play.onu = right
    return play.do("BB_07A").to("BB_14").do("BB_14")


@story("completed")
def the_third_re_appointment_goes_to_the_supervisor(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    for code in ("A01", "A02", "A05"):
        play.do("BB_11", only={"result": "again", "reappoint_code": code, "reason": "客户要求改期"})
        play.to("BB_07A").do("BB_07A")
    return play.to("BB_14").do("BB_14")


def _returned(stage: Stage, code: str) -> Play:
    play = stage.order().to("BB_11")
    return play.do("BB_11", only={"result": "cannot_build", "return_code": code, "reason": "现场无法施工"})


@story("failed", "R05")
def the_line_cannot_be_built(stage: Stage) -> Play:
    return _returned(stage, "R05").do("BB_11D").do("BB_U5")


@story("failed", "R06")
def the_property_refuses(stage: Stage) -> Play:
    return _returned(stage, "R06").do("BB_11D").do("BB_U5")


@story("failed", "R08")
def the_identity_does_not_match(stage: Stage) -> Play:
    return _returned(stage, "R08").do("BB_11D").do("BB_U5", device_state="broken")


@story("failed", "R12")
def another_access_type_is_needed(stage: Stage) -> Play:
    return _returned(stage, "R12").do("BB_11D").do("BB_U5")


@story("completed")
def a_return_is_not_approved(stage: Stage) -> Play:
    play = _returned(stage, "R05").do("BB_11D", only={"return_check": "refused"})
    return play.to("BB_14").do("BB_14")


@story("failed", "R03")
def the_customer_declines_on_site(stage: Stage) -> Play:
    return _returned(stage, "R03").do("BB_11C").do("BB_U5")


@story("completed")
def the_customer_is_talked_round(stage: Stage) -> Play:
    return _returned(stage, "R03").do("BB_11C", call_result="reached").to("BB_14").do("BB_14")


@story("completed")
def a_faulty_port_found_on_site_is_replaced(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    play.do("BB_11", only={"result": "port_faulty", "reason": "端口无光"})
    return play.to("BB_14").do("BB_14")


@story("failed", "R04")
def no_other_port_is_left(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    with stage.full("OLT-E01"):
        play.do("BB_11", only={"result": "port_faulty", "reason": "端口无光"}).do("BB_U5")
    return play


# ---- 12 and 13


@story("completed")
def the_olt_does_not_see_the_device_at_first(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, seen=False)
    play.do("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, seen=True)
    return play.to("BB_14").do("BB_14")


@story("completed")
def the_olt_finds_the_port_faulty(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.break_port(play)
    return play.do("BB_11").to("BB_14").do("BB_14")


@story("completed")
def the_port_breaks_while_the_crew_is_on_site_again(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-31)
    play.do("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-20)
    stage.break_port(play)
    return play.do("BB_11").to("BB_14").do("BB_14")


@story("completed")
def a_login_fails_and_the_line_is_activated_again(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.aaa.fault("refuse", times=1, operation="aaa.login.test")
    return play.do("BB_11").to("BB_14").do("BB_14")


@story("completed")
def weak_optics_three_times_and_the_supervisor_sends_the_crew_again(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-31)
    play.do("BB_11").do("BB_11").do("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-20)
    return play.do("BB_13V").to("BB_14").do("BB_14")


@story("completed")
def the_server_grants_less_than_was_sold_and_the_supervisor_has_it_mended(stage: Stage) -> Play:
    play = stage.order(product="BB-300").to("BB_11")
    with stage.slow_plan("BB-300-300M"):
        play.do("BB_11")
    return play.do("BB_13V", decision="activate").to("BB_14").do("BB_14", **SPEEDS_500)


@story("failed", "R05")
def the_supervisor_gives_the_line_up(stage: Stage) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-31)
    play.do("BB_11").do("BB_11").do("BB_11")
    return play.do("BB_13V", decision="give_up").do("BB_U5")


# ---- 14


@story("completed")
def the_customer_refuses_twice_and_the_supervisor_steps_in(stage: Stage) -> Play:
    play = stage.order().to("BB_14")
    no = {"acceptance": "refused", "refusal_reason": "信号太差"}
    play.do("BB_14", only=no).to("BB_14").do("BB_14", only=no)
    return play.do("BB_14V").to("BB_14").do("BB_14")


@story("completed")
def the_line_is_slower_than_sold(stage: Stage) -> Play:
    play = stage.order().to("BB_14").do("BB_14", speed_1=400, speed_2=410, speed_3=390)
    return play.to("BB_14").do("BB_14")


SPEEDS_500 = {"speed_1": 480, "speed_2": 490, "speed_3": 470}


# ---- cancelled at each place where an order waits


def _at(element: str, **where: Any) -> Callable[[Stage], Play]:
    def play(stage: Stage) -> Play:
        return stage.order(**where).to(element).cancel()

    return play


def _later(stage: Stage) -> Play:
    play = stage.order()
    play.do(
        "BB_07", only={"appointment": "later", "suspend_code": "S02", "suspended_until": stage.later(days=2)}
    )
    return play.cancel()


def _open_at(play: Callable[[Stage], Play]) -> Callable[[Stage], Play]:
    return lambda stage: play(stage).cancel()


def _unseen(stage: Stage, times: int) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-31)
    for _ in range(times):
        play.do("BB_11")
    return play


def _refused_twice(stage: Stage) -> Play:
    play = stage.order().to("BB_14")
    no = {"acceptance": "refused", "refusal_reason": "信号太差"}
    return play.do("BB_14", only=no).to("BB_14").do("BB_14", only=no)


def _moved(stage: Stage, times: int) -> Play:
    play = stage.order().to("BB_11")
    for turn in range(times):
        play.do("BB_11", only={"result": "again", "reappoint_code": "A02", "reason": "客户不在家"})
        if turn + 1 < times:
            play.do("BB_07A")
    return play


WAITING: Mapping[str, Callable[[Stage], Play]] = {
    "BB_01P": lambda stage: stage.order(address="汀兰路无号").cancel(),
    "BB_03U": lambda stage: stage.order(address="东汀区汀兰路拐角5号").cancel(),
    "BB_06D": lambda stage: stage.order().do("BB_07", only={"appointment": "not_mine"}).cancel(),
    "BB_07": _at("BB_07"),
    "BB_07C": lambda stage: stage.order().do("BB_07", only={"appointment": "unreachable"}).cancel(),
    "BB_07S": _later,
    "BB_07A": _open_at(lambda stage: _moved(stage, 1)),
    "BB_07V": _open_at(lambda stage: _moved(stage, 3)),
    "BB_08W": lambda stage: stage.order(**PARTNERS).cancel(),
    "BB_08S": lambda stage: stage.order(**PARTNERS).wait(hours=2).cancel(),
    "BB_08X": lambda stage: stage.order(**PARTNERS).partner("accepted").partner("on_site").cancel(),
    "BB_09M": _at("BB_09M", **BY_HAND),
    "BB_10": _at("BB_10"),
    "BB_11": _at("BB_11"),
    "BB_11C": _open_at(lambda stage: _returned(stage, "R03")),
    "BB_11D": _open_at(lambda stage: _returned(stage, "R06")),
    "BB_12M": _at("BB_12M", **BY_HAND),
    "BB_13V": _open_at(lambda stage: _unseen(stage, 3)),
    "BB_14": _at("BB_14"),
    "BB_14V": _open_at(_refused_twice),
}
STORIES.cancelled(WAITING)
ON_EACH_DATABASE = (
    "all_goes_well",
    "a_low_rating_is_followed_up_and_put_right",
    "a_silent_partner_is_stopped_and_the_next_one_builds",
    "a_faulty_port_found_on_site_is_replaced",
    "the_customer_declines_on_site",
    "cancelled_at_BB_14",
)


# ---- the stage, and what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path_factory.mktemp("broadband")) as running:
        _more_buildings(running)
        yield running


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    """Every story, once."""
    return STORIES.play(stage)


def _more_buildings(stage: Stage) -> None:
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


@pytest.mark.parametrize("name", STORIES)
def test_the_order_ends_as_it_should(played: Played, name: str) -> None:
    played.as_told(name)


@pytest.mark.parametrize("name", STORIES)
def test_nothing_is_held_but_by_lines_that_work(played: Played, name: str) -> None:
    play, expected = played.of(name), STORIES[name]
    if expected.state != "completed":
        assert play.holds() == {}
    elif expected.network == "own":
        assert play.holds() == {"port": "in_use", "account": "in_use", "onu": "in_use"}
    else:
        assert play.holds() == {"account": "in_use"}


@pytest.mark.parametrize("name", STORIES)
def test_outside_there_is_what_the_order_has_reached_and_nothing_else(played: Played, name: str) -> None:
    play, expected = played.of(name), STORIES[name]
    done = expected.state == "completed"
    by_hand = "by_hand" in name
    entries = 2 if done and expected.network == "own" and not by_hand else 0
    assert play.outside() == {"accounts": int(done), "olt": entries}
    assert play.calls() <= {"DONE", "UNDONE", "FAILED"}
    reports = [e for e in play.stage.simulators.crm.effects() if e["key"].startswith(f"{play.number}:")]
    assert len(reports) == (0 if expected.state in ("cancelled", "rejected") else 1)


def test_why_nothing_could_be_reserved_is_told(played: Played) -> None:
    assert "远山路9号" in played.of("nobody_reaches_the_building").why


@pytest.mark.usefixtures("played")
def test_every_element_and_every_flow_is_passed(stage: Stage) -> None:
    assert never_passed(stage.store, "broadband", "broadband_followup") == []


def test_machines_people_partners_and_undoing_work_on_each_database(store: Store, tmp_path: Path) -> None:
    with running_stage(store, tmp_path) as stage:
        STORIES.play(stage, ON_EACH_DATABASE).all_as_told()


def test_the_stories_end_the_same_when_an_order_is_stored_and_restored_between_all_steps(
    tmp_path: Path,
) -> None:
    with stage_of_its_own(tmp_path) as stage:
        _more_buildings(stage)
        stage.store_between_all_steps()
        STORIES.play(stage).all_as_told()
