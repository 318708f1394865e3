"""Bearer tokens of machines and scripts. A token is shown once; we keep its hash, and look it up with one indexed query."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from engine.errors import BadInput, NotFound
from engine.events import record
from engine.identity.actor import Actor
from engine.identity.lookup import ACTOR_COLUMNS, actor_from, person
from engine.identity.model import ApiToken, Person
from engine.store import Store
from engine.store.glance import glance
from engine.store.prepared import Prepared

PREFIX = "kt_"
_MOST_DAYS = 3650
_TOUCH_AFTER = timedelta(minutes=1)

_token = ApiToken.__table__.c
_FIND = Prepared(
    select(*ACTOR_COLUMNS, _token.id.label("token_id"), _token.expires_at, _token.used_at).where(
        _token.token_hash == bindparam("hash"),
        _token.revoked_at.is_(None),
        _token.person_id == person.id,
        person.active.is_(True),
    )
)


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A token that holds. `is_stale`: call `touch_token`, its last use was noted more than a minute ago."""

    actor: Actor
    token_id: int
    is_stale: bool


def create_token(
    session: Session, person_id: int, name: str, days: int, *, at: datetime, by: str = "system"
) -> str:
    """Makes a token that ends after `days` and returns its text, which cannot be read again later."""
    if not 1 <= days <= _MOST_DAYS:
        raise BadInput(detail=f"a token lives 1 to {_MOST_DAYS} days")
    owner = session.get(Person, person_id)
    if owner is None:
        raise NotFound(what="person", id=person_id)
    plain = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        token_hash=_hash(plain),
        person_id=person_id,
        name=name[:200],
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    record(session, "TokenCreated", at=at, actor=by, person=owner.login, token=token.id, days=days)
    return plain


def authenticate_token(store: Store, plain: str, now: datetime) -> TokenLogin | None:
    """Whose token this is; None when it is unknown, revoked or too old. Asks the database each time; reads only."""
    if not plain.startswith(PREFIX):
        return None
    row = glance(store, _FIND, hash=_hash(plain))
    if row is None or now >= row.expires_at:
        return None
    return TokenLogin(actor_from(row), row.token_id, row.used_at is None or now - row.used_at >= _TOUCH_AFTER)


def touch_token(session: Session, token_id: int, now: datetime) -> None:
    """Notes the last use."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now))


def owner_of(session: Session, token_id: int) -> int:
    """The person whose token this is. Raises `NotFound`."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFound(what="token", id=token_id)
    return token.person_id


def revoke_token(session: Session, token_id: int, *, at: datetime, by: str) -> None:
    """Ends a token at once; ending it twice changes nothing. Raises `NotFound`."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFound(what="token", id=token_id)
    if token.revoked_at is None:
        token.revoked_at = at
        record(session, "TokenRevoked", at=at, actor=by, token=token_id)


def tokens_of(session: Session, person_id: int) -> Sequence[ApiToken]:
    """All tokens of a person, the newest first; their texts are not known."""
    return session.scalars(
        select(ApiToken).where(ApiToken.person_id == person_id).order_by(ApiToken.id.desc())
    ).all()


def get_token(session: Session, token_id: int, person_id: int | None) -> ApiToken:
    """A token, of this person if one is given. Raises `NotFound`."""
    token = session.get(ApiToken, token_id)
    if token is None or (person_id is not None and token.person_id != person_id):
        raise NotFound(what="token", id=token_id)
    return token


def _hash(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()
