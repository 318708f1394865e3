"""One task: its facts, its form, completing it and giving it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from bpmn.forms import Form, FormInvalid
from engine.deploy.queries import get_definition
from engine.errors import KaitongError, NotFound
from engine.ids import new_id
from engine.orders.model import ServiceOrder
from engine.orders.queries import orders_of_instances, product_names
from engine.resources.queries import area_names
from engine.runtime.progress import values_of
from tasks import queries
from tasks import worklist as commands
from tasks.model import Task
from web.auth import allow
from web.pages import words
from web.pages.blueprint import pages
from web.pages.order_verbs import urge_of
from web.pages.refusals import flash_error
from web.pages.timeline import task_history
from web.pages.worklist import task_row
from web.services import services
from web.told import told

_OF_THE_PAGE = ("csrf_token", "request_id")


@pages.get("/tasks/<task_id>")
@allow("view_tasks")
def task(task_id: str) -> ResponseReturnValue:
    """The page of a task; with its form for the person who holds it."""
    return _page(task_id)


@pages.post("/tasks/<task_id>")
@allow("complete_task")
def complete_task(task_id: str) -> ResponseReturnValue:
    """Completes the task, or shows the form again with what was typed. Sent twice, it is done once."""
    me, answers = services(), _answers()
    command = commands.CompleteTask(task_id, answers, request.form.get("request_id") or None, html=True)
    try:
        done = me.store.run(lambda db: commands.complete(db, me.kernel, g.actor, command, at=me.clock.now()))
    except NotFound:
        raise
    except FormInvalid as invalid:
        return _page(task_id, typed=invalid.submitted, errors=invalid.errors), 400
    except KaitongError as refusal:
        return _page(task_id, typed=_typed(task_id, answers), refusal=refusal), refusal.http_status
    flash(gettext("Task %(task)s is completed.", task=done.id), "success")
    return redirect(url_for("pages.worklist"), 303)


@pages.post("/tasks/<task_id>/release")
@allow("complete_task")
def release_task(task_id: str) -> ResponseReturnValue:
    """Gives the task back to its crew."""
    me = services()
    try:
        with me.store.write() as db:
            commands.release(db, g.actor, task_id, at=me.clock.now())
    except NotFound:
        raise
    except KaitongError as refusal:
        flash_error(refusal)
    else:
        flash(gettext("The task is given back: others may claim it."), "success")
    return redirect(url_for("pages.task", task_id=task_id), 303)


def _page(
    task_id: str,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, Any] | None = None,
    refusal: KaitongError | None = None,
) -> str:
    me, now = services(), services().clock.now()
    with me.store.read() as db:
        row = commands.get_task(db, g.actor, task_id)
        form = commands.form_of(db, me.definitions, row)
        can_complete = _can_complete(row)
        known = values_of(db, me.kernel, row.instance_id, now, row.token_id) if row.closed_at is None else {}
        shown = _shown(db, row, known)
        history = task_history(db, row)
        urge = _urge(db, row)
    context = {
        "task": shown,
        "form": form,
        "values": typed if typed is not None else form.initial(known) if form else {},
        "errors": errors or {},
        "can_complete": can_complete,
        "can_claim": commands.may_claim(row, g.actor),
        "can_release": g.actor.can("complete_task") and commands.may_release(row, g.actor),
        "answers": _answered(form, row.answers) if row.state == "completed" else [],
        "history": history,
        "request_id": request.form.get("request_id") or new_id("rq"),
        "refusal": told(refusal) if refusal is not None else None,
        "urge": urge,
        "lost": _answered(form, typed) if refusal is not None and typed and not can_complete else [],
    }
    return render_template("task.html", **context)


def _urge(db: Any, row: Task) -> dict[str, Any] | None:
    """The urge of the task's order, if the reader is to answer it here."""
    order = orders_of_instances(db, [row.instance_id]).get(row.instance_id)
    if order is None or row.closed_at is not None:
        return None
    found = urge_of(db, order, url_for("pages.task", task_id=row.id))
    return found if found is not None and found["answer_url"] else None


def _can_complete(row: Task) -> bool:
    return row.closed_at is None and row.assignee_id == g.actor.person_id and g.actor.can("complete_task")


def _shown(db: Any, row: Task, known: Mapping[str, Any]) -> dict[str, Any]:
    order = orders_of_instances(db, [row.instance_id]).get(row.instance_id)
    definition = get_definition(db, row.definition_id)
    people, crews = queries.names(db, [row])
    products = product_names(db)
    order_url = url_for("pages.order", order_id=order.id) if order and g.actor.can("view_orders") else None
    return task_row(row, people, crews, area_names(db)) | {
        "order": order.id if order else row.business_key,
        "order_url": order_url,
        "tier": words.tier(order.tier) if order else "",
        "facts": _facts(order, products, known),
        "created_at": row.created_at,
        "process": words.say(definition.name, definition.name_en),
        "diagram_url": f"{order_url}#diagram-title" if order_url else None,
    }


def _site(order: ServiceOrder, known: Mapping[str, Any]) -> str:
    """Where the work is: of a line with two ends, the end that the task is about."""
    site = known.get("site_address")
    return site if isinstance(site, str) and site else order.address


def _facts(
    order: ServiceOrder | None, products: Mapping[str, words.Pair], known: Mapping[str, Any]
) -> list[dict[str, str]]:
    """What the crew needs on site: whom, where, what, and the line that was reserved."""
    facts: list[tuple[str, Any, str]] = []
    if order is not None:
        facts += [
            (gettext("Phone"), words.phone(order.phone), "phone" if words.sees_customers() else "text"),
            (gettext("Address"), words.address(_site(order, known)), "address"),
            (gettext("Product"), words.named(products, order.product), "text"),
        ]
    line = {
        "circuit": gettext("Circuit code"),
        "node": gettext("Access node"),
        "port": gettext("Port"),
        "vlan": gettext("VLAN"),
        "account": gettext("Account"),
        "symptom": gettext("Symptom"),
        "findings": gettext("Findings"),
        "wished_window": gettext("Wished window"),
    }
    facts += [(label, known.get(name), "text") for name, label in line.items()]
    return [
        {"label": label, "value": str(value), "kind": kind}
        for label, value, kind in facts
        if value not in (None, "")
    ]


def _answers() -> MultiDict[str, str]:
    """What the form sent, without the inputs that belong to the page."""
    return MultiDict(
        (name, value) for name, value in request.form.items(multi=True) if name not in _OF_THE_PAGE
    )


def _typed(task_id: str, answers: MultiDict[str, str]) -> Mapping[str, Any]:
    """What was typed, so that a refusal for another reason does not lose it."""
    me = services()
    with me.store.read() as db:
        form = commands.form_of(db, me.definitions, commands.get_task(db, g.actor, task_id))
    if form is None:
        return {}
    try:
        return form.validate_html(answers)
    except FormInvalid as invalid:
        return invalid.submitted


def _answered(form: Form | None, values: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """Answers with the labels of the form, as a person reads them."""
    if form is None or not values:
        return []
    locale = "en" if words.in_english() else "zh_CN"
    told_of = []
    for field in form.inputs:
        value = values.get(field.key)
        if value in (None, "", []):
            continue
        told_of.append({"label": field.label.to(locale), "value": _spoken(field, value, locale)})
    return told_of


def _spoken(field: Any, value: Any, locale: str) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    labels = {option.value: option.label.to(locale) for option in field.options}
    if isinstance(value, list):
        return ", ".join(labels.get(one, str(one)) for one in value)
    return labels.get(value, f"{value} {field.unit.to(locale)}" if field.unit else str(value))
