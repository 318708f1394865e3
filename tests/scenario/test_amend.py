"""Broadband orders that are amended at every point at which they can wait, and then played to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from engine.jobs.model import AdapterCall
from engine.orders.model import OrderItem
from tests.machines import V1
from tests.scenario.broadband import AT_HOME, BUNDLE, PARTNERS, at, more_buildings
from tests.scenario.broadband_cancel import WAITING
from tests.scenario.stage import EVERYBODY, Play, Stage, stage_of_its_own

pytestmark = pytest.mark.xdist_group("amend")

NEW_HOME = {**AT_HOME, "area": "YT-E", "address": "东汀区汀兰路18号3栋1单元808"}
CLEARING_UP = ("BB_K", "BB_U")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One installation for all: an order leaves nothing behind that the next could meet."""
    with stage_of_its_own(tmp_path_factory.mktemp("amend")) as running:
        more_buildings(running)
        yield running


def amend(play: Play, product: str | None = None, **characteristics: Any) -> list[str]:
    """What becomes of the items."""
    body = {"product": product, "characteristics": characteristics}
    answer = play.machines.post(f"{V1}/orders/{play.number}/amend", body, EVERYBODY)
    assert answer.status_code == 200, answer.text
    play.site.work()
    return [item["how"] for item in answer.json["items"]]


def instance(play: Play) -> int:
    with play.site.store.read() as db:
        (found,) = db.scalars(select(OrderItem.instance_id).where(OrderItem.order_id == play.number))
    assert found is not None
    return int(found)


def clear_up(play: Play, before: int) -> Play:
    """Those who have to stop and to undo do so, until the order has begun again."""
    for _ in range(8):
        if instance(play) != before:
            return play
        waiting = [e for e in play.open() if e.startswith(CLEARING_UP)]
        assert waiting, (play.open(), play.state, play.troubles())
        play.do(waiting[0])
    raise AssertionError("it does not begin again")


def finish(play: Play) -> Play:
    """Everybody does his work until the order has ended."""
    for _ in range(14):
        if not play.open():
            return play
        play.do(play.open()[0])
    raise AssertionError(play.open())


def delivered_once(play: Play, speed: int) -> None:
    """The line works, once, with what was ordered last; nothing else is left outside."""
    assert play.state == "completed", (play.state, play.code, play.troubles())
    assert play.outside()["accounts"] == 1
    assert play.holds()["port"] == "in_use"
    with play.site.store.read() as db:
        query = select(AdapterCall).where(
            AdapterCall.key.startswith(f"{play.number}:"), AdapterCall.operation == "aaa.subscriber.open"
        )
        opened = db.scalars(query).all()
    working = [call.request["speed_mbps"] for call in opened if call.state == "DONE"]
    assert working == [speed], [(call.state, call.request) for call in opened]


@pytest.mark.parametrize("element", WAITING)
def test_contact_data_change_wherever_an_order_waits_and_it_goes_on(stage: Stage, element: str) -> None:
    play = WAITING[element](stage)
    before, where = play.open(), instance(play)

    assert amend(play, contactPhone="13900001111") == ["in_place"]

    assert (play.open(), instance(play)) == (before, where)
    play.cancel()
    assert play.state == "cancelled"


@pytest.mark.parametrize("element", WAITING)
def test_an_address_is_amended_wherever_an_order_waits_and_it_is_delivered_there(
    stage: Stage, element: str
) -> None:
    play = WAITING[element](stage)
    before, expected = instance(play), promised(play)

    assert amend(play, **NEW_HOME) == ["redo"]
    clear_up(play, before)

    assert promised(play) == expected
    assert play.calls() <= {"DONE", "UNDONE", "FAILED"}
    stage.simulators.olt.set_line(
        onu_serial=play.onu, rx_power_dbm=-20
    )  # the fibre at the new address is good
    finish(play)
    delivered_once(play, 1000)
    with play.site.store.read() as db:
        sent = db.scalars(
            select(AdapterCall.request).where(
                AdapterCall.key.startswith(f"{play.number}:"), AdapterCall.operation == "crm.order.report"
            )
        ).all()
    assert [report["state"] for report in sent] == ["completed"]


def seen(play: Play) -> Any:
    return play.machines.get(f"{V1}/orders/{play.number}", EVERYBODY)


def promised(play: Play) -> Any:
    return seen(play)["expected_at"]


@pytest.mark.parametrize("element", ["BB_01P", "BB_07", "BB_10", "BB_11", "BB_14", "BB_08X"])
def test_a_product_is_amended_and_delivered_with_its_speed(stage: Stage, element: str) -> None:
    play = WAITING[element](stage)
    before = instance(play)
    is_told = element in ("BB_14", "BB_08X")

    assert amend(play, product="BB-500") == ["redo" if is_told else "in_place"]

    if is_told:
        clear_up(play, before)
    assert (instance(play) == before) is not is_told
    if element == "BB_08X":
        play.partner("accepted").partner("done")
    slow = {"speed_1": 480, "speed_2": 490, "speed_3": 470}
    play.to("BB_14").do("BB_14", **slow) if element != "BB_08X" else play
    finish(play)
    delivered_once(play, 500) if element != "BB_08X" else None


def test_a_supervisor_who_refuses_keeps_the_order_as_it_was(stage: Stage) -> None:
    play = stage.order().to("BB_14")
    before, home = instance(play), seen(play)["address"]
    assert amend(play, **NEW_HOME, contactPhone="13900001111") == ["redo"]
    assert play.open() == ["BB_14", "BB_K4"]
    assert seen(play)["address"] == NEW_HOME["address"]

    play.do("BB_K4", cancel_decision="refused", cancel_note="客户已在使用")

    assert (play.open(), instance(play), play.state) == (["BB_14"], before, "inProgress")
    kinds = [e["kind"] for e in play.machines.get(f"{V1}/orders/{play.number}/timeline", EVERYBODY)["items"]]
    assert "AmendmentRefused" in kinds
    assert (seen(play)["address"], seen(play)["phone"]) == (home, "13900001111")
    assert "客户已在使用" in seen(play)["notes"][-1]["text"]
    finish(play)
    delivered_once(play, 1000)


def test_an_order_is_amended_twice_and_delivered_once(stage: Stage) -> None:
    play = at("BB_11")(stage)
    for home in (NEW_HOME, {**PARTNERS, "area": "YT-W"}):
        before = instance(play)
        assert amend(play, **home) == ["redo"]
        clear_up(play, before)
    play.partner("accepted").partner("done").do("BB_08D")
    assert play.state == "completed"
    assert play.outside()["accounts"] == 1


def test_a_bundle_instead_of_a_line_is_begun_again_when_it_is_built(stage: Stage) -> None:
    play = stage.order(**BUNDLE).to("BB_14")
    before = instance(play)
    assert amend(play, product="BB-1000") == ["redo"]
    clear_up(play, before)
    finish(play)
    delivered_once(play, 1000)
