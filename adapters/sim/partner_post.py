"""What simulated partners tell us: an outbox in their file, posted until our inbound address has taken each message."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from adapters.json_http import Ask, JsonHttp
from engine.errors import AdapterError, NeedsHuman, Permanent

if TYPE_CHECKING:
    from adapters.sim.partner import PartnerSimulator

TABLES = """\
CREATE TABLE IF NOT EXISTS message(
  id INTEGER PRIMARY KEY, partner TEXT NOT NULL, body TEXT NOT NULL, posted INTEGER NOT NULL DEFAULT 0, answer TEXT);
CREATE TABLE IF NOT EXISTS listener(one INTEGER PRIMARY KEY, url TEXT NOT NULL, tokens TEXT NOT NULL);
"""
Inbound = Callable[[str, Mapping[str, Any]], int | None]
"""Takes a partner and a message, gives the HTTP status of our answer; None when nobody is there."""
_PATIENCE_S = 5.0


class Outbox:
    """The messages of one simulator."""

    def __init__(self, simulator: PartnerSimulator) -> None:
        self._simulator = simulator

    def listen(self, url: str, tokens: Mapping[str, str]) -> None:
        """Where messages go from now on."""
        with self._simulator.write() as db:
            db.execute(
                "INSERT INTO listener(one, url, tokens) VALUES (1, ?, ?)"
                " ON CONFLICT(one) DO UPDATE SET url = excluded.url, tokens = excluded.tokens",
                (url, json.dumps(dict(tokens))),
            )

    def add(self, db: sqlite3.Connection, partner: str, message: Mapping[str, Any]) -> None:
        """A message of the transaction; its id is our serial."""
        cursor = db.execute("INSERT INTO message(partner, body) VALUES (?, '{}')", (partner,))
        body = {"id": f"{partner}-{cursor.lastrowid}", **message}
        db.execute(
            "UPDATE message SET body = ? WHERE id = ?",
            (json.dumps(body, ensure_ascii=False), cursor.lastrowid),
        )

    def all(self) -> list[dict[str, Any]]:
        """Every message, oldest first, how often it was posted, and our last answer."""
        rows = self._simulator.rows("SELECT partner, body, posted, answer FROM message ORDER BY id")
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def post(self, *, silent: bool, double: bool, reverse: bool) -> None:
        """Posts what has not been taken. `silent`: nothing; `double`: each twice; `reverse`: the newest first, in pairs."""
        rows = self._simulator.rows("SELECT id, partner, body FROM message WHERE answer IS NULL ORDER BY id")
        if silent or (reverse and len(rows) < 2):  # the newer one has to be there to come first
            return
        for row in reversed(rows) if reverse else rows:
            for _ in range(2 if double else 1):
                if not self._post(row):
                    return  # nobody is there: all of it again later

    def _post(self, row: Mapping[str, Any]) -> bool:
        status = self._send(row["partner"], json.loads(row["body"]))
        if status is None:
            return False
        with self._simulator.write() as db:
            db.execute(
                "UPDATE message SET posted = posted + 1, answer = ? WHERE id = ?", (str(status), row["id"])
            )
        return True

    def _send(self, partner: str, message: Mapping[str, Any]) -> int | None:
        """The status of the answer; None when nobody has taken it."""
        if self._simulator.inbound is not None:
            return self._simulator.inbound(partner, message)
        found = self._simulator.rows("SELECT url, tokens FROM listener")
        if not found:
            return None
        url = found[0]["url"].replace("{partner}", partner)
        token = json.loads(found[0]["tokens"]).get(partner, "")
        client = JsonHttp(f"listener:{partner}")
        try:
            ask = Ask("POST", url, time.monotonic() + _PATIENCE_S, body=message, bearer=token)
            return client.send(ask).status
        except (Permanent, NeedsHuman):
            return 400  # it was understood and refused: a repeat would be too
        except AdapterError:
            return None
        finally:
            client.close()
