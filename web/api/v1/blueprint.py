"""Puts the table of routes under /api/v1, and its description beside it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.routing import IntegerConverter

from web.api.reading import BIGGEST, refuse_unstorable_address
from web.api.v1 import (
    account,
    alarms,
    amendments,
    definitions,
    imports,
    incidents,
    instances,
    mass_faults,
    master_data,
    orders,
    partners,
    serviceability,
    tasks,
    urges,
)
from web.api.v1.route import Route
from web.auth import allow_anyone

BASE = "/api/v1"
_DOCUMENT = "kaitong.openapi"


class IdConverter(IntegerConverter):
    """A number in an address that a column can hold."""

    def __init__(self, map: Any) -> None:
        super().__init__(map, max=BIGGEST)


@allow_anyone
def show_openapi() -> ResponseReturnValue:
    """This description."""
    return current_app.response_class(
        current_app.extensions[_DOCUMENT], mimetype="application/json", headers={"Cache-Control": "no-cache"}
    )


ROUTES: tuple[Route, ...] = (
    *tasks.ROUTES,
    *orders.ROUTES,
    *urges.ROUTES,
    *amendments.ROUTES,
    *instances.ROUTES,
    *incidents.ROUTES,
    *definitions.ROUTES,
    *serviceability.ROUTES,
    *partners.ROUTES,
    *mass_faults.ROUTES,
    *alarms.ROUTES,
    *imports.ROUTES,
    *master_data.ROUTES,
    *account.ROUTES,
    Route("GET", "/openapi.json", show_openapi, None),
)

blueprint = Blueprint("v1", __name__, url_prefix=BASE)
blueprint.before_request(refuse_unstorable_address)


@blueprint.record
def _before_routes(state: BlueprintSetupState) -> None:
    from web.api.openapi import describe  # it reads this package

    state.app.url_map.converters["id"] = IdConverter
    state.app.extensions[_DOCUMENT] = state.app.json.dumps(describe(ROUTES))


for _route in ROUTES:
    blueprint.add_url_rule(_route.path, _route.name, _route.view, methods=[_route.method])
