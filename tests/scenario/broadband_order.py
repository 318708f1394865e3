"""Stories of the first steps: checks, choice of the network, dispatch and appointment."""

from __future__ import annotations

from tests.scenario.broadband import BY_HAND, LAST_PORT, PARTNERS, SPEEDS_500, later, story
from tests.scenario.stage import Play, Stage

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
    return play.do("BB_16", follow_up="unhappy", follow_up_rating=1)


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


@story("completed")
def the_account_is_that_which_the_crm_has_given(stage: Stage) -> Play:
    play = stage.order(wished_account="yt-given-1").to("BB_14").do("BB_14")
    (report,) = play.reports()
    assert report["facts"]["account"] == "yt-given-1"
    return play


@story("rejected", "R13")
def a_customer_in_arrears_is_rejected(stage: Stage) -> Play:
    return stage.order(credit_state="arrears")


@story("failed", "R10")
def a_duplicate_isreturned(stage: Stage) -> Play:
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
    play = later(stage, stage.order(), days=2)
    assert (play.open(), play.state) == (["BB_07E"], "inProgress")  # nothing stops before it is approved
    play.do("BB_07E")
    assert (play.open(), play.state) == ([], "held")
    return play.wait(days=2).to("BB_14").do("BB_14")


@story("completed")
def a_short_suspension_is_refused_by_the_dispatcher(stage: Stage) -> Play:
    play = later(stage, stage.order(), "S02", hours=24)
    assert play.open() == ["BB_07D"]
    play.do("BB_07D", suspension_check="refused", approval_note="现场已具备")
    assert (play.open(), play.state) == (["BB_07"], "inProgress")
    return play.to("BB_14").do("BB_14")


@story("completed")
def three_calls_fail_and_customer_service_waits_then_reaches_the_customer(stage: Stage) -> Play:
    play = stage.order().do("BB_07", only={"appointment": "unreachable"})
    play.do("BB_07C", call_result="later", suspend_code="S03", suspended_until=stage.later(days=1)).do(
        "BB_07D"
    ).wait(days=1)
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
