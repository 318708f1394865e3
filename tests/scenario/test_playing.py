"""The demo operator at work: what `./run` shows was played, not written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select

from adapters.sim.aaa import AaaSimulator
from bpmn.catalog import packaged
from bpmn.forms import load_form
from bpmn.parse import rebuild
from bpmn.specs import UserActivity
from engine.config import Settings
from engine.orders.model import ServiceOrder
from engine.store import Store, migrate
from tasks.model import Task
from web import demo_data
from web.bootstrap import assemble
from web.playing import play, the_script
from web.playing.script import fill

pytestmark = pytest.mark.xdist_group("playing")

NOW = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)
KNOWN = {"onu": "YTGP1A2B3C4D", "crew": "E1", "speed": "1000", "line": "yt10230123"}


def _forms() -> dict[str, dict[str, object]]:
    """The form documents of all shipped user tasks, by element."""
    found = {}
    for bundle in packaged():
        for executable in rebuild(bundle.xml).values():
            for ident, node in executable.nodes.items():
                if isinstance(node, UserActivity) and (key := node.attributes.get("formKey")):
                    found[ident] = dict(bundle.forms[key])
    return found


@dataclass(frozen=True)
class Shown:
    """What there is when the play is over."""

    orders: list[ServiceOrder]
    tasks: list[Task]
    accounts: set[str]
    hours: list[int]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("played")
    settings = replace(Settings(), data_dir=folder)
    script = the_script(24)
    services = assemble(settings)
    try:
        migrate.upgrade(services.store)
        with services.store.write() as db:
            demo_data.seed(db, services, NOW - script.length)
        hours: list[int] = []
        assert play(settings, script, NOW, lambda played, _: hours.append(played)) == len(
            script.wishes
        ) + len(script.complaints)
        accounts = {str(e["key"]) for e in AaaSimulator(folder / "simulators" / "aaa.db").effects()}
        with Store(settings.database).read() as db:
            orders, tasks = list(db.scalars(select(ServiceOrder))), list(db.scalars(select(Task)))
            yield Shown(orders, tasks, accounts, hours)
    finally:
        services.registry.close()
        services.store.close()


def test_every_task_of_a_shipped_process_has_answers_that_its_form_takes() -> None:
    answers, forms = the_script(200).answers, _forms()
    assert sorted(set(answers) - set(forms)) == []
    for element, answer in answers.items():
        for way in answer.ways:
            load_form(forms[element]).validate(fill(way.values, KNOWN, NOW, Random(1)))


def test_there_are_about_two_hundred_orders() -> None:
    script = the_script(200)
    assert 190 <= len(script.wishes) + len(script.complaints) <= 215


def test_orders_stand_at_many_points_and_none_in_the_future(shown: Shown) -> None:
    states = Counter(order.state for order in shown.orders)
    assert states["completed"] > 3
    assert states["inProgress"] > 2
    assert len(states) >= 4
    assert all(NOW - timedelta(hours=65) <= order.placed_at <= NOW for order in shown.orders)
    assert all(order.ended_at is None or order.ended_at <= NOW for order in shown.orders)


def test_there_are_orders_of_several_kinds(shown: Shown) -> None:
    assert {order.order_type for order in shown.orders} >= {"BB", "DL", "TT"}


def test_people_have_done_tasks_and_have_some_to_do(shown: Shown) -> None:
    closed = [task for task in shown.tasks if task.closed_at is not None]
    assert {task.closed_by for task in closed} >= {"crew-e1", "crew-n1"}
    assert any(task.closed_at is None for task in shown.tasks)


def test_each_order_that_was_delivered_has_its_account_outside(shown: Shown) -> None:
    delivered = [o.id for o in shown.orders if o.state == "completed" and o.order_type == "BB"]
    for number in delivered:
        assert any(key.startswith(f"{number}:") for key in shown.accounts), number


def test_its_progress_is_told_hour_by_hour(shown: Shown) -> None:
    assert shown.hours == sorted(set(shown.hours))
    assert shown.hours[-1] == 64
