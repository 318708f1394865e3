"""Every way out of the dedicated-line process, played by its people and the product's own worker on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from engine.orders.model import OrderMilestone
from engine.resources import expiry
from engine.resources.model import Resource
from engine.runtime.model import ProcessInstance
from engine.runtime.progress import progress
from engine.store import Store
from tests.dedicated_line_parts import NET, VPN
from tests.machines import CANCEL, V1
from tests.scenario.coverage import never_passed
from tests.scenario.line_stage import SECOND, Line, line, line_stage, stock
from tests.scenario.stage import EVERYBODY, Stage, running_stage
from tests.scenario.stories import Played, Stories

pytestmark = pytest.mark.xdist_group("dedicated_line")

STORIES = Stories()
story = STORIES.story
BY_HAND = {"a_node": "MSTP-E1", "z_node": "MSTP-S1", "z_cable": "GL-S-01"}
TO_BUILD = {"build": "yes", "negotiated_date": "2027-01-15"}
OF_A_LINE = {"port", "vlan", "fibre", "circuit", "ip", "vrf"}


def _designed(stage: Stage, more: Mapping[str, Any] | None = None, **values: Any) -> Line:
    """An order whose design says what is given."""
    return line(stage, **values).to("DL_03").do("DL_03", **(more or {}))


# ---- as it should go


@story("completed")
def all_goes_well(stage: Stage) -> Line:
    return line(stage).end()


@story("completed")
def an_internet_line_needs_the_core_and_the_second_person_finds_a_mistake(stage: Stage) -> Line:
    play = line(stage, **NET).to("DL_11D").do("DL_11D", only={"core_check": "wrong"})
    return play.to("DL_11D").end()


@story("completed")
def a_line_without_automation_is_configured_by_hand(stage: Stage) -> Line:
    return _designed(stage, BY_HAND, **VPN).end()


@story("completed")
def three_months_later_there_were_faults(stage: Stage) -> Line:
    play = line(stage).end().wait(days=93)
    play.do("DL_17", faults_counted=3, final_result="faults", final_note="三次闪断")
    return play.do("DL_17Q")


@story("completed")
def three_months_later_all_is_well(stage: Stage) -> Line:
    return line(stage).end().wait(days=93).do("DL_17")


# ---- 01 and 02


@story("completed")
def papers_are_missing_and_come_later(stage: Stage) -> Line:
    play = line(stage, **{**NET, "security_letter": ""}).do("DL_01", review="R15")
    assert play.state == "pending"
    return play.do("DL_01P").end()


@story("failed", "R15")
def papers_never_come(stage: Stage) -> Line:
    play = line(stage, **{**NET, "ip_filing": ""}).do("DL_01", review="R15")
    return play.do("DL_01P", only={"clarified": "given_up"})


@story("failed", "R07")
def the_other_end_is_not_known(stage: Stage) -> Line:
    play = line(stage, z_address="").do("DL_01", review="R07")
    return play.do("DL_01P", only={"clarified": "given_up"})


@story("completed")
def the_response_centre_finds_wrong_data(stage: Stage) -> Line:
    play = line(stage).do("DL_01").do("DL_01R", review="R07")
    assert play.state == "pending"
    return play.do("DL_01P").end()


@story("failed", "R04")
def there_is_no_resource_at_one_end(stage: Stage) -> Line:
    play = line(stage).to("DL_021").do("DL_021")
    return play.do("DL_021", only={"survey": "none"})


@story("failed", "R02")
def nobody_is_reached_at_one_end(stage: Stage) -> Line:
    return line(stage).to("DL_021").do("DL_021", end="Z", only={"survey": "unreachable"})


def _not_ready(stage: Stage) -> Line:
    play = line(stage).to("DL_021")
    play.do("DL_021", only={"survey": "later", "suspended_until": stage.later(days=3)})
    play.do("DL_021")
    assert play.state == "held"
    return play


@story("completed")
def a_site_is_not_ready_for_the_survey(stage: Stage) -> Line:
    return _not_ready(stage).wait(days=3).do("DL_021").end()


# ---- 03 to 06


@story("failed", "R12")
def another_access_type_is_needed(stage: Stage) -> Line:
    play = line(stage).to("DL_03")
    return play.do("DL_03", only={"design": "other_access", "return_reason": "仅可无线接入"})


@story("completed")
def a_design_is_refused(stage: Stage) -> Line:
    play = line(stage).to("DL_04")
    return play.do("DL_04", only={"review_result": "refused", "review_note": "路由过长"}).end()


def _dear(stage: Stage) -> Line:
    return _designed(stage, {"cost_yuan": 90000}).do("DL_04")


@story("completed")
def a_dear_design_is_for_the_manager(stage: Stage) -> Line:
    play = _dear(stage).do("DL_04M", only={"manager_result": "refused", "manager_note": "费用过高"})
    play.do("DL_03", cost_yuan=80000).do("DL_04").do("DL_04M")
    return play.end()


def _building(stage: Stage) -> Line:
    return _designed(stage, {**TO_BUILD, "z_node": "MSTP-S1", "z_cable": "GL-S-09"}).do("DL_04")


def _waits_for_permit(stage: Stage) -> Line:
    play = _building(stage).do("DL_061")
    play.do("DL_062", only={"permit": "waiting", "suspended_until": stage.later(days=20)})
    assert play.state == "held"
    return play


@story("completed")
def a_cable_has_to_be_laid_first(stage: Stage) -> Line:
    return _waits_for_permit(stage).wait(days=20).end()


def _no_permit(stage: Stage) -> Line:
    play = _building(stage).do("DL_061")
    return play.do("DL_062", only={"permit": "refused", "permit_reason": "文物保护区"})


@story("completed")
def the_city_refuses_and_another_way_is_found(stage: Stage) -> Line:
    return _no_permit(stage).do("DL_06V").do("DL_03").end()


@story("failed", "R05")
def the_line_cannot_be_built(stage: Stage) -> Line:
    play = _building(stage).to("DL_064")
    play.do("DL_064", only={"laying": "given_up", "laying_reason": "管道塌方"})
    return play.do("DL_06V", civil_decision="return").do("DL_U3P")


# ---- 07 and 08


@story("completed")
def another_order_was_faster(stage: Stage) -> Line:
    play = line(stage).to("DL_04")
    with stage.full("PE-N1"):
        play.do("DL_04")
    assert play.holds() == {}
    return play.do("DL_03").end()


def _refused_route(stage: Stage) -> Line:
    play = line(stage).to("DL_08")
    return play.do("DL_08", only={"route": "refused", "route_reason": "纤芯衰耗过大"})


@story("completed")
def a_core_is_lost_and_the_next_one_taken(stage: Stage) -> Line:
    play = _refused_route(stage).do("DL_08R", route_review="next_fibre", fibre_end="Z")
    return play.end()


@story("completed")
def a_refusal_of_the_route_is_not_right(stage: Stage) -> Line:
    return _refused_route(stage).do("DL_08R").end()


@story("completed")
def a_refused_route_is_designed_anew(stage: Stage) -> Line:
    play = _refused_route(stage).do("DL_08R", route_review="redesign")
    return play.do("DL_03", **BY_HAND).end()


@story("completed")
def no_core_is_left_on_the_cable(stage: Stage) -> Line:
    play = _refused_route(stage)
    with _without_cores(stage, "GL-N-01"):
        play.do("DL_08R", route_review="next_fibre", fibre_end="Z")
    return play.do("DL_03").end()


@contextmanager
def _without_cores(stage: Stage, cable: str) -> Iterator[None]:
    """Other orders have all cores of a cable."""
    free = Resource.place == cable, Resource.state == "free"
    taken = Resource.place == cable, Resource.holder == "RIVAL"
    with stage.store.write() as db:
        db.execute(update(Resource).where(*free).values(state="reserved", holder="RIVAL"))
    yield
    with stage.store.write() as db:
        db.execute(update(Resource).where(*taken).values(state="free", holder=None))


# ---- 10 to 12


def _refused_circuit(stage: Stage) -> Line:
    play = line(stage).to("DL_10")
    return play.do("DL_10", only={"circuit_route": "refused", "circuit_reason": "无空闲时隙"})


@story("completed")
def a_refusal_of_the_circuit_is_not_right(stage: Stage) -> Line:
    return _refused_circuit(stage).do("DL_10R").end()


@story("completed")
def a_refused_circuit_is_designed_anew(stage: Stage) -> Line:
    play = _refused_circuit(stage).do("DL_10R", circuit_review="redesign")
    return play.do("DL_03").end()


@story("completed")
def two_crews_are_chosen_by_hand(stage: Stage) -> Line:
    play = line(stage).to("DL_08")
    with stage.without_crew("G1"):
        play.do("DL_08")
    return play.do("DL_122", crew="E1").do("DL_122", crew="S1").end()


def _moved_three_times(stage: Stage) -> Line:
    play = line(stage).to("DL_124").do("DL_123").do("DL_124", end="Z")
    for code in ("A01", "A05", "A06"):
        play.to("DL_124")
        play.do("DL_124", only={"result": "again", "reappoint_code": code, "reason": "客户要求改期"})
    return play


@story("completed")
def a_customer_moves_the_installation_three_times(stage: Stage) -> Line:
    return _moved_three_times(stage).do("DL_126").end()


def _later(stage: Stage) -> Line:
    play = line(stage).to("DL_123")
    play.do(
        "DL_123",
        only={"appointment": "suspended", "suspend_code": "S04", "suspended_until": stage.later(days=5)},
    )
    return play


@story("completed")
def the_property_has_to_be_talked_to_first(stage: Stage) -> Line:
    return _later(stage).wait(days=5).end()


@story("completed")
def the_crew_finds_a_site_that_is_not_ready(stage: Stage) -> Line:
    play = line(stage).to("DL_124")
    play.do(
        "DL_124", only={"result": "suspended", "suspend_code": "S02", "suspended_until": stage.later(days=2)}
    )
    return play.wait(days=2).end()


def _not_installed(stage: Stage, code: str) -> Line:
    play = line(stage).to("DL_124")
    no = {"result": "cannot_build", "return_code": code, "reason": "现场无法安装"}
    return play.do("DL_124", only=no).to("DL_128")


@story("failed", "R05")
def a_device_cannot_be_installed(stage: Stage) -> Line:
    return _cleared(_not_installed(stage, "R05").do("DL_128"))


@story("failed", "R06")
def the_property_refuses(stage: Stage) -> Line:
    return _cleared(_not_installed(stage, "R06").do("DL_128"))


@story("completed")
def a_return_is_not_approved(stage: Stage) -> Line:
    return _not_installed(stage, "R05").do("DL_128", return_check="refused").end()


def _cleared(play: Line) -> Line:
    """Everybody takes back what he did."""
    while play.open():
        play.do(play.open()[0])
    return play


# ---- 13 to 15


def _faulty(stage: Stage, segment: str, **values: Any) -> Line:
    play = line(stage, **values).to("DL_13")
    return play.do("DL_13", loss_percent=2, test_result="faulty", fault_segment=segment)


@story("completed")
def the_fault_is_in_the_optical_route(stage: Stage) -> Line:
    play = _faulty(stage, "08")
    assert play.open() == ["DL_08"]
    return play.end()


@story("completed")
def the_fault_is_in_the_configuration(stage: Stage) -> Line:
    return _faulty(stage, "11").end()


@story("completed")
def the_fault_is_in_the_device_at_end_a(stage: Stage) -> Line:
    return _faulty(stage, "12A").end()


@story("completed")
def the_fault_is_in_the_device_at_end_z(stage: Stage) -> Line:
    return _faulty(stage, "12Z").end()


@story("completed")
def the_router_refuses_to_test(stage: Stage) -> Line:
    play = line(stage).to("DL_13F")
    stage.simulators.router.fault("refuse", times=1, operation="router.circuit.test")
    return play.do("DL_13F").end()


@story("completed")
def the_customer_refuses_and_it_is_tested_again(stage: Stage) -> Line:
    play = line(stage).to("DL_14")
    play.do("DL_14", only={"acceptance": "refused", "refusal_reason": "时延偏高"})
    assert play.open() == ["DL_13F"]
    return play.end()


@story("completed")
def the_customer_is_silent_until_the_manager_comes(stage: Stage) -> Line:
    play = line(stage).to("DL_14").wait(days=5)
    assert play.open() == ["DL_14V"]
    return play.end()


@story("completed")
def maintenance_misses_records_of_one_end(stage: Stage) -> Line:
    play = line(stage).to("DL_15")
    play.do("DL_15", only={"handover": "missing", "missing_ends": "A", "missing_list": "标签照片"})
    return play.do("DL_123").do("DL_124").end()


@story("completed")
def maintenance_misses_records_of_both_ends(stage: Stage) -> Line:
    play = line(stage).to("DL_15")
    play.do("DL_15", only={"handover": "missing", "missing_ends": "both", "missing_list": "联系人"})
    assert play.open() == ["DL_123", "DL_123"]
    return play.end()


# ---- cancelled at each place where an order waits


def _at(element: str, more: Mapping[str, Any] | None = None, **values: Any) -> Callable[[Stage], Line]:
    def play(stage: Stage) -> Line:
        reached = _designed(stage, more, **values) if more else line(stage, **values)
        reached.to(element).cancel()
        return reached

    return play


def _open_at(play: Callable[[Stage], Line]) -> Callable[[Stage], Line]:
    def cancelled(stage: Stage) -> Line:
        reached = play(stage)
        reached.cancel()
        return reached

    return cancelled


def _papers(stage: Stage) -> Line:
    return line(stage, z_address="").do("DL_01", review="R07")


def _no_crew(stage: Stage) -> Line:
    play = line(stage).to("DL_08")
    with stage.without_crew("G1"):
        play.do("DL_08")
    return play


def _silent(stage: Stage) -> Line:
    return line(stage).to("DL_14").wait(days=5)


def _running_test(stage: Stage) -> Line:
    return line(stage).to("DL_13F").do("DL_13F")


WAITING: Mapping[str, Callable[[Stage], Line]] = {
    **{e: _at(e) for e in ("DL_01", "DL_01R", "DL_021", "DL_03", "DL_04", "DL_08", "DL_10")},
    "DL_01P": _open_at(_papers),
    "DL_023": _open_at(_not_ready),
    "DL_04M": _open_at(_dear),
    **{e: _at(e, TO_BUILD) for e in ("DL_061", "DL_062", "DL_063", "DL_064", "DL_065", "DL_066")},
    "DL_06S": _open_at(_waits_for_permit),
    "DL_06V": _open_at(_no_permit),
    "DL_08R": _open_at(_refused_route),
    "DL_10R": _open_at(_refused_circuit),
    "DL_11M": _at("DL_11M", BY_HAND),
    "DL_11N": _at("DL_11N", {"z_node": "MSTP-S1", "z_cable": "GL-S-01"}),
    "DL_11C": _at("DL_11C", **NET),
    "DL_11D": _at("DL_11D", **NET),
    "DL_122": _open_at(_no_crew),
    "DL_123": _at("DL_123"),
    "DL_12W": _open_at(_later),
    "DL_124": _at("DL_124"),
    "DL_126": _open_at(_moved_three_times),
    "DL_128": _open_at(lambda stage: _not_installed(stage, "R06")),
    "DL_13F": _at("DL_13F", BY_HAND, **VPN),
    "DL_13W": _open_at(_running_test),
    "DL_13": _at("DL_13"),
    "DL_14": _at("DL_14"),
    "DL_14V": _open_at(_silent),
}
STORIES.cancelled(WAITING)
ON_EACH_DATABASE = (
    "all_goes_well",
    "a_cable_has_to_be_laid_first",
    "a_core_is_lost_and_the_next_one_taken",
    "the_fault_is_in_the_configuration",
    "cancelled_at_DL_14",
)


# ---- the stage, and what is looked at


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with line_stage(tmp_path_factory.mktemp("dedicated_line")) as running:
        yield running


@pytest.fixture(scope="module")
def played(stage: Stage) -> Played:
    """Every story, once."""
    return STORIES.play(stage)


def _line(played: Played, name: str) -> Line:
    found = played.of(name)
    assert isinstance(found, Line)
    return found


@pytest.mark.parametrize("name", STORIES)
def test_the_order_ends_as_it_should(played: Played, name: str) -> None:
    played.as_told(name)


@pytest.mark.parametrize("name", STORIES)
def test_only_a_line_that_works_holds_anything(played: Played, name: str) -> None:
    play = _line(played, name)
    held = play.holds()
    if STORIES[name].state != "completed":
        assert held == {}
        return
    assert set(held.values()) == {"in_use"}
    assert {"port", "vlan", "fibre", "circuit"} <= set(held) <= OF_A_LINE
    assert set(play.names("port")) == set(play.names("fibre")) == set(play.names("vlan")) == {"A", "Z"}


@pytest.mark.parametrize("name", STORIES)
def test_routers_show_the_accesses_of_lines_that_work_and_nothing_else(played: Played, name: str) -> None:
    play = _line(played, name)
    assert play.calls() <= {"DONE", "UNDONE", "FAILED"}
    wanted: list[str] = []
    if STORIES[name].state == "completed":
        ports, vlans = play.names("port"), play.names("vlan")
        wanted = sorted(f"{_node(play, e)} {ports[e]}.{vlans[e]}" for e in "AZ" if _node(play, e)[:2] == "PE")
    assert sorted(play.accesses()) == wanted
    reports = [e for e in play.stage.simulators.crm.effects() if e["key"].startswith(f"{play.number}:")]
    assert len(reports) == (0 if STORIES[name].state == "cancelled" else 1)


def _node(play: Line, end: str) -> str:
    query = select(Resource.place).where(
        Resource.holder == play.number, Resource.kind == "port", Resource.slot == end
    )
    with play.site.store.read() as db:
        return str(db.scalars(query).one())


@pytest.mark.usefixtures("played")
def test_every_element_and_every_flow_is_passed(stage: Stage) -> None:
    assert never_passed(stage.store, "dedicated_line", "dedicated_line_final") == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("all_goes_well", ["designed", "routeUp", "tested"]),  # tier A
        (
            "an_internet_line_needs_the_core_and_the_second_person_finds_a_mistake",
            ["designed", "tested"],
        ),  # tier C
    ],
)
def test_progress_is_told_three_times_to_a_and_b_and_twice_to_c_and_d(
    played: Played, name: str, told: list[str]
) -> None:
    play = _line(played, name)
    query = select(OrderMilestone.name).where(OrderMilestone.order_id == play.number)
    with play.site.store.read() as db:
        reached = list(db.scalars(query.order_by(OrderMilestone.id)))
    assert [m for m in reached if m in ("designed", "routeUp", "tested")] == told
    assert reached[-3:] == ["customerAccepted", "rentStarted", "closed"]


def test_the_faulty_core_is_marked_and_the_new_one_in_use(played: Played, stage: Stage) -> None:
    play = _line(played, "a_core_is_lost_and_the_next_one_taken")
    with stage.store.read() as db:
        faulty = db.scalar(
            select(func.count())
            .select_from(Resource)
            .where(Resource.place == "GL-N-01", Resource.state == "faulty")
        )
    assert faulty
    assert play.holds()["fibre"] == "in_use"


def test_a_new_cable_is_in_the_inventory(played: Played, stage: Stage) -> None:
    play = _line(played, "a_cable_has_to_be_laid_first")
    with stage.store.read() as db:
        query = select(func.count()).select_from(Resource).where(Resource.place == "GL-S-09")
        assert db.scalar(query) == 24
    assert play.names("fibre")["Z"].startswith("0")


def test_a_step_of_both_ends_is_listed_once(played: Played, stage: Stage) -> None:
    play, services = _line(played, "all_goes_well"), stage.machines.site.services
    with stage.store.read() as db:
        query = select(ProcessInstance.id).where(ProcessInstance.business_key == play.number)
        shown = progress(db, services.kernel, db.scalars(query).one(), stage.machines.site.clock.now())
    listed = [step.element for step in shown.steps]
    assert listed.count("DL_124") == 1
    assert len(listed) == len(set(listed))


def test_at_the_core_the_second_person_is_another_one(stage: Stage) -> None:
    play = line(stage, **NET).to("DL_11D")
    listed = stage.machines.get(f"{V1}/tasks?order={play.number}", SECOND)["items"]
    [task] = [t for t in listed if t["element"] == "DL_11D"]
    answer = stage.machines.post(
        f"{V1}/tasks/{task['id']}/complete", {"values": {"core_check": "equal"}}, EVERYBODY
    )
    assert (answer.status_code, answer.json["code"]) == (409, "task.same_person")
    assert play.open() != []
    play.do("DL_11D").end()


def test_after_the_acceptance_a_line_cannot_be_cancelled(stage: Stage) -> None:
    play = line(stage).to("DL_15")
    wish = {"serviceOrder": {"id": play.number}, "cancellationReason": "C01"}
    assert play.machines.post(CANCEL, wish).json["state"] == "terminatedWithError"
    assert (play.state, play.open()) == ("inProgress", ["DL_15"])


def test_a_reservation_that_nobody_needs_any_more_runs_out(stage: Stage) -> None:
    play = line(stage).to("DL_08")
    play.wait(days=31)
    with stage.store.write() as db:
        expiry.sweep(db, stage.machines.site.clock.now(), 500)
    assert play.holds() == {}


def test_lines_work_on_each_database(store: Store, tmp_path: Path) -> None:
    with running_stage(store, tmp_path) as stage:
        stock(stage)
        STORIES.play(stage, ON_EACH_DATABASE).all_as_told()


def test_the_stories_end_the_same_when_an_order_is_stored_and_restored_between_all_steps(
    tmp_path: Path,
) -> None:
    with line_stage(tmp_path) as stage:
        stage.store_between_all_steps()
        STORIES.play(stage).all_as_told()
