"""Every way out of the fault process, played by its people and the product's own worker on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.identity.model import InboxMessage
from engine.orders.model import OrderMilestone
from engine.ports import LocalCall, LocalOperation
from engine.resources.model import Resource
from engine.store import Store
from engine.tickets.model import TroubleTicket
from tests.scenario.coverage import never_passed
from tests.scenario.fault_stage import HomeLine, a_bare_line, a_circuit, a_line, report, tell
from tests.scenario.stage import Play, Stage, running_stage, stage_of_its_own
from tests.scenario.stories import Played, Stories

pytestmark = pytest.mark.xdist_group("fault")
STORIES = Stories()
story = STORIES.story
WAIT = {"suspend_code": "S02", "reason": "现场断电"}


def on_site(stage: Stage, **told: Any) -> tuple[Play, HomeLine]:
    """A weak line; the crew stands before it."""
    line = a_line(stage).weak()
    return report(stage, line.account, **told).to("TT_09"), line


def close(play: Play) -> Play:
    """The customer confirms, and the ticket is closed."""
    return play.to("TT_11").do("TT_11").do("TT_12")


# ---- as it should go


@story("completed")
def the_crew_mends_the_drop_cable(stage: Stage) -> Play:
    play, line = on_site(stage)
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def a_session_that_hangs_is_ended_from_afar(stage: Stage) -> Play:
    return report(stage, a_line(stage).stuck().account).do("TT_11").do("TT_12")


# ---- 01 to 03


@story("completed")
def customer_service_takes_what_a_customer_wrote(stage: Stage) -> Play:
    line = a_line(stage).stuck()
    play = report(stage, line.account, origin="customer")
    return play.do("TT_01", line=line.account).do("TT_06").do("TT_11").do("TT_12")


@story("completed")
def a_question_about_a_bill_is_answered_by_its_department(stage: Stage) -> Play:
    play = report(stage, a_line(stage).account, ticket_type="billing")
    return play.do("TT_01", only={"department": "billing"}).do("TT_01Q")


@story("completed")
def a_line_that_nobody_knows_is_found_by_customer_service(stage: Stage) -> Play:
    play = report(stage, "yt99999999")
    return play.do("TT_01", line=a_line(stage).stuck().account).do("TT_11").do("TT_12")


@story("cancelled")
def a_second_report_of_a_line_is_merged(stage: Stage) -> Play:
    line = a_line(stage).weak()
    report(stage, line.account)
    return report(stage, line.account)


@story("completed")
def a_line_that_fails_again_goes_up_a_level(stage: Stage) -> Play:
    line = a_line(stage).stuck()
    report(stage, line.account).do("TT_11").do("TT_12")
    line.stuck()
    return report(stage, line.account).do("TT_11").do("TT_12").do("TT_13")


@story("completed")
def a_line_in_arrears_is_not_faulty(stage: Stage) -> Play:
    line = a_line(stage)
    stage.simulators.crm.set_account(account=line.account, state="arrears")
    return report(stage, line.account).do("TT_03T")


# ---- 04 and 05


@story("completed")
def a_silent_system_is_looked_at_by_the_network_centre(stage: Stage) -> Play:
    line = a_line(stage).weak()
    stage.simulators.olt.fault("unavailable", operation="olt.line.read")
    play = report(stage, line.account).do("TT_04M").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def nothing_is_found_and_nothing_is_wrong(stage: Stage) -> Play:
    play = report(stage, a_line(stage).account)
    return close(play.do("TT_04M", segment="none", next_step="fine"))


@story("completed")
def the_network_centre_repairs_from_afar(stage: Stage) -> Play:
    play = report(stage, a_line(stage).account)
    return close(play.do("TT_04M", segment="config", next_step="repair").do("TT_05M"))


@story("completed")
def what_the_server_refuses_is_done_by_hand(stage: Stage) -> Play:
    line = a_line(stage).stuck()
    stage.simulators.aaa.fault("refuse", operation="aaa.session.reset")
    play = report(stage, line.account).to("TT_05M")
    line.mended()
    return close(play.do("TT_05M"))


@story("completed")
def what_cannot_be_done_from_afar_is_the_network_centres(stage: Stage) -> Play:
    line = a_line(stage).stuck()
    stage.simulators.aaa.fault("refuse", operation="aaa.session.reset")
    play = report(stage, line.account).to("TT_05M").do("TT_05M", repaired="no").to("TT_09N")
    line.mended()
    return close(play.do("TT_09N"))


@story("completed")
def restarting_twice_does_not_help(stage: Stage) -> Play:
    line = a_line(stage).dead()
    play = report(stage, line.account).to("TT_09")
    line.mended()
    return close(play.do("TT_09", cause_code="F05", segment="terminal"))


@story("completed")
def a_line_without_automation_is_tested_by_hand(stage: Stage) -> Play:
    play = report(stage, a_bare_line(stage)).do("TT_04M").to("TT_09").do("TT_09").to("TT_10M")
    return close(play.do("TT_10M"))


# ---- 07 and 08


@story("completed")
def a_partners_line_is_mended_by_the_partner(stage: Stage) -> Play:
    built = stage.order(area="YT-W", address="西渡区西渡口路5号301", building="西渡口路5号")
    built.partner("accepted").partner("on_site").partner("done").do("BB_08D")
    play = (
        report(stage, account_of(stage, built.number), area="YT-W")
        .do("TT_04M", segment="partner")
        .to("TT_09P")
        .do("TT_09P")
    )
    return close(play)


@story("completed")
def a_faulty_olt_is_the_network_centres(stage: Stage) -> Play:
    line = a_line(stage).broken_port()
    play = report(stage, line.account).to("TT_09N")
    line.mended()
    return close(play.do("TT_09N"))


@story("completed")
def the_network_centre_finds_that_a_crew_is_needed(stage: Stage) -> Play:
    line = a_line(stage).broken_port()
    play = report(stage, line.account).to("TT_09N")
    play.do("TT_09N", only={"repair_result": "crew", "repair_note": "要上门"}).to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def no_crew_fits_and_the_dispatcher_chooses(stage: Stage) -> Play:
    line = a_line(stage).weak()
    with stage.without_crew("N1"):
        play = report(stage, line.account, area="YT-N")
    play.do("TT_07D").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def a_crew_says_that_it_is_not_its_own(stage: Stage) -> Play:
    line = a_line(stage).weak()
    play = report(stage, line.account)
    play.do("TT_08", only={"acceptance": "not_mine", "reason": "非本片区"}).do("TT_07D").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def a_visit_is_moved_and_then_waits(stage: Stage) -> Play:
    line = a_line(stage).weak()
    play = report(stage, line.account).do("TT_08")
    moved = {"window_date": "2026-11-24", "window": "18-20", "reason": "客户不在家"}
    play.do("TT_08A", only={"arrival": "again", "reappoint_code": "A02", **moved})
    until = {"suspended_until": stage.later(hours=3)}
    play.do("TT_08A", only={"arrival": "suspend", **WAIT, **until})
    assert play.state == "held"
    play.wait(hours=3).to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


def _moved(stage: Stage, times: int) -> tuple[Play, HomeLine]:
    line = a_line(stage).weak()
    play = report(stage, line.account).to("TT_08A")
    moved = {"window_date": "2026-11-24", "window": "18-20", "reason": "客户不在家"}
    for _ in range(times):
        play.do("TT_08A", only={"arrival": "again", "reappoint_code": "A02", **moved})
    return play, line


@story("completed")
def a_visit_is_moved_three_times_and_the_supervisor_steps_in(stage: Stage) -> Play:
    play, line = _moved(stage, 3)
    play.do("TT_08V").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


# ---- 09 and 10


@story("completed")
def a_repair_waits_and_goes_to_another_crew(stage: Stage) -> Play:
    play, line = on_site(stage)
    play.do("TT_09", only={"repair_result": "suspend", **WAIT, "suspended_until": stage.later(hours=2)})
    play.wait(hours=2).do("TT_09", only={"repair_result": "transfer", "reason": "需要熔接"})
    play.do("TT_07D", crew="N1").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def the_crew_proposes_a_mass_fault_that_is_none(stage: Stage) -> Play:
    play, line = on_site(stage)
    play.do("TT_09", only={"repair_result": "many_lines", "reason": "整栋无光"}).do("TT_09Q").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def the_crew_proposes_a_mass_fault_and_its_line_works_with_it(stage: Stage) -> Play:
    play, line = on_site(stage)
    play.do("TT_09", only={"repair_result": "many_lines", "reason": "整栋无光"})
    play.do("TT_09Q", mass_fault="yes")
    assert play.open() == []
    line.mended()
    return close(tell(play, "fault.parent_over"))


@story("completed")
def the_customers_own_device_is_the_cause(stage: Stage) -> Play:
    play, line = on_site(stage)
    line.mended()
    return close(play.do("TT_09", cause_code="F06", segment="customer_device"))


@story("completed")
def a_repair_that_did_not_help_is_repeated(stage: Stage) -> Play:
    play, line = on_site(stage)
    play.do("TT_09").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def what_the_network_centre_thought_fine_is_not(stage: Stage) -> Play:
    line = a_line(stage)
    play = report(stage, line.account).to("TT_04M")
    line.weak()
    play.do("TT_04M", segment="none", next_step="fine").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def the_test_does_not_answer_and_a_person_tests(stage: Stage) -> Play:
    play, line = on_site(stage)
    line.mended()
    stage.simulators.olt.fault("unavailable", operation="olt.line.read")
    return close(play.do("TT_09").do("TT_10M"))


@story("completed")
def a_temporary_fix_gets_its_final_one(stage: Stage) -> Play:
    play, line = on_site(stage)
    line.mended()
    fix = {"fix_kind": "temporary", "final_fix_at": stage.later(days=2)}
    play = close(play.do("TT_09", **fix)).wait(days=2)
    return play.do("TT_13F")


# ---- 11 to 13


@story("completed")
def the_customer_says_no(stage: Stage) -> Play:
    play, line = on_site(stage)
    line.mended()
    play.do("TT_09").to("TT_11").do("TT_11", confirmation="no").to("TT_09")
    return close(play.do("TT_09"))


@story("completed")
def the_customer_says_no_to_a_repair_from_afar(stage: Stage) -> Play:
    play = report(stage, a_line(stage).stuck().account).do("TT_11", confirmation="no")
    return close(play.to("TT_09N").do("TT_09N"))


@story("completed")
def nobody_answers_three_calls(stage: Stage) -> Play:
    play = report(stage, a_line(stage).stuck().account)
    for _ in range(2):
        play.do("TT_11", confirmation="unreachable").wait(hours=1)
    play.do("TT_11", confirmation="unreachable").do("TT_12")
    play.do("TT_13", follow_up="unreachable").wait(hours=4).do("TT_13", follow_up="unreachable")
    return play.wait(hours=4).do("TT_13", follow_up="unreachable")


@story("completed")
def the_customer_answers_himself_first_no_then_yes(stage: Stage) -> Play:
    play = report(stage, a_line(stage).stuck().account)
    tell(play, "fault.answer", confirmed=False, text="还是上不了网")
    play.to("TT_09N").do("TT_09N").to("TT_11")
    return tell(play, "fault.answer", confirmed=True, text="好了").do("TT_12")


@story("completed")
def a_vague_conclusion_comes_back(stage: Stage) -> Play:
    play = report(stage, a_line(stage).stuck().account).do("TT_11")
    return play.do("TT_12", closing_text="处理完毕").do("TT_12")


@story("completed")
def an_unhappy_customer_gets_a_new_ticket(stage: Stage) -> Play:
    line = a_line(stage).stuck()
    report(stage, line.account).do("TT_11").do("TT_12")
    line.stuck()
    play = report(stage, line.account).do("TT_11").do("TT_12")
    return play.do("TT_13", follow_up="unhappy")


# ---- circuits, alarms, mass faults, planned work


@story("completed")
def a_gold_circuit_is_down_for_long(stage: Stage) -> Play:
    code, place = a_circuit(stage)
    stage.simulators.router.set_circuit(**place, loss_percent=100)
    play = report(stage, code, product="NET-100M", tier="A").do("TT_06").do("TT_08").do("TT_08A")
    play.wait(hours=2).wait(hours=4)
    stage.simulators.router.set_circuit(**place, loss_percent=0, delay_ms=3.1)
    play.do("TT_09", cause_code="F11", segment="trunk_cable").do("TT_11").wait(hours=1)
    return play.do("TT_12").do("TT_13").do("TT_13R")


@story("completed")
def a_gold_line_works_again_but_its_ticket_stays_open(stage: Stage) -> Play:
    play = report(stage, a_line(stage).stuck().account, tier="A").do("TT_11")
    return play.wait(hours=2).wait(hours=4).do("TT_12").do("TT_13")


@story("completed")
def an_alarm_clears_by_itself(stage: Stage) -> Play:
    line = a_line(stage).weak()
    play = report(stage, line.account, origin="alarm", tier="B").to("TT_08")
    line.mended()
    return close(tell(play, "alarm.cleared")).do("TT_13")


@story("completed")
def a_mass_fault_takes_it_from_the_crew_and_gives_it_back(stage: Stage) -> Play:
    line = a_line(stage).weak()
    play = tell(report(stage, line.account).to("TT_08"), "fault.join", parent="GF-1")
    assert play.open() == []
    tell(play, "fault.parent_over", parent="GF-1").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def a_person_takes_it_out_of_a_mass_fault(stage: Stage) -> Play:
    line = a_line(stage).weak()
    play = tell(report(stage, line.account), "fault.join", parent="GF-1")
    tell(play, "fault.leave").to("TT_09")
    line.mended()
    return close(play.do("TT_09"))


@story("completed")
def an_alarm_clears_while_it_waits_for_a_mass_fault(stage: Stage) -> Play:
    line = a_line(stage).weak()
    play = tell(report(stage, line.account), "fault.join", parent="GF-1")
    line.mended()
    return close(tell(play, "alarm.cleared"))


@story("completed")
def planned_work_is_answered_and_the_line_tested_after_it(stage: Stage) -> Play:
    line = a_line(stage).weak()
    with correlated(stage, "attached", related="PW-1", planned=stage.later(hours=3)):
        play = report(stage, line.account)
    play.do("TT_06W")
    line.mended()
    return close(play.wait(hours=3))


@story("completed")
def a_report_of_a_mass_fault_waits_from_the_beginning(stage: Stage) -> Play:
    line = a_line(stage).weak()
    with correlated(stage, "attached", related="GF-1"):
        play = report(stage, line.account)
    line.mended()
    return close(tell(play, "fault.parent_over", parent="GF-1"))


class _Says:
    """Correlates as it is told: mass faults and planned work are opened elsewhere."""

    reads_only = True

    def __init__(self, inner: LocalOperation, answer: Mapping[str, Any]) -> None:
        self.operation, self._answer = inner.operation, answer

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        return self._answer


@contextmanager
def correlated(stage: Stage, relation: str, related: str, planned: str | None = None) -> Iterator[None]:
    """Reports that come now belong to something."""
    kernel = stage.machines.site.services.kernel
    calm, kernel.local = kernel.local, dict(kernel.local)
    answer = {"relation": relation, "related": related, "planned": planned}
    kernel.local["ticket.correlate"] = _Says(calm["ticket.correlate"], answer)
    yield
    kernel.local = calm


# ---- withdrawn at each place where a ticket waits


def _weak(element: str, **told: Any) -> Callable[[Stage], Play]:
    return lambda stage: report(stage, a_line(stage).weak().account, **told).to(element).cancel()


def _stuck(element: str) -> Callable[[Stage], Play]:
    return lambda stage: report(stage, a_line(stage).stuck().account).to(element).cancel()


def _suspended_on_the_way(stage: Stage) -> Play:
    play = report(stage, a_line(stage).weak().account).to("TT_08A")
    until = {"suspended_until": stage.later(hours=3)}
    return play.do("TT_08A", only={"arrival": "suspend", **WAIT, **until}).cancel()


def _suspended_on_site(stage: Stage) -> Play:
    play, _ = on_site(stage)
    until = {"suspended_until": stage.later(hours=3)}
    return play.do("TT_09", only={"repair_result": "suspend", **WAIT, **until}).cancel()


def _proposed(stage: Stage) -> Play:
    play, _ = on_site(stage)
    return play.do("TT_09", only={"repair_result": "many_lines", "reason": "整栋无光"}).cancel()


def _untested(stage: Stage) -> Play:
    play, _ = on_site(stage)
    stage.simulators.olt.fault("unavailable", operation="olt.line.read")
    return play.do("TT_09").cancel()


def _not_automated(stage: Stage) -> Play:
    built = stage.order(area="YT-W", address="西渡区西渡口路5号301", building="西渡口路5号")
    built.partner("accepted").partner("on_site").partner("done").do("BB_08D")
    return report(stage, account_of(stage, built.number), area="YT-W").to("TT_09P").cancel()


def _planned(stage: Stage) -> Play:
    with correlated(stage, "attached", related="PW-1", planned=stage.later(hours=3)):
        return report(stage, a_line(stage).account).cancel()


def _without_crew(stage: Stage) -> Play:
    with stage.without_crew("N1"):
        return report(stage, a_line(stage).weak().account, area="YT-N").cancel()


def _unreached(stage: Stage) -> Play:
    play = report(stage, a_line(stage).stuck().account)
    return play.do("TT_11", confirmation="unreachable").cancel()


def _refused(stage: Stage) -> Play:
    stage.simulators.aaa.fault("refuse", operation="aaa.session.reset")
    return report(stage, a_line(stage).stuck().account).to("TT_05M").cancel()


WAITING: Mapping[str, Callable[[Stage], Play]] = {
    "TT_01": lambda stage: report(stage, a_line(stage).account, origin="customer").cancel(),
    "TT_01Q": lambda stage: (
        report(stage, a_line(stage).account, ticket_type="billing")
        .do("TT_01", only={"department": "billing"})
        .cancel()
    ),
    "TT_03T": lambda stage: _in_arrears(stage).cancel(),
    "TT_04M": lambda stage: report(stage, a_line(stage).account).cancel(),
    "TT_05M": _refused,
    "TT_06": lambda stage: report(stage, a_line(stage).weak().account).cancel(),
    "TT_06W": _planned,
    "TT_07D": _without_crew,
    "TT_08": _weak("TT_08"),
    "TT_08A": _weak("TT_08A"),
    "TT_08V": lambda stage: _moved(stage, 3)[0].cancel(),
    "TT_08W": _suspended_on_the_way,
    "TT_09": _weak("TT_09"),
    "TT_09N": lambda stage: report(stage, a_line(stage).broken_port().account).to("TT_09N").cancel(),
    "TT_09P": _not_automated,
    "TT_09Q": _proposed,
    "TT_09W": _suspended_on_site,
    "TT_10M": _untested,
    "TT_11": _stuck("TT_11"),
    "TT_11T": _unreached,
    "TT_W": lambda stage: tell(
        report(stage, a_line(stage).weak().account), "fault.join", parent="GF-1"
    ).cancel(),
}
STORIES.cancelled(WAITING)
ON_EACH_DATABASE = (
    "the_crew_mends_the_drop_cable",
    "a_mass_fault_takes_it_from_the_crew_and_gives_it_back",
    "nobody_answers_three_calls",
    "a_gold_circuit_is_down_for_long",
    "cancelled_at_TT_09",
)


def _in_arrears(stage: Stage) -> Play:
    line = a_line(stage)
    stage.simulators.crm.set_account(account=line.account, state="arrears")
    return report(stage, line.account)


def account_of(stage: Stage, holder: str) -> str:
    """The account that an order has."""
    mine = select(Resource.name).where(Resource.holder == holder, Resource.kind == "account")
    with stage.store.read() as db:
        return str(db.scalars(mine).one())


# ---- what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage_of_its_own(tmp_path_factory.mktemp("fault")) as running:
        yield running


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    """Every story, once."""
    return STORIES.play(stage)


@pytest.mark.parametrize("name", STORIES)
def test_the_ticket_ends_as_it_should(played: Played, name: str) -> None:
    played.as_told(name)


@pytest.mark.parametrize("name", STORIES)
def test_its_cause_is_written_down_unless_it_was_merged(played: Played, name: str) -> None:
    with played.of(name).site.store.read() as db:
        ticket = db.get_one(TroubleTicket, played.of(name).number)
        said = (ticket.cause_code, ticket.segment, ticket.time_owner)
    if name == "a_second_report_of_a_line_is_merged":
        assert said == (None, None, None)
    elif name.startswith("cancelled"):
        assert (said[0], said[2]) == ("F14", "customer")
    else:
        assert all(said)


@pytest.mark.parametrize("name", STORIES)
def test_no_call_is_left_open(played: Played, name: str) -> None:
    assert played.of(name).calls() <= {"DONE", "UNDONE", "FAILED"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "the_crew_mends_the_drop_cable",
            "accepted answered diagnosed dispatched onSite restored confirmed closed",
        ),
        ("a_session_that_hangs_is_ended_from_afar", "accepted diagnosed diagnosed restored confirmed closed"),
        ("a_line_in_arrears_is_not_faulty", "accepted closed"),
    ],
)
def test_the_customer_is_told_how_far_it_is(played: Played, name: str, told: str) -> None:
    reached = milestones(played.of(name))
    assert sorted(reached) == sorted(told.split())
    assert reached[-1] == "closed"


def test_a_customer_who_says_no_is_told_that_it_goes_on(played: Played) -> None:
    reached = milestones(played.of("the_customer_says_no"))
    assert [name for name in reached if name in ("restored", "reopened", "confirmed")] == [
        "restored",
        "reopened",
        "restored",
        "confirmed",
    ]


def test_the_new_ticket_of_an_unhappy_customer_names_the_old_one(played: Played) -> None:
    play = played.of("an_unhappy_customer_gets_a_new_ticket")
    with play.site.store.read() as db:
        line = db.get_one(TroubleTicket, play.number).line
        newest = select(TroubleTicket).where(TroubleTicket.line == line).order_by(TroubleTicket.id.desc())
        ticket = db.scalars(newest.limit(1)).one()
        related = [one["id"] for one in ticket.document["troubleTicketRelationship"]]
    assert ticket.id != play.number
    assert related == [play.number]


def test_managers_hear_of_a_gold_line_that_is_down_for_long(played: Played) -> None:
    play = played.of("a_gold_circuit_is_down_for_long")
    with play.site.store.read() as db:
        mine = select(InboxMessage).where(InboxMessage.kind == "process.news").order_by(InboxMessage.id)
        told = [m.facts["text_en"] for m in db.scalars(mine) if m.facts["order"] == play.number]
    assert any("more than 2 h" in text for text in told)
    assert any("tell the customer" in text for text in told)
    assert any("is faulty" in text for text in told)


def test_what_was_mended_from_afar_stays_when_the_customer_withdraws_afterwards(played: Played) -> None:
    assert played.of("cancelled_at_TT_11").calls() == {"DONE"}


def test_every_element_and_every_flow_is_passed(stage: Stage, played: Played) -> None:
    played.all_as_told()
    assert never_passed(stage.store, "fault", "fault_followup") == []


def test_faults_are_handled_on_each_database(store: Store, tmp_path: Path) -> None:
    with running_stage(store, tmp_path) as stage:
        STORIES.play(stage, ON_EACH_DATABASE).all_as_told()


def test_faults_end_the_same_when_they_are_stored_and_restored_between_all_steps(tmp_path: Path) -> None:
    with stage_of_its_own(tmp_path) as stage:
        stage.store_between_all_steps()
        STORIES.play(
            stage, [*ON_EACH_DATABASE, "planned_work_is_answered_and_the_line_tested_after_it"]
        ).all_as_told()


def test_the_crew_reads_on_its_task_what_is_wrong(stage: Stage) -> None:
    play, _ = on_site(stage, wished_window="16-18")
    page = stage.machines.site.browser("supervisor-all").read(f"/tasks/{play.task('TT_09')}")
    assert "无法上网" in page
    assert "光功率 -31.0 dBm" in page
    assert "16-18" in page
    play.cancel()


def milestones(play: Play) -> list[str]:
    """What the customer was told, oldest first."""
    mine = select(OrderMilestone.name).where(OrderMilestone.order_id == play.number)
    with play.site.store.read() as db:
        return list(db.scalars(mine.order_by(OrderMilestone.id)))
