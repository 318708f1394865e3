"""Stories of lines that a partner builds."""

from __future__ import annotations

from tests.scenario.broadband import PARTNERS, story
from tests.scenario.stage import Play, Stage

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
