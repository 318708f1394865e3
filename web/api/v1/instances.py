"""Process instances: starting one without an order, and looking into one."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.deploy.definitions import active_version
from engine.orders.numbering import next_number
from engine.runtime.queries import get_instance, look_inside
from web.api.reading import loaded
from web.api.times import stamp
from web.api.v1 import shapes
from web.api.v1.route import Route
from web.auth import allow
from web.services import services

PREFIX = "PI"
_NEW = shapes.NewInstance()


@allow("start_instance")
def start_instance() -> ResponseReturnValue:
    """Starts a process on its active version and moves it to where it first waits."""
    me, at = services(), services().clock.now()
    wish = loaded(_NEW)

    def work(session: Any) -> dict[str, Any]:
        version = active_version(session, wish["process"])
        key = next_number(session, PREFIX, at, me.settings.zone)
        row = me.kernel.start(session, version.id, key, wish["variables"], at=at, actor=g.actor.login)
        return {
            "id": row.id,
            "business_key": key,
            "process": version.key,
            "version": version.version,
            "state": row.state,
        }

    answer = me.store.run(work)
    return jsonify(answer), 201, {"Location": f"/api/v1/instances/{answer['id']}"}


@allow("view_definitions")
def show_instance(instance_id: int) -> ResponseReturnValue:
    """An instance: where it rests, and its variables for those who may see them."""
    me = services()
    with me.store.read() as session:
        row, definition = get_instance(session, instance_id)
        resting, variables = look_inside(session, me.kernel, row, me.clock.now())
    failed = row.end_code is not None or row.end_message is not None
    found: dict[str, Any] = {
        "id": row.id,
        "business_key": row.business_key,
        "process": definition.key,
        "version": definition.version,
        "state": row.state,
        "created_at": stamp(row.created_at),
        "ended_at": stamp(row.ended_at),
        "error": {"code": row.end_code, "message": row.end_message} if failed else None,
        "tokens": [{"element": one.element, "state": one.state} for one in resting],
        "variables": variables if g.actor.can("see_variables") else None,
    }
    return jsonify(found)


ROUTES = (
    Route("POST", "/instances", start_instance, shapes.Started, body=shapes.NewInstance, status=201),
    Route("GET", "/instances/<id:instance_id>", show_instance, shapes.Instance),
)
