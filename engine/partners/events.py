"""Events of partner orders: each says which order of which partner, and belongs to the instance that waits for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.events import record
from engine.partners.model import PartnerOrder


def record_order(
    session: Session, kind: str, order: PartnerOrder, *, at: datetime, actor: str = "system", **data: Any
) -> None:
    """An event of one partner order."""
    record(
        session,
        kind,
        at=at,
        actor=actor,
        business_key=order.business_key,
        instance_id=order.instance_id,
        partner_order=order.id,
        partner=order.partner,
        **data,
    )
