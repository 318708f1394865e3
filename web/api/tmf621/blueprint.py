"""The blueprint that the views of this package hang on."""

from __future__ import annotations

from flask import Blueprint

from web.api.reading import refuse_unstorable_address
from web.api.tmf621.resources import BASE

blueprint = Blueprint("tmf621", __name__, url_prefix=BASE)
blueprint.before_request(refuse_unstorable_address)
