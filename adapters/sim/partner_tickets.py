"""Tickets at simulated partners: the part of TMF621 v4 that we call. Who plays a partner moves them on by hand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from adapters.sim.state import Simulator
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

TABLE = """\
CREATE TABLE IF NOT EXISTS ticket(
  serial INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, partner TEXT NOT NULL, id TEXT NOT NULL,
  status TEXT NOT NULL, body TEXT NOT NULL);
"""
BASE = ("tmf-api", "troubleTicket", "v4", "troubleTicket")
_NEEDED = ("externalId", "description", "severity", "ticketType")


class Tickets:
    """Tickets of all partners, known by our number of them."""

    def __init__(self, simulator: Simulator) -> None:
        self._sim = simulator

    def handle(self, request: Request, partner: str, rest: tuple[str, ...]) -> Reply:
        """`…/troubleTicket`, or one of them by the partner's number."""
        match (request.method, *rest):
            case ("POST",):
                return self._create(request, partner)
            case ("GET",):
                number = request.query.get("externalId", "")
                return self._sim.with_faults(
                    "partner.ticket.get", number, True, lambda: self._find(partner, number)
                )
            case ("PATCH", ident):
                return self._patch(request, partner, ident)
        return NO_SUCH_PATH

    def all(self) -> list[dict[str, Any]]:
        """All tickets, oldest first."""
        return [_shown(row) for row in self._sim.rows("SELECT * FROM ticket ORDER BY serial")]

    def move(self, number: str, status: str) -> None:
        """The partner has gone on with one."""
        with self._sim.write() as db:
            db.execute("UPDATE ticket SET status = ? WHERE number = ?", (status, number))

    def _create(self, request: Request, partner: str) -> Reply:
        told = request.body if isinstance(request.body, dict) else {}
        missing = [name for name in _NEEDED if not isinstance(told.get(name), str)]
        if missing:
            return refusal(400, "PARTNER_BAD_TICKET", f"{', '.join(missing)} is missing")
        number = told["externalId"]

        def act(db: sqlite3.Connection) -> Reply:
            if db.execute("SELECT 1 FROM ticket WHERE number = ?", (number,)).fetchone():
                return refusal(409, "TICKET_KNOWN", "this ticket came before, with another key")
            serial = 5001 + int(db.execute("SELECT COUNT(*) FROM ticket").fetchone()[0])
            ident = f"{partner.rpartition('-')[2]}-T{serial}"
            db.execute(
                "INSERT INTO ticket(number, partner, id, status, body) VALUES (?, ?, ?, 'acknowledged', ?)",
                (number, partner, ident, json.dumps(told)),
            )
            return Reply(201, _shown(_row(db, number)))

        return self._sim.with_faults(
            "partner.ticket.create",
            number,
            False,
            lambda: self._sim.performed(request, "partner.ticket.create", number, act),
        )

    def _find(self, partner: str, number: str) -> Reply:
        rows = self._sim.rows("SELECT * FROM ticket WHERE partner = ? AND number = ?", partner, number)
        return Reply(200, {}, text=json.dumps([_shown(row) for row in rows]))

    def _patch(self, request: Request, partner: str, ident: str) -> Reply:
        wish = request.body if isinstance(request.body, dict) else {}

        def act(db: sqlite3.Connection) -> Reply:
            query = "SELECT * FROM ticket WHERE partner = ? AND id = ?"
            row = db.execute(query, (partner, ident)).fetchone()
            if row is None:
                return refusal(404, "not_found", f"there is no ticket {ident}")
            db.execute(
                "UPDATE ticket SET status = ? WHERE id = ?", (wish.get("status", row["status"]), ident)
            )
            return Reply(200, _shown(_row(db, row["number"])))

        return self._sim.performed(request, "partner.ticket.cancel", ident, act)


def _row(db: sqlite3.Connection, number: str) -> Mapping[str, Any]:
    return dict(db.execute("SELECT * FROM ticket WHERE number = ?", (number,)).fetchone())


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A ticket as TMF621 has it."""
    return {**json.loads(row["body"]), "id": row["id"], "status": row["status"], "@type": "TroubleTicket"}
