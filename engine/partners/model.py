"""Tables of partner orders and of the messages that partners send."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, number, serial, word


class PartnerOrder(Base):
    """One try with one partner, as we know it. States and who moves them: docs/reference/partners.md.

    Times are those that the partner told, never later than when we heard of them.
    """

    __tablename__ = "partner_order"
    __table_args__ = (
        UniqueConstraint("business_key", "attempt"),
        Index("ix_partner_order_partner_state_id", "partner", "state", "id"),
        Index("ix_partner_order_instance_id", "instance_id"),
    )

    id: Mapped[number] = mapped_column(primary_key=True)  # BB-20261122-000124-P01
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    business_key: Mapped[number]
    partner: Mapped[word]
    attempt: Mapped[int]
    partner_number: Mapped[word | None]
    state: Mapped[str] = mapped_column(String(12))
    visit: Mapped[int] = mapped_column(default=1)
    window_from: Mapped[datetime | None]
    window_to: Mapped[datetime | None]
    refusal_code: Mapped[word | None]
    refusal_reason: Mapped[str | None] = mapped_column(String(500))
    stop_outcome: Mapped[str | None] = mapped_column(String(12))
    proof: Mapped[dict[str, Any] | None]
    opened_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    appointed_at: Mapped[datetime | None]
    on_site_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    sent_back_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    stop_asked_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class PartnerMessage(Base):
    """What a partner told us, once for each of its message ids, with the answer that a repeat gets again."""

    __tablename__ = "partner_message"
    __table_args__ = (
        UniqueConstraint("partner", "message_id"),
        Index("ix_partner_message_partner_order_id_id", "partner_order_id", "id"),
    )

    id: Mapped[serial]
    partner: Mapped[word]
    message_id: Mapped[str] = mapped_column(String(100))
    partner_order_id: Mapped[number] = mapped_column(ForeignKey("partner_order.id"))
    body_sha256: Mapped[word]
    body: Mapped[dict[str, Any]]
    answer: Mapped[dict[str, Any]]  # empty until the message has been dealt with, in the same transaction
    is_applied: Mapped[bool] = mapped_column(default=False)  # False: it came late or out of order
    heard_at: Mapped[datetime]
