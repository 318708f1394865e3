"""Incidents: what automatic steps could not do, by cause, and the re-run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import KaitongError, NotFound
from engine.jobs import incidents as queries
from engine.jobs.model import Incident
from engine.orders.queries import orders_of_instances
from engine.runtime.progress import element_names
from engine.store.paging import read_serial
from web.auth import allow
from web.auth.next_address import HOME, safe_next
from web.pages import words
from web.pages.blueprint import pages
from web.pages.incident_words import told
from web.pages.refusals import flash_error
from web.services import services

PAGE = 50
_UNDER_WAY = ("ready", "running")


@pages.get("/incidents")
@allow("view_incidents")
def incidents() -> ResponseReturnValue:
    """Open incidents, all or those of one cause; `?retried=` follows one that was queued for a re-run."""
    cause = request.args.get("cause") or None
    with services().store.read() as db:
        causes = queries.groups(db, g.actor)
        found, after = queries.incidents(
            db, g.actor, fingerprint=cause, after=read_serial(request.args.get("after")), limit=PAGE
        )
        rows = _rows(db, found)
        retried = _retried(db)
    groups = [
        {
            "fingerprint": group.fingerprint,
            "message": told(group.code, group.message).sentence,
            "code": group.code,
            "count": group.count,
            "first_seen": group.first_seen,
            "active": group.fingerprint == cause,
            "url": url_for(
                "pages.incidents", cause=None if group.fingerprint == cause else group.fingerprint
            ),
        }
        for group in causes
    ]
    return render_template(
        "incidents.html",
        groups=groups,
        incidents=rows,
        retried=retried,
        next_url=url_for("pages.incidents", cause=cause, after=after) if after else None,
    )


@pages.post("/incidents/<int:incident_id>/retry")
@allow("retry_incident")
def retry_incident(incident_id: int) -> ResponseReturnValue:
    """Queues the step again and says how it stands, which is not yet that it has succeeded."""
    me = services()
    try:
        with me.store.write() as db:
            queries.retry_incident(db, me.kernel, g.actor, incident_id, at=me.clock.now())
        with me.store.read() as db:
            state = _state(db, queries.get_incident(db, g.actor, incident_id))
    except NotFound:
        raise
    except KaitongError as refusal:
        flash_error(refusal)
        return redirect(_back() or url_for("pages.incidents"), 303)
    back = _back()
    if back is None:
        return redirect(url_for("pages.incidents", retried=incident_id), 303)
    flash(gettext("Re-run: %(state)s.", state=words.job_state(state)), "success")
    return redirect(back, 303)


def _back() -> str | None:
    """The page that the button was on, if it says so."""
    back = safe_next(request.form.get("next"))
    return None if back == HOME else back


def _retried(db: Any) -> dict[str, Any] | None:
    text = request.args.get("retried", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    incident = queries.get_incident(db, g.actor, int(text))
    if incident.state == "open":
        return None
    state = _state(db, incident)
    [row] = _rows(db, [incident])
    return row | {
        "state": state,
        "state_label": words.job_state(state),
        "level": {"done": "success", "incident": "error"}.get(state, "info"),
        "refresh_url": url_for("pages.incidents", retried=incident.id) if state in _UNDER_WAY else None,
    }


def _state(db: Any, incident: Incident) -> str:
    """How the step stands: its job knows, else whether it has failed once more."""
    if queries.is_open_again(db, incident):
        return "incident"
    return queries.job_state(db, incident) or "done"


def _rows(db: Any, found: Sequence[Incident]) -> list[dict[str, Any]]:
    instances = {incident.instance_id for incident in found if incident.instance_id is not None}
    orders = orders_of_instances(db, instances)
    names = element_names(db, services().kernel, instances)
    can_retry = g.actor.can("retry_incident")
    rows = []
    for incident in found:
        instance = incident.instance_id or 0
        order = orders.get(instance)
        name = names.get(instance, {}).get(incident.element or "")
        cause = told(incident.code, incident.message)
        rows.append(
            {
                "id": incident.id,
                "order": order.id if order else incident.business_key,
                "order_url": url_for("pages.order", order_id=order.id)
                if order and g.actor.can("view_orders")
                else None,
                "element_name": words.say(*name) if name else incident.element_name,
                "code": incident.code,
                "message": cause.sentence,
                "quotation": cause.quotation,
                "attempts": incident.attempts,
                "created_at": incident.created_at,
                "due_at": order.expected_at if order else None,
                "can_retry": can_retry and incident.state == "open",
                "can_skip": False,
                "is_open": incident.state == "open",
            }
        )
    return rows
