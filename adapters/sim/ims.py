"""A simulated IMS: telephone numbers, opened, closed and barred over HTTP. It recognises the keys of requests."""

from __future__ import annotations

import sqlite3
from typing import Any

from marshmallow import Schema, ValidationError, fields

from adapters.network.voice_schemas import BarRequest, OpenRequest
from adapters.sim.state import Simulator
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

DOMAIN = "ims.yunting.example"
_GONE = refusal(404, "NUMBER_UNKNOWN", "no such number")
_TAKEN = refusal(409, "NUMBER_TAKEN", "the number is open already")


class TerminalRequest(Schema):
    """What `POST /sim/ims/terminals` takes."""

    number = fields.String(required=True)
    registered = fields.Boolean(required=True)


class ImsSimulator(Simulator):
    """`reference` is the key that a number was opened with. Terminals are registered unless they were told to be silent."""

    name = "ims"
    refuse_code = "IMS_REFUSED"
    tables = """\
CREATE TABLE IF NOT EXISTS subscriber(
  number TEXT PRIMARY KEY, account TEXT, sip_uri TEXT NOT NULL, barring TEXT NOT NULL, reference TEXT);
CREATE TABLE IF NOT EXISTS silent(number TEXT PRIMARY KEY);
"""

    def handle(self, request: Request) -> Reply:
        """`/ims/…`: what the adapter asks."""
        match (request.method, *request.path):
            case ("GET", "health"):
                return Reply(200, {"ok": True})
            case ("GET", "subscribers", number):
                return self.with_faults("voice.subscriber.get", number, True, lambda: self._get(number))
            case ("PUT", "subscribers", number):
                return self.with_faults(
                    "voice.subscriber.open", number, False, lambda: self._open(request, number)
                )
            case ("PUT", "subscribers", number, "barring"):
                return self.with_faults(
                    "voice.subscriber.bar", number, False, lambda: self._bar(request, number)
                )
            case ("DELETE", "subscribers", number):
                return self.with_faults(
                    "voice.subscriber.close", number, False, lambda: self._close(request, number)
                )
        return NO_SUCH_PATH

    def arrange(self, request: Request) -> Reply:
        """`/sim/ims/terminals`: whether the terminal of a number is registered."""
        if (request.method, *request.path) != ("POST", "terminals"):
            return NO_SUCH_PATH
        try:
            return Reply(200, self.set_terminal(**(request.body or {})))
        except (ValidationError, TypeError) as e:
            return refusal(400, "BAD_SWITCH", str(e))

    def set_terminal(self, **terminal: Any) -> dict[str, Any]:
        """A terminal that is not registered is silent: unplugged, or configured wrongly."""
        row: dict[str, Any] = TerminalRequest().load(terminal)
        with self.write() as db:
            db.execute("DELETE FROM silent WHERE number = :number", row)
            if not row["registered"]:
                db.execute("INSERT INTO silent(number) VALUES (:number)", row)
        return row

    def state(self) -> dict[str, Any]:
        """The numbers, and whose terminal is silent."""
        return {
            "subscribers": self.rows("SELECT * FROM subscriber ORDER BY number"),
            "silent": self.rows("SELECT * FROM silent ORDER BY number"),
        }

    def _get(self, number: str) -> Reply:
        rows = self.rows("SELECT * FROM subscriber WHERE number = ?", number)
        if not rows:
            return _GONE
        is_silent = bool(self.rows("SELECT * FROM silent WHERE number = ?", number))
        return Reply(200, {**rows[0], "registered": not is_silent})

    def _open(self, request: Request, number: str) -> Reply:
        try:
            row = OpenRequest().load({**(request.body or {}), "number": number})
        except (ValidationError, TypeError) as e:
            return refusal(400, "IMS_BAD_REQUEST", f"not a number: {e}")
        row |= {"sip_uri": f"sip:{number}@{DOMAIN}", "barring": "none", "reference": request.key or None}

        def act(db: sqlite3.Connection) -> Reply:
            if db.execute("SELECT 1 FROM subscriber WHERE number = ?", (number,)).fetchone():
                return _TAKEN
            db.execute(
                "INSERT INTO subscriber(number, account, sip_uri, barring, reference)"
                " VALUES (:number, :account, :sip_uri, :barring, :reference)",
                row,
            )
            return Reply(201, row)

        return self.performed(request, "voice.subscriber.open", number, act)

    def _bar(self, request: Request, number: str) -> Reply:
        try:
            row = BarRequest().load({**(request.body or {}), "number": number})
        except (ValidationError, TypeError) as e:
            return refusal(400, "IMS_BAD_REQUEST", f"not a barring: {e}")

        def act(db: sqlite3.Connection) -> Reply:
            query = "UPDATE subscriber SET barring = :barring WHERE number = :number"
            return Reply(200, row) if db.execute(query, row).rowcount else _GONE

        return self.performed(request, "voice.subscriber.bar", number, act)

    def _close(self, request: Request, number: str) -> Reply:
        def act(db: sqlite3.Connection) -> Reply:
            if not db.execute("DELETE FROM subscriber WHERE number = ?", (number,)).rowcount:
                return _GONE
            return Reply(200, {"number": number, "closed": True})

        return self.performed(request, "voice.subscriber.close", number, act)
