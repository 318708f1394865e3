"""Tables of codes that every part of the product names, and the list of files that have been loaded."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, word
from engine.store.base import name as title


class MasterFile(Base):
    """A shipped file whose rows were put into this database; it is never loaded again."""

    __tablename__ = "master_file"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    loaded_at: Mapped[datetime]
    rows: Mapped[int]


class ReasonCode(Base):
    """Why something was returned (R), suspended (S), re-appointed (A), cancelled (C), or broken (F).

    `owner`: whose time it is. `longest_minutes`: for how long a suspension may last; empty: as long as it takes.
    `approver`: who has to agree, where it is not who usually does.
    """

    __tablename__ = "reason_code"

    code: Mapped[word] = mapped_column(primary_key=True)  # R04
    family: Mapped[str] = mapped_column(String(1))
    name: Mapped[title]
    name_en: Mapped[title]
    owner: Mapped[word | None]
    longest_minutes: Mapped[int | None]
    approver: Mapped[word | None]
    order_type: Mapped[word | None]  # only for orders of this type
    active: Mapped[bool] = mapped_column(default=True)


class Tier(Base):
    """A class of customers: homes and enterprises."""

    __tablename__ = "tier"

    code: Mapped[word] = mapped_column(primary_key=True)  # A, normal
    name: Mapped[title]
    name_en: Mapped[title]
    segment: Mapped[word]  # home, enterprise
    position: Mapped[int]  # the most important first
