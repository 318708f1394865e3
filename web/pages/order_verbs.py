"""What people do with an order on its way: urging it, answering an urge, amending it, asking for its cancellation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import KaitongError, NotFound
from engine.identity.people import names_by_login
from engine.masterdata.queries import reasons
from engine.orders import urging
from engine.orders.amending import ItemPlan
from engine.orders.cancel import request_cancel
from engine.orders.model import OrderUrge, ServiceOrder
from engine.orders.queries import get_order, order_for_change, product_names
from engine.orders.states import CANCELLING, FINAL
from engine.orders.urging import BadPromise
from tasks.columns import TASK_COLUMNS
from web.amending import amend, document_of, wished
from web.auth import allow
from web.auth.next_address import safe_next
from web.pages import words
from web.pages.blueprint import pages
from web.pages.refusals import flash_error
from web.services import services
from web.told import told
from web.urging import answer_urge, urge_order

Verb = dict[str, Any]
REPLACED = "C07"
"""The reason of an order that is replaced by a changed one: nobody chooses it."""


TICKET = "TT"
"""A fault report is changed as a ticket (TMF621), not as an order."""


def verbs_of(db: Any, order: ServiceOrder) -> list[Verb]:
    """What the reader may do with the order now, each with what its form needs."""
    if order.state in FINAL:
        return []
    found = [_urge(order)] if g.actor.can("urge_order") else []
    if order.state in CANCELLING:
        return found
    if g.actor.can("amend_order") and order.order_type != TICKET:
        found.append(_amend(db, order))
    if g.actor.can("cancel_order"):
        found.append(_cancel(db, order))
    return found


def _urge(order: ServiceOrder) -> Verb:
    url = url_for("pages.urge_order_form", order_id=order.id)
    return {"name": "urge", "label": gettext("Urge"), "submit": gettext("Urge"), "url": url}


def _cancel(db: Any, order: ServiceOrder) -> Verb:
    names = {code: name for code, name in reasons(db, "C").items() if code != REPLACED}
    return {
        "name": "cancel",
        "label": gettext("Cancel the order"),
        "submit": gettext("Cancel the order"),
        "url": url_for("pages.cancel_order_form", order_id=order.id),
        "reasons": [(code, words.named(names, code)) for code in names],
    }


def _amend(db: Any, order: ServiceOrder) -> Verb:
    items = document_of(db, order)["serviceOrderItem"]
    known = {one["name"]: one["value"] for one in items[0]["service"].get("serviceCharacteristic", [])}
    names = product_names(db)
    return {
        "name": "amend",
        "label": gettext("Amend"),
        "submit": gettext("Amend"),
        "url": url_for("pages.amend_order_form", order_id=order.id),
        "fields": [
            (name, label, most, request.form.get(name, known.get(name, "")))
            for name, label, most in _amendable()
        ],
        "product": request.form.get("product", order.product),
        "products": [(code, words.named(names, code)) for code in sorted(names)],
        "one_item": len(items) == 1,
        "redoes": [],
    }


def _amendable() -> list[tuple[str, str, int]]:
    return [
        ("customerName", gettext("Customer"), 200),
        ("contactPhone", gettext("Phone"), 32),
        ("wishedWindow", gettext("Wished window"), 100),
        ("address", gettext("Address"), 300),
        ("building", gettext("Building"), 200),
    ]


# ---- urging


@pages.get("/orders/<order_id>/urge")
@allow("urge_order")
def urge_order_form(order_id: str) -> ResponseReturnValue:
    """The form on a page of its own."""
    return _form(order_id, "urge")


@pages.post("/orders/<order_id>/urge")
@allow("urge_order")
def urge_an_order(order_id: str) -> ResponseReturnValue:
    """Tells who has the order in hand."""
    text = request.form.get("text", "").strip() or None
    try:
        with services().store.write() as db:
            made, _ = urge_order(db, order_id, text)
            number, times = made.number, made.times
    except NotFound:
        raise
    except KaitongError as refusal:
        return _form(order_id, "urge", refusal)
    if times > 1:
        flash(
            gettext("Counted: urge %(number)s came %(times)s times.", number=number, times=times), "success"
        )
    else:
        flash(gettext("Urge %(number)s: whoever has the order in hand is told.", number=number), "success")
    return _back(order_id)


@pages.post("/orders/<order_id>/urges/<int:number>/answer")
@allow("complete_task")
def answer_order_urge(order_id: str, number: int) -> ResponseReturnValue:
    """The holder promises a time."""
    try:
        promised = _moment(request.form.get("promised_at", ""))
        with services().store.write() as db:
            answer_urge(db, order_id, number, promised, request.form.get("text", "").strip() or None)
    except NotFound:
        raise
    except KaitongError as refusal:
        flash_error(refusal)
    else:
        flash(gettext("The urge is answered."), "success")
    return redirect(safe_next(request.form.get("next") or url_for("pages.order", order_id=order_id)), 303)


def _moment(text: str) -> datetime:
    """What a browser's field for date and time sends: the site's own time, without a zone."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError as e:
        raise BadPromise(field=gettext("Done by"), detail=gettext("a date with a time is needed")) from e
    zone = services().settings.zone
    return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)


def urge_of(db: Any, order: ServiceOrder, page: str | None = None) -> dict[str, Any] | None:
    """The newest urge in the reader's words; with an address if he may answer it."""
    found = urging.latest(db, order.id) if order.urges else None
    if found is None or order.state in FINAL:
        return None
    people = names_by_login(db, {found.urged_by, found.answered_by or ""})
    return {
        "number": found.number,
        "times": found.times,
        "text": found.text,
        "at": found.first_at,
        "by": words.actor(found.urged_by, people),
        "answer_by": found.first_at + urging.ANSWER_WITHIN,
        "answered_by": words.actor(found.answered_by, people),
        "promised_at": found.promised_at,
        "answer": found.answer,
        "escalated": found.escalated_at is not None,
        "broken": found.broken_at is not None,
        "answer_url": _answer_url(db, order, found),
        "next": page or url_for("pages.order", order_id=order.id),
    }


def _answer_url(db: Any, order: ServiceOrder, found: OrderUrge) -> str | None:
    if not g.actor.can("complete_task") or found.answered_at is not None:
        return None
    if not urging.may_answer(db, order, found, g.actor, services().desk):
        return None
    return url_for("pages.answer_order_urge", order_id=order.id, number=found.number)


# ---- amending


@pages.get("/orders/<order_id>/amend")
@allow("amend_order")
def amend_order_form(order_id: str) -> ResponseReturnValue:
    """The form on a page of its own."""
    return _form(order_id, "amend")


@pages.post("/orders/<order_id>/amend")
@allow("amend_order")
def amend_an_order(order_id: str) -> ResponseReturnValue:
    """Changes what can be changed at once; asks first when something has to be undone and begun again."""
    is_sure = request.form.get("sure") == "yes"
    try:
        with services().store.write() as db:
            order = order_for_change(db, g.actor, order_id, TASK_COLUMNS)
            document = _wish(db, order)
            made = amend(db, order, document, dry_run=True)
            redoes = [plan for plan in made.plans if plan.way == "redo"]
            if not made.plans or (redoes and not is_sure):
                return _ask_again(db, order, redoes)
            amend(db, order, document)
    except NotFound:
        raise
    except KaitongError as refusal:
        return _form(order_id, "amend", refusal)
    if redoes:
        flash(gettext("What was done is undone; then the order begins again with the new data."), "success")
    else:
        flash(gettext("The order is amended; whoever has it in hand is told."), "success")
    return _back(order_id)


def _wish(db: Any, order: ServiceOrder) -> dict[str, Any]:
    """What the form changes; a field that was left as it was shown changes nothing."""
    items = document_of(db, order)["serviceOrderItem"]
    known = {one["name"]: one["value"] for one in items[0]["service"].get("serviceCharacteristic", [])}
    given = {name: request.form[name].strip() for name, *_ in _amendable() if name in request.form}
    changed = {name: value or None for name, value in given.items() if value != known.get(name, "")}
    product = request.form.get("product")
    return wished(db, order, changed, product=product if product != order.product else None)


def _ask_again(db: Any, order: ServiceOrder, redoes: Sequence[ItemPlan]) -> ResponseReturnValue:
    if not redoes:
        flash(gettext("Nothing was changed."), "info")
        return _back(order.id)
    verb = _amend(db, order)
    verb["redoes"] = sorted({words.order_fact(n) for plan in redoes for n in plan.difference.names})
    return render_template("order_verb.html", order={"id": order.id}, verb=verb, refusal=None)


# ---- cancelling


@pages.get("/orders/<order_id>/cancel")
@allow("cancel_order")
def cancel_order_form(order_id: str) -> ResponseReturnValue:
    """The form on a page of its own."""
    return _form(order_id, "cancel")


@pages.post("/orders/<order_id>/cancel")
@allow("cancel_order")
def cancel_an_order(order_id: str) -> ResponseReturnValue:
    """Puts the wish to the process, which says at once whether it is still possible."""
    me, reason = services(), request.form.get("reason", "")
    try:
        with me.store.write() as db:
            wish = request_cancel(
                db,
                order_for_change(db, g.actor, order_id, TASK_COLUMNS),
                me.kernel,
                me.states,
                reason=reason if reason in reasons(db, "C") else None,
                document={},
                at=me.clock.now(),
                zone=me.settings.zone,
                actor=g.actor.login,
            )
            is_refused = wish.state == "terminatedWithError"
    except NotFound:
        raise
    except KaitongError as refusal:
        return _form(order_id, "cancel", refusal)
    if is_refused:
        flash(gettext("The order goes on: it has passed the point up to which it can be cancelled."), "error")
    else:
        flash(gettext("The order is being cancelled."), "success")
    return _back(order_id)


# ---- the form on a page of its own


def _form(order_id: str, name: str, refusal: KaitongError | None = None) -> ResponseReturnValue:
    """Raises `NotFound` for an order with which this can no longer be done, unless it was just refused."""
    with services().store.read() as db:
        order = get_order(db, g.actor, order_id, TASK_COLUMNS)
        verb = next((one for one in verbs_of(db, order) if one["name"] == name), None)
    if verb is None:
        if refusal is not None:
            flash_error(refusal)
        return _back(order_id)
    verb["text"] = request.form.get("text")
    page = render_template(
        "order_verb.html", order={"id": order_id}, verb=verb, refusal=told(refusal) if refusal else None
    )
    return page, refusal.http_status if refusal else 200


def _back(order_id: str) -> ResponseReturnValue:
    return redirect(url_for("pages.order", order_id=order_id), 303)
