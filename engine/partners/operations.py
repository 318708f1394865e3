"""Local operation: opening a partner order. Its row is there before anything is sent, so the first answer finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.partners.events import record_order
from engine.partners.model import PartnerOrder
from engine.ports import LocalCall, LocalOperation, Operation, Repeat

CODE = validate.Regexp(r"[A-Z0-9][A-Z0-9_-]{0,63}\Z")
"""How a partner is written: P-CAT."""


class OpenRequest(Schema):
    """With whom."""

    partner = fields.String(required=True, validate=CODE)


class OpenResponse(Schema):
    """Our number of the order, which is the key of all its messages; and the how-manieth try it is."""

    partner_order = fields.String(required=True)
    attempt = fields.Integer(required=True)


class OpenPartnerOrder:
    """A new try with a partner."""

    operation = Operation(
        "partner.order.open",
        "建合作方工单",
        "Open a partner order",
        OpenRequest,
        OpenResponse,
        Repeat.NATIVE,
    )

    reads_only = False

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Numbers it; it is sent by the next step."""
        tried = select(func.max(PartnerOrder.attempt)).where(PartnerOrder.business_key == call.business_key)
        attempt = (session.scalar(tried) or 0) + 1
        order = PartnerOrder(
            id=f"{call.business_key}-P{attempt:02d}",
            instance_id=call.instance_id,
            business_key=call.business_key,
            partner=call.args["partner"],
            attempt=attempt,
            state="opened",
            opened_at=call.now,
            changed_at=call.now,
        )
        session.add(order)
        session.flush()
        record_order(session, "PartnerOrderOpened", order, at=call.now, attempt=attempt)
        return {"partner_order": order.id, "attempt": attempt}


def operations() -> dict[str, LocalOperation]:
    """All of them by name."""
    return {OpenPartnerOrder.operation.name: OpenPartnerOrder()}
