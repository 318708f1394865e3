"""What surrounds every page: the counts beside the navigation, the start page, the language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from engine.errors import BadInput
from engine.identity import inbox, people
from engine.jobs import incidents
from sla import queries as sla
from tasks import queries as tasks
from web.auth import allow_anyone, allow_login
from web.auth.next_address import safe_next
from web.i18n import LOCALES
from web.pages.blueprint import pages
from web.services import services


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits for the reader."""

    tasks: int = 0
    incidents: int = 0
    late: int = 0
    inbox: int = 0


class NavCounts:
    """Counts that are read when the navigation asks for them: a fragment or an answer in JSON never does."""

    @cached_property
    def _counts(self) -> Counts:
        return _read() if g.get("actor") is not None else Counts()

    def __getattr__(self, name: str) -> int:
        if name not in Counts.__slots__:
            raise AttributeError(name)
        count: int = getattr(self._counts, name)
        return count


def _read() -> Counts:
    me, actor = services(), g.actor
    now = me.clock.now()
    with me.store.read() as db:
        return Counts(
            tasks=tasks.count(db, actor, default_view(), now) if actor.can("view_tasks") else 0,
            incidents=incidents.open_count(db, actor) if actor.can("view_incidents") else 0,
            late=sla.breached_count(db, actor, now) if actor.can("view_sla") else 0,
            inbox=inbox.unread_count(db, actor.person_id),
        )


def default_view() -> tasks.View:
    """A member of a crew begins with the work of his crew, everybody else with what nobody has taken yet."""
    return "crew" if g.actor.crew_id else "open"


@pages.app_context_processor
def nav_counts() -> dict[str, Any]:
    return {"nav_counts": NavCounts()}


@pages.get("/")
@allow_login
def home() -> ResponseReturnValue:
    """The first page that the reader may see."""
    for right, endpoint in (
        ("view_tasks", "pages.worklist"),
        ("view_definitions", "pages.definitions"),
        ("view_orders", "pages.orders"),
    ):
        if g.actor.can(right):
            return redirect(url_for(endpoint))
    return redirect(url_for("pages.account"))


@pages.post("/locale")
@allow_anyone
def set_locale() -> ResponseReturnValue:
    """Chooses the language of this browser, and of the person who is logged in."""
    locale = request.form.get("locale", "")
    if locale not in LOCALES:
        raise BadInput(detail="the language is zh_CN or en")
    if not g.by_bearer:
        session["locale"] = locale
    if g.actor is not None and g.actor.locale != locale:
        with services().store.write() as db:
            people.set_locale(db, g.actor.person_id, locale)
    return redirect(safe_next(request.form.get("next")), 303)
