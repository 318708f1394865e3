"""What watchdogs ask: alive, ready, figures. No login, and nothing about customers."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from engine.jobs import health
from tasks.queries import open_count
from web.auth import allow_anyone
from web.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@allow_anyone
def alive() -> ResponseReturnValue:
    """This process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@allow_anyone
def ready() -> ResponseReturnValue:
    """200 when orders get on, 503 with the reasons when they would not."""
    me = services()
    found = health.ailments(me.store, me.clock.now())
    reasons = [{"code": one.code, "message": one.message} for one in found]
    return jsonify(status="not ready" if found else "ready", reasons=reasons), 503 if found else 200


@blueprint.get("/metrics")
@allow_anyone
def metrics() -> ResponseReturnValue:
    """Figures in Prometheus' text form. Counts end at 10,000 each, so that asking stays cheap."""
    me = services()
    with me.store.read() as session:
        lines = [
            *_labelled("kaitong_jobs", "Jobs that are not done", health.jobs_by_state(session)),
            *_labelled("kaitong_orders", "Orders", health.orders_by_state(session)),
            *_plain("kaitong_open_tasks", "Open tasks", open_count(session, health.MOST)),
            *_plain("kaitong_open_incidents", "Open incidents", health.open_incidents(session)),
        ]
        for kind in ("worker", "ticker"):
            silent = health.seconds_silent(session, kind, me.clock.now())
            if silent is not None:
                name = f"kaitong_{kind}_silent_seconds"
                lines += _plain(name, f"Seconds since a {kind} was seen", round(silent, 3))
    return Response("\n".join([*lines, ""]), content_type="text/plain; version=0.0.4; charset=utf-8")


def _labelled(name: str, text: str, counts: Mapping[str, int]) -> list[str]:
    return [*_head(name, text), *(f'{name}{{state="{s}"}} {n}' for s, n in counts.items())]


def _plain(name: str, text: str, value: float) -> list[str]:
    return [*_head(name, text), f"{name} {value}"]


def _head(name: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
