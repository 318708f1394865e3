"""The demo operator's three broadband orders of Sunday, 22 November 2026, from the CRM's order to the report of its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.orders.model import NumberSeries
from engine.partners.model import PartnerOrder
from engine.resources.model import Resource
from tasks.model import Task
from tests.machines import ORDERS, an_order
from tests.scenario.stage import Play, Stage, stage_of_its_own

pytestmark = pytest.mark.xdist_group("broadband_samples")

AT_HOME = {"area": "YT-E", "address": "东汀区汀兰路18号3栋1202", "building": "汀兰路18号3栋"}
FERRY = {"area": "YT-W", "address": "西渡区西渡口路5号301", "building": "西渡口路5号"}
SLOW_LOGIN_S = 1.2


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """The operator on that morning: so many orders have come in, and the ports up to 1/3/6 are taken."""
    with stage_of_its_own(tmp_path, timeout=8.0) as running:
        port = Resource.kind == "port", Resource.place == "OLT-E01"
        with running.store.write() as db:
            db.add(NumberSeries(prefix="BB", day="20261122", last=request.param))
            free = db.scalars(select(Resource.id).where(*port, Resource.name == "1/3/7")).one()
            earlier = update(Resource).where(*port, Resource.id < free)
            db.execute(earlier.values(state="in_use", holder="EARLIER"))
        yield running


def _order(
    stage: Stage, external_id: str, product: str, onu: str = "YTGP1A2B3C4D", **characteristics: str
) -> Play:
    body = an_order(external_id, **characteristics)
    body["serviceOrderItem"][0]["service"]["serviceSpecification"] = {"id": product}
    number = stage.machines.place(body)["id"]
    stage.machines.site.work()
    return Play(stage, number, onu)


def _at(stage: Stage, text: str) -> None:
    stage.machines.site.clock.set(datetime.fromisoformat(text).astimezone(UTC))
    stage.machines.site.work()


def _facts(play: Play) -> Mapping[str, Any]:
    (report,) = play.reports()
    assert report["state"] == "completed"
    facts: Mapping[str, Any] = report["facts"]
    return facts


@pytest.mark.parametrize("stage", [122], indirect=True)
def test_1_a_bundle_is_built_on_monday_evening_as_the_customer_wished(stage: Stage) -> None:
    _at(stage, "2026-11-22T09:12+08:00")
    wish = {"account": "yt10230123", "wishedWindow": "2026-11-23 18:00-20:00"}
    play = _order(stage, "CRM-88120031", "HOME-1000", **AT_HOME, **wish)
    assert (play.number, play.open()) == ("BB-20261122-000123", ["BB_07"])
    assert _crew(stage, play) == "E1"
    play.do("BB_07", window_date="2026-11-23", window="18-20")

    _at(stage, "2026-11-23T18:05+08:00")
    stage.simulators.aaa.fault("delay", times=1, operation="aaa.login.test", seconds=SLOW_LOGIN_S)
    play.do("BB_10").do("BB_11", rx_power_dbm=-19.8)
    play.do("BB_14", speed_1=941, speed_2=941, speed_3=941, rating=5)

    assert (play.state, play.open()) == ("completed", [])
    facts = _facts(play)
    assert (facts["node"], facts["port"], facts["vlan"]) == ("OLT-E01", "1/3/7", 1203)
    assert (facts["account"], facts["onu_serial"]) == ("yt10230123", "YTGP1A2B3C4D")
    assert facts["rx_power_dbm"] == facts["measured_dbm"] == -19.8
    assert SLOW_LOGIN_S * 1000 <= facts["login_ms"] <= 8000
    assert (facts["speeds_mbps"], facts["rating"]) == ([941, 941, 941], 5)
    assert facts["parts"] == ["BB-1000", "TV-4K", "VOICE"]
    assert play.outside() == {"accounts": 1, "olt": 3, "numbers": 1}
    shown = stage.machines.get(f"{ORDERS}/{play.number}")
    assert (shown["externalId"], shown["state"]) == ("CRM-88120031", "completed")


@pytest.mark.parametrize("stage", [123], indirect=True)
def test_2_one_partner_refuses_and_the_next_one_comes_twice(stage: Stage) -> None:
    _at(stage, "2026-11-22T10:40+08:00")
    stage.simulators.partner.fault("refuse", times=1, operation="partner.order.send", code="R04")
    play = _order(stage, "CRM-88120032", "BB-1000", **FERRY)
    assert play.number == "BB-20261122-000124"
    refused, sent = _partner_orders(stage, play)
    assert (refused.partner, refused.state, refused.refusal_code) == ("P-YQ", "refused", "R04")
    assert (sent.partner, sent.partner_number) == ("P-CAT", "CAT-77120")

    play.partner("accepted").partner("appointed").partner("on_site")
    play.partner("appointed", visit=2, code="A02", reason="用户不在")
    play.wait(hours=18).partner("on_site").partner("done").do("BB_08D")

    assert (play.state, play.open()) == ("completed", [])
    assert _facts(play)["network"] == "P-CAT"
    _, confirmed = _partner_orders(stage, play)
    assert (confirmed.state, confirmed.visit) == ("confirmed", 2)
    moved = [e["data"] for e in _story(stage, play) if e["kind"] == "PartnerReported"]
    assert [m["code"] for m in moved if m["after"] == "appointed"] == ["A02", None]  # newest first


@pytest.mark.parametrize("stage", [124], indirect=True)
def test_3_a_lost_answer_is_observed_and_a_faulty_port_is_replaced(stage: Stage) -> None:
    _at(stage, "2026-11-22T11:00+08:00")
    play = _order(stage, "CRM-88120033", "BB-500", "YTGPE0000001", **AT_HOME).to("BB_11")
    assert play.number == "BB-20261122-000125"
    (before,) = _ports(stage, play)
    play.do("BB_11", only={"result": "port_faulty", "reason": "端口无光"})
    (after,) = _ports(stage, play)
    assert after != before

    stage.simulators.aaa.fault("lost_answer", times=1, operation="aaa.subscriber.open")
    play.do("BB_11")
    opened = [e for e in stage.simulators.aaa.effects() if e["key"].startswith(f"{play.number}:")]
    assert [e["operation"] for e in opened] == ["aaa.subscriber.open"]
    play.do("BB_14", speed_1=463, speed_2=463, speed_3=463)

    assert (play.state, play.open()) == ("completed", [])
    facts = _facts(play)
    assert (facts["port"], facts["speeds_mbps"]) == (after, [463, 463, 463])
    with stage.store.read() as db:
        old = db.scalars(select(Resource).where(Resource.place == "OLT-E01", Resource.name == before)).one()
    assert old.state == "faulty"


def _crew(stage: Stage, play: Play) -> str | None:
    with stage.store.read() as db:
        return db.get_one(Task, play.task("BB_07")).crew_id


def _ports(stage: Stage, play: Play) -> list[str]:
    query = select(Resource.name).where(Resource.kind == "port", Resource.holder == play.number)
    with stage.store.read() as db:
        return list(db.scalars(query))


def _partner_orders(stage: Stage, play: Play) -> list[PartnerOrder]:
    query = select(PartnerOrder).where(PartnerOrder.business_key == play.number)
    with stage.store.read() as db:
        return list(db.scalars(query.order_by(PartnerOrder.attempt)))


def _story(stage: Stage, play: Play) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = stage.machines.get(f"/api/v1/orders/{play.number}/timeline", "admin")[
        "items"
    ]
    return found
