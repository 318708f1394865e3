"""The blueprint that the views of this package hang on, and what all of them need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from web.api.reading import number, only_parameters, refuse_unstorable_address, text
from web.api.tmf641.resources import BASE, chosen

blueprint = Blueprint("tmf641", __name__, url_prefix=BASE)
blueprint.before_request(refuse_unstorable_address)


@blueprint.before_request
def leave_tickets_out() -> None:
    """A fault report is an order too, but only TMF621 shows it."""
    order = str((request.view_args or {}).get("order_id", ""))
    if order.startswith(TICKET):
        raise NotFound(what="order", id=order)


TICKET = "TT-"
DEFAULT_LIMIT = 20
MOST = 100
FARTHEST = 1_000_000


def created(
    resource: Mapping[str, Any], status: int = 201, headers: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """An answer to POST: the resource, and where it is."""
    return jsonify(resource), status, {"Location": resource["href"]} | dict(headers or {})


def one(resource: Mapping[str, Any]) -> ResponseReturnValue:
    """An answer to GET or PATCH of one resource, with the attributes that were asked for."""
    return jsonify(chosen(resource, text("fields", 2000)))


def page() -> tuple[int, int]:
    """offset and limit."""
    return number("offset", 0, most=FARTHEST), number("limit", DEFAULT_LIMIT, most=MOST)


def filters(known: Mapping[str, str]) -> dict[str, str]:
    """Columns and values to look for; some clients put the values between quotation marks."""
    only_parameters(*known, "fields", "offset", "limit")
    given = ((column, request.args.get(name, "")) for name, column in known.items() if name in request.args)
    return {column: value.strip('"') for column, value in given}


def many(
    resources: Sequence[Mapping[str, Any]], total: int, more: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """An answer to GET of a list; `more` are further headers."""
    fields = text("fields", 2000)
    headers = {"X-Total-Count": str(total), "X-Result-Count": str(len(resources))} | dict(more or {})
    return jsonify([chosen(resource, fields) for resource in resources]), 200, headers
