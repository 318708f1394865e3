"""Live instances of this process, kept from one command to the next. A cache of what the rows say, never more.

An instance is taken out when a command begins and put back when that command has been committed, so nobody sees a
half-done one. It is used only if its version is that of the row, read under the row's lock: another process that has
moved the instance meanwhile has raised the version, and the stale one is dropped.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

from sqlalchemy.orm import Session

from engine.runtime.instance import Instance
from engine.runtime.lock import Held
from engine.store.hooks import after_commit

MOST_TOKENS = 20_000


class LiveInstances:
    """The instances moved last, by id, as many as hold `most` tokens together. Safe to share between threads."""

    def __init__(self, most: int = MOST_TOKENS) -> None:
        self.most, self._tokens = most, 0
        self._kept: OrderedDict[int, tuple[int, Instance, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, row: Held, at: datetime) -> Instance | None:
        """The instance of a row that is locked, if it is here and no older than the row; it is then no longer here."""
        with self._lock:
            found = self._kept.pop(row.id, None)
            if found is not None:
                self._tokens -= found[2]
        if found is None or found[0] != row.version:
            return None
        _begin(found[1], at)
        return found[1]

    def keep_after_commit(self, session: Session, row: Held, top: Instance) -> None:
        """Puts the instance back when its row is committed; an ended one is not needed again."""
        if top.end is None:
            ident, version = row.id, row.version
            after_commit(session, lambda: self._put(ident, version, top))

    def _put(self, ident: int, version: int, top: Instance) -> None:
        size = len(top.by_id)
        with self._lock:
            before = self._kept.pop(ident, None)
            if before is not None:
                self._tokens -= before[2]
                if before[0] > version:  # somebody else was faster in putting back, and is further on
                    version, top, size = before
            self._kept[ident] = (version, top, size)
            self._tokens += size
            while self._tokens > self.most:
                self._tokens -= self._kept.popitem(last=False)[1][2]


def _begin(top: Instance, at: datetime) -> None:
    """What belongs to one command only starts anew."""
    top.now, top.notes, top.differences, top.troubled, top.memory_changed = at, [], [], [], False
    top.outbox = []
    top.stored_with_data = top.with_data()
