"""Tables of promises: policies, clocks and their rungs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.store.base import Base, serial, word
from engine.store.base import name as title


class SlaPolicy(Base):
    """A limit, as data. `subject`: order (matched by type, product, tier and area) or task (by process and element too).

    `calendar` C24: around the clock. Limits in days of another calendar are kept, but nothing reckons with them yet.
    The newest row whose `valid_from` has passed and which matches most columns is used; a clock keeps the row it began with.
    """

    __tablename__ = "sla_policy"

    id: Mapped[serial]
    code: Mapped[word]  # HOME48
    name: Mapped[title]
    name_en: Mapped[title]
    subject: Mapped[str] = mapped_column(String(8))
    order_type: Mapped[word | None]
    product: Mapped[word | None]
    process: Mapped[word | None]
    element: Mapped[word | None]
    tier: Mapped[word | None]
    area: Mapped[word | None]
    calendar: Mapped[word] = mapped_column(default="C24", server_default="C24")
    limit_minutes: Mapped[int]
    limit_days: Mapped[int | None]
    same_day_before: Mapped[str | None] = mapped_column(
        String(5)
    )  # taken before this hour: wanted the same day
    rungs: Mapped[list[int]]  # percent of the limit, for example [50, 80, 100]
    valid_from: Mapped[datetime]


class SlaClock(Base):
    """A running promise. States: running, met, breached (ended late), dropped (its subject was cancelled)."""

    __tablename__ = "sla_clock"
    __table_args__ = (
        UniqueConstraint("subject", "business_key", "token_id"),
        Index("ix_sla_clock_state_due_at_id", "state", "due_at", "id"),
    )

    id: Mapped[serial]
    subject: Mapped[str] = mapped_column(String(8))
    business_key: Mapped[str] = mapped_column(String(40))
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"), index=True)
    token_id: Mapped[int]  # 0 for an order
    element: Mapped[word | None]
    label: Mapped[title]
    label_en: Mapped[title]
    area: Mapped[word | None]
    policy_id: Mapped[int] = mapped_column(ForeignKey("sla_policy.id"))
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(10))
    level: Mapped[int] = mapped_column(default=0)  # the highest rung reached, percent

    policy: Mapped[SlaPolicy] = relationship()


class SlaRung(Base):
    """One warning of one clock; fires once."""

    __tablename__ = "sla_rung"
    __table_args__ = (Index("ix_sla_rung_fired_at_due_at", "fired_at", "due_at"),)

    clock_id: Mapped[int] = mapped_column(ForeignKey("sla_clock.id"), primary_key=True)
    percent: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    due_at: Mapped[datetime]
    fired_at: Mapped[datetime | None]


class WorkCalendar(Base):
    """Hours of work by day of the week, local. `holidays`: special days change it. Kept and shown; not reckoned with yet."""

    __tablename__ = "work_calendar"

    code: Mapped[word] = mapped_column(primary_key=True)  # CW
    name: Mapped[title]
    name_en: Mapped[title]
    hours: Mapped[dict[str, Any]]  # {"mon": ["08:30-12:00"], …}
    holidays: Mapped[bool]


class SpecialDay(Base):
    """A public holiday, or a weekend day that is worked to make up for one."""

    __tablename__ = "special_day"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # 2026-10-01
    name: Mapped[title]
    name_en: Mapped[title]
    works: Mapped[bool]
