"""Suspension and resumption: off and on, for several reasons, crossing each other, refused, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.identity.actor import SYSTEM
from engine.jobs.incidents import incidents, retry_incident
from engine.store import Store
from tests.scenario.coverage import never_passed
from tests.scenario.lines import LineOnStage, a_line, a_partners_line
from tests.scenario.stage import Play, Stage, running_stage, stage_of_its_own
from tests.scenario.stories import Played, Stories

pytestmark = pytest.mark.xdist_group("suspension")

STORIES = Stories()
story = STORIES.story
OFF = {
    "a_customer_suspends_his_line",
    "a_line_with_a_telephone_is_suspended",
    "a_legal_suspension_names_its_issuer_later",
    "somebody_else_may_not_lift_a_legal_suspension",
    "a_second_reason_keeps_the_line_off",
    "cancelled_at_SP_04_of_a_resumption",
}
"""Stories after which the line is off."""


def _order(on: LineOnStage, order_type: str, **values: Any) -> Play:
    play = on.order(order_type, **values)
    play.line = on
    return play


@story("completed")
def a_customer_suspends_his_line(stage: Stage) -> Play:
    return _order(a_line(stage), "SP", suspend_reason="customer")


@story("completed")
def a_line_with_a_telephone_is_suspended(stage: Stage) -> Play:
    return _order(a_line(stage).with_number("85550011"), "SP", suspend_reason="arrears")


@story("completed")
def a_line_with_a_telephone_is_resumed(stage: Stage) -> Play:
    line = a_line(stage).with_number("85550012")
    _order(line, "SP", suspend_reason="arrears")
    return _order(line, "RS", suspend_reason="arrears")


@story("completed")
def a_partners_line_is_suspended_and_resumed(stage: Stage) -> Play:
    line = a_partners_line(stage)
    _order(line, "SP")
    assert not line.account_outside()["active"]
    return _order(line, "RS")


@story("completed")
def resuming_a_line_that_is_on_is_good(stage: Stage) -> Play:
    return _order(a_line(stage), "RS")


@story("completed")
def a_second_reason_keeps_the_line_off(stage: Stage) -> Play:
    line = a_line(stage)
    _order(line, "SP", suspend_reason="arrears")
    _order(line, "SP", suspend_reason="customer")
    return _order(line, "RS", suspend_reason="arrears")


@story("completed")
def a_suspension_that_was_lifted_before_it_came_changes_nothing(stage: Stage) -> Play:
    line = a_line(stage)
    _order(line, "RS", requested_at=stage.later(hours=-1))
    return _order(line, "SP", suspend_reason="arrears", requested_at=stage.later(hours=-2))


@story("completed")
def a_resumption_overtakes_a_suspension_that_is_still_at_work(stage: Stage) -> Play:
    line = a_line(stage)
    stage.simulators.aaa.fault("unavailable", times=-1, operation="aaa.subscriber.switch")
    late = _order(line, "SP", suspend_reason="arrears", requested_at=stage.later(hours=-2))
    _until_incident(late)
    stage.heal()
    stage.simulators.aaa.fault("unavailable", times=-1, operation="aaa.subscriber.switch")
    _until_incident(_order(line, "RS", suspend_reason="arrears", requested_at=stage.later(hours=-1)))
    stage.heal()
    for number in reversed(stage.orders[-2:]):
        _retry(stage, number)
    assert not _open_incidents(stage, late.number)
    return late


# ---- legal


@story("completed")
def a_legal_suspension_names_its_issuer_later(stage: Stage) -> Play:
    line = a_line(stage)
    play = _order(line, "SP", suspend_reason="legal")
    assert play.state == "pending"
    return play.do("SP_01P", line=line.account, issuer="东汀公安")


@story("failed", "R15")
def somebody_else_may_not_lift_a_legal_suspension(stage: Stage) -> Play:
    line = a_line(stage)
    _order(line, "SP", suspend_reason="legal", issuer="东汀公安")
    return _order(line, "RS", suspend_reason="legal", issuer="南圩公安")


@story("completed")
def its_issuer_lifts_a_legal_suspension(stage: Stage) -> Play:
    line = a_line(stage)
    _order(line, "SP", suspend_reason="legal", issuer="东汀公安")
    return _order(line, "RS", suspend_reason="legal", issuer="东汀公安")


# ---- wrong data, cancellation


@story("failed", "R07")
def nobody_knows_the_account(stage: Stage) -> Play:
    return _order(a_line(stage), "SP", line="yt00000000").do("SP_01P", only={"clarified": "wrong"})


@story("cancelled")
def cancelled_at_SP_01P(stage: Stage) -> Play:
    return _order(a_line(stage), "SP", line="yt00000000").cancel()


@story("cancelled")
def cancelled_at_SP_04_of_a_suspension(stage: Stage) -> Play:
    line = a_line(stage)
    stage.simulators.aaa.fault("unavailable", times=-1, operation="aaa.subscriber.switch")
    play = _until_incident(_order(line, "SP"))
    stage.heal()
    return play.cancel()


@story("cancelled")
def cancelled_at_SP_04_of_a_resumption(stage: Stage) -> Play:
    line = a_line(stage)
    _order(line, "SP")
    stage.simulators.aaa.fault("unavailable", times=-1, operation="aaa.subscriber.switch")
    play = _until_incident(_order(line, "RS"))
    stage.heal()
    return play.cancel()


@story("cancelled")
def cancelled_at_SP_05(stage: Stage) -> Play:
    line = a_line(stage).with_number("85550013")
    stage.simulators.ims.fault("unavailable", times=-1, operation="voice.subscriber.bar")
    play = _until_incident(_order(line, "SP"))
    assert not line.account_outside()["active"]
    stage.heal()
    return play.cancel()


def _until_incident(play: Play) -> Play:
    """The outside is away for so long that somebody has to look."""
    for _ in range(20):
        if play.troubles():
            return play
        play.wait(minutes=5)
    raise AssertionError(f"no incident: {play.state}")


def _open_incidents(stage: Stage, number: str) -> list[int]:
    with stage.store.read() as db:
        return [one.id for one in incidents(db, SYSTEM, business_key=number)[0]]


def _retry(stage: Stage, number: str) -> None:
    """Somebody has looked, and the step is done again."""
    site = stage.machines.site
    for found in _open_incidents(stage, number):
        with stage.store.write() as db:
            retry_incident(db, site.services.kernel, SYSTEM, found, at=site.clock.now())
    site.work()


# ---- the stage, and what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path_factory.mktemp("suspension")) as running:
        yield running


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    return STORIES.play(stage)


@pytest.mark.parametrize("name", STORIES)
def test_the_order_ends_as_it_should(played: Played, name: str) -> None:
    played.as_told(name)


@pytest.mark.parametrize("name", STORIES)
def test_the_line_is_off_or_on_and_nothing_of_it_is_released(played: Played, name: str) -> None:
    play = played.of(name)
    line, is_off = play.line, name in OFF
    assert bool(line.facts()["suspended"]) == is_off
    assert line.account_outside()["active"] != is_off
    number = line.number_outside()
    assert number is None or number["barring"] == ("all" if is_off else "none")
    held = line.built.holds()
    assert set(held.values()) == {"in_use"}
    assert "account" in held
    assert play.calls() <= {"DONE", "UNDONE", "FAILED"}


def test_every_element_and_every_flow_is_passed(stage: Stage, played: Played) -> None:
    assert never_passed(stage.store, "suspension") == []


ON_EACH_DATABASE = ("a_line_with_a_telephone_is_resumed", "cancelled_at_SP_05")


def test_suspensions_work_on_each_database(store: Store, tmp_path: Any) -> None:
    with running_stage(store, tmp_path) as stage:
        STORIES.play(stage, ON_EACH_DATABASE).all_as_told()
