"""Stories of orders that are cancelled: by stages, and at each point at which an order can wait."""

from __future__ import annotations

from collections.abc import Mapping

from tests.scenario.broadband import BY_HAND, PARTNERS, REFUSED, STORIES, at, later, returned, story
from tests.scenario.stage import Play, Stage
from tests.scenario.stories import Player

# ---- by stages


@story("cancelled")
def the_crew_acknowledges_that_it_stops(stage: Stage) -> Play:
    play = stage.order().to("BB_11").wish_to_cancel()
    assert (play.open(), play.state) == (["BB_11", "BB_K2"], "assessingCancellation")
    play.do("BB_K2")
    assert (play.open(), play.state) == (["BB_U5"], "pendingCancellation")
    return play.do("BB_U5")


@story("cancelled")
def a_crew_that_does_not_answer_is_stopped_by_the_dispatcher(stage: Stage) -> Play:
    play = stage.order().to("BB_11").wish_to_cancel().wait(minutes=10)
    assert play.open() == ["BB_11", "BB_K3"]
    return play.do("BB_K3").do("BB_U5")


@story("cancelled")
def a_supervisor_approves_that_a_line_that_works_is_undone(stage: Stage) -> Play:
    play = stage.order().to("BB_14").wish_to_cancel()
    assert (play.open(), play.state) == (["BB_14", "BB_K4"], "assessingCancellation")
    assert play.outside()["accounts"] == 1
    play.do("BB_K4")
    assert (play.outside()["accounts"], play.state) == (0, "pendingCancellation")
    return play.do("BB_U5")


@story("completed")
def a_supervisor_refuses_and_the_order_goes_on(stage: Stage) -> Play:
    play = stage.order().to("BB_14").wish_to_cancel()
    play.do("BB_K4", cancel_decision="refused", cancel_note="客户已在使用")
    assert (play.open(), play.state) == (["BB_14"], "inProgress")
    return play.do("BB_14")


@story("cancelled")
def a_customer_who_was_refused_asks_again(stage: Stage) -> Play:
    play = stage.order().to("BB_14").wish_to_cancel().do("BB_K4", cancel_decision="refused")
    return play.wish_to_cancel().do("BB_K4").do("BB_U5")


@story("cancelled")
def an_order_that_is_accepted_meanwhile_waits_for_the_supervisor(stage: Stage) -> Play:
    play = stage.order().to("BB_14").wish_to_cancel().do("BB_14")
    assert (play.open(), play.state) == (["BB_K4"], "assessingCancellation")
    return play.do("BB_K4").do("BB_U5")


@story("failed", "R05")
def an_order_that_is_returned_meanwhile_is_not_cancelled(stage: Stage) -> Play:
    play = returned(stage, "R05").wish_to_cancel()
    return play.do("BB_11D").do("BB_U5")


@story("completed", network="partner")
def a_line_of_a_partner_that_works_needs_the_supervisor_too(stage: Stage) -> Play:
    play = stage.order(**PARTNERS).partner("accepted").partner("done").wish_to_cancel()
    assert play.open() == ["BB_08D", "BB_K4"]
    return play.do("BB_K4", cancel_decision="refused").do("BB_08D")


# ---- at each place where an order waits


def _unseen(stage: Stage, times: int) -> Play:
    play = stage.order().to("BB_11")
    stage.simulators.olt.set_line(onu_serial=play.onu, rx_power_dbm=-31)
    for _ in range(times):
        play.do("BB_11")
    return play


def _refused_twice(stage: Stage) -> Play:
    play = stage.order().to("BB_14")
    return play.do("BB_14", only=REFUSED).to("BB_14").do("BB_14", only=REFUSED)


def _moved(stage: Stage, times: int) -> Play:
    play = stage.order().to("BB_11")
    for turn in range(times):
        play.do("BB_11", only={"result": "again", "reappoint_code": "A02", "reason": "客户不在家"})
        if turn + 1 < times:
            play.do("BB_07A")
    return play


WAITING: Mapping[str, Player] = {
    "BB_01P": lambda stage: stage.order(address="汀兰路无号"),
    "BB_03U": lambda stage: stage.order(address="东汀区汀兰路拐角5号"),
    "BB_06D": lambda stage: stage.order().do("BB_07", only={"appointment": "not_mine"}),
    "BB_07": at("BB_07"),
    "BB_07C": lambda stage: stage.order().do("BB_07", only={"appointment": "unreachable"}),
    "BB_07D": lambda stage: later(stage, stage.order(), hours=20),
    "BB_07E": lambda stage: later(stage, stage.order(), hours=30),
    "BB_07S": lambda stage: later(stage, stage.order(), "S02", days=2).do("BB_07E"),
    "BB_07A": lambda stage: _moved(stage, 1),
    "BB_07V": lambda stage: _moved(stage, 3),
    "BB_08W": lambda stage: stage.order(**PARTNERS),
    "BB_08S": lambda stage: stage.order(**PARTNERS).wait(hours=2),
    "BB_08X": lambda stage: stage.order(**PARTNERS).partner("accepted").partner("on_site"),
    "BB_09M": at("BB_09M", **BY_HAND),
    "BB_10": at("BB_10"),
    "BB_11": at("BB_11"),
    "BB_11C": lambda stage: returned(stage, "R03"),
    "BB_11D": lambda stage: returned(stage, "R06"),
    "BB_12M": at("BB_12M", **BY_HAND),
    "BB_13V": lambda stage: _unseen(stage, 3),
    "BB_14": at("BB_14"),
    "BB_14V": _refused_twice,
}


def _then_cancelled(waits: Player) -> Player:
    return lambda stage: waits(stage).cancel()


STORIES.cancelled({element: _then_cancelled(waits) for element, waits in WAITING.items()})
