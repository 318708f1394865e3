"""What a step of an item's process means to whoever sent the order: milestones, and questions that it waits for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.events import record
from engine.orders.callbacks import tell_of_order
from engine.orders.model import OrderItem, OrderMilestone, OrderQuestion, ServiceOrder
from engine.ports import OpenedTask, Step
from engine.store.base import table_of
from engine.store.prepared import inserting

ASKS = "asks"
_MILESTONE = inserting(table_of(OrderMilestone), without=["id"])


def asking(step: Step) -> list[OpenedTask]:
    """Tasks that have just been opened and ask the order's sender for something."""
    return [task for task in step.opened if task.attributes.get(ASKS)]


def keep_milestones(session: Session, order: ServiceOrder, item: OrderItem, step: Step) -> None:
    """Writes down what has been reached, and tells those who listen."""
    for name in step.milestones:
        _MILESTONE.run(session, order_id=order.id, item_id=item.item_id, name=name[:64], at=step.at)
        record(
            session,
            "MilestoneReached",
            at=step.at,
            actor=step.actor,
            business_key=order.id,
            instance_id=step.instance_id,
            milestone=name,
        )
        tell_of_order(session, order, "ServiceOrderMilestoneEvent", step.at, milestone=name[:64])


def follow_questions(session: Session, order: ServiceOrder, item: OrderItem, step: Step) -> bool:
    """Opens and ends questions with their tasks; says whether one of the item is still open.

    Call `ask` for the new ones when the order's state is known.
    """
    query = select(OrderQuestion).where(
        OrderQuestion.instance_id == step.instance_id, OrderQuestion.ended_at.is_(None)
    )
    ended = {task.token_id for task in step.closed}
    still_open = False
    for question in session.scalars(query):
        if question.token_id in ended or step.end is not None:
            question.ended_at = step.at
        else:
            still_open = True
    for task in asking(step):
        session.add(
            OrderQuestion(
                order_id=order.id,
                item_id=item.item_id,
                instance_id=step.instance_id,
                token_id=task.token_id,
                field=task.attributes[ASKS][:200],
                asked_at=step.at,
            )
        )
        still_open = True
    return still_open


def ask(session: Session, order: ServiceOrder, step: Step) -> None:
    """Tells of the questions that a step has opened, and for which attribute of the order they are."""
    for task in asking(step):
        field = task.attributes[ASKS][:200]
        record(
            session,
            "InformationAsked",
            at=step.at,
            actor=step.actor,
            business_key=order.id,
            instance_id=step.instance_id,
            element=task.element,
            field=field,
        )
        tell_of_order(session, order, "ServiceOrderInformationRequiredEvent", step.at, field_path=field)
