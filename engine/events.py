"""What happened, in order: one row per event, written in the transaction of the change it tells of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.store.base import Base, serial, table_of, word
from engine.store.prepared import inserting


class Event(Base):
    """Past tense, for example `OrderPlaced` or `TaskClaimed`; all kinds are listed in docs/reference/events.md."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_business_key_id", "business_key", "id"),
        Index("ix_event_instance_id_id", "instance_id", "id"),
    )

    id: Mapped[serial]
    at: Mapped[datetime]
    kind: Mapped[word]
    actor: Mapped[str] = mapped_column(String(200))
    business_key: Mapped[str | None] = mapped_column(String(40))
    instance_id: Mapped[int | None]
    element: Mapped[word | None]
    data: Mapped[dict[str, Any]]


_INSERT = inserting(table_of(Event), without=["id"])


def record(
    session: Session,
    kind: str,
    *,
    at: datetime,
    actor: str,
    business_key: str | None = None,
    instance_id: int | None = None,
    element: str | None = None,
    **data: Any,
) -> None:
    """Writes an event in the caller's transaction."""
    _INSERT.run(
        session,
        at=at,
        kind=kind,
        actor=actor,
        business_key=business_key,
        instance_id=instance_id,
        element=element,
        data=data,
    )
