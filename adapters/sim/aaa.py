"""A simulated AAA server: accounts in the usual RADIUS tables, opened and closed over HTTP, asked over RADIUS."""

from __future__ import annotations

import hmac
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from adapters.network.schemas import MAX_SPEED_MBPS, OpenRequest
from adapters.sim.state import Simulator
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

LOGIN = "aaa.login.test"
_GONE = refusal(404, "AAA_NOT_FOUND", "no such account")
_TAKEN = refusal(409, "AAA_ACCOUNT_TAKEN", "the account exists already")
_SPEEDS = ("WISPr-Bandwidth-Max-Down", "WISPr-Bandwidth-Max-Up")
_ACCOUNTS = (
    "SELECT *, NOT EXISTS(SELECT 1 FROM radcheck WHERE username = account AND attribute = 'Auth-Type') AS active"
    ", EXISTS(SELECT 1 FROM stuck_session s WHERE s.account = subscriber.account) AS session_stuck"
    " FROM subscriber"
)
UP_SHARE = 10
"""Upstream is a tenth of downstream."""


class SubscriberRequest(OpenRequest):
    """What `PUT /aaa/subscribers/<account>` takes: as our adapter's operation, but never without a password."""

    password = fields.String(required=True, validate=validate.Length(1, 128))


class PatchRequest(Schema):
    """What `PATCH /aaa/subscribers/<account>` takes: what is to be other than it is."""

    plan = fields.String(validate=validate.Length(1, 64))
    speed_mbps = fields.Integer(validate=validate.Range(1, MAX_SPEED_MBPS))
    active = fields.Boolean()
    vlan = fields.Integer(allow_none=True, validate=validate.Range(1, 4094))
    port = fields.String(allow_none=True, validate=validate.Length(1, 64))


class SessionRequest(Schema):
    """What `POST /sim/aaa/sessions` takes: whether the session of an account hangs."""

    account = fields.String(required=True)
    stuck = fields.Boolean(required=True)


_PATCHES = {"active": "aaa.subscriber.switch", "port": "aaa.subscriber.move"}
"""What a change is called, by what it is about."""


@dataclass(frozen=True, slots=True)
class Access:
    """Whether somebody may come in, and the attributes that they get."""

    accepted: bool
    attributes: dict[str, int] = field(default_factory=dict)


class AaaSimulator(Simulator):
    """The tables radcheck, radreply, radusergroup and radgroupreply mean what they mean to any RADIUS server."""

    name = "aaa"
    refuse_code = "AAA_REFUSED"
    tables = """\
CREATE TABLE IF NOT EXISTS radcheck(id INTEGER PRIMARY KEY, username TEXT, attribute TEXT, op TEXT, value TEXT);
CREATE TABLE IF NOT EXISTS radreply(id INTEGER PRIMARY KEY, username TEXT, attribute TEXT, op TEXT, value TEXT);
CREATE TABLE IF NOT EXISTS radusergroup(username TEXT, groupname TEXT, priority INTEGER);
CREATE TABLE IF NOT EXISTS radgroupreply(id INTEGER PRIMARY KEY, groupname TEXT, attribute TEXT, op TEXT, value TEXT);
CREATE INDEX IF NOT EXISTS radcheck_username ON radcheck(username);
CREATE INDEX IF NOT EXISTS radreply_username ON radreply(username);
CREATE INDEX IF NOT EXISTS radusergroup_username ON radusergroup(username);
CREATE INDEX IF NOT EXISTS radgroupreply_groupname ON radgroupreply(groupname);
CREATE TABLE IF NOT EXISTS subscriber(
  account TEXT PRIMARY KEY, plan TEXT NOT NULL, speed_mbps INTEGER NOT NULL, vlan INTEGER, port TEXT,
  session_group TEXT NOT NULL, reference TEXT);
CREATE TABLE IF NOT EXISTS stuck_session(account TEXT PRIMARY KEY);
"""

    def handle(self, request: Request) -> Reply:
        """`/aaa/…`: what the adapter asks."""
        match (request.method, *request.path):
            case ("GET", "health"):
                return Reply(200, {"ok": True})
            case ("GET", "subscribers", account):
                return self.with_faults("aaa.subscriber.get", account, True, lambda: self._get(account))
            case ("PUT", "subscribers", account):
                return self.with_faults(
                    "aaa.subscriber.open", account, False, lambda: self._open(request, account)
                )
            case ("PATCH", "subscribers", account):
                return self._patch(request, account)
            case ("DELETE", "subscribers", account):
                return self.with_faults(
                    "aaa.subscriber.close", account, False, lambda: self._close(request, account)
                )
            case ("DELETE", "subscribers", account, "session"):
                return self.with_faults(
                    "aaa.session.reset", account, False, lambda: self._end_session(request, account)
                )
        return NO_SUCH_PATH

    def arrange(self, request: Request) -> Reply:
        """`/sim/aaa/sessions`: an old session of an account hangs, so that no new login is let in."""
        body = request.body if isinstance(request.body, dict) else {}
        if (request.method, *request.path) != ("POST", "sessions"):
            return NO_SUCH_PATH
        try:
            return Reply(200, self.set_session(**body))
        except (ValidationError, TypeError) as e:
            return refusal(400, "BAD_SWITCH", str(e))

    def set_session(self, **session: Any) -> dict[str, Any]:
        """Lets the session of an account hang, or ends it."""
        row: dict[str, Any] = SessionRequest().load(session)
        with self.write() as db:
            db.execute("DELETE FROM stuck_session WHERE account = :account", row)
            if row["stuck"]:
                db.execute("INSERT INTO stuck_session(account) VALUES (:account)", row)
        return row

    def state(self) -> dict[str, Any]:
        """The accounts; passwords stay inside."""
        return {"subscribers": [_shown(row) for row in self.rows(_ACCOUNTS + " ORDER BY account")]}

    def authenticate(self, account: str, password: str) -> Access:
        """What a RADIUS server makes of its tables: the user's own attributes go before those of the group."""
        if self.rows("SELECT 1 FROM stuck_session WHERE account = ?", account):
            return Access(False)
        stored = self.rows(
            "SELECT value FROM radcheck c WHERE username = ? AND attribute = 'Cleartext-Password'"
            " AND NOT EXISTS(SELECT 1 FROM radcheck WHERE username = c.username AND attribute = 'Auth-Type')",
            account,
        )
        if not stored or not hmac.compare_digest(stored[0]["value"].encode(), password.encode()):
            return Access(False)
        rows = self.rows(
            "SELECT attribute, value, -1 AS rank FROM radreply WHERE username = ?"
            " UNION ALL SELECT r.attribute, r.value, g.priority FROM radusergroup g"
            " JOIN radgroupreply r ON r.groupname = g.groupname WHERE g.username = ? ORDER BY rank DESC",
            account,
            account,
        )
        return Access(True, {row["attribute"]: int(row["value"]) for row in rows})

    def _get(self, account: str) -> Reply:
        rows = self.rows(_ACCOUNTS + " WHERE account = ?", account)
        return Reply(200, _shown(rows[0])) if rows else _GONE

    def _open(self, request: Request, account: str) -> Reply:
        try:
            wanted = SubscriberRequest().load({**(request.body or {}), "account": account})
        except (ValidationError, TypeError) as e:
            return refusal(400, "AAA_BAD_REQUEST", f"not a subscriber: {e}")
        password, active = wanted.pop("password"), wanted.pop("active")
        row = wanted | {
            "session_group": _group(wanted),
            "reference": request.key or None,
        }

        def act(db: sqlite3.Connection) -> Reply:
            if db.execute("SELECT 1 FROM subscriber WHERE account = ?", (account,)).fetchone():
                return _TAKEN
            _insert(db, row, password)
            _switch(db, account, active)
            return Reply(201, row | {"active": active})

        return self.performed(request, "aaa.subscriber.open", account, act)

    def _patch(self, request: Request, account: str) -> Reply:
        try:
            wanted = PatchRequest().load(request.body or {})
        except (ValidationError, TypeError) as e:
            return refusal(400, "AAA_BAD_REQUEST", f"not a change: {e}")
        operation = next((o for name, o in _PATCHES.items() if name in wanted), "aaa.subscriber.change")

        def act(db: sqlite3.Connection) -> Reply:
            row = db.execute("SELECT * FROM subscriber WHERE account = ?", (account,)).fetchone()
            if row is None:
                return _GONE
            if "active" in wanted:
                _switch(db, account, wanted["active"])
            if "port" in wanted:
                place = {"vlan": None, **wanted, "account": account}
                db.execute("UPDATE subscriber SET vlan = :vlan, port = :port WHERE account = :account", place)
            now = {**row, **{name: wanted[name] for name in ("plan", "speed_mbps") if name in wanted}}
            _set_speed(db, now | {"session_group": _group(now)})
            return Reply(200, {"account": account})

        return self.with_faults(
            operation, account, False, lambda: self.performed(request, operation, account, act)
        )

    def _close(self, request: Request, account: str) -> Reply:
        def act(db: sqlite3.Connection) -> Reply:
            if not db.execute("DELETE FROM subscriber WHERE account = ?", (account,)).rowcount:
                return _GONE
            db.execute("DELETE FROM stuck_session WHERE account = ?", (account,))
            for table in ("radcheck", "radreply", "radusergroup"):
                db.execute(f"DELETE FROM {table} WHERE username = ?", (account,))  # noqa: S608 - constants
            return Reply(200, {"account": account, "closed": True})

        return self.performed(request, "aaa.subscriber.close", account, act)

    def _end_session(self, request: Request, account: str) -> Reply:
        def act(db: sqlite3.Connection) -> Reply:
            if not db.execute("SELECT 1 FROM subscriber WHERE account = ?", (account,)).fetchone():
                return _GONE
            db.execute("DELETE FROM stuck_session WHERE account = ?", (account,))
            return Reply(200, {"account": account})

        return self.performed(request, "aaa.session.reset", account, act)


def _insert(db: sqlite3.Connection, row: dict[str, Any], password: str) -> None:
    db.execute(
        "INSERT INTO subscriber(account, plan, speed_mbps, vlan, port, session_group, reference)"
        " VALUES (:account, :plan, :speed_mbps, :vlan, :port, :session_group, :reference)",
        row,
    )
    db.execute(
        "INSERT INTO radcheck(username, attribute, op, value) VALUES (?, 'Cleartext-Password', ':=', ?)",
        (row["account"], password),
    )
    _join(db, row)


def _set_speed(db: sqlite3.Connection, row: dict[str, Any]) -> None:
    db.execute(
        "UPDATE subscriber SET plan = :plan, speed_mbps = :speed_mbps, session_group = :session_group"
        " WHERE account = :account",
        row,
    )
    db.execute("DELETE FROM radusergroup WHERE username = ?", (row["account"],))
    _join(db, row)


def _switch(db: sqlite3.Connection, account: str, active: bool) -> None:
    """An account that is off is rejected in the way that is usual in these tables."""
    db.execute("DELETE FROM radcheck WHERE username = ? AND attribute = 'Auth-Type'", (account,))
    if not active:
        db.execute(
            "INSERT INTO radcheck(username, attribute, op, value) VALUES (?, 'Auth-Type', ':=', 'Reject')",
            (account,),
        )


def _group(row: dict[str, Any]) -> str:
    return f"{row['plan']}-{row['speed_mbps']}M"


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"active": bool(row["active"]), "session_stuck": bool(row["session_stuck"])}


def _join(db: sqlite3.Connection, row: dict[str, Any]) -> None:
    """Puts an account into the group of its speed, which is made when it is the first."""
    group, down = row["session_group"], row["speed_mbps"] * 1_000_000
    db.execute("INSERT INTO radusergroup VALUES (?, ?, 1)", (row["account"], group))
    if not db.execute("SELECT 1 FROM radgroupreply WHERE groupname = ?", (group,)).fetchone():
        db.executemany(
            "INSERT INTO radgroupreply(groupname, attribute, op, value) VALUES (?, ?, ':=', ?)",
            [(group, name, str(rate)) for name, rate in zip(_SPEEDS, (down, down // UP_SHARE), strict=True)],
        )
