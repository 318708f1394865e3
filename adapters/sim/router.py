"""Simulated PE routers: sub-interfaces, shown and configured by command lines.

They behave as devices do: no key is recognised. A session works on a copy, and `commit` makes all of it true or nothing; a
commit that changes nothing is no effect, but is counted for the key that did the same before.
"""

from __future__ import annotations

import ipaddress
import json
import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from adapters.network.router_cli import MEDIA, Block, value_of
from adapters.sim.state import Simulator
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

CONFIGURE, REMOVE, TEST = "router.access.configure", "router.access.remove", "router.circuit.test"
READ = "router.running.get"
LOSS_PERCENT, DELAY_MS = 0.0, 3.1
"""What a healthy circuit shows."""
_ACCESS = r"(?:ge|xe|et)-\d{1,2}/\d{1,2}/\d{1,2}\.\d{1,4}"
_LINES = tuple(
    re.compile(pattern)
    for pattern in (
        r"description \S{1,240}",
        r"encapsulation dot1q \d{1,4}",
        r"vrf forwarding \S{1,32}",
        r"ip address \d+\.\d+\.\d+\.\d+/\d+",
        r"rate-limit (input|output) \d+ mbps",
        r"(no )?shutdown",
    )
)


class CliError(Exception):
    """A line that begins with `%`; nothing was done."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a text wants to do: one access, its new block or none, and the comment of the commit."""

    name: str
    block: Block | None
    comment: str


class CircuitRequest(Schema):
    """What `POST /sim/router/circuits` takes."""

    device = fields.String(required=True)
    interface = fields.String(required=True)
    vlan = fields.Integer(required=True)
    loss_percent = fields.Float(load_default=LOSS_PERCENT, validate=validate.Range(0, 100))
    delay_ms = fields.Float(load_default=DELAY_MS, validate=validate.Range(0))


class RouterSimulator(Simulator):
    """All PE routers of the network: any name is one."""

    name = "router"
    refuse_code = "ROUTER_REFUSED"
    tables = """\
CREATE TABLE IF NOT EXISTS access(device TEXT, name TEXT, block TEXT NOT NULL, PRIMARY KEY (device, name));
CREATE TABLE IF NOT EXISTS circuit(
  device TEXT, name TEXT, loss_percent REAL NOT NULL, delay_ms REAL NOT NULL, PRIMARY KEY (device, name));
"""

    def handle(self, request: Request) -> Reply:
        """`/router/…`: a session with one router."""
        match (request.method, *request.path):
            case ("GET", "health"):
                return Reply(200, {"ok": True})
            case ("POST", device) if isinstance(request.body, str):
                return self._session(device, request.body.splitlines())
            case ("POST", _):
                return refusal(400, "ROUTER_BAD_REQUEST", f"send command lines as {MEDIA}")
        return NO_SUCH_PATH

    def arrange(self, request: Request) -> Reply:
        """`/sim/router/circuits`: what a test shall show."""
        if (request.method, *request.path) != ("POST", "circuits"):
            return NO_SUCH_PATH
        try:
            return Reply(200, self.set_circuit(**(request.body if isinstance(request.body, dict) else {})))
        except (ValidationError, TypeError) as e:
            return refusal(400, "BAD_SWITCH", str(e))

    def set_circuit(self, **circuit: Any) -> dict[str, Any]:
        """What a test of a circuit shall show."""
        row: dict[str, Any] = CircuitRequest().load(circuit)
        with self.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO circuit(device, name, loss_percent, delay_ms)"
                " VALUES (:device, :interface || '.' || :vlan, :loss_percent, :delay_ms)",
                row,
            )
        return row

    def state(self) -> dict[str, Any]:
        """The configuration of all routers, and what circuits were told to show."""
        accesses = self.rows("SELECT device, name, block FROM access ORDER BY device, name")
        return {
            "accesses": [{**row, "block": json.loads(row["block"])} for row in accesses],
            "circuits": self.rows("SELECT * FROM circuit ORDER BY device, name"),
        }

    # ---- one session

    def _session(self, device: str, lines: list[str]) -> Reply:
        first = lines[0] if lines else ""
        if found := re.fullmatch(r"show running-config interface (\S+)", first):
            name = found[1]
            return self._faulty(device, READ, name, lambda: self._show(device, name))
        if found := re.fullmatch(r"test circuit (\S+) count (\d{1,5})", first):
            name, count = found[1], int(found[2])
            return self._faulty(device, TEST, name, lambda: self._test(device, name, count))
        try:
            session = read_session(lines)
        except CliError as e:
            return _reply(device, [str(e)])
        operation = REMOVE if session.block is None else CONFIGURE
        return self._faulty(
            device,
            operation,
            session.name,
            lambda: self._commit(device, operation, session, "\n".join(lines)),
        )

    def _faulty(self, device: str, operation: str, name: str, run: Any) -> Reply:
        """Runs, unless a fault is on. What goes wrong is a `%` line."""

        def told() -> Reply:
            try:
                return _reply(device, run())
            except CliError as e:
                return _reply(device, [str(e)])

        reply = self.with_faults(operation, f"{device}/{name}", operation == READ, told)
        if reply.status != 422:
            return reply
        return _reply(device, [f"% Refused ({reply.body['code']}): {reply.body['message']}"])

    def _show(self, device: str, name: str) -> list[str]:
        with self.write() as db:
            block = _block(db, device, name)
        return [f"interface {name}", *(f" {line}" for line in block), "!"]

    def _test(self, device: str, name: str, count: int) -> list[str]:
        with self.write() as db:
            _block(db, device, name)
            query = "SELECT * FROM circuit WHERE device = ? AND name = ?"
            row = db.execute(query, (device, name)).fetchone()
        loss, delay = (LOSS_PERCENT, DELAY_MS) if row is None else (row["loss_percent"], row["delay_ms"])
        received = round(count * (100 - loss) / 100)
        lines = [f"circuit {name}: {count} sent, {received} received, {loss:.2f} % loss"]
        if received:
            lines.append(f"round trip min/avg/max {delay * 0.9:.2f}/{delay:.2f}/{delay * 1.1:.2f} ms")
        return lines

    def _commit(self, device: str, operation: str, session: Session, text: str) -> list[str]:
        with self.write() as db:
            try:
                before: Block | None = _block(db, device, session.name)
            except CliError as e:
                if not str(e).endswith("is not configured"):
                    raise
                before = None
            if before == session.block:
                self.count_repeat(db, session.comment)
                return ["% No configuration changes"]
            _check_address(db, device, session)
            db.execute("DELETE FROM access WHERE device = ? AND name = ?", (device, session.name))
            if session.block is not None:
                row = (device, session.name, json.dumps(session.block))
                db.execute("INSERT INTO access(device, name, block) VALUES (?, ?, ?)", row)
            self.count_effect(db, session.comment, operation, f"{device}/{session.name}", text)
        return ["Commit complete."]


def read_session(lines: list[str]) -> Session:
    """A session that changes one access. Raises `CliError`."""
    match [line.strip() for line in lines]:
        case ["configure exclusive", gone, *written, commit, "end"]:
            name = gone.removeprefix("no interface ")
            comment = commit.removeprefix("commit comment ")
            if name == gone or comment == commit:
                raise CliError(f"% Unknown command: {(gone if name == gone else commit)[:80]}")
            return Session(name, _written(name, written), comment)
        case [first, *_]:
            raise CliError(f"% Unknown command: {first[:80]}")
    raise CliError("% Nothing to do")


def _written(name: str, lines: list[str]) -> Block | None:
    match lines:
        case []:
            return None
        case [head, *block, "exit"] if head == f"interface {name}":
            wrong = next((line for line in block if not any(p.fullmatch(line) for p in _LINES)), None)
            if wrong is None:
                return tuple(block)
            raise CliError(f"% Unknown command: {wrong[:80]}")
    raise CliError(f"% Unknown command: {lines[0][:80]}")


def _block(db: sqlite3.Connection, device: str, name: str) -> Block:
    if not re.fullmatch(_ACCESS, name):
        raise CliError(f"% Invalid interface {name[:80]}")
    query = "SELECT block FROM access WHERE device = ? AND name = ?"
    row = db.execute(query, (device, name)).fetchone()
    if row is None:
        raise CliError(f"% Interface {name} is not configured")
    return tuple(json.loads(row["block"]))


def _check_address(db: sqlite3.Connection, device: str, session: Session) -> None:
    """Two interfaces of one VRF must not have overlapping networks."""
    wanted = value_of(session.block or (), "ip address")
    if not wanted:
        return
    network, vrf = _network(wanted), value_of(session.block or (), "vrf forwarding")
    query = "SELECT name, block FROM access WHERE device = ? AND name <> ?"
    for row in db.execute(query, (device, session.name)):
        block = tuple(json.loads(row["block"]))
        ip = value_of(block, "ip address")
        if ip and value_of(block, "vrf forwarding") == vrf and _network(ip).overlaps(network):
            raise CliError(f"% Address {wanted} overlaps with {row['name']}")


def _network(text: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Interface(text).network
    except ValueError:
        raise CliError(f"% Unknown command: ip address {text}") from None


def _reply(device: str, lines: list[str]) -> Reply:
    return Reply(200, {}, text="\n".join([*lines, f"{device}#", ""]), media=MEDIA)
