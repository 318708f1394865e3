"""Simulated partners: they take orders, build in their own time, tell us of it, and can be told to behave badly.

One simulator plays every partner; each has its own orders. What they tell waits in an outbox (`partner_post`) until our
inbound address has taken it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from adapters.sim.partner_post import TABLES, Inbound, Outbox
from adapters.sim.partner_tickets import BASE, TABLE, Tickets
from adapters.sim.state import Simulator
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

PATH_OF_WORK = ("sent", "received", "accepted", "appointed", "on_site", "done")
CLOSED = ("refused", "stopped", "confirmed")
_PROOF = {
    "onu_serial": "YTGP1A2B3C4D",
    "rx_power_dbm": -19.8,
    "photos": ["box.jpg", "indoor.jpg", "onu-label.jpg"],
}


class OrderBody(Schema):
    """What `POST /partner/<partner>/orders` takes."""

    order = fields.String(required=True)
    product = fields.String(required=True)
    speed_mbps = fields.Integer(required=True, allow_none=True)
    address = fields.String(required=True)
    wished_window = fields.String(required=True, allow_none=True)
    contact = fields.Dict(required=True)


class Manners(Schema):
    """What `POST /sim/partner/manners` takes; what is left out stays as it is."""

    silent = fields.Boolean()
    double = fields.Boolean()
    reverse = fields.Boolean()
    slow_stop = fields.Boolean()
    pace_seconds = fields.Float(allow_none=True, validate=validate.Range(0, 86_400))


class Advance(Schema):
    """What `POST /sim/partner/<order>/advance` takes; without `to`, the next step."""

    to = fields.String(load_default=None, validate=validate.OneOf([*PATH_OF_WORK[1:], "refused", "stopped"]))
    visit = fields.Integer(load_default=None, validate=validate.Range(1, 99))
    code = fields.String(load_default=None, allow_none=True)
    reason = fields.String(load_default="")
    proof = fields.Dict(load_default=None, allow_none=True)


class PartnerSimulator(Simulator):
    """Orders are known by our number of them."""

    name = "partner"
    refuse_code = "PARTNER_REFUSED"
    tables = (
        """\
CREATE TABLE IF NOT EXISTS work(
  serial INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, partner TEXT NOT NULL, partner_number TEXT NOT NULL,
  state TEXT NOT NULL, visit INTEGER NOT NULL, stop TEXT, proof TEXT, next_at TEXT, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS manner(name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
        + TABLES
        + TABLE
    )
    inbound: Inbound | None = None
    """Where messages go, for those who run in the same process; otherwise `POST /sim/partner/listener` says it."""

    # ---- what the product asks

    def handle(self, request: Request) -> Reply:
        """`/partner/<partner>/…`."""
        match (request.method, *request.path):
            case ("GET", _, "health"):
                return Reply(200, {"ok": True})
            case ("POST", partner, "orders"):
                return self._order(request, partner)
            case ("GET", partner, "orders"):
                return self.with_faults("partner.orders.list", partner, True, lambda: self._open(partner))
            case ("GET", partner, "orders", number):
                return self.with_faults("partner.order.get", number, True, lambda: self._get(partner, number))
            case ("POST", partner, "orders", number, "stop"):
                return self.with_faults(
                    "partner.order.stop", number, False, lambda: self._stop(request, partner, number)
                )
            case ("POST", partner, "orders", number, "check"):
                return self._check(request, partner, number)
            case (_, partner, *rest) if tuple(rest[: len(BASE)]) == BASE:
                return self.tickets().handle(request, partner, tuple(rest[len(BASE) :]))
        return NO_SUCH_PATH

    def state(self) -> dict[str, Any]:
        """Open orders of all partners."""
        return {"orders": [r for r in self.orders() if r["state"] not in CLOSED]}

    def orders(self) -> list[dict[str, Any]]:
        """All orders, oldest first."""
        return [_shown(row) for row in self.rows("SELECT * FROM work ORDER BY serial")]

    # ---- what tests and operators tell it

    def arrange(self, request: Request) -> Reply:
        """`/sim/partner/…`: manners, the listener, orders, and moving one on."""
        body = request.body if isinstance(request.body, dict) else {}
        try:
            match (request.method, *request.path):
                case ("POST", "manners"):
                    return Reply(200, self.behave(**body))
                case ("GET", "manners"):
                    return Reply(200, self.manners())
                case ("POST", "listener"):
                    self.listen(str(body.get("url", "")), dict(body.get("tokens") or {}))
                    return Reply(200, {})
                case ("GET", "orders"):
                    return Reply(200, {"orders": self.orders(), "messages": self.outbox().all()})
                case ("POST", number, "advance"):
                    return Reply(200, self.advance(number, **body))
        except ValidationError as e:
            return refusal(400, "BAD_REQUEST", str(e.messages))
        except KeyError as e:
            return refusal(404, "ORDER_UNKNOWN", f"there is no order {e}")
        return NO_SUCH_PATH

    def manners(self) -> dict[str, Any]:
        """How all partners behave now."""
        calm: dict[str, Any] = {"silent": False, "double": False, "reverse": False, "slow_stop": False}
        calm["pace_seconds"] = None
        told = {r["name"]: json.loads(r["value"]) for r in self.rows("SELECT * FROM manner")}
        return {name: told.get(name, value) for name, value in calm.items()}

    def behave(self, **manners: Any) -> dict[str, Any]:
        """Changes how they behave (fields: docs/reference/partners.md). Raises marshmallow's `ValidationError`."""
        with self.write() as db:
            for name, value in Manners().load(manners).items():
                db.execute(
                    "INSERT INTO manner(name, value) VALUES (?, ?)"
                    " ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                    (name, json.dumps(value)),
                )
        return self.manners()

    def begin(self, pace_seconds: float) -> None:
        """They work at this pace, unless somebody has set one before."""
        if not self.rows("SELECT 1 FROM manner WHERE name = 'pace_seconds'"):
            self.behave(pace_seconds=pace_seconds)

    def listen(self, url: str, tokens: Mapping[str, str]) -> None:
        """Messages go to `url`, where `{partner}` stands for the partner, with the token of that partner."""
        self.outbox().listen(url, tokens)

    def tickets(self) -> Tickets:
        """Faults that were reported to them."""
        return Tickets(self)

    def outbox(self) -> Outbox:
        """What has been told, and what is still to be."""
        return Outbox(self)

    def advance(self, number: str, **how: Any) -> dict[str, Any]:
        """Moves an order on, by one step or to a state, and tells us. Raises `KeyError`, `ValidationError`."""
        wish = Advance().load(how)
        with self.write() as db:
            row = db.execute("SELECT * FROM work WHERE number = ?", (number,)).fetchone()
            if row is None:
                raise KeyError(number)
            self._move(db, dict(row), wish)
        self.outbox().post(**self._posting())
        return next(o for o in self.orders() if o["order"] == number)

    def tick(self) -> None:
        """What is due by the pace happens, and what could not be told is told again."""
        now = self.stamp()
        with self.write() as db:
            due = db.execute("SELECT * FROM work WHERE next_at <= ? ORDER BY serial", (now,)).fetchall()
            for row in due:
                self._move(db, dict(row), Advance().load({}))
        self.outbox().post(**self._posting())

    # ---- how it works

    def _posting(self) -> dict[str, bool]:
        manners = self.manners()
        return {name: manners[name] for name in ("silent", "double", "reverse")}

    def _order(self, request: Request, partner: str) -> Reply:
        try:
            told = OrderBody().load(request.body if isinstance(request.body, dict) else {})
        except ValidationError as e:
            return refusal(400, "PARTNER_BAD_ORDER", str(e.messages_dict))
        number = told["order"]

        def act(db: sqlite3.Connection) -> Reply:
            if db.execute("SELECT 1 FROM work WHERE number = ?", (number,)).fetchone():
                return refusal(409, "ORDER_KNOWN", "this order came before, with another key")
            serial = 77120 + int(db.execute("SELECT COUNT(*) FROM work").fetchone()[0])
            db.execute(
                "INSERT INTO work(number, partner, partner_number, state, visit, next_at, body)"
                " VALUES (?, ?, ?, 'sent', 1, ?, ?)",
                (number, partner, f"{_short(partner)}-{serial}", self._next_at("sent"), json.dumps(told)),
            )
            return Reply(201, _shown(_row(db, number)))

        return self.with_faults(
            "partner.order.send",
            number,
            False,
            lambda: self.performed(request, "partner.order.send", number, act),
        )

    def _open(self, partner: str) -> Reply:
        rows = self.rows("SELECT * FROM work WHERE partner = ? ORDER BY serial", partner)
        return Reply(200, {"orders": [_shown(r) for r in rows if r["state"] not in CLOSED]})

    def _get(self, partner: str, number: str) -> Reply:
        rows = self.rows("SELECT * FROM work WHERE partner = ? AND number = ?", partner, number)
        if not rows:
            return refusal(404, "ORDER_UNKNOWN", "this order never came")
        return Reply(200, _shown(rows[0]))

    def _stop(self, request: Request, partner: str, number: str) -> Reply:
        slow = self.manners()["slow_stop"]

        def act(db: sqlite3.Connection) -> Reply:
            row = _row(db, number)
            if row is None or row["partner"] != partner:
                return refusal(404, "ORDER_UNKNOWN", "this order never came")
            outcome = "late" if row["state"] in ("done", "confirmed") else "pending" if slow else "confirmed"
            db.execute("UPDATE work SET stop = ?, next_at = NULL WHERE number = ?", (outcome, number))
            if outcome == "confirmed" and row["state"] not in CLOSED:
                self._move(db, row, Advance().load({"to": "stopped"}))
            return Reply(200, _shown(_row(db, number)))

        reply = self.performed(request, "partner.order.stop", number, act)
        self.outbox().post(**self._posting())
        return reply

    def _check(self, request: Request, partner: str, number: str) -> Reply:
        body = request.body if isinstance(request.body, dict) else {}
        holds = body.get("result") == "confirmed"
        operation = "partner.order.confirm" if holds else "partner.order.send_back"

        def act(db: sqlite3.Connection) -> Reply:
            row = _row(db, number)
            if row is None or row["partner"] != partner:
                return refusal(404, "ORDER_UNKNOWN", "this order never came")
            if row["state"] != "done" or (not holds and body.get("visit") != row["visit"]):
                return refusal(409, "PARTNER_NOT_DONE", f"it is {row['state']}, visit {row['visit']}")
            state, visit = ("confirmed", row["visit"]) if holds else ("sent_back", row["visit"] + 1)
            db.execute(
                "UPDATE work SET state = ?, visit = ?, next_at = ? WHERE number = ?",
                (state, visit, self._next_at(state), number),
            )
            _mask_closed(db, number)
            return Reply(200, _shown(_row(db, number)))

        return self.with_faults(
            operation, number, False, lambda: self.performed(request, operation, number, act)
        )

    def _move(self, db: sqlite3.Connection, row: Mapping[str, Any], wish: Mapping[str, Any]) -> None:
        """One step of the work, and the message that tells of it."""
        state = wish["to"] or _following(row["state"])
        if state is None:
            db.execute("UPDATE work SET next_at = NULL WHERE number = ?", (row["number"],))
            return
        visit = wish["visit"] or row["visit"]
        proof = json.dumps(wish["proof"] or _PROOF) if state == "done" else row["proof"]
        db.execute(
            "UPDATE work SET state = ?, visit = ?, proof = ?, next_at = ? WHERE number = ?",
            (state, visit, proof, self._next_at(state), row["number"]),
        )
        _mask_closed(db, row["number"])
        message: dict[str, Any] = {
            "order": row["number"],
            "partner_number": row["partner_number"],
            "state": state,
            "visit": visit,
            "at": self.stamp(),
        }
        if state == "refused":
            message |= {"code": wish["code"] or "R11", "reason": wish["reason"]}
        if state == "appointed":
            opens = datetime.fromisoformat(self.stamp()) + timedelta(hours=2)
            window = {"from": opens.isoformat(), "to": (opens + timedelta(hours=2)).isoformat()}
            message["window"] = window
            if wish["code"]:  # why it is appointed anew
                message |= {"code": wish["code"], "reason": wish["reason"]}
        if state == "done":
            message["proof"] = json.loads(proof)
        self.outbox().add(db, row["partner"], message)

    def _next_at(self, state: str) -> str | None:
        """When it goes on by itself."""
        pace = self.manners()["pace_seconds"]
        if pace is None or _following(state) is None:
            return None
        return (datetime.fromisoformat(self.stamp()) + timedelta(seconds=pace)).isoformat(
            timespec="milliseconds"
        )


def _row(db: sqlite3.Connection, number: str) -> dict[str, Any] | None:
    found = db.execute("SELECT * FROM work WHERE number = ?", (number,)).fetchone()
    return None if found is None else dict(found)


def _following(state: str) -> str | None:
    """The next state of work that goes well."""
    if state == "sent_back":
        return "appointed"
    place = PATH_OF_WORK.index(state) + 1 if state in PATH_OF_WORK else len(PATH_OF_WORK)
    return PATH_OF_WORK[place] if place < len(PATH_OF_WORK) else None


def _short(partner: str) -> str:
    """CAT of P-CAT."""
    return partner.rpartition("-")[2]


def _mask_closed(db: sqlite3.Connection, number: str) -> None:
    """After close-out nobody there needs the customer's number any more."""
    row = _row(db, number)
    if row is None or row["state"] not in CLOSED:
        return
    body = json.loads(row["body"])
    phone = str(body["contact"].get("phone", ""))
    body["contact"]["phone"] = f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 9 else "****"
    db.execute("UPDATE work SET body = ? WHERE number = ?", (json.dumps(body), number))


def _shown(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """An order as a partner's interface gives it."""
    assert row is not None  # noqa: S101  (the caller has it)
    body = json.loads(row["body"])
    return {
        "order": row["number"],
        "partner": row["partner"],
        "partner_number": row["partner_number"],
        "state": "received" if row["state"] == "sent" else row["state"],
        "visit": row["visit"],
        "stop": row["stop"],
        "proof": json.loads(row["proof"]) if row["proof"] else None,
        **{name: body[name] for name in ("product", "address", "contact")},
    }
