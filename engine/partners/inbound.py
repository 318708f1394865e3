"""What a partner tells: kept once, moves the order forward if it can, and goes to the process that waits for it.

All of it is one transaction. A repeat gets the first answer; what comes late is kept and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.errors import NotFound, RuleViolation
from engine.partners.events import record_order
from engine.partners.model import PartnerMessage, PartnerOrder
from engine.partners.states import IMPLIES_ACCEPTED, MESSAGES, moves
from engine.runtime.kernel import Kernel
from engine.runtime.lock import lock_instance

KEPT = timedelta(days=7)
"""How long a message waits for the process to reach its event."""


class MessageReused(RuleViolation):
    """The message id {id} was already used for another message."""

    code = "partner.message_reused"


class NumberDiffers(RuleViolation):
    """Partner order {order} has the number {known} at the partner, not {given}."""

    code = "partner.number_differs"


@dataclass(frozen=True, slots=True)
class Report:
    """One message of a partner, checked. `body` is all that came, `body_sha256` what a repeat must match."""

    message_id: str
    order: str
    state: str
    at: datetime
    visit: int = 1
    partner_number: str | None = None
    window_from: datetime | None = None
    window_to: datetime | None = None
    code: str | None = None
    reason: str | None = None
    proof: Mapping[str, Any] | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    body_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer, and whether it was given before."""

    answer: Mapping[str, Any]
    is_repeat: bool


def take_report(
    session: Session, kernel: Kernel, partner: str, report: Report, *, at: datetime, actor: str
) -> Taken:
    """Takes one message in. Raises `NotFound` for an order that is not this partner's, `MessageReused`, `NumberDiffers`."""
    found = find_order(session, partner, report.order)
    instance = lock_instance(session, found.instance_id)  # before anything else, as every command does
    message = _once(session, partner, report, at)
    if message.answer:
        return Taken(message.answer, is_repeat=True)
    order = _locked(session, found.id)
    _check_number(order, report)
    message.is_applied = moves(order.state, order.visit, report.state, report.visit)
    told = _apply(session, order, report, at, actor) if message.is_applied else ()
    if not message.is_applied:
        _note_late(session, order, report, at, actor)
    message.answer = _answer(order, report, message.is_applied)
    session.flush()
    if instance is not None and instance.state == "active":
        for state in told:  # last: messages may lock other instances
            _tell(session, kernel, order, report, state, at, actor)
    return Taken(message.answer, is_repeat=False)


def find_order(session: Session, partner: str, order_id: str) -> PartnerOrder:
    """An order that this partner has. Raises `NotFound`: what others have does not exist for it."""
    order = session.get(PartnerOrder, order_id)
    if order is None or order.partner != partner:
        raise NotFound(what="partner order", id=order_id)
    return order


def _once(session: Session, partner: str, report: Report, at: datetime) -> PartnerMessage:
    """The row of the message id; it has an answer already if this is a repeat."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {
        "partner": partner,
        "message_id": report.message_id,
        "partner_order_id": report.order,
        "body_sha256": report.body_sha256,
        "body": dict(report.body),
        "answer": {},
        "is_applied": False,
        "heard_at": at,
    }
    fresh = insert(PartnerMessage).values(row)
    session.execute(fresh.on_conflict_do_nothing(index_elements=["partner", "message_id"]))
    query = select(PartnerMessage).where(
        PartnerMessage.partner == partner, PartnerMessage.message_id == report.message_id
    )
    found = session.scalars(query).one()
    if found.body_sha256 != report.body_sha256:
        raise MessageReused(id=report.message_id)
    return found


def _locked(session: Session, order_id: str) -> PartnerOrder:
    query = select(PartnerOrder).where(PartnerOrder.id == order_id).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one()


def _check_number(order: PartnerOrder, report: Report) -> None:
    """A message that names another number was meant for another order."""
    if report.partner_number is None:
        return
    if order.partner_number is None:
        order.partner_number = report.partner_number
    elif order.partner_number != report.partner_number:
        raise NumberDiffers(order=order.id, known=order.partner_number, given=report.partner_number)


def _apply(
    session: Session, order: PartnerOrder, report: Report, at: datetime, actor: str
) -> tuple[str, ...]:
    """Moves the order, and says for which states the process is told: work that has begun was accepted."""
    before, when = order.state, min(report.at, at)
    implied = report.state in IMPLIES_ACCEPTED and order.accepted_at is None
    if implied:
        order.accepted_at = when
    order.state, order.changed_at = report.state, at
    setattr(order, f"{report.state}_at", when)
    if report.state in IMPLIES_ACCEPTED:
        order.visit = report.visit
    if report.state == "appointed":
        order.window_from, order.window_to = report.window_from, report.window_to
    if report.state == "refused":
        order.refusal_code, order.refusal_reason = report.code, (report.reason or "")[:500] or None
    if report.state == "done":
        order.proof = dict(report.proof or {})
    record_order(
        session,
        "PartnerReported",
        order,
        at=at,
        actor=actor,
        before=before,
        after=order.state,
        visit=order.visit,
        code=report.code,
    )
    return ("accepted", report.state) if implied else (report.state,)


def _note_late(session: Session, order: PartnerOrder, report: Report, at: datetime, actor: str) -> None:
    """Nothing moves; only a time that was not known yet is filled in."""
    column = f"{report.state}_at"
    if getattr(order, column) is None:
        setattr(order, column, min(report.at, at))
    record_order(
        session,
        "PartnerReportedLate",
        order,
        at=at,
        actor=actor,
        reported=report.state,
        visit=report.visit,
        state=order.state,
    )


def _answer(order: PartnerOrder, report: Report, is_applied: bool) -> dict[str, Any]:
    return {
        "message": report.message_id,
        "order": order.id,
        "state": order.state,
        "visit": order.visit,
        "applied": is_applied,
    }


def _tell(
    session: Session,
    kernel: Kernel,
    order: PartnerOrder,
    report: Report,
    state: str,
    at: datetime,
    actor: str,
) -> None:
    """To the process. Progress is news of the moment: it is in the order's row, and is not kept for later."""
    name, values = MESSAGES[state], variables(order, state)
    if name == "partner.progress":
        kernel.correlate(session, name, order.id, values, at=at, actor=actor)
        return
    kernel.publish(
        session,
        name,
        order.id,
        values,
        at=at,
        actor=actor,
        until=at + KEPT,
        message_id=f"{order.partner}/{report.message_id}/{name}",
    )


def variables(order: PartnerOrder, state: str) -> dict[str, Any]:
    """What the process knows of the order after a message."""
    values: dict[str, Any] = {
        "partner_state": state,
        "partner_number": order.partner_number,
        "partner_visit": order.visit,
    }
    if state == "refused":
        values |= {"partner_code": order.refusal_code, "partner_reason": order.refusal_reason}
    if state == "appointed":
        values |= {
            "partner_window_from": _text(order.window_from),
            "partner_window_to": _text(order.window_to),
        }
    if state == "done":
        values["partner_proof"] = dict(order.proof or {})
    return values


def _text(at: datetime | None) -> str | None:
    """As JSON would have it, so that a message is the same whether it was kept or not."""
    return None if at is None else at.astimezone(UTC).isoformat()
