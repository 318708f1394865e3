"""Builders for the tests of promises: policies, orders, instances, and people who have to know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.deploy.model import Deployment, ProcessDefinition
from engine.events import Event
from engine.identity.model import InboxMessage, Person
from engine.orders.model import OrderItem, ServiceOrder
from engine.ports import ClosedTask, OpenedTask, Step
from engine.runtime.model import ProcessInstance
from sla.model import SlaClock, SlaPolicy

START = datetime(2026, 11, 22, 1, 12, tzinfo=UTC)
"""Sunday 09:12 in Shanghai."""

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


class Duty:
    """People by number: 1 holds every task of YT-E, 8 and 9 supervise."""

    def holder_ids(self, session: Session, business_key: str, token_id: int) -> Sequence[int]:
        return [1]

    def supervisor_ids(self, session: Session, area: str | None) -> Sequence[int]:
        return [8, 9] if area == "YT-E" else []


def hire(session: Session) -> None:
    for number in (1, 8, 9):
        session.add(
            Person(
                id=number, login=f"p{number}", name=f"P{number}", roles=["FC"], areas=[], created_at=LONG_AGO
            )
        )


def promise(
    session: Session,
    code: str = "HOME48",
    *,
    limit: timedelta = timedelta(hours=48),
    subject: Literal["order", "task"] = "order",
    rungs: Sequence[int] = (50, 80, 100),
    valid_from: datetime = LONG_AGO,
    **columns: str,
) -> SlaPolicy:
    policy = SlaPolicy(
        code=code,
        name=f"承诺 {code}",
        name_en=f"Promise {code}",
        subject=subject,
        limit_minutes=limit // timedelta(minutes=1),
        rungs=list(rungs),
        valid_from=valid_from,
        **columns,
    )
    session.add(policy)
    session.flush()
    return policy


def an_order(
    session: Session, number: int = 123, *, area: str = "YT-E", product: str = "BB-500"
) -> ServiceOrder:
    order = ServiceOrder(
        id=f"BB-20261122-{number:06}",
        source="crm",
        order_type="BB",
        state="acknowledged",
        product=product,
        tier="normal",
        area=area,
        customer="林女士",
        phone="13800004021",
        address="东汀区汀兰路 18 号",
        document={},
        placed_at=START,
    )
    session.add(order)
    session.flush()
    return order


def an_instance(session: Session, business_key: str, order_id: str | None = None) -> ProcessInstance:
    deployment = Deployment(
        filename="a.bpmn", sha256="0", xml=b"", forms={}, problems=[], created_at=START, created_by="pd"
    )
    definition = ProcessDefinition(
        key=f"broadband-{business_key}",
        version=1,
        name="宽带开通",
        name_en="Broadband",
        state="active",
        deployment=deployment,
        created_at=START,
    )
    session.add(definition)
    session.flush()
    instance = ProcessInstance(
        definition_id=definition.id,
        business_key=business_key,
        order_id=order_id,
        state="active",
        version=1,
        tokens=b"",
        variables=b"",
        created_at=START,
    )
    session.add(instance)
    session.flush()
    return instance


def an_item(session: Session, order: ServiceOrder, product: str = "BB-500") -> ProcessInstance:
    """The next item of an order, with its instance: the first has the order's key, others a key of their own."""
    position = session.scalar(select(func.count()).where(OrderItem.order_id == order.id)) or 0
    key = order.id if position == 0 else f"{order.id}.{position + 1}"
    instance = an_instance(session, key, order.id)
    session.add(
        OrderItem(
            order_id=order.id,
            item_id=str(position + 1),
            position=position,
            action="add",
            product=product,
            state="inProgress",
            instance_id=instance.id,
        )
    )
    session.flush()
    return instance


def opened_task(token: int = 7, element: str = "construct") -> OpenedTask:
    return OpenedTask(token, 1, element, "上门施工", "Construction", {}, {"area": "YT-E"})


def a_step(
    instance: ProcessInstance,
    at: datetime,
    opened: Sequence[OpenedTask] = (),
    closed: Sequence[ClosedTask] = (),
) -> Step:
    return Step(
        instance_id=instance.id,
        definition_id=instance.definition_id,
        process="broadband",
        business_key=instance.business_key,
        order_id=instance.order_id,
        at=at,
        actor="e1",
        opened=opened,
        closed=closed,
    )


def clocks(session: Session) -> Sequence[SlaClock]:
    return session.scalars(select(SlaClock).order_by(SlaClock.id)).all()


def told(session: Session) -> list[tuple[int, str, str, Any]]:
    """(person, kind, level, percent) of every message, in the order in which they were told."""
    messages = session.scalars(select(InboxMessage).order_by(InboxMessage.id))
    return [(m.person_id, m.kind, m.level, m.facts["percent"]) for m in messages]


def history(session: Session) -> list[tuple[str, Any]]:
    """(kind, percent) of every SLA event."""
    events = session.scalars(select(Event).where(Event.kind.like("Sla%")).order_by(Event.id))
    return [(event.kind, event.data["percent"]) for event in events]
