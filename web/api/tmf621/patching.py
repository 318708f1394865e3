"""PATCH troubleTicket: notes, some attributes, and the status as far as its sender has a say in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import NotAllowed
from engine.orders.intake import FieldError
from engine.orders.model import ServiceOrder
from engine.orders.queries import order_for_change
from engine.tickets.changing import CHANGEABLE, change, wish_status
from engine.tickets.lifecycle import TICKET
from engine.tickets.model import TroubleTicket
from engine.tickets.queries import get_ticket
from engine.tickets.states import locked
from tasks.columns import TASK_COLUMNS
from web.api.reading import json_object
from web.api.tmf621.blueprint import blueprint
from web.api.tmf621.resources import ticket_resource
from web.api.tmf621.schemas import PATCH
from web.api.tmf641.blueprint import one
from web.api.tmf641.orders import add_notes
from web.api.tmf641.patching import MERGE_PATCH
from web.api.tmf641.paths import load
from web.auth import allow
from web.services import services

PATCHABLE = ("note", "status", "statusChangeReason", *CHANGEABLE)
_STATUSES = {status.lower(): status for status in TICKET.states}
_SCHEMA_NAMES = {
    "priority": "priority",
    "severity": "severity",
    "requestedResolutionDate": "requested_resolution_date",
}


@blueprint.patch("/troubleTicket/<ticket_id>")
@allow("note_order")
def patch_ticket(ticket_id: str) -> ResponseReturnValue:
    """A merge patch, except for notes: they are appended, and none is ever changed or removed."""
    me, at = services(), services().clock.now()
    body = json_object(MERGE_PATCH)
    _refuse_unpatchable(body)
    read = load(PATCH, body)
    wishes = {name: read[_SCHEMA_NAMES[name]] for name in CHANGEABLE if name in body}
    _refuse_without_right(body, wishes)
    with me.store.write() as session:
        get_ticket(session, g.actor, ticket_id, TASK_COLUMNS)
        order = order_for_change(session, g.actor, ticket_id, TASK_COLUMNS)
        ticket = locked(session, ticket_id)
        assert ticket is not None  # noqa: S101  (it was there a moment ago, and none is ever removed)
        if "status" in body:
            _put(session, ticket, order, read)
        change(session, ticket, wishes, at=at, actor=g.actor.login)
        known = {str(note.id) for note in order.notes}
        add_notes(session, order, [n for n in read.get("note", []) if n.get("id") not in known], at)
        return one(ticket_resource(ticket, order, g.actor))


def _refuse_unpatchable(body: Mapping[str, Any]) -> None:
    names = ", ".join(PATCHABLE)
    if not body:
        raise FieldError(
            field="body", detail=gettext("it names nothing to change; %(names)s can be", names=names)
        )
    for name in body:
        if name not in PATCHABLE:
            raise FieldError(field=name, detail=gettext("it cannot be changed"))


def _refuse_without_right(body: Mapping[str, Any], wishes: Mapping[str, Any]) -> None:
    if wishes and not g.actor.can("place_order"):
        raise NotAllowed(right="place_order")
    if "status" in body and not g.actor.can("cancel_order"):
        raise NotAllowed(right="cancel_order")


def _put(session: Any, ticket: TroubleTicket, order: ServiceOrder, read: Mapping[str, Any]) -> None:
    me = services()
    wanted = _STATUSES.get(read["status"].lower())
    if wanted is None:
        known = ", ".join(sorted(TICKET.states))
        raise FieldError(field="status", detail=gettext("known are %(names)s", names=known))
    wish_status(
        session,
        ticket,
        order,
        wanted,
        me.kernel,
        me.states,
        reason=read.get("status_change_reason"),
        at=me.clock.now(),
        zone=me.settings.zone,
        actor=g.actor.login,
    )
