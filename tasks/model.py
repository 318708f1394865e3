"""The table of tasks (工单)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, number, word
from engine.store.base import name as title

_OPEN = text("closed_at IS NULL")


class Task(Base):
    """One user task of a process, as people see it. States: open, claimed, completed, cancelled.

    `rank_at` orders the worklist: the due time, or far in the future where there is none; earlier if its order was urged.
    """

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("instance_id", "token_id"),
        Index("ix_task_rank_at_id", "rank_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(
            "ix_task_crew_id_rank_at_id",
            "crew_id",
            "rank_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "ix_task_assignee_id_rank_at_id",
            "assignee_id",
            "rank_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_task_area_rank_at_id", "area", "rank_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(  # of thousands of tasks that a loop has closed, none is read to find the next
            "ix_task_instance_id_rank_at_id",
            "instance_id",
            "rank_at",
            "id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[number] = mapped_column(primary_key=True)  # BB-20261122-000123-W01
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    token_id: Mapped[int]
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    business_key: Mapped[number] = mapped_column(index=True)
    element: Mapped[word]
    name: Mapped[title]
    name_en: Mapped[title]
    role: Mapped[word]
    area: Mapped[word | None]
    skill: Mapped[word | None]
    customer: Mapped[str | None] = mapped_column(String(200))
    crew_id: Mapped[str | None] = mapped_column(ForeignKey("crew.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str] = mapped_column(String(12))
    form_key: Mapped[word | None]
    due_at: Mapped[datetime | None]
    rank_at: Mapped[datetime]
    created_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(200))
    answers: Mapped[dict[str, Any] | None]
    request_id: Mapped[str | None] = mapped_column(
        String(100)
    )  # of the completion: a repeat gets the same answer
    version: Mapped[int] = mapped_column(default=1)


class TaskFacts(Protocol):
    """What a task says of itself: a `Task`, or a row of its table that no session follows."""

    @property
    def id(self) -> str: ...
    @property
    def instance_id(self) -> int: ...
    @property
    def token_id(self) -> int: ...
    @property
    def definition_id(self) -> int: ...
    @property
    def business_key(self) -> str: ...
    @property
    def element(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def name_en(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def area(self) -> str | None: ...
    @property
    def customer(self) -> str | None: ...
    @property
    def crew_id(self) -> str | None: ...
    @property
    def assignee_id(self) -> int | None: ...
    @property
    def state(self) -> str: ...
    @property
    def form_key(self) -> str | None: ...
    @property
    def due_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def closed_at(self) -> datetime | None: ...
    @property
    def request_id(self) -> str | None: ...
