"""Messages to the reader."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.identity import inbox as queries
from engine.identity import telling
from engine.identity.model import InboxMessage
from engine.resources.queries import area_names
from engine.store.paging import read_serial
from web.auth import allow_login
from web.i18n import local_time
from web.pages import verb_words, words
from web.pages.blueprint import pages
from web.pages.timeline import clock_label
from web.services import services

_LEVELS = {"late": "error"}


@pages.get("/inbox")
@allow_login
def inbox() -> ResponseReturnValue:
    """The reader's own messages, newest first."""
    with services().store.read() as db:
        page = queries.messages(db, g.actor.person_id, before=read_serial(request.args.get("after")))
        areas = area_names(db)
    return render_template(
        "inbox.html",
        messages=[_message(message, areas) for message in page.items],
        next_url=url_for("pages.inbox", after=page.next) if page.next else None,
    )


@pages.post("/inbox/<int:message_id>/read")
@allow_login
def read_message(message_id: int) -> ResponseReturnValue:
    """Marks one of the reader's own messages; another's is not touched."""
    me = services()
    with me.store.write() as db:
        queries.mark_read(db, g.actor.person_id, [message_id], me.clock.now())
    return redirect(url_for("pages.inbox"), 303)


def _message(message: InboxMessage, areas: Mapping[str, words.Pair]) -> dict[str, Any]:
    title, body = _told(message.kind, message.facts, areas)
    return {
        "id": message.id,
        "at": message.at,
        "level": _LEVELS.get(message.level, message.level),
        "title": title,
        "body": body,
        "url": _address(message.facts),
        "read": message.read_at is not None,
    }


def _address(facts: Mapping[str, Any]) -> str | None:
    """Where what the message is about is seen."""
    order, fault = facts.get("order"), facts.get("mass_fault")
    if fault and g.actor.can("view_mass_faults"):
        return url_for("pages.mass_fault", fault_id=fault)
    return url_for("pages.order", order_id=order) if order and g.actor.can("view_orders") else None


def _told(kind: str, facts: Mapping[str, Any], areas: Mapping[str, words.Pair]) -> tuple[str, str]:
    """Title and body; a kind that nobody here knows is shown by its name."""
    if kind == telling.KIND:
        return words.say(str(facts.get("text", "")), str(facts.get("text_en", ""))), ""
    if kind in verb_words.MESSAGES:
        return verb_words.told(kind, facts, services().settings.zone)
    if kind not in ("sla.warning", "sla.breach"):
        return kind, ""
    order, label = facts.get("order", ""), clock_label(facts)
    if kind == "sla.breach":
        title = gettext("%(order)s is overdue: %(label)s", order=order, label=label)
    else:
        title = gettext(
            "%(order)s: %(percent)s %% of the time is used: %(label)s",
            order=order,
            percent=facts.get("percent", ""),
            label=label,
        )
    parts = [gettext("due %(time)s", time=_due(facts)), words.named(areas, facts.get("area"))]
    return title, " · ".join(part for part in parts if part)


def _due(facts: Mapping[str, Any]) -> str:
    try:
        due = datetime.fromisoformat(str(facts.get("due"))).astimezone(UTC)
    except ValueError:
        return ""
    return local_time(due, services().settings.zone)
