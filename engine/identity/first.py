"""Whether a database is new."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.deploy.model import ProcessDefinition
from engine.identity.model import Person


def is_new(session: Session) -> bool:
    """Nobody can log in yet, and no diagram was ever uploaded."""
    somebody = session.scalar(select(Person.id).limit(1))
    return somebody is None and session.scalar(select(ProcessDefinition.id).limit(1)) is None


def has_people(session: Session) -> bool:
    """Somebody can log in."""
    return session.scalar(select(Person.id).where(Person.password_hash.is_not(None)).limit(1)) is not None
