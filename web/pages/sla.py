"""Time limits: what is at risk and what is past its limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.resources.queries import area_names
from sla import queries
from tasks import queries as tasks
from web.auth import allow
from web.pages import words
from web.pages.blueprint import pages
from web.services import services

PAGE = 50


@pages.get("/time-limits")
@allow("view_sla")
def sla() -> ResponseReturnValue:
    """One of two lists, soonest limit first."""
    me, now = services(), services().clock.now()
    tab = "breached" if request.args.get("tab") == "breached" else "risk"
    read = queries.breached if tab == "breached" else queries.at_risk
    with me.store.read() as db:
        page = read(db, g.actor, now, request.args.get("after") or None, PAGE)
        sizes = queries.totals(db, g.actor, now)
        running = queries.running_count(db, g.actor)
        holders, areas = _holders(db, page), area_names(db)
    return render_template(
        "sla.html",
        tab=tab,
        tabs=_tabs(sizes),
        rows=[_row(clock, holders, areas) for clock in page.items],
        totals={"open": running, "risk": sizes.at_risk, "breached": sizes.breached},
        next_url=url_for("pages.sla", tab=tab, after=page.next) if page.next else None,
    )


def _tabs(sizes: queries.Totals) -> list[dict[str, Any]]:
    labels = (
        ("risk", gettext("At risk"), sizes.at_risk),
        ("breached", gettext("Overdue"), sizes.breached),
    )
    return [
        {"key": key, "label": label, "count": count, "url": url_for("pages.sla", tab=key)}
        for key, label, count in labels
    ]


def _row(
    clock: queries.ClockRow, holders: Mapping[tuple[str, str | None], str], areas: Mapping[str, words.Pair]
) -> dict[str, Any]:
    return {
        "order": clock.order,
        "order_url": url_for("pages.order", order_id=clock.order),
        "subject": clock.subject,
        "name": words.say(clock.label, clock.label_en),
        "due_at": clock.due_at,
        "percent": clock.percent_used,
        "level": clock.level,
        "holder": holders.get((clock.order, clock.element), ""),
        "area": words.named(areas, clock.area),
    }


def _holders(db: Any, page: queries.ClockPage) -> dict[tuple[str, str | None], str]:
    """Who has the ball, by order and element; under the element None for the order as a whole."""
    found = tasks.open_tasks_of(db, {clock.order for clock in page.items})
    people, crews = tasks.names(db, found)
    holders: dict[tuple[str, str | None], str] = {}
    for task in found:
        who = (
            people.get(task.assignee_id, "")
            if task.assignee_id is not None
            else words.named(crews, task.crew_id)
        )
        holders.setdefault((task.business_key, task.element), who)
        holders.setdefault((task.business_key, None), who)
    return holders
