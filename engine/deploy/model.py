"""Tables of deployed diagrams."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.store.base import Base, serial, word
from engine.store.base import name as title


class Deployment(Base):
    """One uploaded bundle, as it came: the diagram's bytes and the forms beside it."""

    __tablename__ = "deployment"

    id: Mapped[serial]
    filename: Mapped[title]
    sha256: Mapped[word]
    xml: Mapped[bytes]
    forms: Mapped[dict[str, Any]]  # form key → form-js document
    problems: Mapped[list[Any]]  # lint report: warnings that did not stop the upload
    created_at: Mapped[datetime]
    created_by: Mapped[title]


class ProcessDefinition(Base):
    """One version of one process. `state`: draft (uploaded), active (new orders run on it), retired."""

    __tablename__ = "process_definition"
    __table_args__ = (
        UniqueConstraint("key", "version"),
        Index("ix_process_definition_key_state", "key", "state"),
    )

    id: Mapped[serial]
    key: Mapped[word]  # the BPMN process id
    version: Mapped[int]
    name: Mapped[title]
    name_en: Mapped[title]
    state: Mapped[str] = mapped_column(String(12))
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"), index=True)
    created_at: Mapped[datetime]
    deployed_at: Mapped[datetime | None]
    deployed_by: Mapped[str | None] = mapped_column(String(200))

    deployment: Mapped[Deployment] = relationship()


class ProcessBinding(Base):
    """Which process an order item starts. The row with most matching columns wins; empty means any."""

    __tablename__ = "process_binding"

    id: Mapped[serial]
    order_type: Mapped[word]
    product: Mapped[word | None]
    area: Mapped[word | None]
    tier: Mapped[word | None]
    valid_from: Mapped[datetime]
    process_key: Mapped[word]
