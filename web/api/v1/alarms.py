"""Alarms: a platform raises and clears them; people look at them."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.tickets import alarms
from engine.tickets.model import Alarm
from web.api.reading import choice, loaded, number, only_parameters, optional_number
from web.api.times import stamp
from web.api.v1 import fault_shapes as shapes
from web.api.v1.route import Parameter, Route, listing, page_parameters
from web.auth import allow
from web.services import services

_REPORT = shapes.AlarmReport()
STATES = ("waiting", "raised", "cleared", "suppressed", "all")


@allow("report_alarm")
def take_alarm() -> ResponseReturnValue:
    """An alarm is raised, or cleared; told twice it is one."""
    me, at, told = services(), services().clock.now(), loaded(_REPORT)
    source = g.actor.login
    report = alarms.AlarmReport(
        source, told["id"], told["object"], told["kind"], told["severity"], told["text"], told["root"]
    )

    def work(session: Any) -> dict[str, Any]:
        if report.severity == "cleared":
            return _json(alarms.clear_alarm(session, source, report.external_id, at))
        return _json(alarms.raise_alarm(session, report, at))

    return jsonify(me.store.run(work))


@allow("view_mass_faults")
def list_alarms() -> ResponseReturnValue:
    """Alarms, newest first."""
    only_parameters("state", "after", "limit")
    state, limit = choice("state", STATES, "all"), number("limit", 50, least=1, most=200)
    with services().store.read() as session:
        found = alarms.alarms(
            session,
            state=None if state == "all" else state,
            before=optional_number("after"),
            limit=limit + 1,
        )
        following = str(found[limit - 1].id) if len(found) > limit else None
        return jsonify(listing([_json(one) for one in found[:limit]], following))


def _json(alarm: Alarm) -> dict[str, Any]:
    words = ("source", "object", "kind", "severity", "text", "state", "raises")
    return {name: getattr(alarm, name) for name in words} | {
        "number": alarm.id,
        "id": alarm.external_id,
        "result": alarm.result_id,
        "raised_at": stamp(alarm.raised_at),
        "cleared_at": stamp(alarm.cleared_at),
    }


ROUTES = (
    Route("POST", "/alarms", take_alarm, shapes.Alarm, body=shapes.AlarmReport),
    Route(
        "GET",
        "/alarms",
        list_alarms,
        shapes.AlarmList,
        parameters=page_parameters(Parameter("state", "one state, or all", one_of=STATES)),
    ),
)
