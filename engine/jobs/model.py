"""Tables of jobs, outside calls and incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, serial, word


class Job(Base):
    """One piece of work for a worker. States: ready, running, done, incident, cancelled.

    A claim takes a ready job that is due, or a running one whose lease has passed; it raises `fence`. A result is
    accepted only under the fence of its claim.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_state_due_at", "state", "due_at"),
        Index("ix_job_instance_id_token_id", "instance_id", "token_id"),
    )

    id: Mapped[serial]
    kind: Mapped[str] = mapped_column(String(24))  # advance, service, callback, compare
    key: Mapped[str] = mapped_column(String(200), unique=True)  # the same work is never queued twice
    state: Mapped[str] = mapped_column(String(12))
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"))
    token_id: Mapped[int | None]
    element: Mapped[word | None]
    payload: Mapped[dict[str, Any]]
    due_at: Mapped[datetime]
    owner: Mapped[str | None] = mapped_column(String(120))
    fence: Mapped[int] = mapped_column(default=0)  # raised by every claim
    claims: Mapped[int] = mapped_column(
        default=0
    )  # claims since the last recorded result: poison is counted here
    attempts: Mapped[int] = mapped_column(default=0)  # recorded failures since it became ready
    lease_until: Mapped[int | None] = mapped_column(BigInteger)  # on the lease clock, milliseconds
    error_code: Mapped[word | None]
    error: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AdapterCall(Base):
    """The ledger of outside effects. PLANNED → SENT → DONE | RETRY | UNKNOWN | FAILED | HUMAN → UNDOING → UNDONE.

    SENT is committed before the effect, with the plan and what is needed to undo it; a row found SENT or UNKNOWN is
    observed before anything is sent again.
    """

    __tablename__ = "adapter_call"
    __table_args__ = (Index("ix_adapter_call_instance_id", "instance_id"),)

    id: Mapped[serial]
    key: Mapped[str] = mapped_column(String(200), unique=True)
    state: Mapped[str] = mapped_column(String(10))
    operation: Mapped[word]
    target: Mapped[word]
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"))
    element: Mapped[word | None]
    request: Mapped[dict[str, Any]]
    plan: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[word | None]
    error: Mapped[str | None] = mapped_column(String(1000))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Incident(Base):
    """Something that a person has to mend. States: open, resolved, cancelled."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_state_id", "state", "id"),
        Index("ix_incident_instance_id_state", "instance_id", "state"),
    )

    id: Mapped[serial]
    state: Mapped[str] = mapped_column(String(12))
    instance_id: Mapped[int | None] = mapped_column(ForeignKey("process_instance.id"))
    token_id: Mapped[int | None]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"), index=True)
    element: Mapped[word | None]
    element_name: Mapped[str] = mapped_column(String(200))
    business_key: Mapped[str] = mapped_column(String(40))
    area: Mapped[word | None]
    code: Mapped[word]
    message: Mapped[str] = mapped_column(String(1000))
    fingerprint: Mapped[word]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(String(200))

    def cancel(self, at: datetime) -> None:
        """What it was about is gone."""
        self.state, self.resolved_at, self.resolved_by = "cancelled", at, "system"


class Heartbeat(Base):
    """When a process of ours was last seen working."""

    __tablename__ = "heartbeat"

    process: Mapped[str] = mapped_column(String(120), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))  # worker, ticker
    at: Mapped[datetime]
