"""Requests that come with a key of the sender's: a repeat gets the answer that the first one got, and does nothing.

The key is taken in the transaction of the request itself, so a second request with it waits until the first has been
answered; a refused request leaves no key behind. Keys are forgotten after thirty days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.errors import RuleViolation
from engine.orders.model import ReplayedRequest

KEPT = timedelta(days=30)


class KeyReused(RuleViolation):
    """The Idempotency-Key {key} was already used for another request."""

    code = "idempotency.reused"


def take_key(session: Session, source: str, key: str, body_sha256: str, at: datetime) -> ReplayedRequest:
    """The row of the key; `status` 0 means that it is new and the request has to be done. Raises `KeyReused`."""
    session.execute(delete(ReplayedRequest).where(ReplayedRequest.at < at - KEPT))
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {"source": source, "key": key, "body_sha256": body_sha256, "status": 0, "body": {}, "at": at}
    session.execute(
        insert(ReplayedRequest).values(row).on_conflict_do_nothing(index_elements=["source", "key"])
    )
    query = select(ReplayedRequest).where(ReplayedRequest.source == source, ReplayedRequest.key == key)
    found = session.scalars(query).one()
    if found.body_sha256 != body_sha256:
        raise KeyReused(key=key)
    return found


def keep_answer(row: ReplayedRequest, status: int, body: Mapping[str, Any]) -> None:
    """What a repeat will get."""
    row.status, row.body = status, dict(body)
