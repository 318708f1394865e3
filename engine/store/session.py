"""Opening the database and its transactions: `write()` for changes, `read()` for looking.

SQLite: WAL, synchronous=FULL, and BEGIN IMMEDIATE for writers; with the driver's own transaction mode concurrent
read-modify-write loses updates without an error (docs/decisions/002-sqlite-transactions.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from engine.store.group import GroupCommit
from engine.store.hooks import committed
from engine.store.unit import transaction

T = TypeVar("T")
_WRITE = "kaitong_write"


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_jsonable)


def dumps(value: Any) -> str:
    """Compact JSON, Chinese readable, dates as ISO text."""
    return _ENCODER.encode(value)


class Store:
    """One database. Cheap to keep, expensive to open: make one per process."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _open_sqlite(url) if self.is_sqlite else _open_postgresql(url)
        self._writer = self.engine.execution_options(**{_WRITE: True})
        self._group = GroupCommit(self._writer) if self.is_sqlite else None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that may change rows; committed on leaving, rolled back on any exception."""
        with self._connected() as connection:
            with transaction(connection) as session:
                yield session
            committed(session)

    def run(self, work: Callable[[Session], T]) -> T:
        """Calls `work` in a transaction that may change rows and returns what it gave, after the commit.

        On SQLite commands that wait for the writer share a commit; `work` may run in another thread, in the caller's
        context. What it raises takes back its own changes only, and is raised here.
        """
        if self._group is not None:
            return self._group.run(work)
        with self.write() as session:
            return work(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent look at the rows."""
        with self.engine.connect() as connection, transaction(connection, autoflush=False) as session:
            yield session

    def _connected(self) -> AbstractContextManager[Connection]:
        """On SQLite one thread of ours writes at a time: waiting here is fair, waiting in the database is not."""
        return self._group.turn() if self._group is not None else self._writer.connect()

    def close(self) -> None:
        """Gives all connections back."""
        if self._group is not None:
            self._group.close()
        self.engine.dispose()


def _open_sqlite(url: str) -> Engine:
    memory = make_url(url).database in (None, "", ":memory:")
    extra: dict[str, Any] = {"poolclass": StaticPool} if memory else {}
    engine = create_engine(
        url,
        json_serializer=dumps,
        connect_args={"isolation_level": None, "timeout": 15, "check_same_thread": False},
        **extra,
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITE)
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _open_postgresql(url: str) -> Engine:
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        json_serializer=dumps,
        pool_pre_ping=True,
        pool_size=10,
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "options": "-c lock_timeout=15000 -c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000",
        },
    )
