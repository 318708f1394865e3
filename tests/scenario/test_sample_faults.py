"""The faults among the sample orders of the demo operator, played with their own times to their outcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from engine.identity.model import InboxMessage
from engine.orders.model import OrderMilestone, ServiceOrder
from engine.tickets.model import TroubleTicket
from tests.dedicated_line_parts import NET
from tests.fault_parts import ANSWERS
from tests.machines import V1
from tests.scenario.fault_stage import a_line, report
from tests.scenario.line_stage import line, line_stage
from tests.scenario.stage import Play, Stage

pytestmark = pytest.mark.xdist_group("fault")
CHINA = timedelta(hours=8)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with line_stage(tmp_path_factory.mktemp("samples")) as running:
        yield running


def until(stage: Stage, moment: str) -> None:
    """The clock stands at this time of the day in China; what was due meanwhile has happened."""
    site = stage.machines.site
    now = site.clock.now() + CHINA
    hour, minute = map(int, moment.split(":"))
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    site.clock.advance((then if then >= now else then + timedelta(days=1)) - now)
    site.work()


def reached(play: Play) -> dict[str, str]:
    """When each milestone was reached, the last time of each, as hours and minutes in China."""
    mine = select(OrderMilestone).where(OrderMilestone.order_id == play.number).order_by(OrderMilestone.id)
    with play.site.store.read() as db:
        return {m.name: (m.at + CHINA).strftime("%H:%M") for m in db.scalars(mine)}


def alarm(stage: Stage, code: str) -> None:
    """The alarm platform says that the light of a circuit is gone."""
    stage.machines.add_person("platform", "ALM")
    body = {"id": "LOS-1", "object": code, "kind": "LOS", "severity": "critical", "text": "光信号丢失"}
    told = stage.machines.post(f"{V1}/alarms", body, "platform")
    assert told.status_code in (200, 201), told.text


def the_ticket_of(stage: Stage, code: str) -> str:
    with stage.store.read() as db:
        return db.scalars(select(TroubleTicket.id).where(TroubleTicket.line == code)).one()


def cause(play: Play) -> tuple[str | None, str | None]:
    with play.site.store.read() as db:
        ticket = db.get_one(TroubleTicket, play.number)
        return ticket.cause_code, ticket.segment


def told(play: Play) -> list[str]:
    """What people read in their inbox about it."""
    with play.site.store.read() as db:
        news = db.scalars(select(InboxMessage).where(InboxMessage.kind == "process.news"))
        return [
            f"{(m.at + CHINA):%H:%M} {m.facts['text_en']}" for m in news if m.facts["order"] == play.number
        ]


def hours(play: Play) -> timedelta:
    """How long the line was down, from the report to the proof."""
    mine = select(OrderMilestone.at).where(
        OrderMilestone.order_id == play.number, OrderMilestone.name == "restored"
    )
    with play.site.store.read() as db:
        began: datetime = db.get_one(ServiceOrder, play.number).placed_at
        restored: datetime = db.scalars(mine).one()
    return restored - began


def test_sample_5_a_home_line_without_light(stage: Stage) -> None:
    until(stage, "14:03")
    line = a_line(stage).weak(-31)
    play = report(stage, line.account, symptom="无法上网", wished_window="16-18")
    until(stage, "14:40")
    play.do("TT_06").do("TT_08", window_date="2026-11-22", window="16-18")
    until(stage, "16:30")
    play.do("TT_08A")
    until(stage, "17:06")
    line.mended()
    play.do("TT_09", cause_code="F01", segment="drop_cable")
    until(stage, "17:30")
    play.do("TT_11").do("TT_12", cause_code="F01", segment="drop_cable")

    assert play.state == "completed"
    times = reached(play)
    assert (times["diagnosed"], times["answered"]) == ("14:03", "14:40")
    assert (times["onSite"], times["restored"], times["confirmed"]) == ("16:30", "17:06", "17:30")
    assert cause(play) == ("F01", "drop_cable")
    assert told(play) == []


def test_sample_6_a_gold_circuit_cut_by_an_excavator(stage: Stage) -> None:
    circuit = line(stage, **{**NET, "tier": "A"}).end()
    (code,) = circuit.names("circuit").values()
    device, _, access = circuit.accesses()[0].partition(" ")
    place = {"device": device, "interface": access.partition(".")[0], "vlan": int(access.partition(".")[2])}
    until(stage, "02:11")
    stage.simulators.router.set_circuit(**place, loss_percent=100)
    alarm(stage, code)
    until(stage, "02:14")
    play = Play(stage, the_ticket_of(stage, code), "")
    play.do("TT_08")
    until(stage, "03:50")
    play.do("TT_08A")
    until(stage, "05:31")
    stage.simulators.router.set_circuit(**place, loss_percent=0, delay_ms=3.1)
    play.do("TT_09", cause_code="F11", segment="trunk_cable")
    play.do("TT_11").do("TT_12", cause_code="F11", segment="trunk_cable", time_owner="third_party")

    assert play.state == "completed"
    assert cause(play) == ("F11", "trunk_cable")
    assert timedelta(hours=3) < hours(play) < timedelta(hours=4), "in time, and long enough for a report"
    assert any(line.startswith("02:14") and code in line for line in told(play)), (
        "the customer manager knew at once"
    )
    assert any("more than 2 h" in line for line in told(play))
    assert not any("more than 6 h" in line for line in told(play))
    assert sorted(play.open(f"{play.number}-F")) == ["TT_13", "TT_13R"]
    play.do("TT_13R").do("TT_13", **ANSWERS["TT_13"])
    assert play.open(f"{play.number}-F") == []
