"""One order: its facts, its diagram with live states, its timeline, notes, tasks and incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.deploy.queries import get_definition
from engine.errors import NotFound
from engine.identity.people import names_by_login
from engine.jobs import incidents
from engine.orders import queries
from engine.orders.model import OrderItem, ServiceOrder
from engine.resources.queries import area_names
from engine.runtime.progress import Progress, definition_of, progress, values_of, version_of
from tasks import queries as tasks
from tasks.columns import TASK_COLUMNS
from web.auth import allow
from web.pages import words
from web.pages.blueprint import pages
from web.pages.incident_words import told
from web.pages.order_verbs import urge_of, verbs_of
from web.pages.ticket_view import ticket_facts
from web.pages.timeline import timeline
from web.pages.worklist import task_row
from web.services import services


@dataclass(frozen=True, slots=True)
class _Look:
    """An order with the standing of its instances; `chosen` is the item whose diagram is shown."""

    order: ServiceOrder
    chosen: OrderItem | None
    standings: dict[int, Progress]

    @property
    def instances(self) -> list[int]:
        return list(self.standings)

    @property
    def main(self) -> Progress | None:
        if self.chosen is None or self.chosen.instance_id is None:
            return None
        return self.standings.get(self.chosen.instance_id)


@pages.get("/orders/<order_id>")
@allow("view_orders")
def order(order_id: str) -> ResponseReturnValue:
    """Everything about one order; `?item=` chooses which item's diagram is shown."""
    with services().store.read() as db:
        look = _look(db, order_id)
        context = _context(db, look)
    return render_template("order.html", **context)


@pages.get("/orders/<order_id>/timeline")
@allow("view_orders")
def order_timeline(order_id: str) -> ResponseReturnValue:
    """The timeline alone, for the page that asks again and again."""
    with services().store.read() as db:
        look = _look(db, order_id)
        lines = timeline(db, look.order, list(look.standings.values()))
    return render_template("_timeline.html", timeline=lines)


@pages.get("/orders/<order_id>/diagram-state")
@allow("view_orders")
def order_diagram_state(order_id: str) -> ResponseReturnValue:
    """Which elements are done, at work or failed. 304 while no step has been made since the last answer."""
    me = services()
    with me.store.read() as db:
        found = queries.get_order(db, g.actor, order_id, TASK_COLUMNS)
        item = _chosen(found)
        if item is None or item.instance_id is None:
            raise NotFound(what="diagram", id=order_id)
        etag = f"{item.instance_id}-{version_of(db, item.instance_id)}"
        if request.if_none_match.contains(etag):
            return _tagged(Response(status=304), etag)
        standing = progress(db, me.kernel, item.instance_id, me.clock.now())
    lists = {"done": standing.done, "current": standing.current, "failed": standing.failed}
    return _tagged(jsonify({name: list(ids) for name, ids in lists.items()} | {"badges": {}}), etag)


@pages.post("/orders/<order_id>/notes")
@allow("note_order")
def add_note(order_id: str) -> ResponseReturnValue:
    """Appends a remark."""
    me, text = services(), request.form.get("text", "").strip()
    with me.store.write() as db:
        found = queries.get_order(db, g.actor, order_id, TASK_COLUMNS)
        if text:
            queries.add_note(db, found, text, at=me.clock.now(), actor=g.actor.login)
    if text:
        flash(gettext("The note is saved."), "success")
    else:
        flash(gettext("The note is empty: nothing was saved."), "error")
    return redirect(url_for("pages.order", order_id=order_id), 303)


def _tagged(response: Response, etag: str) -> Response:
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _look(db: Any, order_id: str) -> _Look:
    me = services()
    found = queries.get_order(db, g.actor, order_id, TASK_COLUMNS)
    instances = [item.instance_id for item in found.items if item.instance_id is not None]
    now = me.clock.now()
    return _Look(found, _chosen(found), {i: progress(db, me.kernel, i, now) for i in instances})


def _chosen(found: ServiceOrder) -> OrderItem | None:
    wanted = request.args.get("item")
    with_instance = [item for item in found.items if item.instance_id is not None]
    named = [item for item in with_instance if item.item_id == wanted]
    if wanted and not named:
        raise NotFound(what="order item", id=wanted)
    return next(iter(named or with_instance), None)


def _context(db: Any, look: _Look) -> dict[str, Any]:
    products = queries.product_names(db)
    item_arg = look.chosen.item_id if look.chosen is not None and len(look.order.items) > 1 else None
    return {
        "order": _facts(db, look, products),
        "items": [_item(look, item, products) for item in look.order.items],
        "diagram": _diagram(db, look, item_arg),
        "definition": _definition(db, look),
        "timeline": timeline(db, look.order, list(look.standings.values())),
        "incidents": _incidents(db, look),
        "tasks": _tasks(db, look.instances),
        "notes": _notes(db, look.order),
        "verbs": verbs_of(db, look.order),
        "urge": urge_of(db, look.order),
        "can_note": g.actor.can("note_order"),
        "variables": _variables(db, look) if g.actor.can("see_variables") else [],
        "steps": _steps(look.main),
    }


def _facts(db: Any, look: _Look, products: dict[str, words.Pair]) -> dict[str, Any]:
    found = look.order
    reached = sum(one.reached for one in look.standings.values())
    total = sum(one.total for one in look.standings.values())
    code = found.error_code or ""
    error = {"code": code, "reason": words.refusal(code), "message": found.error_message or ""}
    return {
        "id": found.id,
        "external_id": found.external_id,
        "ticket": ticket_facts(db, found.id),
        "state": found.state,
        "state_label": words.order_state(found.state),
        "type": words.order_type(found.order_type),
        "customer": words.customer(found.customer),
        "phone_masked": words.phone(found.phone),
        "product": words.named(products, found.product),
        "area": words.named(area_names(db), found.area),
        "address": words.address(found.address),
        "tier": words.tier(found.tier),
        "created_at": found.placed_at,
        "due_at": found.expected_at,
        "completed_at": found.ended_at,
        "progress": {"done": reached, "total": total},
        "error": error if found.error_code or found.error_message else None,
    }


def _item(look: _Look, item: OrderItem, products: dict[str, words.Pair]) -> dict[str, Any]:
    several = len(look.order.items) > 1
    url = url_for("pages.order", order_id=look.order.id, item=item.item_id)
    return {
        "id": item.item_id,
        "action": words.item_action(item.action),
        "product": words.named(products, item.product),
        "state": item.state,
        "state_label": words.order_state(item.state),
        "url": url if several and item.instance_id is not None else None,
    }


def _diagram(db: Any, look: _Look, item: str | None) -> dict[str, str] | None:
    if look.chosen is None or look.chosen.instance_id is None:
        return None
    version = definition_of(db, look.chosen.instance_id)
    return {
        "xml_url": url_for("pages.definition_xml", definition_id=version),
        "state_url": url_for("pages.order_diagram_state", order_id=look.order.id, item=item),
    }


def _definition(db: Any, look: _Look) -> dict[str, Any] | None:
    if look.chosen is None or look.chosen.instance_id is None:
        return None
    row = get_definition(db, definition_of(db, look.chosen.instance_id))
    url = url_for("pages.definition", definition_id=row.id) if g.actor.can("view_definitions") else None
    return {"key": row.key, "version": row.version, "url": url}


def _incidents(db: Any, look: _Look) -> list[dict[str, Any]]:
    names = {step.element: step.name for one in look.standings.values() for step in one.steps}
    return [
        {
            "id": incident.id,
            "element_name": words.say(*names[incident.element])
            if incident.element in names
            else incident.element_name,
            "message": told(incident.code, incident.message).sentence,
            "quotation": told(incident.code, incident.message).quotation,
            "can_retry": g.actor.can("retry_incident"),
            "retry_url": url_for("pages.retry_incident", incident_id=incident.id),
        }
        for incident in incidents.open_incidents_of(db, g.actor, look.instances)
    ]


def _tasks(db: Any, instances: Sequence[int]) -> list[dict[str, Any]]:
    if not g.actor.can("view_tasks"):
        return []
    found = tasks.tasks_of(db, g.actor, instances)
    people, crews = tasks.names(db, found)
    return [task_row(task, people, crews, {}) for task in found]


def _notes(db: Any, found: ServiceOrder) -> list[dict[str, Any]]:
    people = names_by_login(db, {note.author for note in found.notes})
    return [
        {"at": note.at, "text": note.text, "author": words.actor(note.author, people)}
        for note in reversed(found.notes)
    ]


def _variables(db: Any, look: _Look) -> list[dict[str, str]]:
    if look.chosen is None or look.chosen.instance_id is None:
        return []
    me = services()
    values = values_of(db, me.kernel, look.chosen.instance_id, me.clock.now())
    return [{"name": name, "value": words.variable(name, value)} for name, value in sorted(values.items())]


def _steps(standing: Progress | None) -> list[dict[str, str]]:
    if standing is None:
        return []
    return [
        {
            "id": step.element,
            "name": words.say(*step.name),
            "state": step.state,
            "state_label": words.step_state(step.state),
        }
        for step in standing.steps
    ]
