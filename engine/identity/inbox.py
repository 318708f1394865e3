"""Messages to people inside the application. The screen puts `kind` and `facts` into words of the reader's language."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.identity.model import InboxMessage

Level = Literal["info", "warn", "late"]


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Messages, the newest first; pass `next` as `before` to read on."""

    items: Sequence[InboxMessage]
    next: int | None


def tell(
    session: Session,
    person_ids: Collection[int],
    key: str,
    kind: str,
    level: Level,
    facts: Mapping[str, Any],
    at: datetime,
) -> None:
    """Tells each person once: the same `key` told again, also by another process at the same moment, adds nothing."""
    rows = [
        {
            "person_id": person,
            "key": f"{key}#{person}",
            "kind": kind,
            "level": level,
            "facts": dict(facts),
            "at": at,
        }
        for person in sorted(set(person_ids))
    ]
    if not rows:
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(InboxMessage).values(rows).on_conflict_do_nothing(index_elements=["key"]))


def unread_count(session: Session, person_id: int) -> int:
    """How many messages the person has not read."""
    mine = (InboxMessage.person_id == person_id, InboxMessage.read_at.is_(None))
    return session.scalar(select(func.count()).select_from(InboxMessage).where(*mine)) or 0


def messages(
    session: Session, person_id: int, *, before: int | None = None, limit: int = 50, only_unread: bool = False
) -> InboxPage:
    """One page of a person's messages."""
    query = select(InboxMessage).where(InboxMessage.person_id == person_id)
    if before is not None:
        query = query.where(InboxMessage.id < before)
    if only_unread:
        query = query.where(InboxMessage.read_at.is_(None))
    found = session.scalars(query.order_by(InboxMessage.id.desc()).limit(limit + 1)).all()
    return InboxPage(found[:limit], found[limit - 1].id if len(found) > limit else None)


def mark_read(session: Session, person_id: int, ids: Collection[int] | None, now: datetime) -> None:
    """Marks the person's own messages read; None means all of them."""
    change = update(InboxMessage).where(InboxMessage.person_id == person_id, InboxMessage.read_at.is_(None))
    if ids is not None:
        change = change.where(InboxMessage.id.in_(ids))
    session.execute(change.values(read_at=now))
