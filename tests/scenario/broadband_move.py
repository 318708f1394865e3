"""Stories of lines that move: first the line at the old address, then the order that moves it."""

from __future__ import annotations

from typing import Any

from tests.scenario.broadband import BUNDLE, BY_HAND, PARTNERS
from tests.scenario.stage import Play, Stage
from tests.scenario.stories import Stories

MOVES = Stories()
story = MOVES.story
NEXT_STREET = {"address": "东汀区汀兰路20号1栋702", "building": "汀兰路20号1栋"}
"""At another OLT of ours."""
SAME_OLT = {"address": "东汀区东汀大道1号905", "building": "东汀大道1号"}


def _built(stage: Stage, **where: Any) -> Play:
    return stage.order(**where).to("BB_14").do("BB_14")


def _moving(stage: Stage, old: Play, named_by: str = "wished_account", **where: Any) -> Play:
    """The order that moves it; the customer's terminal is the one that he has."""
    (report,) = old.reports()
    wish = {"action": "modify", "order_type": "MV", named_by: report["facts"]["account"]}
    play = stage.order(**wish, **where)
    play.onu = old.onu
    play.stage.moved_from[play.number] = old
    return play


@story("completed")
def a_line_moves_to_the_next_street(stage: Stage) -> Play:
    play = _moving(stage, _built(stage), **NEXT_STREET).to("BB_14")
    old = play.stage.moved_from[play.number]
    assert old.outside() == {
        "accounts": 1,
        "olt": 1,
        "numbers": 0,
    }  # its service port lives until the acceptance
    return play.do("BB_14")


@story("completed", parts=("tv",))
def a_bundle_moves_with_its_number(stage: Stage) -> Play:
    return _moving(stage, _built(stage, **BUNDLE), **NEXT_STREET, **BUNDLE).to("BB_14").do("BB_14")


@story("completed")
def a_line_moves_behind_the_same_olt(stage: Stage) -> Play:
    play = _moving(stage, _built(stage), named_by="line", **SAME_OLT).to("BB_11")
    play.do("BB_11", only={"result": "again", "reappoint_code": "A01", "reason": "客户改期"}).do("BB_07A")
    assert play.open() == ["BB_11"]  # no material is drawn: the ONU moves along
    return play.do("BB_11").do("BB_14")


@story("completed")
def a_line_moves_away_from_where_nothing_is_automated(stage: Stage) -> Play:
    return _moving(stage, _built(stage, **BY_HAND), **NEXT_STREET).to("BB_14").do("BB_14").do("BB_15H")


@story("completed", network="partner")
def a_line_moves_to_the_network_of_a_partner(stage: Stage) -> Play:
    play = _moving(stage, _built(stage), **PARTNERS)
    return play.partner("accepted").partner("done").do("BB_08D")


@story("completed")
def the_account_is_corrected_before_the_line_moves(stage: Stage) -> Play:
    old = _built(stage)
    (report,) = old.reports()
    play = stage.order(action="modify", order_type="MV", wished_account="yt-unknown", **NEXT_STREET)
    assert (play.open(), play.state) == (["BB_01P"], "pending")
    play.onu = old.onu
    play.stage.moved_from[play.number] = old
    play.do("BB_01P", **NEXT_STREET, wished_account=report["facts"]["account"])
    return play.to("BB_14").do("BB_14")


@story("completed")
def a_relocation_without_an_account_is_asked_for_it(stage: Stage) -> Play:
    old = _built(stage)
    (report,) = old.reports()
    play = stage.order(action="modify", order_type="MV", **NEXT_STREET)
    assert (play.open(), play.state) == (["BB_01P"], "pending")
    play.onu = old.onu
    play.stage.moved_from[play.number] = old
    play.do("BB_01P", **NEXT_STREET, wished_account=report["facts"]["account"])
    return play.to("BB_14").do("BB_14")


@story("failed", "R12")
def a_line_does_not_move_to_another_city(stage: Stage) -> Play:
    return _moving(stage, _built(stage), area="YT-S", address="南圩县南圩街3号", building="南圩街3号")


@story("failed", "R05")
def a_line_that_cannot_be_built_at_the_new_address_stays(stage: Stage) -> Play:
    play = _moving(stage, _built(stage), **NEXT_STREET).to("BB_11")
    play.do("BB_11", only={"result": "cannot_build", "return_code": "R05", "reason": "新址管道不通"})
    return play.do("BB_11D")


@story("cancelled")
def a_relocation_that_is_cancelled_after_the_switch_over_leaves_the_old_line(stage: Stage) -> Play:
    return _moving(stage, _built(stage), **NEXT_STREET).to("BB_14").cancel()


@story("completed")
def a_relocation_that_the_customer_refuses_at_first_is_done_again(stage: Stage) -> Play:
    play = _moving(stage, _built(stage), **NEXT_STREET).to("BB_14")
    play.do("BB_14", only={"acceptance": "refused", "refusal_reason": "位置不对"})
    assert play.stage.moved_from[play.number].outside() == {"accounts": 1, "olt": 2, "numbers": 0}
    return play.to("BB_14").do("BB_14")
