"""Local operations that look for a network: check what there is, and choose one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from engine.errors import Permanent
from engine.ports import LocalCall, Operation, Repeat
from engine.resources.candidates import Candidate, candidates
from engine.resources.demand import note_demand
from engine.resources.places import building_id, find_building

R04 = "无资源 no resource"
R11 = "合作方拒单 partner refuses"


class CheckRequest(Schema):
    """Where the customer wants how much. The building's name is tried first, then the address."""

    area = fields.String(required=True)
    building = fields.String(load_default="", allow_none=True)
    address = fields.String(load_default="", allow_none=True)
    speed_mbps = fields.Integer(required=True)


class CandidateShape(Schema):
    """A network that could serve."""

    network = fields.String(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    name_en = fields.String(required=True, allow_none=True)
    technology = fields.String(required=True)
    node = fields.String(required=True, allow_none=True)
    top_speed_mbps = fields.Integer(required=True)
    quality = fields.Integer(required=True)
    cost_fen = fields.Integer(required=True)
    free_ports = fields.Integer(required=True, allow_none=True)


class CheckResponse(Schema):
    """The best candidate, and all of them, best first."""

    network = fields.String(required=True)
    node = fields.String(required=True, allow_none=True)
    free_ports = fields.Integer(required=True, allow_none=True)
    candidates = fields.List(fields.Nested(CandidateShape), required=True)


class ChooseRequest(CheckRequest):
    """The same, with the networks that have refused this order already."""

    refused = fields.List(fields.String(), load_default=list, allow_none=True)
    most_refusals = fields.Integer(load_default=2, validate=validate.Range(min=1))


class ChooseResponse(Schema):
    """The network that the order is to use."""

    network = fields.String(required=True)
    kind = fields.String(required=True)
    technology = fields.String(required=True)
    node = fields.String(required=True, allow_none=True)
    top_speed_mbps = fields.Integer(required=True)
    quality = fields.Integer(required=True)
    cost_fen = fields.Integer(required=True)


class CheckResources:
    """Which networks could serve the building, best first. Where there is none the demand is written down."""

    operation = Operation(
        "resource.check",
        "资源核查",
        "Check resources",
        CheckRequest,
        CheckResponse,
        Repeat.NATIVE,
        errors={"R04": R04},
    )
    reads_only = False  # the demand

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Candidates have the speed, and a free port where the ports are ours."""
        found = serving(session, call.args)
        able = [one for one in found if one.is_open]
        if not able:
            args, where = call.args, where_of(call.args)
            note_demand(
                session,
                args["area"],
                args["building"] or args["address"] or "",
                args["speed_mbps"],
                call.business_key,
                call.now,
            )
            raise Permanent("R04", keeps=True, target="resources", detail=why_none(found, where))
        best = able[0]
        return {
            "network": best.network,
            "node": best.node,
            "free_ports": best.free_ports,
            "candidates": [one.as_dict() for one in able],
        }


class ChooseNetwork:
    """Own network or partner (选网): the best candidate that has not refused this order."""

    operation = Operation(
        "resource.choose",
        "选网",
        "Choose a network",
        ChooseRequest,
        ChooseResponse,
        Repeat.NATIVE,
        errors={"R04": R04, "R11": R11},
    )
    reads_only = True

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """R11 when networks were there but refused, or as many as may be asked have; R04 when there is none at all."""
        refused = set(call.args["refused"] or ())
        found = serving(session, call.args)
        able = [one for one in found if one.is_open and one.network not in refused]
        where = where_of(call.args)
        if refused and (len(refused) >= call.args["most_refusals"] or not able):
            raise Permanent(
                "R11", target="resources", detail=f"{where}: refused by {', '.join(sorted(refused))}"
            )
        if not able:
            raise Permanent("R04", target="resources", detail=why_none(found, where))
        chosen = able[0].as_dict()
        return {name: chosen[name] for name in ChooseResponse._declared_fields}


def serving(session: Session, args: Mapping[str, Any]) -> Sequence[Candidate]:
    """The networks that reach the place with enough speed."""
    place = building_id(session, args["area"], args["building"]) if args["building"] else None
    if place is None and (text := args["address"] or args["building"]):
        found = find_building(session, text, args["area"])
        place = found.id if found is not None else None
    return [one for one in candidates(session, place) if one.top_speed_mbps >= args["speed_mbps"]]


def where_of(args: Mapping[str, Any]) -> str:
    """The place as it was asked for."""
    return f"{args['area']} {args['building'] or args['address'] or ''}".strip()


def why_none(found: Sequence[Candidate], where: str) -> str:
    """Why nothing can serve: no network, or no port."""
    if not found:
        return f"no network with this speed reaches {where}"
    return f"{found[0].node} has no free port"
