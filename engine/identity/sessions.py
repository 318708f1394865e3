"""Logins in a browser, which holds a random id; we keep its hash. They end by logout, idling, age or a new password."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from engine.identity.actor import Actor
from engine.identity.lookup import ACTOR_COLUMNS, actor_from, person
from engine.identity.model import WebSession
from engine.store import Store
from engine.store.glance import glance
from engine.store.prepared import Prepared

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
_TOUCH_AFTER = timedelta(minutes=1)

_login = WebSession.__table__.c
_FIND = Prepared(
    select(*ACTOR_COLUMNS, person.must_change_password, _login.created_at, _login.seen_at).where(
        _login.id_hash == bindparam("hash"),
        _login.revoked_at.is_(None),
        _login.person_id == person.id,
        person.active.is_(True),
    )
)


@dataclass(frozen=True, slots=True)
class BrowserLogin:
    """A session that holds. `is_stale`: call `touch`, its last sign of life is a minute old."""

    actor: Actor
    must_change_password: bool
    is_stale: bool


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """One line of a person's list of logins."""

    agent: str
    created_at: datetime
    seen_at: datetime
    current: bool


def open_session(session: Session, person_id: int, agent: str, now: datetime) -> str:
    """Begins a login and returns its id, which is nowhere stored."""
    secret = secrets.token_urlsafe(32)
    session.add(
        WebSession(id_hash=_hash(secret), person_id=person_id, created_at=now, seen_at=now, agent=agent[:200])
    )
    return secret


def find_session(store: Store, secret: str, now: datetime) -> BrowserLogin | None:
    """Whose login this is; None when it was revoked, idled for 30 minutes, is 8 hours old, or never was."""
    row = glance(store, _FIND, hash=_hash(secret))
    if row is None:
        return None
    if now - row.created_at >= LONGEST or now - row.seen_at >= IDLE:
        return None
    return BrowserLogin(actor_from(row), row.must_change_password, now - row.seen_at >= _TOUCH_AFTER)


def touch(session: Session, secret: str, now: datetime) -> None:
    """Notes a sign of life."""
    session.execute(update(WebSession).where(WebSession.id_hash == _hash(secret)).values(seen_at=now))


def revoke(session: Session, secret: str, now: datetime) -> None:
    """Ends one login; ending it twice changes nothing."""
    _revoke(session, now, WebSession.id_hash == _hash(secret))


def revoke_all(session: Session, person_id: int, now: datetime) -> None:
    """Ends all logins of a person."""
    _revoke(session, now, WebSession.person_id == person_id)


def revoke_others(session: Session, person_id: int, secret: str, now: datetime) -> None:
    """Ends all logins of a person but the one with this secret."""
    _revoke(session, now, WebSession.person_id == person_id, WebSession.id_hash != _hash(secret))


def sessions_of(
    session: Session, person_id: int, now: datetime, current: str | None = None
) -> list[OpenLogin]:
    """The logins of a person that still hold, the latest used first; `current` is the secret of the one that asks."""
    rows = session.scalars(
        select(WebSession)
        .where(
            WebSession.person_id == person_id,
            WebSession.revoked_at.is_(None),
            WebSession.created_at > now - LONGEST,
            WebSession.seen_at > now - IDLE,
        )
        .order_by(WebSession.seen_at.desc(), WebSession.id_hash)
    )
    mine = _hash(current) if current else None
    return [OpenLogin(row.agent, row.created_at, row.seen_at, row.id_hash == mine) for row in rows]


def _revoke(session: Session, now: datetime, *which: ColumnElement[bool]) -> None:
    session.execute(update(WebSession).where(*which, WebSession.revoked_at.is_(None)).values(revoked_at=now))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
