"""Who does a task at the demo operator, what he knows when he fills in its form, and what its CRM sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

from engine.errors import NotFound
from engine.identity.actor import SYSTEM
from engine.identity.people import find_person
from engine.masterdata.queries import rows_of
from engine.orders.queries import get_order
from engine.resources.holdings import held_by, named
from tasks.columns import TASK_COLUMNS
from tasks.model import Task
from tasks.queries import worklist
from web.demo_data import Employee
from web.master_data import DEMO, TABLES, rows_of_csv
from web.playing.script import Wish


def all_open(session: Any, now: datetime) -> Iterator[Task]:
    """Every open task."""
    after = None
    while True:
        found, after = worklist(session, SYSTEM, "all", now=now, after=after, limit=500)
        yield from found
        if after is None:
            return


def is_for(session: Any, task: Task, one: Employee) -> bool:
    """Whether somebody is one of those who do this task."""
    if task.assignee_id is not None:
        person = find_person(session, one.login)
        return person is not None and task.assignee_id == person.id
    if task.crew_id is not None:
        return one.crew == task.crew_id
    return task.role in one.roles and (not one.areas or task.area in one.areas)


def known(session: Any, task: Task) -> dict[str, str]:
    """What an answer may name: the order's terminal or a free one, a crew of its area, its speed."""
    crews = (row for row in rows_of(session, TABLES["crew"]) if row["active"] and "FTTH" in row["skills"])
    return {
        "onu": _terminal(session, task.business_key),
        "crew": next((row["id"] for row in crews if task.area in row["areas"]), "E1"),
        "speed": _speed(session, task.business_key),
    }


def _terminal(session: Any, holder: str) -> str:
    for row in held_by(session, holder):
        if row.kind == "onu":
            return str(row.name)
    stock = (named(session, "onu", row["serial"]) for row in reversed(rows_of_csv(DEMO, "onus.csv")))
    return next((str(row.name) for row in stock if row is not None and row.state == "free"), "")


def _speed(session: Any, business_key: str) -> str:
    try:
        order = get_order(session, SYSTEM, business_key.split(".")[0], TASK_COLUMNS)
    except NotFound:  # a process of its own, as the follow-up
        return "1000"
    speed = order.product.rpartition("-")[2]
    return speed if speed.isdecimal() else "1000"


def order_of(wish: Wish, number: str, chance: Random) -> dict[str, Any]:
    """The order as the demo CRM sends it."""
    room = f"{chance.randrange(1, 13)}{chance.randrange(1, 5):02}"
    values = {
        "customerName": wish.customer,
        "contactPhone": wish.phone,
        "area": wish.area,
        "address": f"{wish.building}{room}"
        if wish.building[-1].isdigit() or "号" in wish.building
        else wish.building,
        "building": wish.building,
        "tier": wish.tier,
        **wish.values,
    }
    listed = [{"name": name, "value": value} for name, value in values.items()]
    service = {"serviceSpecification": {"id": wish.product}, "serviceCharacteristic": listed}
    item = {"id": "1", "action": "add", "service": service}
    return {"externalId": number, "category": wish.category, "serviceOrderItem": [item]}
