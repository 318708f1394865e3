"""Group commit: commands that wait for SQLite's one writer share a transaction, and so one wait for the disk.

Whoever gets the writer leads: he takes every wish that has queued up meanwhile, does them one after another, each in a
savepoint of its own, commits once, and only then do all of them hear "done". Alone, a command pays nothing for it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from engine.store.hooks import committed
from engine.store.unit import savepoint, transaction

T = TypeVar("T")
MOST = 64


class GroupLost(Exception):
    """The database gave up the transaction that a command shared with others; nothing of it was written."""


class _Wish:
    """One command that waits for its commit. It runs in the context of whoever asked."""

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self.work, self.context = work, copy_context()
        self.done = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.session: Session | None = None

    def run(self, begun: AbstractContextManager[Session]) -> None:
        """Does the work in a transaction; what it raises is kept for whoever asked."""
        try:
            with begun as session:
                self.value = self.context.run(self.work, session)
            self.session = session
        except BaseException as e:  # handed over to the thread that asked, which raises it
            self.error = e

    def fail(self, error: BaseException) -> None:
        """The commit did not happen."""
        self.error = self.error or error

    def result(self) -> Any:
        """What the work gave, or raised."""
        if self.error is not None:
            raise self.error
        return self.value


class GroupCommit:
    """The writer of one process: a connection that is kept open, and the turn of whoever uses it."""

    def __init__(self, writer: Engine) -> None:
        self._turn = threading.Lock()
        self._writer = writer
        self._kept: Connection | None = None
        self._waiting: deque[_Wish] = deque()

    def run(self, work: Callable[[Session], T]) -> T:
        """Calls `work` in a transaction, alone or with others, and returns after the commit."""
        wish = _Wish(work)
        self._waiting.append(wish)
        with self._turn:
            if not wish.done:
                self._lead()
        result: T = wish.result()
        return result

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """The writer's connection for a transaction of one's own."""
        with self._turn, self._connection() as connection:
            yield connection

    def close(self) -> None:
        """Lets the connection go; the next turn opens another."""
        with self._turn:
            self._let_go()

    def _lead(self) -> None:
        wishes = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        try:
            with self._connection() as connection:
                if len(wishes) == 1:
                    wishes[0].run(transaction(connection))
                else:
                    _together(connection, wishes)
        except BaseException as e:  # each thread that asked hears of it
            for wish in wishes:
                wish.fail(e)
        for wish in wishes:
            if wish.error is None and wish.session is not None:
                committed(wish.session)
            wish.done = True

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """The caller has the turn. A connection that is left inside a transaction is not used again."""
        if self._kept is None:
            self._kept = self._writer.connect()
        try:
            yield self._kept
        finally:
            if self._kept.in_transaction() or _driver(self._kept).in_transaction:
                self._let_go()

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def _together(connection: Connection, wishes: list[_Wish]) -> None:
    with connection.begin():
        for wish in wishes:
            wish.run(savepoint(connection))
            if not _driver(connection).in_transaction:
                raise GroupLost()  # on a full disk, for example, SQLite takes the whole transaction back by itself


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
