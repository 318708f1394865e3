"""Who has an order in hand, and who directs its area: people as the engine's verbs over an order need them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from engine.identity.model import Person
from engine.jobs.model import Incident
from engine.orders.model import OrderItem
from engine.partners.model import PartnerOrder
from engine.partners.states import FINAL
from engine.ports import Ball
from tasks.following import rank_of
from tasks.model import Task


class Desk:
    """Implements `engine.ports.Desk`."""

    def ball(self, session: Session, order_id: str, area: str | None) -> Ball:
        """Holders, else crews and posts; where a partner builds, its people and our dispatchers; else the dispatchers."""
        tasks = _open_tasks(session, order_id)
        staff = _Staff(session)
        people: set[int] = set()
        for task in tasks:
            people |= staff.of(task)
        if _has_incident(session, order_id):
            people |= staff.of_post("OP", area)
        partners = _partners(session, order_id)
        if partners:
            people |= staff.of_companies(partners) | staff.of_post("DP", area)
        return Ball(sorted(people or staff.of_post("DP", area)), [task.id for task in tasks])

    def supervisors(self, session: Session, area: str | None) -> Sequence[int]:
        """Active supervisors of the area."""
        return sorted(_Staff(session).of_post("SV", area))

    def is_open(self, session: Session, task_ids: Sequence[str]) -> bool:
        """Whether one of the tasks is still open."""
        query = select(Task.id).where(Task.id.in_(task_ids), Task.closed_at.is_(None))
        return session.scalars(query.limit(1)).first() is not None

    def put_first(self, session: Session, order_id: str) -> None:
        """Open tasks move up; those that are opened later do so by the order's variable."""
        for task in _open_tasks(session, order_id):
            task.rank_at = rank_of(task.due_at, True)

    def correct(self, session: Session, order_id: str, customer: str) -> None:
        """Open tasks keep a copy of the customer's name, for searching."""
        for task in _open_tasks(session, order_id):
            task.customer = customer[:200]


class _Staff:
    """All active people, read once."""

    def __init__(self, session: Session) -> None:
        self.people = session.scalars(select(Person).where(Person.active.is_(True))).all()

    def of(self, task: Task) -> set[int]:
        """The holder, else the crew, else those of the post."""
        if task.assignee_id is not None:
            return {task.assignee_id}
        if task.crew_id is not None:
            return {p.id for p in self.people if p.crew_id == task.crew_id}
        return self.of_post(task.role, task.area)

    def of_post(self, role: str, area: str | None) -> set[int]:
        """People with a role whose areas cover this one."""
        return {
            p.id for p in self.people if role in p.roles and (not p.areas or area is None or area in p.areas)
        }

    def of_companies(self, partners: Collection[str]) -> set[int]:
        """People of partners who work on our screens."""
        return {p.id for p in self.people if "PT" in p.roles and p.employer in partners}


def _open_tasks(session: Session, order_id: str) -> Sequence[Task]:
    mine = or_(Task.business_key == order_id, Task.business_key.startswith(f"{order_id}.", autoescape=True))
    query = select(Task).where(mine, Task.closed_at.is_(None)).order_by(Task.created_at, Task.id)
    return session.scalars(query).all()


def _instances(order_id: str) -> Select[int | None]:
    return select(OrderItem.instance_id).where(OrderItem.order_id == order_id)


def _has_incident(session: Session, order_id: str) -> bool:
    query = select(Incident.id).where(
        Incident.instance_id.in_(_instances(order_id)), Incident.state == "open"
    )
    return session.scalars(query.limit(1)).first() is not None


def _partners(session: Session, order_id: str) -> set[str]:
    """Partners that have an order of ours in hand."""
    mine = PartnerOrder.instance_id.in_(_instances(order_id))
    return set(session.scalars(select(PartnerOrder.partner).where(mine, PartnerOrder.state.not_in(FINAL))))
