"""Whether a line can carry another speed: as it is, after a visit with another terminal or port, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.lines.finding import NO_LINE, Line, find_line, partner_order_of, product_of, technology_of
from engine.ports import LocalCall, Operation, Repeat
from engine.resources.candidates import Candidate, candidates
from engine.resources.checking import R04
from engine.resources.demand import note_demand
from engine.resources.places import find_building


class CapabilityRequest(Schema):
    """Which line, and what is wished."""

    line = fields.String(required=True)
    speed_mbps = fields.Integer(required=True)


class CapabilityResponse(Schema):
    """`way`: remote, by_hand or visit; `node` and `new_port` say where the line goes on a visit."""

    way = fields.String(required=True)
    node = fields.String(required=True, allow_none=True)
    new_port = fields.Boolean(required=True)
    is_downgrade = fields.Boolean(required=True)


class CheckCapability:
    """What another speed asks of a line. Without any network that carries it the demand is written down."""

    operation = Operation(
        "line.capability",
        "能力核查",
        "Check what the line can carry",
        CapabilityRequest,
        CapabilityResponse,
        Repeat.NATIVE,
        errors={**NO_LINE, "R04": R04},
    )
    reads_only = False  # the demand

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Less than now always works. R04: neither this network nor another of ours is fast enough here."""
        line, speed = find_line(session, call.args["line"]), call.args["speed_mbps"]
        port, now = line.first("port"), product_of(session, line)[1]
        by_adapter = port is not None and technology_of(session, line) == "FTTH"
        answer = {"node": port.place if port is not None else None, "new_port": False}
        answer["is_downgrade"] = speed < now
        remote = {**answer, "way": "remote" if by_adapter else "by_hand"}
        if speed <= now:
            return remote
        if _network_carries(session, line, speed):
            onu = line.first("onu")
            enough = onu is None or onu.top_speed_mbps is None or onu.top_speed_mbps >= speed
            return remote if enough or not by_adapter else {**answer, "way": "visit"}
        other = _faster_node(session, line, speed) if by_adapter else None
        if other is None:
            _note(session, line, speed, call)
            detail = f"nothing of ours reaches {line.order.address if line.order else line.holder} with {speed} Mbit/s"
            raise Permanent("R04", keeps=True, target="lines", detail=detail)
        return {**answer, "way": "visit", "node": other.node, "new_port": True}


def _reach(session: Session, line: Line) -> list[Candidate]:
    """The networks of the line's building."""
    if line.order is None:
        return []
    building = find_building(session, line.order.address, line.order.area)
    return list(candidates(session, building.id if building is not None else None))


def _network_carries(session: Session, line: Line, speed: int) -> bool:
    """Whether the network on which the line is today is fast enough at its building."""
    port = line.first("port")
    reach = _reach(session, line)
    if port is not None:
        mine = [one for one in reach if one.node == port.place]
    else:
        partner = partner_order_of(session, line.holder)
        mine = [one for one in reach if partner is not None and one.network == partner.partner]
    return any(one.top_speed_mbps >= speed for one in mine)


def _faster_node(session: Session, line: Line, speed: int) -> Candidate | None:
    """Another node of ours that reaches the building with this speed and has a free port."""
    port = line.first("port")
    now = port.place if port is not None else None
    able = [c for c in _reach(session, line) if c.node not in (None, now) and c.is_open]
    return next((c for c in able if c.top_speed_mbps >= speed), None)


def _note(session: Session, line: Line, speed: int, call: LocalCall) -> None:
    if line.order is not None:
        note_demand(session, line.order.area, line.order.address, speed, call.business_key, call.now)
