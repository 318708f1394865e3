"""PATCH serviceOrder: notes, and what its sender may still change. Its state follows its process and is not among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import g
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import RuleViolation
from engine.orders.changing import CHANGEABLE, change
from engine.orders.intake import FieldError
from engine.orders.lifecycle import ORDER
from engine.orders.model import ServiceOrder
from engine.orders.queries import get_order, order_for_change
from tasks.columns import TASK_COLUMNS
from web import amending
from web.api.reading import JSON, json_object
from web.api.tmf641.blueprint import blueprint, one
from web.api.tmf641.orders import add_notes
from web.api.tmf641.paths import load
from web.api.tmf641.resources import order_resource
from web.api.tmf641.schemas import PATCH
from web.auth import allow
from web.services import services
from web.urging import urge

MERGE_PATCH = JSON | {"application/merge-patch+json"}
URGE_NOTE = "UrgeNote"
_READ = ("note", "state", *CHANGEABLE)
PATCHABLE = ("note", *CHANGEABLE, "serviceOrderItem", "version")
_LATER = frozenset(
    {
        "description",
        "expectedCompletionDate",
        "externalId",
        "notificationContact",
        "externalReference",
        "orderRelationship",
        "relatedParty",
        "category",
    }
)
_STATES = {state.lower(): state for state in ORDER.states}


class UseCancel(RuleViolation):
    """state: an order is not cancelled by PATCH; POST a cancelServiceOrder that names it."""

    code = "order.use_cancel"


class StateFollows(RuleViolation):
    """Order {order} is {state}; its state follows its process and cannot be set to {wanted}."""

    code = "order.state_follows"


@blueprint.patch("/serviceOrder/<order_id>")
@allow("note_order")
def patch_order(order_id: str) -> ResponseReturnValue:
    """A merge patch, except for notes: they are appended, and none is ever changed or removed. With items it amends."""
    me, at = services(), services().clock.now()
    body = json_object(MERGE_PATCH)
    amends = "serviceOrderItem" in body
    if amends:
        g.actor.require("amend_order")
    _refuse_unpatchable(body, amends)
    notes = load(PATCH, {name: body[name] for name in _READ if name in body}).get("note", [])
    wishes = {name: body[name] for name in CHANGEABLE if name in body}
    if wishes:
        g.actor.require("place_order")
    urges = any(note.get("at_type") == URGE_NOTE for note in notes)
    with me.store.write() as session:
        find = order_for_change if amends or wishes or urges else get_order
        order = find(session, g.actor, order_id, TASK_COLUMNS)
        if "state" in body:
            _refuse_state(order, body["state"])
        if amends:
            _amend(session, order, body)
        change(session, order, wishes, at=at, actor=g.actor.login)
        known = {str(note.id) for note in order.notes}
        new = [n for n in notes if n.get("id") not in known]
        add_notes(session, order, new, at)
        _urge(session, order, new)
        return one(order_resource(order, g.actor))


def _amend(session: Any, order: ServiceOrder, body: Mapping[str, Any]) -> None:
    """The whole order as it is wished now. The attributes that change one by one are told one by one, afterwards."""
    kept = {name: order.document.get(name) for name in CHANGEABLE}
    amending.amend(session, order, amending.merged(session, order, {**body, **kept}))


def _urge(session: Any, order: ServiceOrder, notes: Sequence[Mapping[str, Any]]) -> None:
    """A note of the type `UrgeNote` urges the order."""
    urging = [note for note in notes if note.get("at_type") == URGE_NOTE]
    if urging:
        g.actor.require("urge_order")
        urge(session, order, urging[-1]["text"])


def _refuse_unpatchable(body: Mapping[str, Any], amends: bool) -> None:
    names = ", ".join(PATCHABLE)
    if not body:
        raise FieldError(
            field="body", detail=gettext("it names nothing to change; %(names)s can be", names=names)
        )
    if amends:
        return
    for name in body:
        if name == "version":
            raise FieldError(field=name, detail=gettext("it comes with the whole of serviceOrderItem only"))
        if name in _LATER:
            detail = gettext("it cannot be changed yet; %(names)s can be", names=names)
            raise FieldError(field=name, detail=detail)
        if name not in _READ and name != "state":
            raise FieldError(field=name, detail=gettext("it cannot be changed"))


def _refuse_state(order: ServiceOrder, given: str) -> None:
    """The state that an order has may come along with the rest of a patch; no other can be set."""
    wanted = _STATES.get(given.lower())
    if wanted is None:
        raise FieldError(
            field="state", detail=gettext("known are %(names)s", names=", ".join(sorted(ORDER.states)))
        )
    if wanted == order.state:
        return
    if wanted == "cancelled":
        raise UseCancel()
    ORDER.way(order.state, wanted)
    raise StateFollows(order=order.id, state=order.state, wanted=wanted)
