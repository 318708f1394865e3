"""Every way out of the broadband process, played by its people and the product's own worker on a virtual clock.

All orders are played once on one installation (SQLite); each test then looks at its order, one at what was covered. Some
are played again on each database. The stories are in `broadband_*.py`, by phase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from engine.store import Store
from tests.machines import CANCEL
from tests.scenario import (
    broadband_bundle,
    broadband_cancel,
    broadband_order,
    broadband_partner,
    broadband_site,
)
from tests.scenario.broadband import STORIES, later, more_buildings
from tests.scenario.broadband_move import MOVES
from tests.scenario.coverage import never_passed
from tests.scenario.stage import Stage, running_stage, stage_of_its_own
from tests.scenario.stories import Played

pytestmark = pytest.mark.xdist_group("broadband")

PHASES = (broadband_order, broadband_partner, broadband_site, broadband_bundle, broadband_cancel)
"""Where the stories are written down."""
WORKS = ("completed", "partial")
"""How an order ends whose line works."""
ON_EACH_DATABASE = (
    "all_goes_well",
    "a_bundle_is_one_order_one_visit_and_one_rating",
    "a_low_rating_is_followed_up_and_put_right",
    "a_silent_partner_is_stopped_and_the_next_one_builds",
    "a_faulty_port_found_on_site_is_replaced",
    "the_customer_declines_on_site",
    "a_supervisor_refuses_and_the_order_goes_on",
    "cancelled_at_BB_14",
)


# ---- the stage, and what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path_factory.mktemp("broadband")) as running:
        more_buildings(running)
        yield running


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    """Every story, once."""
    return STORIES.play(stage)


@pytest.fixture(scope="module")
def moved(stage: Stage) -> Played:
    """Every story of a line that moves, once."""
    return MOVES.play(stage)


@pytest.mark.parametrize("name", STORIES)
def test_the_order_ends_as_it_should(played: Played, name: str) -> None:
    played.as_told(name)


@pytest.mark.parametrize("name", STORIES)
def test_nothing_is_held_but_by_lines_that_work(played: Played, name: str) -> None:
    play, expected = played.of(name), STORIES[name]
    kinds = set()
    if expected.state in WORKS:
        kinds = {"account"} | ({"port", "onu"} if expected.network == "own" else set())
        kinds |= {"number"} if "voice" in expected.parts else set()
    assert play.holds() == dict.fromkeys(kinds, "in_use")


@pytest.mark.parametrize("name", STORIES)
def test_outside_there_is_what_the_order_has_reached_and_nothing_else(played: Played, name: str) -> None:
    play, expected = played.of(name), STORIES[name]
    works = expected.state in WORKS
    by_hand = "by_hand" in name or expected.network != "own"
    at_our_olt = 0 if by_hand or not works else 2 + ("tv" in expected.parts)
    voice = int("voice" in expected.parts)
    assert play.outside() == {"accounts": int(works), "olt": at_our_olt, "numbers": voice}
    assert play.calls() <= {"DONE", "UNDONE", "FAILED"}


@pytest.mark.parametrize("name", STORIES)
def test_the_crm_is_told_once_how_the_order_has_ended(played: Played, name: str) -> None:
    play, expected = played.of(name), STORIES[name]
    told = [r["state"] for r in play.reports()]
    assert told == ([] if expected.state in ("cancelled", "rejected") else [expected.state])


def test_why_nothing_could_be_reserved_is_told(played: Played) -> None:
    assert "远山路9号" in played.of("nobody_reaches_the_building").why


def test_the_crm_hears_what_was_built_and_tested(played: Played) -> None:
    play = played.of("a_bundle_is_one_order_one_visit_and_one_rating")
    (report,) = play.reports()
    facts = report["facts"]
    assert facts["parts"] == ["BB-1000", "TV-4K", "VOICE"]
    assert facts["failed_parts"] == []
    assert facts["onu_serial"] == play.onu
    assert facts["rx_power_dbm"] == facts["measured_dbm"] == -19.8
    assert facts["speeds_mbps"] == [941, 938, 944]
    assert (facts["signed_by"], facts["rating"], facts["identity_checked"]) == ("林女士", 5, True)
    assert facts["number"].startswith("0999")
    assert datetime.fromisoformat(facts["billing_from"]).tzinfo is not None


def test_who_approves_a_suspension_sees_why_and_until_when(stage: Stage) -> None:
    play = later(stage, stage.order(), "S02", hours=30)
    task = f"/tasks/{play.task('BB_07E')}"
    supervisor = stage.machines.site.browser("supervisor")
    supervisor.read(task)
    page = supervisor.follow(supervisor.post(f"{task}/claim"))
    assert re.search(r'<option value="S02"[^>]*selected', page), page[-4000:]
    assert "S02 site not ready" in page
    play.cancel()


def test_a_refused_cancellation_is_told_with_its_reason(stage: Stage, played: Played) -> None:
    order = played.of("a_supervisor_refuses_and_the_order_goes_on").number
    (wish,) = stage.machines.get(f"{CANCEL}?serviceOrder.id={order}")
    assert (wish["state"], wish["errorMessage"]["message"]) == ("terminatedWithError", "客户已在使用")


def test_the_crm_hears_which_part_has_failed(played: Played) -> None:
    (report,) = played.of("the_ims_refuses_the_number").reports()
    facts = report["facts"]
    assert (facts["parts"], facts["failed_parts"]) == (["BB-1000", "TV-4K"], ["VOICE"])
    assert facts["number"] is None


@pytest.mark.parametrize("name", MOVES)
def test_a_relocation_ends_as_it_should(moved: Played, name: str) -> None:
    moved.as_told(name)
    play, expected = moved.of(name), MOVES[name]
    told = [r["state"] for r in play.reports()]
    assert told == ([] if expected.state == "cancelled" else [expected.state])


@pytest.mark.parametrize("name", MOVES)
def test_of_a_line_that_moves_one_is_left(moved: Played, name: str) -> None:
    play, expected = moved.of(name), MOVES[name]
    old = play.stage.moved_from[play.number]
    if expected.state != "completed":
        assert (play.holds(), old.holds()) == ({}, dict.fromkeys(["port", "account", "onu"], "in_use"))
        assert play.outside() == {"accounts": 0, "olt": 0, "numbers": 0}
        assert old.outside() == {"accounts": 1, "olt": 2, "numbers": 0}
        return
    kinds = {"account", "onu"} | ({"port"} if expected.network == "own" else set())
    kinds |= {"number"} if "tv" in expected.parts else set()
    assert (play.holds(), old.holds()) == (dict.fromkeys(kinds, "in_use"), {})
    at_our_olt = 2 + ("tv" in expected.parts) if expected.network == "own" else 0
    assert play.outside() == {
        "accounts": 0,
        "olt": at_our_olt,
        "numbers": 0,
    }  # the account is still the old one
    assert old.outside() == {"accounts": 1, "olt": 0, "numbers": int("tv" in expected.parts)}


def test_the_account_logs_in_from_where_its_line_is(stage: Stage, moved: Played) -> None:
    accounts = {a["account"]: (a["vlan"], a["port"]) for a in stage.simulators.aaa.state()["subscribers"]}
    for name in ("a_line_moves_to_the_next_street", "a_line_moves_behind_the_same_olt"):
        facts = moved.of(name).reports()[0]["facts"]
        assert accounts[facts["account"]] == (facts["vlan"], facts["port"])
    at_the_partners = moved.of("a_line_moves_to_the_network_of_a_partner").reports()[0]["facts"]
    assert accounts[at_the_partners["account"]] == (None, None)


@pytest.mark.usefixtures("played", "moved")
def test_every_element_and_every_flow_is_passed(stage: Stage) -> None:
    assert never_passed(stage.store, "broadband", "broadband_followup") == []


def test_machines_people_partners_and_undoing_work_on_each_database(store: Store, tmp_path: Path) -> None:
    with running_stage(store, tmp_path) as stage:
        STORIES.play(stage, ON_EACH_DATABASE).all_as_told()


def test_the_stories_end_the_same_when_an_order_is_stored_and_restored_between_all_steps(
    tmp_path: Path,
) -> None:
    with stage_of_its_own(tmp_path) as stage:
        more_buildings(stage)
        stage.store_between_all_steps()
        STORIES.play(stage).all_as_told()
        MOVES.play(stage).all_as_told()
