"""Simulated OLTs: 16 PON ports on each slot, 64 ONUs on each, asked and configured by NETCONF text.

They behave as devices do: no key is recognised. `create` of what is there and `delete` of what is not are errors, and a
merge that changes nothing is no effect. Keys are only counted, so that a test can tell who did what how often.
"""

from __future__ import annotations

from typing import Any

from lxml import etree
from marshmallow import Schema, ValidationError, fields, validate

from adapters.network.netconf import BASE, CALL, MEDIA, parse
from adapters.network.olt_model import OLT
from adapters.sim import olt_store as store
from adapters.sim.olt_store import No
from adapters.sim.state import Simulator
from adapters.sim.wire import NO_SUCH_PATH, Reply, Request, refusal

EDITS = {
    ("service-port", "create"): "olt.service_port.create",
    ("service-port", "delete"): "olt.service_port.remove",
    ("multicast-member", "create"): "olt.multicast.join",
    ("multicast-member", "delete"): "olt.multicast.leave",
    ("onu", "create"): "olt.onu.bind",
    ("onu", "delete"): "olt.onu.unbind",
    ("onu", "merge"): "olt.onu.profile",
}
READ, MEASURE, RESET = "olt.pon.get", "olt.line.read", "olt.onu.reset"


class LineRequest(Schema):
    """What `POST /sim/olt/lines` takes."""

    onu_serial = fields.String(required=True)
    rx_power_dbm = fields.Float(load_default=store.RX_POWER_DBM)
    distance_m = fields.Integer(load_default=store.DISTANCE_M, validate=validate.Range(0, 60_000))
    sync = fields.Boolean(load_default=True)
    seen = fields.Boolean(load_default=True)


class PortRequest(Schema):
    """What `POST /sim/olt/ports` takes."""

    node = fields.String(required=True)
    port = fields.String(required=True)
    faulty = fields.Boolean(required=True)


class OltSimulator(Simulator):
    """All OLTs of the network: any name is one."""

    name = "olt"
    refuse_code = "OLT_REFUSED"
    tables = store.TABLES

    def handle(self, request: Request) -> Reply:
        """`/olt/…`: a request to one OLT."""
        match (request.method, *request.path):
            case ("GET", "health"):
                return Reply(200, {"ok": True})
            case ("POST", node):
                return self._netconf(node, request.body)
        return NO_SUCH_PATH

    def arrange(self, request: Request) -> Reply:
        """`/sim/olt/lines` and `/sim/olt/ports`: what a terminal shows, and whether a port is faulty."""
        body = request.body if isinstance(request.body, dict) else {}
        try:
            match (request.method, *request.path):
                case ("POST", "lines"):
                    return Reply(200, self.set_line(**body))
                case ("POST", "ports"):
                    return Reply(200, self.set_port(**body))
        except (ValidationError, TypeError) as e:
            return refusal(400, "BAD_SWITCH", str(e))
        return NO_SUCH_PATH

    def set_line(self, **line: Any) -> dict[str, Any]:
        """What an OLT shall measure at a terminal, and whether it sees it at all."""
        row: dict[str, Any] = LineRequest().load(line)
        with self.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO line(serial, rx_power_dbm, distance_m, sync, seen)"
                " VALUES (:onu_serial, :rx_power_dbm, :distance_m, :sync, :seen)",
                row,
            )
        return row

    def set_port(self, **port: Any) -> dict[str, Any]:
        """Breaks a PON port or a customer's port, or mends it."""
        row: dict[str, Any] = PortRequest().load(port)
        with self.write() as db:
            db.execute("DELETE FROM faulty WHERE node = :node AND port = :port", row)
            if row["faulty"]:
                db.execute("INSERT INTO faulty(node, port) VALUES (:node, :port)", row)
        return row

    def state(self) -> dict[str, Any]:
        """The configuration of all OLTs, and what terminals and ports were told to show."""
        return {
            "service_ports": self.rows("SELECT * FROM service_port ORDER BY node, name"),
            "multicast_members": self.rows("SELECT * FROM multicast_member ORDER BY node, name"),
            "onus": self.rows("SELECT * FROM onu ORDER BY node, serial"),
            "lines": self.rows("SELECT * FROM line ORDER BY serial"),
            "faulty_ports": self.rows("SELECT * FROM faulty ORDER BY node, port"),
        }

    # ---- one request

    def _netconf(self, node: str, text: Any) -> Reply:
        try:
            rpc = parse(text.encode())
            if rpc.tag != f"{{{BASE}}}rpc" or len(rpc) != 1:
                raise ValueError("no rpc")
        except (ValueError, AttributeError):
            return refusal(400, "OLT_BAD_REQUEST", "send one rpc as application/xml")
        try:
            return self._answered(node, rpc)
        except No as no:
            return _reply(rpc, no.element())

    def _answered(self, node: str, rpc: etree._Element) -> Reply:
        match etree.QName(rpc[0]).localname:
            case "get":
                return self._get(node, rpc)
            case "edit-config":
                return self._edit(node, rpc)
            case "reset-onu":
                serial = rpc[0].findtext(f"{{{OLT}}}serial") or ""
                return self._done(rpc, RESET, serial, lambda db: store.reset(db, node, rpc[0]))
        raise No("operation-not-supported")

    def _get(self, node: str, rpc: etree._Element) -> Reply:
        wanted = rpc[0].find(f"{{{BASE}}}filter/{{{OLT}}}olt")
        if wanted is None:
            raise No("missing-element")
        measured = wanted.findtext(f"{{{OLT}}}pon-port/{{{OLT}}}seen-onu/{{{OLT}}}serial")
        pon = wanted.findtext(f"{{{OLT}}}pon-port/{{{OLT}}}name") or ""
        operation, subject = (MEASURE, measured) if measured else (READ, f"{node}/{pon}")

        def run() -> Reply:
            data = etree.Element(f"{{{BASE}}}data")
            with self.write() as db:
                shown = store.shown(db, node, pon, measured)
            kept = None if shown is None else store.filtered(shown, wanted)
            if kept is not None:
                data.append(kept)
            return _reply(rpc, data)

        return self._with_refusals(rpc, self.with_faults(operation, subject, operation == READ, run))

    def _edit(self, node: str, rpc: etree._Element) -> Reply:
        port = rpc[0].find(f"{{{BASE}}}config/{{{OLT}}}olt/{{{OLT}}}pon-port")
        edits = [] if port is None else [e for e in port if e.get(f"{{{BASE}}}operation")]
        if port is None or len(edits) != 1:
            raise No("bad-element")
        entry, change = edits[0], edits[0].get(f"{{{BASE}}}operation") or ""
        kind = etree.QName(entry).localname
        operation = EDITS.get((kind, change))
        if operation is None:
            raise No("operation-not-supported")
        pon, values = port.findtext(f"{{{OLT}}}name") or "", store.values_of(entry)
        subject = values.get("serial") or f"{node}/{values.get('name', '')}"
        return self._done(rpc, operation, subject, lambda db: store.edit(db, node, pon, kind, change, values))

    def _done(self, rpc: etree._Element, operation: str, subject: str, act: store.Act) -> Reply:
        """Acts, unless a fault is on. What changed something is an effect; anything else repeats what its key did."""
        key = rpc.get(f"{{{CALL}}}key") or ""

        def run() -> Reply:
            with self.write() as db:
                try:
                    changed = act(db)
                except No as no:
                    self.count_repeat(db, key)
                    return _reply(rpc, no.element())
                replayed = not changed and self.is_known(db, key)
                if changed:
                    text = etree.tostring(rpc[0], encoding="unicode")
                    self.count_effect(db, key, operation, subject, text)
                else:
                    self.count_repeat(db, key)
            return _reply(rpc, etree.Element(f"{{{BASE}}}ok"), replayed)

        return self._with_refusals(rpc, self.with_faults(operation, subject, False, run))

    @staticmethod
    def _with_refusals(rpc: etree._Element, reply: Reply) -> Reply:
        """A refusal by a fault, in the words of NETCONF."""
        if reply.status != 422:
            return reply
        return _reply(rpc, No("operation-failed", reply.body["code"], reply.body["message"]).element())


def _reply(rpc: etree._Element, content: etree._Element, replayed: bool = False) -> Reply:
    """With every attribute of the request, as RFC 6241 wants it."""
    spaces = {None: BASE, "call": CALL}
    reply = etree.Element(f"{{{BASE}}}rpc-reply", nsmap=spaces)  # type: ignore[arg-type]
    for name, value in rpc.attrib.items():
        reply.set(name, value)
    if replayed:
        reply.set(f"{{{CALL}}}replayed", "true")
    reply.append(content)
    return Reply(200, {}, text=etree.tostring(reply, encoding="unicode"), media=MEDIA)
