"""The rows of partner orders follow what our own calls to partners gave, in the transaction that records the result."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.partners.events import record_order
from engine.partners.model import PartnerOrder
from engine.partners.states import FINAL

SEND, STOP = "partner.order.send", "partner.order.stop"
CONFIRM, SEND_BACK = "partner.order.confirm", "partner.order.send_back"
UNDO = "order.undo"
_FOLLOWED = frozenset({SEND, STOP, CONFIRM, SEND_BACK})


class PartnerCalls:
    """Implements `engine.ports.CallListener`."""

    def on_result(
        self,
        session: Session,
        operation: str,
        args: Mapping[str, Any],
        output: Mapping[str, Any],
        at: datetime,
        instance_id: int,
    ) -> None:
        """Our call was done."""
        if operation == UNDO:
            _undone(session, instance_id, at)
        order = _order(session, operation, args)
        if order is None:
            return
        order.changed_at = at
        if operation == SEND:
            _sent(session, order, output, at)
        elif operation == STOP:
            _stopped(session, order, str(output["outcome"]), at)
        elif order.state not in FINAL:
            _checked(session, order, operation, args, at)

    def on_refusal(
        self, session: Session, operation: str, args: Mapping[str, Any], code: str, message: str, at: datetime
    ) -> None:
        """The partner said no at once: to the order itself that is as good as its message."""
        order = _order(session, operation, args)
        if order is None or operation != SEND or order.state in FINAL:
            return
        before, order.state, order.refused_at, order.changed_at = order.state, "refused", at, at
        order.refusal_code, order.refusal_reason = code[:64], message[:500]
        record_order(
            session,
            "PartnerReported",
            order,
            at=at,
            before=before,
            after="refused",
            visit=order.visit,
            code=code,
        )


def _order(session: Session, operation: str, args: Mapping[str, Any]) -> PartnerOrder | None:
    """The order that a call is about; its instance is locked already."""
    if operation not in _FOLLOWED:
        return None
    query = select(PartnerOrder).where(
        PartnerOrder.id == args.get("partner_order"), PartnerOrder.partner == args.get("partner")
    )
    return session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).first()


def _sent(session: Session, order: PartnerOrder, output: Mapping[str, Any], at: datetime) -> None:
    """A message of the partner may have been faster than its answer."""
    order.sent_at = order.sent_at or at
    order.partner_number = order.partner_number or output["partner_number"]
    if order.state == "opened":
        order.state = "sent"
    record_order(session, "PartnerOrderSent", order, at=at, partner_number=order.partner_number)


def _stopped(session: Session, order: PartnerOrder, outcome: str, at: datetime) -> None:
    order.stop_asked_at, order.stop_outcome = order.stop_asked_at or at, outcome
    if outcome == "confirmed" and order.state not in FINAL:
        order.state, order.stopped_at = "stopped", at
    record_order(session, "PartnerOrderStopped", order, at=at, outcome=outcome)


def _undone(session: Session, instance_id: int, at: datetime) -> None:
    """What was sent has been stopped, or a person would have been asked; what was never sent ends here too."""
    query = select(PartnerOrder).where(
        PartnerOrder.instance_id == instance_id, PartnerOrder.state.not_in(FINAL)
    )
    rows = session.scalars(query.with_for_update(), execution_options={"populate_existing": True})
    for order in rows.all():
        order.changed_at = at
        _stopped(session, order, "confirmed", at)


def _checked(
    session: Session, order: PartnerOrder, operation: str, args: Mapping[str, Any], at: datetime
) -> None:
    if operation == CONFIRM:
        order.state, order.confirmed_at = "confirmed", at
    elif order.visit == args["visit"]:  # else the partner has begun its next visit already
        order.state, order.sent_back_at, order.visit = "sent_back", at, order.visit + 1
    record_order(session, "PartnerOrderChecked", order, at=at, after=order.state, reason=args.get("reason"))
