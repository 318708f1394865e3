"""One unit of work: a transaction on a connection, and a session in it that the ORM may use and need not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from engine.store.prepared import attach


@contextmanager
def transaction(connection: Connection, *, autoflush: bool = True) -> Iterator[Session]:
    """A transaction: committed on leaving, rolled back on any exception."""
    with connection.begin(), _session(connection, autoflush) as session:
        yield session


@contextmanager
def savepoint(connection: Connection) -> Iterator[Session]:
    """A part of a transaction that is taken back alone if it raises."""
    with connection.begin_nested(), _session(connection, True) as session:
        yield session


@contextmanager
def _session(connection: Connection, autoflush: bool) -> Iterator[Session]:
    """It joins the transaction when the ORM is first used: prepared statements alone do not pay for that."""
    session = Session(
        connection, expire_on_commit=False, autoflush=autoflush, join_transaction_mode="rollback_only"
    )
    attach(session, connection)
    try:
        yield session
        if session.in_transaction():
            session.commit()  # writes what objects still hold back; the transaction is the caller's
    finally:
        if session.in_transaction() or len(session.identity_map):
            session.close()
