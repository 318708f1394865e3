"""Starting and ending clocks, inside the transaction of the step that opens or closes what they measure.

A clock takes its dates from the policy that is valid when it starts and keeps them. When it ends, its rungs that have
not fired are deleted, so they never fire afterwards and the table of rungs stays as small as the work that is open.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, select
from sqlalchemy.orm import Session

from engine.orders.model import OrderItem, ServiceOrder
from engine.ports import OpenedTask, Step
from engine.store.base import table_of
from engine.store.prepared import Prepared
from sla.model import SlaClock, SlaRung
from sla.policy import Policy, choose, plan

_NO_PROMISE_LEFT = ("cancelled", "rejected")


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a clock measures."""

    kind: str
    business_key: str
    token_id: int
    label: str
    label_en: str
    instance_id: int | None = None
    element: str | None = None
    area: str | None = None


class Clocks:
    """Follows orders and steps. Telling it the same thing twice changes nothing."""

    def on_order_placed(self, session: Session, order: ServiceOrder, at: datetime) -> None:
        """Starts the order's clock and sets the promised date; an order without a policy has neither."""
        if _order_clock(session, order.id) is not None:
            return
        policy = choose(
            session,
            "order",
            order_type=order.order_type,
            product=order.product,
            process=None,
            element=None,
            at=at,
            tier=order.tier,
            area=order.area,
        )
        if policy is None:
            return
        subject = _Subject("order", order.id, 0, policy.name, policy.name_en, area=order.area)
        order.expected_at = _start(session, policy, subject, at).due_at

    def on_order_ended(self, session: Session, order: ServiceOrder, at: datetime) -> None:
        """Ends the order's clock; for a cancelled or rejected order nothing was promised any more."""
        clock = _order_clock(session, order.id)
        if clock is not None:
            _end(session, clock, at, dropped=order.state in _NO_PROMISE_LEFT)

    def on_step(self, session: Session, step: Step) -> None:
        """Starts a clock for each opened task that has a policy, ends those of closed tasks."""
        if step.opened:
            item = _ITEM.first(session, instance=step.instance_id) if step.order_id else None
            for opened in step.opened:
                opened.due_at = _task_due(session, step, opened, item)
        for closed in step.closed:
            if (
                closed.is_limited
                and _TASK_CLOCK.first(session, **_of_task(step, closed.token_id)) is not None
            ):
                clock = _task_clock(session, step, closed.token_id)
                if clock is not None:
                    _end(session, clock, step.at, dropped=closed.how == "cancelled")


_item, _order, _clock = table_of(OrderItem).c, table_of(ServiceOrder).c, table_of(SlaClock).c
_ITEM = Prepared(
    select(_order.order_type, _order.tier, _order.area, _item.product)
    .where(_item.instance_id == bindparam("instance"), _order.id == _item.order_id)
    .order_by(_item.position)
    .limit(1)
)
_TASK_CLOCK = Prepared(
    select(_clock.due_at).where(  # all columns of the unique key: a loop of 10,000 rounds must not slow down
        _clock.subject == "task",
        _clock.business_key == bindparam("key"),
        _clock.token_id == bindparam("token"),
        _clock.instance_id == bindparam("instance"),
    )
)


def _of_task(step: Step, token_id: int) -> dict[str, object]:
    return {"key": step.business_key, "token": token_id, "instance": step.instance_id}


def orders_of(session: Session, clocks: Collection[SlaClock]) -> dict[int, str]:
    """The order that each clock belongs to, by clock; an instance without an order is known by its own key."""
    instances = {clock.instance_id for clock in clocks if clock.instance_id is not None}
    items = select(OrderItem.instance_id, OrderItem.order_id).where(OrderItem.instance_id.in_(instances))
    found = dict(session.execute(items).all()) if instances else {}
    return {clock.id: found.get(clock.instance_id, clock.business_key) for clock in clocks}


def _order_clock(session: Session, order_id: str) -> SlaClock | None:
    return _locked(session, SlaClock.subject == "order", SlaClock.business_key == order_id)


def _task_clock(session: Session, step: Step, token_id: int) -> SlaClock | None:
    return _locked(
        session,
        SlaClock.subject == "task",
        SlaClock.business_key == step.business_key,
        SlaClock.token_id == token_id,
        SlaClock.instance_id == step.instance_id,
    )


def _locked(session: Session, *which: ColumnElement[bool]) -> SlaClock | None:
    """A sweep leaves a clock alone while its row is held here."""
    return session.scalars(
        select(SlaClock).where(*which).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()


def _task_due(session: Session, step: Step, opened: OpenedTask, item: Any | None) -> datetime | None:
    """When the task has to be done, by its clock; an instance without an order may be limited too."""
    policy = choose(
        session,
        "task",
        order_type=item.order_type if item else None,
        product=item.product if item else None,
        process=step.process,
        element=opened.element,
        at=step.at,
        tier=item.tier if item else None,
        area=item.area if item else None,
    )
    if policy is None:
        return None
    running = _TASK_CLOCK.first(session, **_of_task(step, opened.token_id))
    if running is not None:
        return running.due_at  # type: ignore[no-any-return]
    area = opened.variables.get(
        "area"
    )  # as the worklist does, so that task and clock have the same supervisors
    subject = _Subject(
        "task",
        step.business_key,
        opened.token_id,
        opened.name,
        opened.name_en,
        step.instance_id,
        opened.element,
        str(area) if area else None,
    )
    return _start(session, policy, subject, step.at).due_at


def _start(session: Session, policy: Policy, subject: _Subject, at: datetime) -> SlaClock:
    due_at, rungs = plan(policy, at)
    clock = SlaClock(
        subject=subject.kind,
        business_key=subject.business_key,
        instance_id=subject.instance_id,
        token_id=subject.token_id,
        element=subject.element,
        label=subject.label,
        label_en=subject.label_en,
        area=subject.area,
        policy_id=policy.id,
        started_at=at,
        due_at=due_at,
        state="running",
        level=0,
    )
    session.add(clock)
    session.flush()
    session.add_all(SlaRung(clock_id=clock.id, percent=percent, due_at=due) for percent, due in rungs)
    return clock


def _end(session: Session, clock: SlaClock, at: datetime, *, dropped: bool) -> None:
    """The caller holds the clock's row, so that a sweep cannot fire a rung in between."""
    if clock.state != "running":
        return
    late = at > clock.due_at
    clock.state = "dropped" if dropped else "breached" if late else "met"
    clock.ended_at = at
    session.execute(delete(SlaRung).where(SlaRung.clock_id == clock.id, SlaRung.fired_at.is_(None)))
