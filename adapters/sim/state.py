"""What every simulator has: a file of its own, a row per effect, answers by key, and fault switches.

Everything is committed with full synchronisation before an answer leaves, so that the file tells the truth whenever
this process, or the product, is killed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from adapters.sim.faults import Fault, FaultRequest
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

_TABLES = """\
CREATE TABLE IF NOT EXISTS effect(
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, key TEXT NOT NULL, operation TEXT NOT NULL, subject TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answer(
  key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
  repeats INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS fault(
  id INTEGER PRIMARY KEY, fault TEXT NOT NULL, times INTEGER NOT NULL, operation TEXT, subject TEXT, code TEXT,
  seconds REAL NOT NULL);
"""
HIDDEN = "password"
"""The field of a request that is kept out of the list of effects."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Simulator:
    """State of one simulated system. Safe for several threads: one transaction at a time."""

    name: ClassVar[str]
    tables: ClassVar[str]
    refuse_code: ClassVar[str]

    def __init__(self, file: Path, now: Callable[[], datetime] = _utc_now) -> None:
        self._now = now
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_TABLES + self.tables)

    # ---- what tests and operators use

    def fault(self, fault: str, **switch: Any) -> int:
        """Switches a fault on (fields: docs/reference/adapters.md) and gives its number."""
        return self.switch_on({"fault": fault, **switch})

    def switch_on(self, switch: Mapping[str, Any]) -> int:
        """The same with all fields in one mapping. Raises marshmallow's `ValidationError`."""
        row = FaultRequest().load(switch)
        with self.write() as db:
            cursor = db.execute(
                "INSERT INTO fault(fault, times, operation, subject, code, seconds)"
                " VALUES (:fault, :times, :operation, :subject, :code, :seconds)",
                row,
            )
        return int(cursor.lastrowid or 0)

    def faults(self) -> list[dict[str, Any]]:
        """The switches that are on; `times` is what is left."""
        return self.rows("SELECT * FROM fault ORDER BY id")

    def clear_faults(self) -> None:
        """Switches all faults off."""
        with self.write() as db:
            db.execute("DELETE FROM fault")

    def effects(self) -> list[dict[str, Any]]:
        """Everything that was really done, oldest first, with the number of repeats that its key absorbed."""
        return self.rows(
            "SELECT e.key, e.operation, e.subject, e.at, COALESCE(a.repeats, 0) AS repeats"
            " FROM effect e LEFT JOIN answer a ON a.key = e.key AND e.key <> '' ORDER BY e.id"
        )

    def repeats(self) -> int:
        """Requests that a known key answered without any effect."""
        return int(self.rows("SELECT COALESCE(SUM(repeats), 0) AS n FROM answer")[0]["n"])

    def state(self) -> dict[str, Any]:
        """What is true now, without secrets."""
        raise NotImplementedError

    def handle(self, request: Request) -> Reply:
        """Answers a request of the product."""
        raise NotImplementedError

    def arrange(self, request: Request) -> Reply:
        """Answers what this simulator alone can be told by `/sim/<name>/…`."""
        return NO_SUCH_PATH

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    # ---- what a simulated system is made of

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Reads, after everything that was written before."""
        with self._lock:
            return [dict(row) for row in self._db.execute(sql, values)]

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk when it ends."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def performed(
        self, request: Request, operation: str, subject: str, act: Callable[[sqlite3.Connection], Reply]
    ) -> Reply:
        """Does `act` once per key. What is refused leaves nothing behind, so the same key may be tried again."""
        body = request.body if isinstance(request.body, dict) else {}
        told = {name: value for name, value in body.items() if name != HIDDEN}
        fingerprint = _fingerprint(request)
        with self.write() as db:
            known = db.execute("SELECT * FROM answer WHERE key = ?", (request.key,)).fetchone()
            if request.key and known:
                return self._replay(db, known, fingerprint)
            reply = act(db)
            if reply.ok:
                db.execute(
                    "INSERT INTO effect(at, key, operation, subject, body) VALUES (?, ?, ?, ?, ?)",
                    (self.stamp(), request.key, operation, subject, json.dumps(told, ensure_ascii=False)),
                )
                if request.key:
                    db.execute(
                        "INSERT INTO answer(key, fingerprint, status, body) VALUES (?, ?, ?, ?)",
                        (request.key, fingerprint, reply.status, json.dumps(dict(reply.body))),
                    )
        return reply

    @staticmethod
    def is_known(db: sqlite3.Connection, key: str) -> bool:
        """Whether a request with this key has changed something before."""
        query = "SELECT 1 FROM effect WHERE key = ? LIMIT 1"
        return bool(key) and db.execute(query, (key,)).fetchone() is not None

    def count_effect(self, db: sqlite3.Connection, key: str, operation: str, subject: str, text: str) -> None:
        """For devices, which recognise no key: something was changed."""
        db.execute(
            "INSERT INTO effect(at, key, operation, subject, body) VALUES (?, ?, ?, ?, ?)",
            (self.stamp(), key, operation, subject, text),
        )

    def count_repeat(self, db: sqlite3.Connection, key: str) -> None:
        """For devices: nothing was changed, because a request with this key had done it before."""
        if self.is_known(db, key):
            db.execute(
                "INSERT INTO answer(key, fingerprint, status, body, repeats) VALUES (?, '', 200, '', 1)"
                " ON CONFLICT(key) DO UPDATE SET repeats = repeats + 1",
                (key,),
            )

    def with_faults(self, operation: str, subject: str, reads: bool, run: Callable[[], Reply]) -> Reply:
        """Runs, unless a fault is on; a fault may also spoil the answer of what was done."""
        fault = self.take_fault(operation, subject, reads)
        if fault is None:
            return run()
        if fault.kind == "unavailable":
            return refusal(503, "UNAVAILABLE", "switched off by a fault")
        if fault.kind == "refuse":
            return refusal(422, fault.code or self.refuse_code, "refused by a fault")
        if fault.kind == "lost_request":
            return Reply(200, {}, lost=True)
        reply = run()
        if fault.kind == "delay":
            return replace(reply, wait_s=fault.seconds)
        return replace(reply, lost=fault.kind == "lost_answer", garbage=fault.kind == "garbage")

    def take_fault(self, operation: str, subject: str, reads: bool = False) -> Fault | None:
        """The oldest switch that fits; one that has met its number of requests is gone. A read must be named, or `*`."""
        unnamed = "0" if reads else "operation IS NULL"
        with self.write() as db:
            row = db.execute(
                f"SELECT * FROM fault WHERE (operation IN (?, '*') OR {unnamed})"  # noqa: S608 - two constants
                " AND (subject IS NULL OR subject = ?) ORDER BY id LIMIT 1",
                (operation, subject),
            ).fetchone()
            if row is None:
                return None
            if row["times"] > 0:
                db.execute("UPDATE fault SET times = times - 1 WHERE id = ?", (row["id"],))
                db.execute("DELETE FROM fault WHERE times = 0")
        return Fault(row["fault"], row["code"], row["seconds"])

    def keep_time(self, now: Callable[[], datetime]) -> None:
        """From now on what happens here happens at that time."""
        self._now = now

    def stamp(self) -> str:
        """Now, as text."""
        return self._now().isoformat(timespec="milliseconds")

    @staticmethod
    def _replay(db: sqlite3.Connection, known: Mapping[str, Any], fingerprint: str) -> Reply:
        if known["fingerprint"] != fingerprint:
            return refusal(422, "KEY_REUSED", "this key was used for another request")
        db.execute("UPDATE answer SET repeats = repeats + 1 WHERE key = ?", (known["key"],))
        return Reply(known["status"], json.loads(known["body"]), replayed=True)


def _fingerprint(request: Request) -> str:
    text = json.dumps([request.method, request.path, request.body], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
