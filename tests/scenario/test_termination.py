"""Every way in which a line ends: on its day, by machines or by hand, with its device back or not, and not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.resources import expiry
from engine.resources.model import Resource
from engine.store import Store
from tests.scenario.coverage import never_passed
from tests.scenario.lines import BY_HAND, LineOnStage, a_line, a_partners_line, more_network
from tests.scenario.stage import Play, Stage, running_stage, stage_of_its_own
from tests.scenario.stories import Played, Stories

pytestmark = pytest.mark.xdist_group("termination")

STORIES = Stories()
story = STORIES.story


def _end(on: LineOnStage, **values: Any) -> Play:
    play = on.order("TM", **values)
    play.line = on
    return play


@story("completed")
def a_line_ends_and_its_device_is_fetched(stage: Stage) -> Play:
    return _end(a_line(stage)).do("TM_05")


@story("completed")
def a_line_with_a_telephone_ends_on_its_day(stage: Stage) -> Play:
    line = a_line(stage).with_number("85550021")
    play = _end(line, effective_at=stage.later(days=5))
    assert play.state == "held"
    assert line.account_outside()["active"]
    return play.wait(days=5).do("TM_05", device="broken", fetched_by="shop")


@story("completed")
def nobody_brings_the_device_back(stage: Stage) -> Play:
    return _end(a_line(stage)).wait(days=7)


@story("completed")
def a_line_without_automation_is_taken_down_by_hand(stage: Stage) -> Play:
    return _end(a_line(stage, **BY_HAND)).do("TM_04M").do("TM_05")


@story("completed")
def a_partners_line_ends(stage: Stage) -> Play:
    return _end(a_partners_line(stage)).do("TM_06P")


@story("completed")
def a_partner_confirms_by_itself(stage: Stage) -> Play:
    line = a_partners_line(stage)
    with stage.simulators.partner.write() as db:  # it has forgotten the order: nothing to stop
        db.execute("DELETE FROM work WHERE number = ?", (line.built.partner_order,))
    return _end(line)


@story("completed")
def only_the_telephone_of_a_bundle_ends(stage: Stage) -> Play:
    return _end(a_line(stage).as_bundle().with_number("85550022"), product="VOICE")


@story("completed")
def only_the_television_of_a_bundle_ends(stage: Stage) -> Play:
    line = a_line(stage, product="HOME-1000")
    assert line.channels_outside() == 1
    return _end(line, product="TV-4K")


@story("completed")
def a_whole_bundle_ends(stage: Stage) -> Play:
    return _end(a_line(stage, product="HOME-1000"), product="HOME-1000").do("TM_05")


@story("completed")
def a_circuit_is_taken_down_at_both_ends(stage: Stage) -> Play:
    play = _end(a_circuit(stage), product="P2P-100M")
    return play.do("TM_04T").do("TM_04D").do("TM_05A").do("TM_05Z")


@story("completed")
def a_wrong_account_is_corrected(stage: Stage) -> Play:
    line = a_line(stage)
    play = _end(line, line="yt00000000")
    assert play.state == "pending"
    return play.do("TM_01P", line=line.account).do("TM_05")


@story("failed", "R07")
def nobody_knows_the_account(stage: Stage) -> Play:
    return _end(a_line(stage), line="yt00000000").do("TM_01P", only={"clarified": "wrong"})


WAITING: Mapping[str, Callable[[Stage], Play]] = {
    "TM_01P": lambda stage: _end(a_line(stage), line="yt00000000").cancel(),
    "TM_02": lambda stage: _end(a_line(stage), effective_at=stage.later(days=5)).cancel(),
    "TM_03V": lambda stage: _stopped(stage).cancel(),
}
STORIES.cancelled(WAITING)


def _stopped(stage: Stage) -> Play:
    """The account is off already, and the IMS does not answer."""
    line = a_line(stage).with_number("85550024")
    stage.simulators.ims.fault("unavailable", times=-1, operation="voice.subscriber.bar")
    play = _end(line)
    for _ in range(20):
        if play.troubles():
            break
        play.wait(minutes=5)
    assert not line.account_outside()["active"]
    stage.heal()
    return play


def a_circuit(stage: Stage) -> LineOnStage:
    """A circuit that works; who built it does not matter here."""
    built = a_line(stage).built
    with stage.store.write() as db:
        at = stage.machines.site.clock.now()
        for kind, place, name, slot in (
            ("circuit", "", "YTC9900001", ""),
            ("port", "PE-E1", "ge-9/0/1", "A"),
            ("port", "PE-N1", "ge-9/0/4", "Z"),
        ):
            row = {"kind": kind, "place": place, "name": name, "slot": slot, "state": "in_use"}
            db.add(Resource(**row, holder="DL-20261101-000001", changed_at=at))
    return LineOnStage(stage, built, "YTC9900001")


# ---- the stage, and what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path_factory.mktemp("termination")) as running:
        more_network(running)
        yield running


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    return STORIES.play(stage)


@pytest.mark.parametrize("name", STORIES)
def test_the_order_ends_as_it_should(played: Played, name: str) -> None:
    played.as_told(name)


WHOLE = sorted(
    n for n, told in STORIES.items() if told.state == "completed" and not n.startswith(("only_", "a_circuit"))
)


@pytest.mark.parametrize("name", WHOLE)
def test_of_an_ended_line_nothing_is_left_outside(played: Played, name: str) -> None:
    play = played.of(name)
    line = play.line
    assert line.account_outside() is None
    assert line.number_outside() is None
    assert line.onus_outside() == {}
    assert set(line.built.outside().values()) == {0}
    assert line.built.holds() == play.holds() == {}
    assert line.state_of("account", line.account) == "cooling"


@pytest.mark.parametrize("name", sorted(n for n, told in STORIES.items() if told.state != "completed"))
def test_a_line_that_does_not_end_works_as_before(played: Played, name: str) -> None:
    play = played.of(name)
    line = play.line
    assert line.account_outside()["active"]
    number = line.number_outside()
    assert number is None or number["barring"] == "none"
    assert set(line.built.holds().values()) == {"in_use"}
    assert play.calls() <= {"DONE", "UNDONE", "FAILED"}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("a_line_ends_and_its_device_is_fetched", "free"),
        ("a_line_with_a_telephone_ends_on_its_day", "faulty"),
        ("nobody_brings_the_device_back", "retired"),
    ],
)
def test_the_device_is_kept_as_it_came_back(played: Played, name: str, state: str) -> None:
    line = played.of(name).line
    assert line.state_of("onu", line.built.onu) == state


def test_only_the_telephone_is_gone_when_only_the_telephone_ends(played: Played) -> None:
    line = played.of("only_the_telephone_of_a_bundle_ends").line
    assert line.number_outside() is None
    assert line.account_outside()["active"]
    assert line.facts()["numbers"] == []
    assert line.facts()["onu_serial"] == line.built.onu


def test_only_the_channels_are_gone_when_only_the_television_ends(played: Played) -> None:
    line = played.of("only_the_television_of_a_bundle_ends").line
    assert line.channels_outside() == 0
    assert line.number_outside()["barring"] == "none"
    assert line.account_outside()["active"]


def test_a_circuit_gives_both_its_ends_back(stage: Stage, played: Played) -> None:
    played.as_told("a_circuit_is_taken_down_at_both_ends")
    with stage.store.read() as db:
        rows = db.scalars(select(Resource).where(Resource.name.startswith("ge-9/0/")))
        assert {row.name: row.state for row in rows} == {"ge-9/0/1": "free", "ge-9/0/4": "free"}


def test_the_account_cools_for_7_days_and_the_number_for_90(tmp_path: Any) -> None:
    with stage_of_its_own(tmp_path) as stage:
        line = a_line(stage).with_number("85550025")
        _end(line).do("TM_05")
        site = stage.machines.site
        for days, account, number in (
            (6, "cooling", "cooling"),
            (1, "retired", "cooling"),
            (83, "retired", "free"),
        ):
            site.clock.advance(timedelta(days=days))
            with stage.store.write() as db:
                expiry.sweep(db, site.clock.now())
            states = (line.state_of("account", line.account), line.state_of("number", "85550025"))
            assert states == (account, number)


def test_every_element_and_every_flow_is_passed(stage: Stage, played: Played) -> None:
    assert never_passed(stage.store, "termination") == []


ON_EACH_DATABASE = ("a_line_ends_and_its_device_is_fetched", "cancelled_at_TM_02")


def test_terminations_work_on_each_database(store: Store, tmp_path: Any) -> None:
    with running_stage(store, tmp_path) as stage:
        STORIES.play(stage, ON_EACH_DATABASE).all_as_told()
