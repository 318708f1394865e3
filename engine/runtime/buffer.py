"""Messages that came before anybody waited for them: kept with a time to live, and given to the first event that fits.

Routing is by exact name and key, as with subscriptions. On PostgreSQL whoever keeps a message and whoever arms an event
for the same name and key take turns, so that neither misses the other. Everybody takes the rows of instances first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, select
from sqlalchemy.orm import Session

from engine.events import record
from engine.runtime.instance import Instance
from engine.runtime.model import BufferedMessage
from engine.runtime.token import Token
from engine.store.base import table_of
from engine.store.prepared import Prepared, deleting

_table = table_of(BufferedMessage)
_OLDEST = Prepared(
    select(_table.c.id, _table.c["values"])
    .where(
        _table.c.name == bindparam("name"),
        _table.c.key == bindparam("key"),
        _table.c.expires_at > bindparam("at", type_=_table.c.expires_at.type),
    )
    .order_by(_table.c.id)
    .limit(1)
)
_GONE = deleting(_table, "id")
_HASH = func.hashtextextended(bindparam("route"), 0, type_=BigInteger)
_KEEPING = Prepared(select(func.pg_advisory_xact_lock(_HASH)))
_ARMING = Prepared(select(func.pg_advisory_xact_lock_shared(_HASH)))


def keep(
    session: Session,
    name: str,
    key: str,
    values: Mapping[str, Any],
    *,
    at: datetime,
    until: datetime,
    message_id: str | None,
) -> bool:
    """Keeps a message that nobody waits for. One whose id is kept already is not kept again: False."""
    _turn(session, _KEEPING, name, key)
    _drop_expired(session, at)
    if message_id is not None:
        known = select(BufferedMessage.id).where(BufferedMessage.message_id == message_id)
        if session.scalar(known) is not None:
            return False
    session.add(
        BufferedMessage(
            name=name, key=key, message_id=message_id, values=dict(values), sent_at=at, expires_at=until
        )
    )
    session.flush()
    return True


def give(session: Session, top: Instance, armed: Iterable[Token]) -> bool:
    """Fires tokens that wait for a message which is kept, the oldest first. True if one was there."""
    fired = False
    for (name, key), token in sorted(_routes(armed), key=lambda found: (found[0], found[1].id)):
        _turn(session, _ARMING, name, key)
        while token.id in top.waiting.messages.get((name, key), ()):  # else it has caught one, or was ended
            kept = _take(session, name, key, top.now)
            if kept is None:
                break
            fired = True
            top.waiting.fire(token, dict(kept))
            top.settle()
    return fired


def _routes(armed: Iterable[Token]) -> list[tuple[tuple[str, str], Token]]:
    return [((t.internal_data["message"][0], t.internal_data["message"][1]), t) for t in armed]


def _take(session: Session, name: str, key: str, at: datetime) -> Mapping[str, Any] | None:
    while True:
        found = _OLDEST.first(session, name=name, key=key, at=at)
        if found is None:
            return None
        if _GONE.run(session, id=found.id):  # else another instance has just got it
            values: Mapping[str, Any] = found[1]
            return values


def _turn(session: Session, how: Prepared, name: str, key: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        how.value(session, route=f"{name}\n{key}")


def _drop_expired(session: Session, at: datetime) -> None:
    """What nobody came for in time: an event tells of each."""
    query = select(BufferedMessage).where(BufferedMessage.expires_at <= at).limit(100)
    for row in session.scalars(query.with_for_update(skip_locked=True)).all():
        record(session, "MessageExpired", at=at, actor="system", name=row.name, key=row.key)
        session.execute(delete(BufferedMessage).where(BufferedMessage.id == row.id))
        session.expunge(row)
