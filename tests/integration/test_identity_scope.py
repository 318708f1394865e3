"""Who sees which tasks, orders and incidents: each role against rows of its own and of others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.deploy.model import Deployment, ProcessDefinition
from engine.identity.actor import SYSTEM, Actor
from engine.identity.model import Person
from engine.identity.scope import (
    IncidentColumns,
    OrderColumns,
    TaskColumns,
    sees_task,
    visible_incidents,
    visible_orders,
    visible_tasks,
)
from engine.jobs.model import Incident
from engine.orders.model import ServiceOrder
from engine.runtime.model import ProcessInstance
from engine.store import Store
from engine.testing import FakeClock
from tasks.field.model import Crew
from tasks.model import Task
from tests.actors import an_actor

NOW = FakeClock().now()
TASKS = TaskColumns(
    assignee_id=Task.assignee_id,
    crew_id=Task.crew_id,
    area=Task.area,
    role=Task.role,
    business_key=Task.business_key,
    crew_table_id=Crew.id,
    crew_employer=Crew.employer,
)
ORDERS = OrderColumns(id=ServiceOrder.id, area=ServiceOrder.area, source=ServiceOrder.source)
INCIDENTS = IncidentColumns(area=Incident.area)
ME, MATE, PARTNER = 1, 2, 3
ALL_TASKS = {"east-e1", "east-mine", "east-data", "west-w1", "west-partner", "west-dispatch", "nowhere-ops"}
ALL_ORDERS = {"O-EAST", "O-WEST"}


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as db:
        for crew, employer in (("E1", None), ("W1", "P-HJ")):
            db.add(Crew(id=crew, name=crew, name_en=crew, employer=employer, areas=[], skills={}))
        for person, employer in ((ME, None), (MATE, None), (PARTNER, "P-HJ")):
            db.add(_person(person, employer))
        for number, area in (("O-EAST", "YT-E"), ("O-WEST", "YT-W")):
            db.add(_order(number, area, "crm" if area == "YT-E" else "other"))
        db.add(
            Deployment(
                filename="x", sha256="x", xml=b"", forms={}, problems=[], created_at=NOW, created_by="x"
            )
        )
        db.flush()
        db.add(
            ProcessDefinition(
                key="BB", version=1, name="x", name_en="x", state="active", deployment_id=1, created_at=NOW
            )
        )
        db.flush()
        db.add(
            ProcessInstance(
                definition_id=1,
                business_key="x",
                state="active",
                version=1,
                tokens=b"",
                variables=b"",
                created_at=NOW,
            )
        )
        db.flush()
        for token, row in enumerate(_tasks()):
            db.add(_task(token, **row))
        for area in ("YT-E", "YT-W", None):
            db.add(_incident(area))
    return store


def _tasks() -> list[dict[str, Any]]:
    return [
        {"id": "east-e1", "business_key": "O-EAST", "area": "YT-E", "role": "FC", "crew_id": "E1"},
        {"id": "east-mine", "business_key": "O-EAST", "area": "YT-E", "role": "QA", "assignee_id": ME},
        {"id": "east-data", "business_key": "O-EAST", "area": "YT-E", "role": "DE"},
        {"id": "west-w1", "business_key": "O-WEST", "area": "YT-W", "role": "FC", "crew_id": "W1"},
        {
            "id": "west-partner",
            "business_key": "O-WEST",
            "area": "YT-W",
            "role": "PT",
            "assignee_id": PARTNER,
        },
        {"id": "west-dispatch", "business_key": "O-WEST", "area": "YT-W", "role": "DP"},
        {"id": "nowhere-ops", "business_key": "X", "area": None, "role": "OP"},
    ]


def _person(number: int, employer: str | None) -> Person:
    login = f"p{number}"
    return Person(id=number, login=login, name=login, roles=[], areas=[], employer=employer, created_at=NOW)


def _order(number: str, area: str, source: str) -> ServiceOrder:
    return ServiceOrder(
        id=number,
        source=source,
        order_type="BB",
        state="inProgress",
        product="BB-300",
        tier="normal",
        area=area,
        customer="林",
        phone="138",
        address="x",
        document={},
        placed_at=NOW,
    )


def _task(token: int, **given: Any) -> Task:
    return Task(
        instance_id=1,
        token_id=token,
        definition_id=1,
        element="t",
        name="t",
        name_en="t",
        state="open",
        rank_at=NOW,
        created_at=NOW,
        **given,
    )


def _incident(area: str | None) -> Incident:
    return Incident(
        state="open",
        element_name="x",
        business_key="x",
        area=area,
        code="x",
        message="x",
        fingerprint="x",
        attempts=1,
        created_at=NOW,
    )


EAST = {"areas": frozenset({"YT-E"})}


SIGHT: dict[str, tuple[Actor, set[str], set[str]]] = {
    "crew, own tasks too": (
        an_actor("FC", person_id=ME, crew_id="E1"),
        {"east-e1", "east-mine"},
        {"O-EAST"},
    ),
    "crew, areas do not matter": (
        an_actor("FC", crew_id="E1", areas=frozenset({"YT-W"})),
        {"east-e1"},
        {"O-EAST"},
    ),
    "crew member without crew": (an_actor("FC"), set(), set()),
    "partner": (an_actor("PT", employer="P-HJ"), {"west-w1", "west-partner"}, {"O-WEST"}),
    "another partner": (an_actor("PT", employer="P-CAT"), set(), set()),
    "partner of no company": (an_actor("PT"), set(), set()),
    "dispatcher": (
        an_actor("DP", **EAST),
        {"east-e1", "east-mine", "east-data", "nowhere-ops"},
        {"O-EAST"},
    ),
    "supervisor of all areas": (an_actor("SV"), ALL_TASKS, ALL_ORDERS),
    "data engineer": (an_actor("DE", **EAST), {"east-data"}, {"O-EAST"}),
    "quality": (an_actor("QA", **EAST), {"east-mine"}, {"O-EAST"}),
    "customer service": (an_actor("CS", **EAST), set(), ALL_ORDERS),
    "customer manager": (an_actor("CM"), set(), ALL_ORDERS),
    "ordering system": (an_actor("CRM", login="crm"), set(), {"O-EAST"}),
    "another ordering system": (an_actor("CRM", login="stranger"), set(), set()),
    "designer": (an_actor("PD"), set(), set()),
    "administrator": (an_actor("AD", **EAST), ALL_TASKS, ALL_ORDERS),
    "the product itself": (SYSTEM, ALL_TASKS, ALL_ORDERS),
    "nobody": (an_actor(), set(), set()),
    "two roles": (an_actor("FC", "DE", crew_id="W1", **EAST), {"west-w1", "east-data"}, ALL_ORDERS),
    "narrow scopes": (an_actor("AD", scopes=frozenset({"view_incidents"})), set(), set()),
}


def test_each_role_sees_its_own_tasks_and_orders_only(filled: Store) -> None:
    seen = {}
    with filled.read() as db:
        for name, (actor, _, _) in SIGHT.items():
            tasks = set(db.scalars(visible_tasks(select(Task.id), actor, TASKS)))
            orders = set(db.scalars(visible_orders(select(ServiceOrder.id), actor, ORDERS, TASKS)))
            seen[name] = (tasks, orders)
    assert seen == {name: (tasks, orders) for name, (_, tasks, orders) in SIGHT.items()}


def test_the_rule_for_a_row_at_hand_is_the_rule_of_the_queries() -> None:
    asked = set()
    for name, (actor, tasks, _) in SIGHT.items():
        for row in _tasks():
            where = row.get("assignee_id"), row.get("crew_id"), row["area"], row["role"]
            seen = sees_task(actor, *where)
            assert seen in (None, row["id"] in tasks), (name, row["id"])
            asked |= {name} if seen is None else set()
    assert asked == {"partner", "another partner"}  # only these need the database


def test_incidents_are_seen_by_those_who_mend_them(filled: Store) -> None:
    everywhere = {"YT-E", "YT-W", None}
    expected: list[tuple[Actor, set[str | None]]] = [
        (an_actor("OP", **EAST), {"YT-E", None}),
        (an_actor("NC"), everywhere),
        (an_actor("AD", **EAST), everywhere),
        (an_actor("CS"), set()),
        (an_actor("FC", crew_id="E1"), set()),
    ]
    with filled.read() as db:
        for actor, areas in expected:
            query = visible_incidents(select(Incident.area), actor, INCIDENTS)
            assert set(db.scalars(query)) == areas, actor.roles


def test_a_scope_can_be_put_on_a_query_with_its_own_conditions(filled: Store) -> None:
    query = select(Task.id, Task.area).where(Task.role == "FC").order_by(Task.id)
    with filled.read() as db:
        seen = db.execute(visible_tasks(query, an_actor("DP", **EAST), TASKS)).all()
    assert [row.id for row in seen] == ["east-e1"]
