"""Partners tell how far their orders are. Each has a login of its own and sees nothing but its own orders."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from engine.errors import NotFound
from engine.partners.inbound import Report, Taken, take_report
from web.api.reading import json_object, loaded
from web.api.v1 import partner_shapes as shapes
from web.api.v1.route import Route
from web.auth import allow
from web.services import services

_REPORT = shapes.PartnerReport()


@allow("report_partner_order")
def take_partner_message(partner: str) -> ResponseReturnValue:
    """A message of a partner about an order; the same id with the same body gets the first answer again."""
    if g.actor.employer != partner and not g.actor.roles & {"AD", "SYS"}:
        raise NotFound(what="partner", id=partner)
    me, at = services(), services().clock.now()
    report = _report(loaded(_REPORT))

    def work(session: Any) -> Taken:
        return take_report(session, me.kernel, partner, report, at=at, actor=g.actor.login)

    taken = me.store.run(work)
    return jsonify(taken.answer), 200, {"Idempotent-Replay": "true"} if taken.is_repeat else {}


def _report(told: dict[str, Any]) -> Report:
    window = told["window"] or {}
    raw = request.get_data()
    return Report(
        message_id=told["id"],
        order=told["order"],
        state=told["state"],
        at=told["at"],
        visit=told["visit"],
        partner_number=told["partner_number"],
        window_from=window.get("opens"),
        window_to=window.get("closes"),
        code=told["code"],
        reason=told["reason"],
        proof=told["proof"],
        body=json_object(),
        body_sha256=hashlib.sha256(raw).hexdigest(),
    )


ROUTES = (
    Route(
        "POST",
        "/partners/<partner>/messages",
        take_partner_message,
        shapes.PartnerReportAnswer,
        body=shapes.PartnerReport,
    ),
)
