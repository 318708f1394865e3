"""Tables of trouble tickets and of what they are attached to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, BigKey, number, serial, word
from engine.store.base import name as title


class TroubleTicket(Base):
    """A fault report. It is an order of type TT, under the order's number, and this row beside it.

    `status` is TMF621's and follows the order and its milestones. `document` is the report as it came. `parent_id` is the
    mass fault or planned work that it waits for.
    """

    __tablename__ = "trouble_ticket"
    __table_args__ = (
        Index("ix_trouble_ticket_created_at_id", "created_at", "id"),
        Index("ix_trouble_ticket_line_created_at", "line", "created_at"),
        Index("ix_trouble_ticket_node_pon_created_at", "node", "pon", "created_at"),
        Index("ix_trouble_ticket_status_id", "status", "id"),
        Index("ix_trouble_ticket_parent_id", "parent_id"),
    )

    id: Mapped[str] = mapped_column(String(40), ForeignKey("service_order.id"), primary_key=True)
    ticket_type: Mapped[title]
    severity: Mapped[word]
    priority: Mapped[word | None]
    description: Mapped[str] = mapped_column(String(4000))
    symptom: Mapped[title | None]
    origin: Mapped[word]  # crm, desk, customer, alarm
    line: Mapped[str] = mapped_column(String(100))  # as the sender calls it
    line_order: Mapped[str | None] = mapped_column(String(40))  # the order that built it
    node: Mapped[word | None]
    pon: Mapped[word | None]
    port: Mapped[word | None]
    alarm_id: Mapped[int | None] = mapped_column(BigKey)
    status: Mapped[str] = mapped_column(String(12))
    status_reason: Mapped[str | None] = mapped_column(String(500))
    status_at: Mapped[datetime]
    changes: Mapped[list[Any]]  # every status that it had, with its time
    relation: Mapped[str | None] = mapped_column(String(10))  # what correlating found
    related_id: Mapped[str | None] = mapped_column(String(40))
    parent_id: Mapped[str | None] = mapped_column(String(40))
    urges: Mapped[int] = mapped_column(default=0)
    cause_code: Mapped[word | None]
    segment: Mapped[title | None]
    time_owner: Mapped[word | None]
    restored_at: Mapped[datetime | None]
    wished_at: Mapped[datetime | None]  # by when the sender wishes it
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


_OPEN = text("state in ('proposed', 'open')")


class MassFault(Base):
    """One cause that takes many lines down. States: proposed, open, restored, closed; dismissed, withdrawn.

    `pon` is empty where the whole device is meant. Its process is `mass_fault`, under its number.
    """

    __tablename__ = "mass_fault"
    __table_args__ = (
        Index("ix_mass_fault_state_id", "state", "id"),
        Index("uq_mass_fault_place", "node", "pon", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[number] = mapped_column(primary_key=True)  # GF-20261122-000002
    state: Mapped[str] = mapped_column(String(12))
    node: Mapped[word]
    pon: Mapped[word] = mapped_column(default="")
    area: Mapped[word | None]
    origin: Mapped[word]  # desk, tickets, alarm
    description: Mapped[str] = mapped_column(String(500))
    opened_by: Mapped[title | None]
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"))
    alarm_id: Mapped[int | None] = mapped_column(BigKey)
    told: Mapped[str | None] = mapped_column(String(500))  # what all its customers hear
    expected_at: Mapped[datetime | None]
    cause_code: Mapped[word | None]
    segment: Mapped[title | None]
    proposed_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    restored_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class MassFaultChild(Base):
    """A ticket that belongs, or belonged, to a mass fault. `result`: waiting, good, bad, left, ended."""

    __tablename__ = "mass_fault_child"

    fault_id: Mapped[str] = mapped_column(ForeignKey("mass_fault.id"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("trouble_ticket.id"), primary_key=True)
    result: Mapped[str] = mapped_column(String(8))
    joined_at: Mapped[datetime]
    tested_at: Mapped[datetime | None]


class PlannedWork(Base):
    """Announced work on the network: reports of its lines within the window are answered, not dispatched."""

    __tablename__ = "planned_work"
    __table_args__ = (Index("ix_planned_work_node_until_at", "node", "until_at"),)

    id: Mapped[number] = mapped_column(primary_key=True)  # PW-20261122-000001
    state: Mapped[str] = mapped_column(String(12))  # announced, withdrawn
    node: Mapped[word]
    pon: Mapped[word] = mapped_column(default="")
    description: Mapped[str] = mapped_column(String(500))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    announced_at: Mapped[datetime]
    announced_by: Mapped[title]


class Alarm(Base):
    """An alarm of a platform. States: waiting (it may clear by itself), raised (acted on), cleared, suppressed.

    `raises` counts how often it came; `result_id` is the ticket or mass fault that it led to.
    """

    __tablename__ = "alarm"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_alarm_root_id", "root_id"),
        Index("ix_alarm_raised_at_id", "raised_at", "id"),
    )

    id: Mapped[serial]
    source: Mapped[word]
    external_id: Mapped[str] = mapped_column(String(100))
    root_name: Mapped[str | None] = mapped_column(String(100))  # as the platform calls its root
    root_id: Mapped[int | None] = mapped_column(ForeignKey("alarm.id"))
    object: Mapped[str] = mapped_column(String(100))
    kind: Mapped[title]
    severity: Mapped[word]
    text: Mapped[str | None] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(12))
    raises: Mapped[int]
    result_id: Mapped[str | None] = mapped_column(String(40))
    raised_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # until when it may clear by itself
    cleared_at: Mapped[datetime | None]
