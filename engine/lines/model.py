"""Tables of what has become of lines since their order was completed. What a line holds is in `resource`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, number, word


class LineProduct(Base):
    """The product of a line that was changed after its order; a line without a row has what its order said."""

    __tablename__ = "line_product"

    account: Mapped[word] = mapped_column(primary_key=True)
    product: Mapped[word]
    speed_mbps: Mapped[int]
    changed_by: Mapped[number]  # the order
    changed_at: Mapped[datetime]


class LineSuspension(Base):
    """One reason for which a line is off, or was. Only `legal` has an issuer, and only he lifts it.

    `asked_at` is the sender's time of the latest wish: an older wish that comes later changes nothing.
    """

    __tablename__ = "line_suspension"
    __table_args__ = (Index("ix_line_suspension_changed_by", "changed_by"),)

    account: Mapped[word] = mapped_column(primary_key=True)
    reason: Mapped[word] = mapped_column(primary_key=True)  # arrears, customer, legal
    is_on: Mapped[bool]
    issuer: Mapped[word | None]
    asked_at: Mapped[datetime]
    changed_by: Mapped[number]
    changed_at: Mapped[datetime]
