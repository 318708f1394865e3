"""Urging an order (催单): who has the ball is told, answers with a promised time, and is watched over.

An urge never moves a limit. The first one lets the order's tasks go first in the worklists; what comes within ten minutes
counts into the same row. Without an answer in 30 minutes the supervisor is told, of the third urge at once; also when what
was promised has not come. Deadlines are rows that any ticker may claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.errors import BadInput, RuleViolation
from engine.events import record
from engine.identity.actor import Actor
from engine.identity.inbox import Level, tell
from engine.identity.model import Person
from engine.orders.changing import OrderEnded
from engine.orders.model import OrderUrge, ServiceOrder
from engine.orders.states import FINAL
from engine.ports import Desk
from engine.runtime.kernel import Kernel

MERGED_WITHIN = timedelta(minutes=10)
ANSWER_WITHIN = timedelta(minutes=30)
LONGEST_PROMISE = timedelta(days=60)
AT_ONCE_FROM = 3
"""The urge of which the supervisor is told at once."""
VARIABLE = "urged"
"""The variable that lets the order's later tasks go first, too."""
ACTOR = "urging"
_DIRECTS = frozenset({"AD", "SV", "DP"})


class UrgeAnswered(RuleViolation):
    """{person} has already answered this urge."""

    code = "urge.answered"


class NotYourUrge(RuleViolation):
    """Somebody else has the order in hand; he or who directs the area answers."""

    code = "urge.not_yours"


class BadPromise(BadInput):
    """{field}: {detail}."""

    code = "urge.promise"


def urge(
    session: Session,
    order: ServiceOrder,
    desk: Desk,
    kernel: Kernel,
    *,
    text: str | None,
    at: datetime,
    actor: str,
) -> OrderUrge:
    """Counts the urge and tells who has the ball. The caller holds instances and order. Raises `OrderEnded`."""
    if order.state in FINAL:
        raise OrderEnded(order=order.id, state=order.state)
    known = latest(session, order.id)
    if known is not None and at - known.first_at < MERGED_WITHIN:
        known.times, known.last_at = known.times + 1, at
        known.text = text[:500] if text else known.text
        _record_urged(session, order, known, at, actor)
        return known
    order.urges += 1
    made = _new(session, order, desk, text, at, actor)
    if made.number == 1:
        desk.put_first(session, order.id)
        _mark_instances(session, order, kernel, at, actor)
    _record_urged(session, order, made, at, actor)
    _tell(session, made, order, made.told, "urge.asked", "warn", at, answer_by=made.due_at)
    if made.number >= AT_ONCE_FROM:
        _escalate(session, made, order, desk, at)
    return made


def _new(
    session: Session, order: ServiceOrder, desk: Desk, text: str | None, at: datetime, actor: str
) -> OrderUrge:
    ball = desk.ball(session, order.id, order.area)
    made = OrderUrge(
        order_id=order.id,
        number=order.urges,
        times=1,
        text=text[:500] if text else None,
        urged_by=actor[:200],
        first_at=at,
        last_at=at,
        told=list(ball.people),
        tasks=list(ball.tasks),
        due_at=at + ANSWER_WITHIN,
    )
    session.add(made)
    session.flush()
    return made


def _mark_instances(session: Session, order: ServiceOrder, kernel: Kernel, at: datetime, actor: str) -> None:
    for item in order.items:
        if (
            item.state not in FINAL
            and item.instance_id is not None
            and kernel.is_live(session, item.instance_id)
        ):
            kernel.change(session, item.instance_id, {VARIABLE: True}, at=at, actor=actor)


def latest(session: Session, order_id: str) -> OrderUrge | None:
    """The newest urge of an order."""
    query = select(OrderUrge).where(OrderUrge.order_id == order_id)
    return session.scalars(query.order_by(OrderUrge.number.desc()).limit(1)).first()


def urges_of(session: Session, order_id: str) -> Sequence[OrderUrge]:
    """All urges of an order, newest first."""
    query = select(OrderUrge).where(OrderUrge.order_id == order_id)
    return session.scalars(query.order_by(OrderUrge.number.desc())).all()


def waiting(session: Session, order: ServiceOrder, actor: Actor, desk: Desk) -> OrderUrge | None:
    """The newest urge, if it waits for an answer that the actor may give."""
    found = latest(session, order.id) if order.urges else None
    if found is None or found.answered_at is not None or order.state in FINAL:
        return None
    return found if may_answer(session, order, found, actor, desk) else None


def may_answer(session: Session, order: ServiceOrder, found: OrderUrge, actor: Actor, desk: Desk) -> bool:
    """Who was told, who has the ball now, and who directs the area."""
    if actor.roles & _DIRECTS or actor.person_id in found.told:
        return True
    return actor.person_id in desk.ball(session, order.id, order.area).people


def answer(
    session: Session,
    order: ServiceOrder,
    found: OrderUrge,
    desk: Desk,
    actor: Actor,
    *,
    promised_at: datetime,
    text: str | None,
    at: datetime,
) -> OrderUrge:
    """Promises a time; when it has passed and the work is not done, the supervisor is told. The caller holds the order.

    The same answer again changes nothing. Raises `UrgeAnswered`, `NotYourUrge`, `BadPromise`, `OrderEnded`.
    """
    if found.answered_at is not None:
        if (found.answered_by, found.promised_at) == (actor.login, promised_at):
            return found
        raise UrgeAnswered(person=found.answered_by)
    if order.state in FINAL:
        raise OrderEnded(order=order.id, state=order.state)
    if not may_answer(session, order, found, actor, desk):
        raise NotYourUrge()
    if not at < promised_at <= at + LONGEST_PROMISE:
        raise BadPromise(
            field="promised_at", detail=f"it lies after now and within {LONGEST_PROMISE.days} days"
        )
    found.answered_at, found.answered_by = at, actor.login[:200]
    found.promised_at, found.due_at = promised_at, promised_at
    found.answer = text[:500] if text else None
    record(
        session,
        "UrgeAnswered",
        at=at,
        actor=actor.login,
        business_key=order.id,
        number=found.number,
        promised=promised_at.isoformat(),
        text=found.answer,
    )
    _tell_asker(session, found, order, at)
    return found


def _tell_asker(session: Session, found: OrderUrge, order: ServiceOrder, at: datetime) -> None:
    asker = session.scalars(select(Person.id).where(Person.login == found.urged_by)).first()
    if asker is not None and found.urged_by != found.answered_by:
        facts: Mapping[str, Any] = {"promised": found.promised_at, "text": found.answer}
        _tell(session, found, order, [asker], "urge.answered", "info", at, **facts)


# ---- deadlines


def is_due(session: Session, now: datetime) -> bool:
    """Whether a sweep would find something: a look that takes no lock."""
    return session.scalars(_due(now).limit(1)).first() is not None


def sweep(session: Session, now: datetime, limit: int, desk: Desk) -> int:
    """Looks again at urges whose time has come; says how many those were. One that another process holds is left to it."""
    query = _due(now).limit(limit).with_for_update(skip_locked=True)
    found = session.scalars(query.execution_options(populate_existing=True)).all()
    for one in found:
        order = session.get_one(ServiceOrder, one.order_id)
        one.due_at = None
        if order.state in FINAL:
            continue
        if one.answered_at is None:
            _escalate(session, one, order, desk, now)
        elif not one.tasks or desk.is_open(session, one.tasks):
            _broken(session, one, order, desk, now)
    return len(found)


def _due(now: datetime) -> Select[OrderUrge]:
    return select(OrderUrge).where(OrderUrge.due_at <= now).order_by(OrderUrge.due_at)


def _escalate(session: Session, found: OrderUrge, order: ServiceOrder, desk: Desk, at: datetime) -> None:
    """Tells the supervisors, once for each urge."""
    if found.escalated_at is not None:
        return
    found.escalated_at = at
    why = "third" if found.number >= AT_ONCE_FROM and at == found.first_at else "unanswered"
    record(session, "UrgeEscalated", at=at, actor=ACTOR, business_key=order.id, number=found.number, why=why)
    people = desk.supervisors(session, order.area)
    _tell(session, found, order, people, f"urge.{why}", "late", at)


def _broken(session: Session, found: OrderUrge, order: ServiceOrder, desk: Desk, at: datetime) -> None:
    found.broken_at = at
    promised = found.promised_at.isoformat() if found.promised_at is not None else None
    record(
        session,
        "PromiseBroken",
        at=at,
        actor=ACTOR,
        business_key=order.id,
        number=found.number,
        promised=promised,
    )
    people = desk.supervisors(session, order.area)
    _tell(session, found, order, people, "urge.broken", "late", at, promised=found.promised_at)


# ---- what is written about it


def _record_urged(session: Session, order: ServiceOrder, found: OrderUrge, at: datetime, actor: str) -> None:
    record(
        session,
        "OrderUrged",
        at=at,
        actor=actor,
        business_key=order.id,
        number=found.number,
        times=found.times,
        text=found.text,
    )


def _tell(
    session: Session,
    found: OrderUrge,
    order: ServiceOrder,
    people: Sequence[int],
    kind: str,
    level: Level,
    at: datetime,
    **facts: Any,
) -> None:
    told = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in facts.items() if v is not None}
    known = {"order": order.id, "number": found.number, "text": found.text, "area": order.area}
    tell(session, people, f"urge:{found.id}:{kind}", kind, level, known | told, at)
