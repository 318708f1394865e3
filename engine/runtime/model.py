"""Tables of running processes: one row per instance, and rows for what each instance waits for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, number, serial, word


class ProcessInstance(Base):
    """The live part of one process instance.

    `tokens` is the encoded frontier (`engine.runtime.codec`), `variables` the data of its scopes; finished parts are in
    `instance_history`. `version` counts saved steps, `task_count` the user tasks that were ever opened, so that numbering
    them asks for no other row. States: active, completed, failed, cancelled.
    """

    __tablename__ = "process_instance"
    __table_args__ = (Index("ix_process_instance_definition_id_state", "definition_id", "state"),)

    id: Mapped[serial]
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"))
    business_key: Mapped[number] = mapped_column(index=True)
    order_id: Mapped[number | None]  # the order that it fulfils an item of
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]
    tokens: Mapped[bytes]
    variables: Mapped[bytes]
    task_count: Mapped[int] = mapped_column(default=0)
    has_incident: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_element: Mapped[word | None]
    end_code: Mapped[word | None]
    end_message: Mapped[str | None] = mapped_column(String(500))


class InstanceHistory(Base):
    """What one saved step did: the elements it passed and the variables it changed, packed (`codec.unpack_history`)."""

    __tablename__ = "instance_history"

    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False
    )  # the instance's version after the step
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    body: Mapped[bytes]


class InstanceTimer(Base):
    """An armed timer event of an instance."""

    __tablename__ = "instance_timer"
    __table_args__ = (Index("ix_instance_timer_due_at", "due_at"),)

    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), primary_key=True)
    token_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    due_at: Mapped[datetime]


class Subscription(Base):
    """A message that a token of an instance waits for, routed by exact name and key; or a signal, by its name."""

    __tablename__ = "subscription"
    __table_args__ = (Index("ix_subscription_name_key", "name", "key"),)

    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"), primary_key=True)
    token_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12))  # message, signal
    name: Mapped[word]
    key: Mapped[str] = mapped_column(String(200))


class BufferedMessage(Base):
    """A message that came before anybody waited for it; it goes when it is caught, or at the latest when it expires."""

    __tablename__ = "buffered_message"
    __table_args__ = (
        Index("ix_buffered_message_name_key_id", "name", "key", "id"),
        Index("ix_buffered_message_expires_at", "expires_at"),
    )

    id: Mapped[serial]
    name: Mapped[word]
    key: Mapped[str] = mapped_column(String(200))
    message_id: Mapped[str | None] = mapped_column(String(200), unique=True)  # the sender's
    values: Mapped[dict[str, Any]]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
