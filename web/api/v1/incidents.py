"""Incidents (异常单): steps that failed, and running them again."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.jobs import incidents
from engine.jobs.model import Incident
from web.api.reading import choice, number, only_parameters, optional_number, text
from web.api.times import stamp
from web.api.v1 import shapes
from web.api.v1.route import Parameter, Route, listing, page_parameters
from web.auth import allow
from web.services import services

STATES = ("open", "resolved", "cancelled")


@allow("view_incidents")
def list_incidents() -> ResponseReturnValue:
    """Incidents within sight, newest first."""
    only_parameters("state", "order", "fingerprint", "after", "limit")
    with services().store.read() as session:
        found, following = incidents.incidents(
            session,
            g.actor,
            state=choice("state", STATES, "open"),
            business_key=text("order"),
            fingerprint=text("fingerprint"),
            after=optional_number("after"),
            limit=number("limit", 50, least=1, most=200),
        )
        return jsonify(listing([_json(one) for one in found], following))


@allow("view_incidents")
def show_incident(incident_id: int) -> ResponseReturnValue:
    """One incident."""
    with services().store.read() as session:
        return jsonify(_json(incidents.get_incident(session, g.actor, incident_id)))


@allow("retry_incident")
def retry_incident(incident_id: int) -> ResponseReturnValue:
    """Queues the failed step again; a worker does it."""
    me = services()
    with me.store.write() as session:
        found = incidents.retry_incident(session, me.kernel, g.actor, incident_id, at=me.clock.now())
        answer = _json(found)
    return jsonify(answer)


def _json(one: Incident) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "order": one.business_key.partition(".")[0],
        "instance": one.instance_id,
        "element": one.element,
        "element_name": one.element_name,
        "area": one.area,
        "code": one.code,
        "message": one.message,
        "fingerprint": one.fingerprint,
        "attempts": one.attempts,
        "created_at": stamp(one.created_at),
        "resolved_at": stamp(one.resolved_at),
        "resolved_by": one.resolved_by,
    }


ROUTES = (
    Route(
        "GET",
        "/incidents",
        list_incidents,
        shapes.IncidentList,
        parameters=page_parameters(
            Parameter("state", "open if left out", one_of=STATES),
            Parameter("order", "the number of an order or instance"),
            Parameter("fingerprint", "incidents with one cause"),
        ),
    ),
    Route("GET", "/incidents/<id:incident_id>", show_incident, shapes.Incident),
    Route("POST", "/incidents/<id:incident_id>/retry", retry_incident, shapes.Incident),
)
