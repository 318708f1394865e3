"""Group commit: commands that wait for SQLite's one writer share a transaction, and so one wait for the disk.

Whoever gets the writer leads: he takes every wish that has queued up meanwhile, does them one after another, each in a
savepoint of its own, commits once, and only then do all of them hear "done". Alone, a command pays nothing for it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from engine.store.hooks import committed

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

    def run(self, session: Session) -> None:
        """Does the work; what it raises is kept for whoever asked."""
        try:
            with session.begin():
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
    """The writer of one process. `lock` is held by whoever writes."""

    def __init__(self, writer: Engine) -> None:
        self.lock = threading.Lock()
        self._writer = writer
        self._waiting: deque[_Wish] = deque()

    def run(self, work: Callable[[Session], T]) -> T:
        """Calls `work` in a transaction, alone or with others, and returns after the commit."""
        wish = _Wish(work)
        self._waiting.append(wish)
        with self.lock:
            if not wish.done:
                self._lead()
        result: T = wish.result()
        return result

    def _lead(self) -> None:
        wishes = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST))]
        try:
            if len(wishes) == 1:
                self._alone(wishes[0])
            else:
                self._together(wishes)
        except BaseException as e:  # each thread that asked hears of it
            for wish in wishes:
                wish.fail(e)
        for wish in wishes:
            wish.done = True

    def _alone(self, wish: _Wish) -> None:
        with Session(self._writer, expire_on_commit=False) as session:
            wish.run(session)
            if wish.error is None:
                committed(session)

    def _together(self, wishes: list[_Wish]) -> None:
        with self._writer.connect() as connection:
            with connection.begin():
                for wish in wishes:
                    mode: Any = "create_savepoint"
                    with Session(connection, expire_on_commit=False, join_transaction_mode=mode) as session:
                        wish.run(session)
                    _check_alive(connection)
            for wish in wishes:
                if wish.error is None and wish.session is not None:
                    committed(wish.session)


def _check_alive(connection: Connection) -> None:
    """On a full disk, for example, SQLite takes the whole transaction back by itself. Raises `GroupLost`."""
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        raise GroupLost()
