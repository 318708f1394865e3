"""A simulated CRM: takes order reports, knows how accounts stand, and hears events from /hub."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from adapters.crm.schemas import CREDIT_STATES
from adapters.sim.state import Simulator
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

EVENT = "crm.event"


class AccountRequest(Schema):
    """What `POST /sim/crm/accounts` takes: how an account stands."""

    account = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(CREDIT_STATES))
    arrears_fen = fields.Integer(load_default=0, validate=validate.Range(0))


class CrmSimulator(Simulator):
    """Reports are known by the key that they came with, events by their `eventId`."""

    name = "crm"
    refuse_code = "CRM_REFUSED"
    tables = """\
CREATE TABLE IF NOT EXISTS report(
  number INTEGER PRIMARY KEY, key TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS report_key ON report(key);
CREATE TABLE IF NOT EXISTS event(
  event_id TEXT PRIMARY KEY, event_type TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL,
  repeats INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS account(account TEXT PRIMARY KEY, state TEXT NOT NULL, arrears_fen INTEGER NOT NULL);
"""

    def handle(self, request: Request) -> Reply:
        """`/crm/…`: what the adapter and the call-backs ask."""
        match (request.method, *request.path):
            case ("GET", "health"):
                return Reply(200, {"ok": True})
            case ("POST", "orders", subject, "report"):
                return self.with_faults(
                    "crm.order.report", subject, False, lambda: self._report(request, subject)
                )
            case ("GET", "reports", key):
                return self.with_faults("crm.report.get", key, True, lambda: self._known(key))
            case ("GET", "accounts", account):
                return self.with_faults("crm.account.check", account, False, lambda: self._account(account))
            case ("POST", "listener"):
                return self._listen(request)
            case ("GET", "events"):
                return Reply(200, {"events": self.events()})
        return NO_SUCH_PATH

    def arrange(self, request: Request) -> Reply:
        """`/sim/crm/accounts`: how an account stands."""
        body = request.body if isinstance(request.body, dict) else {}
        if (request.method, *request.path) != ("POST", "accounts"):
            return NO_SUCH_PATH
        try:
            return Reply(200, self.set_account(**body))
        except (ValidationError, TypeError) as e:
            return refusal(400, "BAD_SWITCH", str(e))

    def set_account(self, **account: Any) -> dict[str, Any]:
        """How an account stands; one that nobody has set is good."""
        row: dict[str, Any] = AccountRequest().load(account)
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO account VALUES (:account, :state, :arrears_fen)", row)
        return row

    def events(self) -> list[dict[str, Any]]:
        """What the listener heard, oldest first; `repeats` counts what came again."""
        rows = self.rows(
            "SELECT event_id AS eventId, event_type AS eventType, at, repeats, body FROM event ORDER BY rowid"
        )
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def state(self) -> dict[str, Any]:
        """Reports and events."""
        reports = self.rows("SELECT number, key, subject, state, body FROM report ORDER BY number")
        return {
            "reports": [{**row, "body": json.loads(row["body"])} for row in reports],
            "events": self.events(),
        }

    def _report(self, request: Request, subject: str) -> Reply:
        told = request.body
        if not isinstance(told, dict) or not all(isinstance(told.get(k), str) for k in ("order", "state")):
            return refusal(400, "CRM_BAD_REQUEST", "order and state are needed")

        def act(db: sqlite3.Connection) -> Reply:
            number = db.execute(
                "INSERT INTO report(key, subject, state, body) VALUES (?, ?, ?, ?)",
                (request.key, subject, told["state"], json.dumps(told, ensure_ascii=False)),
            ).lastrowid
            return Reply(201, _answer(number, told))

        return self.performed(request, "crm.order.report", subject, act)

    def _account(self, account: str) -> Reply:
        rows = self.rows("SELECT * FROM account WHERE account = ?", account)
        return Reply(200, rows[0] if rows else {"account": account, "state": "good", "arrears_fen": 0})

    def _known(self, key: str) -> Reply:
        rows = self.rows("SELECT number, body FROM report WHERE key = ?", key)
        if not rows:
            return refusal(404, "CRM_REPORT_UNKNOWN", "no report came with this key")
        return Reply(200, _answer(rows[0]["number"], json.loads(rows[0]["body"])))

    def _listen(self, request: Request) -> Reply:
        told = request.body
        event_id = told.get("eventId") if isinstance(told, dict) else None
        if not isinstance(event_id, str) or not event_id:
            return refusal(400, "CRM_BAD_EVENT", "an event needs an eventId")
        return self.with_faults(
            EVENT, event_id, False, lambda: self._heard(replace(request, key=event_id), event_id)
        )

    def _heard(self, request: Request, event_id: str) -> Reply:
        def act(db: sqlite3.Connection) -> Reply:
            db.execute(
                "INSERT INTO event(event_id, event_type, at, body) VALUES (?, ?, ?, ?)",
                (event_id, str(request.body.get("eventType", "")), self.stamp(), json.dumps(request.body)),
            )
            return Reply(201, {"eventId": event_id})

        reply = self.performed(request, EVENT, event_id, act)
        if reply.replayed:
            with self.write() as db:
                db.execute("UPDATE event SET repeats = repeats + 1 WHERE event_id = ?", (event_id,))
        return reply


def _answer(number: int | None, told: dict[str, Any]) -> dict[str, Any]:
    return {"receipt": f"R-{number:06d}", "order": told["order"], "state": told["state"]}
