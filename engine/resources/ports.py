"""The ports of a device, made from its figures: frame 1, a number for each PON, and one for each line behind it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine.resources.model import NetworkNode, Resource
from engine.store.base import table_of


def add_ports(session: Session, node: NetworkNode, at: datetime) -> int:
    """A free port for each line that an OLT can have; all lines of a PON share its VLAN."""
    rows = [
        {
            "kind": "port",
            "place": node.id,
            "name": f"1/{pon}/{line}",
            "state": "free",
            "slot": "",
            "vlan": node.first_vlan + pon - 1,
            "changed_at": at,
        }
        for pon in range(1, node.pon_ports + 1)
        for line in range(1, node.lines_per_pon + 1)
    ]
    if rows:
        session.execute(insert(table_of(Resource)), rows)
    return len(rows)
