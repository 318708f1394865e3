"""Which rows an actor sees: every query over tasks, orders and incidents passes through here.

The engine does not know the tables above it, so the callers hand over the columns. A row outside the scope does not
exist for the actor: the answer is "not found", never "not allowed".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, false, or_, select, true

from engine.identity.actor import Actor
from engine.identity.model import Person

Column = SQLColumnExpression[Any]
AnySelect = TypeVar("AnySelect", bound=Select[*tuple[Any, ...]])

_EVERYWHERE = frozenset({"AD", "SYS"})
_TASKS_BY_AREA = frozenset({"DP", "SV", "OP", "NC"})
_TASKS_BY_POST = frozenset({"RS", "TX", "DE", "PM", "MT", "CM", "CS", "QA"})
_ORDERS_BY_AREA = _TASKS_BY_AREA | {"RS", "TX", "DE", "PM", "MT", "QA"}
_ORDERS_BY_TASK = frozenset({"FC", "PT"})


@dataclass(frozen=True, slots=True)
class TaskColumns:
    """Columns of the task table, and `crew_table_id`, `crew_employer` of the crew table."""

    assignee_id: Column
    crew_id: Column
    area: Column
    role: Column
    business_key: Column
    crew_table_id: Column
    crew_employer: Column


@dataclass(frozen=True, slots=True)
class OrderColumns:
    """Columns of the order table."""

    id: Column
    area: Column
    source: Column


@dataclass(frozen=True, slots=True)
class IncidentColumns:
    """Columns of the incident table."""

    area: Column


def visible_tasks(query: AnySelect, actor: Actor, tasks: TaskColumns) -> AnySelect:
    """Narrows a select over tasks to those that the actor may see."""
    return query.where(_task_condition(actor, tasks))


def visible_orders(query: AnySelect, actor: Actor, orders: OrderColumns, tasks: TaskColumns) -> AnySelect:
    """Narrows a select over orders; crews and partners see the orders of the tasks that they see."""
    return query.where(_order_condition(actor, orders, tasks))


def visible_incidents(query: AnySelect, actor: Actor, incidents: IncidentColumns) -> AnySelect:
    """Narrows a select over incidents; one without an area is seen by everybody who sees incidents."""
    if not actor.can("view_incidents"):
        return query.where(false())
    return query if actor.roles & _EVERYWHERE else query.where(_in_areas(actor, incidents.area))


def _task_condition(actor: Actor, tasks: TaskColumns) -> ColumnElement[bool]:
    if not actor.can("view_tasks"):
        return false()
    if actor.roles & _EVERYWHERE:
        return true()
    seen: list[ColumnElement[bool]] = [tasks.assignee_id == actor.person_id]
    if actor.crew_id:
        seen.append(tasks.crew_id == actor.crew_id)
    if "PT" in actor.roles and actor.employer:
        seen += _of_company(actor.employer, tasks)
    if actor.roles & _TASKS_BY_AREA:
        seen.append(_in_areas(actor, tasks.area))
    if posts := actor.roles & _TASKS_BY_POST:
        seen.append(and_(tasks.role.in_(sorted(posts)), _in_areas(actor, tasks.area)))
    return or_(*seen)


def sees_task(
    actor: Actor, assignee_id: int | None, crew_id: str | None, area: str | None, role: str
) -> bool | None:
    """The same rule for one row at hand, without a query; None where only a query can tell (who works for whom)."""
    if not actor.can("view_tasks"):
        return False
    if actor.roles & _EVERYWHERE or assignee_id == actor.person_id:
        return True
    if actor.crew_id and crew_id == actor.crew_id:
        return True
    by_area = bool(actor.roles & _TASKS_BY_AREA) or role in actor.roles & _TASKS_BY_POST
    if by_area and (not actor.areas or area is None or area in actor.areas):
        return True
    return None if "PT" in actor.roles and actor.employer else False


def _of_company(employer: str, tasks: TaskColumns) -> list[ColumnElement[bool]]:
    crews = select(tasks.crew_table_id).where(tasks.crew_employer == employer)
    people = select(Person.id).where(Person.employer == employer)
    return [tasks.crew_id.in_(crews), tasks.assignee_id.in_(people)]


def _order_condition(actor: Actor, orders: OrderColumns, tasks: TaskColumns) -> ColumnElement[bool]:
    if not actor.can("view_orders"):
        return false()
    if actor.can("view_all_orders"):
        return true()
    seen: list[ColumnElement[bool]] = []
    if "CRM" in actor.roles:
        seen.append(orders.source == actor.login)
    if actor.roles & _ORDERS_BY_AREA:
        seen.append(_in_areas(actor, orders.area))
    if actor.roles & _ORDERS_BY_TASK:
        seen.append(orders.id.in_(select(tasks.business_key).where(_task_condition(actor, tasks))))
    return or_(false(), *seen)


def _in_areas(actor: Actor, area: Column) -> ColumnElement[bool]:
    if not actor.areas:
        return true()
    return or_(area.in_(sorted(actor.areas)), area.is_(None))
