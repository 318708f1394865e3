"""The data of simulated OLTs: tables, the tree that `get` shows of them, and what an edit may do to them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from lxml import etree

from adapters.network.netconf import BASE
from adapters.network.olt_model import OLT, ONUS_PER_PON

PONS_PER_SLOT = 16
RX_POWER_DBM, DISTANCE_M = -19.8, 1840
"""What a healthy line shows."""
TABLES = """\
CREATE TABLE IF NOT EXISTS service_port(
  node TEXT, pon TEXT, name TEXT, vlan INTEGER NOT NULL, reference TEXT, PRIMARY KEY (node, name));
CREATE TABLE IF NOT EXISTS onu(
  node TEXT, pon TEXT, serial TEXT, onu_id INTEGER NOT NULL, port TEXT NOT NULL, vlan INTEGER NOT NULL,
  line_profile TEXT NOT NULL, reference TEXT, PRIMARY KEY (node, serial), UNIQUE (node, pon, onu_id));
CREATE TABLE IF NOT EXISTS multicast_member(
  node TEXT, pon TEXT, name TEXT, profile TEXT NOT NULL, reference TEXT, PRIMARY KEY (node, name));
CREATE TABLE IF NOT EXISTS line(
  serial TEXT PRIMARY KEY, rx_power_dbm REAL, distance_m INTEGER, sync INTEGER, seen INTEGER);
CREATE TABLE IF NOT EXISTS faulty(node TEXT, port TEXT, PRIMARY KEY (node, port));
CREATE TABLE IF NOT EXISTS reset(node TEXT, serial TEXT, reference TEXT, PRIMARY KEY (node, serial));
"""
_PON = re.compile(r"[1-9]\d?/([1-9]\d?)")
_SERVICE_PORT = ("name", "vlan", "reference")
_MEMBER = ("name", "profile", "reference")
_ONU = ("serial", "onu_id", "port", "vlan", "line_profile", "reference")
_LEAVES = {"service-port": _SERVICE_PORT, "onu": _ONU, "multicast-member": _MEMBER}

Act = Callable[[sqlite3.Connection], bool]


class No(Exception):
    """An `rpc-error`."""

    def __init__(self, tag: str, app_tag: str = "", message: str = "") -> None:
        super().__init__(tag, app_tag, message)

    def element(self) -> etree._Element:
        """As it goes out."""
        tag, app_tag, message = self.args
        error = etree.Element(f"{{{BASE}}}rpc-error")
        for name, value in (
            ("error-type", "application"),
            ("error-tag", tag),
            ("error-severity", "error"),
            ("error-app-tag", app_tag),
            ("error-message", message),
        ):
            if value:
                etree.SubElement(error, f"{{{BASE}}}{name}").text = value
        return error


def values_of(entry: etree._Element) -> dict[str, str]:
    """The leaves of an entry, named as in the tables."""
    return {etree.QName(e).localname.replace("-", "_"): (e.text or "").strip() for e in entry}


# ---- what is shown


def shown(db: sqlite3.Connection, node: str, pon: str, measured: str | None) -> etree._Element | None:
    """Everything about a PON port; of the terminals that it sees, the one that is asked for."""
    if not _exists(pon):
        return None
    root = etree.Element(f"{{{OLT}}}olt", nsmap={None: OLT})  # type: ignore[dict-item]
    faulty = [r["port"] for r in db.execute("SELECT port FROM faulty WHERE node = ? ORDER BY port", (node,))]
    port = _branch(root, "pon-port", {"name": pon, "oper_state": "down" if pon in faulty else "up"})
    for name in faulty:
        if name.startswith(pon + "/"):
            etree.SubElement(port, f"{{{OLT}}}faulty-port").text = name
    at = (node, pon)
    for row in db.execute("SELECT * FROM service_port WHERE node = ? AND pon = ? ORDER BY name", at):
        _branch(port, "service-port", {k: row[k] for k in _SERVICE_PORT})
    for row in db.execute(
        "SELECT o.*, r.reference AS last_reset FROM onu o LEFT JOIN reset r ON (r.node, r.serial) = (o.node, o.serial)"
        " WHERE o.node = ? AND o.pon = ? ORDER BY o.onu_id",
        at,
    ):
        _branch(port, "onu", {k: row[k] for k in (*_ONU, "last_reset")})
    for row in db.execute("SELECT * FROM multicast_member WHERE node = ? AND pon = ? ORDER BY name", at):
        _branch(port, "multicast-member", {k: row[k] for k in _MEMBER})
    if measured is not None and pon not in faulty:
        _measure(db, port, measured)
    return root


def _measure(db: sqlite3.Connection, port: etree._Element, serial: str) -> None:
    line = _line(db, serial)
    if not line["seen"]:
        return
    sync = bool(line["sync"])
    values = {"rx_power_dbm": line["rx_power_dbm"], "distance_m": line["distance_m"]} if sync else {}
    _branch(port, "seen-onu", {"serial": serial, "sync": "true" if sync else "false", **values})


def filtered(tree: etree._Element, wanted: etree._Element) -> etree._Element | None:
    """A subtree filter (RFC 6241, 6): a leaf with text must match, an empty element selects, others are looked into."""
    if tree.tag != wanted.tag:
        return None
    matches = [e for e in wanted if len(e) == 0 and (e.text or "").strip()]
    if any((tree.findtext(m.tag) or "").strip() != (m.text or "").strip() for m in matches):
        return None
    selections = [e for e in wanted if e not in matches]
    if not selections:
        return deepcopy(tree)
    kept = etree.Element(tree.tag, nsmap={None: OLT})  # type: ignore[dict-item]
    for child in tree:
        found = next((f for w in [*matches, *selections] if (f := _kept(child, w)) is not None), None)
        if found is not None:
            kept.append(found)
    return kept


def _kept(child: etree._Element, wanted: etree._Element) -> etree._Element | None:
    if len(wanted) == 0:
        return deepcopy(child) if child.tag == wanted.tag else None
    return filtered(child, wanted)


def _branch(parent: etree._Element, name: str, values: Mapping[str, Any]) -> etree._Element:
    branch = etree.SubElement(parent, f"{{{OLT}}}{name}")
    for leaf, value in values.items():
        if value not in (None, ""):
            etree.SubElement(branch, f"{{{OLT}}}{leaf.replace('_', '-')}").text = str(value)
    return branch


# ---- what is changed


def edit(
    db: sqlite3.Connection, node: str, pon: str, kind: str, change: str, values: Mapping[str, str]
) -> bool:
    """Carries out one edit; False when nothing changed. Raises `No`."""
    table, key = kind.replace("-", "_"), "serial" if kind == "onu" else "name"
    where = f"FROM {table} WHERE node = ? AND pon = ? AND {key} = ?"
    at = (node, pon, values.get(key, ""))
    row = db.execute("SELECT * " + where, at).fetchone()
    if change == "create":
        if row is not None:
            raise No("data-exists")
        if not _exists(pon):
            raise No("data-missing")
        _create(db, node, pon, kind, values)
        return True
    if row is None:
        raise No("data-missing")
    if change == "delete":
        db.execute("DELETE " + where, at)
        return True
    if row["line_profile"] == values.get("line_profile"):
        return False
    db.execute(
        "UPDATE onu SET line_profile = ? WHERE node = ? AND serial = ?", (values["line_profile"], node, at[2])
    )
    return True


def reset(db: sqlite3.Connection, node: str, asked: etree._Element) -> bool:
    """Restarts a terminal, unless it was restarted last for the same reference."""
    values = values_of(asked)
    at = (node, values.get("serial", ""))
    bound = "SELECT 1 FROM onu WHERE node = ? AND serial = ? AND pon = ?"
    if not db.execute(bound, (*at, values.get("pon_port", ""))).fetchone():
        raise No("data-missing")
    last = db.execute("SELECT reference FROM reset WHERE node = ? AND serial = ?", at).fetchone()
    if last is not None and last["reference"] == values.get("reference"):
        return False
    db.execute("INSERT OR REPLACE INTO reset VALUES (?, ?, ?)", (*at, values.get("reference", "")))
    db.execute("UPDATE line SET sync = 1 WHERE serial = ? AND seen = 1", (at[1],))  # it only hung
    return True


def _create(db: sqlite3.Connection, node: str, pon: str, kind: str, values: Mapping[str, str]) -> None:
    port = values.get("port") or values.get("name", "")
    if db.execute("SELECT 1 FROM faulty WHERE node = ? AND port IN (?, ?)", (node, pon, port)).fetchone():
        raise No("operation-failed", "PORT_FAULTY", f"{node} {port} is faulty")
    leaves = _LEAVES[kind]
    names = ("node", "pon", *leaves)
    if not all(values.get(name) for name in leaves if name != "reference"):
        raise No("missing-element")
    if not all(values[name].isdecimal() for name in ("vlan", "onu_id") if name in values):
        raise No("invalid-value")
    if kind == "onu":
        _admit(db, node, pon, values)
    table = kind.replace("-", "_")
    db.execute(
        f"INSERT INTO {table}({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})",  # noqa: S608 - constants
        {name: values.get(name, "") for name in names} | {"node": node, "pon": pon},
    )


def _admit(db: sqlite3.Connection, node: str, pon: str, values: Mapping[str, str]) -> None:
    serial = values.get("serial", "")
    if not _line(db, serial)["seen"]:
        raise No("operation-failed", "ONU_NOT_SEEN", f"{serial} is not seen at {node} {pon}")
    other = db.execute("SELECT pon FROM onu WHERE node = ? AND serial = ?", (node, serial)).fetchone()
    if other is not None:
        raise No("operation-failed", "ONU_BOUND_ELSEWHERE", f"{serial} is bound at {node} {other['pon']}")
    taken = [
        r["onu_id"] for r in db.execute("SELECT onu_id FROM onu WHERE node = ? AND pon = ?", (node, pon))
    ]
    if len(taken) >= ONUS_PER_PON:
        raise No("operation-failed", "PORT_FULL", f"{node} {pon} has {len(taken)} ONUs")
    if int(values["onu_id"]) in taken:
        raise No("operation-failed", "data-not-unique", f"onu-id {values['onu_id']} is in use")


def _line(db: sqlite3.Connection, serial: str) -> Mapping[str, Any]:
    row = db.execute("SELECT * FROM line WHERE serial = ?", (serial,)).fetchone()
    healthy = {"rx_power_dbm": RX_POWER_DBM, "distance_m": DISTANCE_M, "sync": 1, "seen": 1}
    return healthy if row is None else dict(row)


def _exists(pon: str) -> bool:
    found = _PON.fullmatch(pon)
    return found is not None and int(found[1]) <= PONS_PER_SLOT
