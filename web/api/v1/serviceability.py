"""Before the sale: which networks reach an address, and holding a port for a customer who is still deciding."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.orders.numbering import next_number
from engine.resources.candidates import Candidate
from engine.resources.serviceability import find_hold, hold, serviceability
from web.api.reading import BadQuery, loaded, number, only_parameters, text
from web.api.times import stamp
from web.api.v1 import shapes
from web.api.v1.route import Parameter, Route
from web.auth import allow
from web.services import services

PREFIX = "HD"
_HOLD = shapes.NewHold()


@allow("place_order")
def show_serviceability() -> ResponseReturnValue:
    """Networks that reach an address with this speed and have a free line, best first."""
    only_parameters("address", "area", "speed_mbps")
    address = text("address", 300)
    if address is None:
        raise BadQuery(field="address", detail=gettext("it is missing"))
    with services().store.read() as session:
        found = serviceability(session, address, text("area"), number("speed_mbps", 0, most=10**6))
        building = found.building
        answer = {
            "building": building and {"area": building.area_id, "name": building.name},
            "networks": [_network(one) for one in found.networks],
        }
    return jsonify(answer)


@allow("place_order")
def hold_port() -> ResponseReturnValue:
    """Holds a port of ours for a while; with a `reference` a repeat gives the same hold."""
    me, at, wish = services(), services().clock.now(), loaded(_HOLD)
    key = f"hold:{g.actor.login}:{wish['reference']}" if wish["reference"] else None

    def work(session: Any) -> dict[str, Any]:
        known = find_hold(session, key) if key else None
        if known is not None:
            return {"id": known.holder, "until": stamp(known.held_until)}
        found = serviceability(session, wish["address"], wish["area"], wish["speed_mbps"])
        made = hold(
            session, found, next_number(session, PREFIX, at, me.settings.zone), key, at, g.actor.login
        )
        return {"id": made.id, "until": stamp(made.until)}

    return jsonify(me.store.run(work)), 201


def _network(one: Candidate) -> dict[str, Any]:
    """What a seller may know: nothing of our devices and of what a line costs us."""
    shown = ("network", "kind", "name", "name_en", "technology", "top_speed_mbps")
    return {name: getattr(one, name) for name in shown}


ROUTES = (
    Route(
        "GET",
        "/serviceability",
        show_serviceability,
        shapes.Serviceability,
        parameters=(
            Parameter("address", "where the customer wants the line"),
            Parameter("area", "the operator's code of its area, if it is known"),
            Parameter("speed_mbps", "only networks that are as fast", "integer"),
        ),
    ),
    Route("POST", "/serviceability/holds", hold_port, shapes.Hold, body=shapes.NewHold, status=201),
)
