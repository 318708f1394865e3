"""Mass faults: what was proposed and what is open, opening one, and one with its tickets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import BadInput, KaitongError, NotFound
from engine.resources.queries import area_names, nodes
from engine.tickets import mass_fault_queries as queries
from engine.tickets import mass_faults as commands
from engine.tickets import planning
from engine.tickets.model import MassFaultChild, PlannedWork, TroubleTicket
from tasks import queries as tasks
from web.auth import allow
from web.pages import ticket_words, words
from web.pages.blueprint import pages
from web.pages.refusals import flash_error
from web.services import services

PAGE = 50
_TABS = ("current", "all")
_LONGEST = 500


@pages.get("/mass-faults")
@allow("view_mass_faults")
def mass_faults() -> ResponseReturnValue:
    """Those that are going on, or all; with the work that is announced."""
    tab = "all" if request.args.get("tab") == "all" else "current"
    after = request.args.get("after") or None
    with services().store.read() as db:
        state = None if tab == "all" else tab
        found, following = queries.mass_faults(db, g.actor, state=state, after=after, limit=PAGE)
        areas = area_names(db)
        rows = [_row(one, areas) for one in found]
        works = planning.works(db, services().clock.now())
        devices = [node.id for node in nodes(db) if node.kind == "OLT"]
    return render_template(
        "mass_faults.html",
        tab=tab,
        tabs=[
            {"key": key, "label": _tab(key), "url": url_for("pages.mass_faults", tab=key)} for key in _TABS
        ],
        rows=rows,
        works=[
            {"id": w.id, "place": _place(w), "text": w.description, "from": w.from_at, "until": w.until_at}
            for w in works
        ],
        nodes=devices,
        can_manage=g.actor.can("manage_mass_faults"),
        next_url=url_for("pages.mass_faults", tab=tab, after=following) if following else None,
    )


@pages.get("/mass-faults/<fault_id>")
@allow("view_mass_faults")
def mass_fault(fault_id: str) -> ResponseReturnValue:
    """One, with its tickets and what is open for it."""
    with services().store.read() as db:
        found, children = queries.mass_fault(db, g.actor, fault_id)
        row = _row(found, area_names(db))
        open_tasks = [
            {"name": words.say(t.name, t.name_en), "url": url_for("pages.task", task_id=t.id)}
            for t in tasks.open_tasks_of(db, {fault_id})
        ]
        tickets = [_ticket(child, ticket) for child, ticket in children]
    fault = found.fault
    facts = {n: getattr(fault, n) for n in ("description", "told", "expected_at", "cause_code", "segment")}
    times = {n: getattr(fault, n) for n in ("proposed_at", "opened_at", "restored_at", "ended_at")}
    return render_template(
        "mass_fault.html",
        fault=row | facts | times,
        tickets=tickets,
        tasks=open_tasks if g.actor.can("view_tasks") else [],
        can_manage=g.actor.can("manage_mass_faults"),
    )


@pages.post("/mass-faults")
@allow("manage_mass_faults")
def open_mass_fault_page() -> ResponseReturnValue:
    """Opens one for a device, or for a PON of it."""
    me, given = services(), request.form
    text = given.get("description", "").strip()
    try:
        if not text or len(text) > _LONGEST:
            raise BadInput(detail=gettext("say in 1 to %(most)s characters what is known", most=_LONGEST))
        with me.store.write() as db:
            made = commands.open_at(
                db,
                commands.place_of(db, given.get("node", ""), given.get("pon", "").strip()),
                me.kernel,
                description=text,
                at=me.clock.now(),
                zone=me.settings.zone,
                actor=g.actor.login,
            ).id
    except KaitongError as refusal:
        flash_error(refusal)
        return redirect(url_for("pages.mass_faults"), 303)
    flash(gettext("Mass fault %(number)s is open.", number=made), "success")
    return redirect(url_for("pages.mass_fault", fault_id=made), 303)


@pages.post("/mass-faults/<fault_id>/<any(confirm, dismiss, withdraw):what>")
@allow("manage_mass_faults")
def decide_mass_fault(fault_id: str, what: str) -> ResponseReturnValue:
    """A person decides on what was proposed, or takes back what was opened."""
    me = services()
    at, actor = me.clock.now(), g.actor.login
    decisions: Mapping[str, Callable[[Any], Any]] = {
        "confirm": lambda db: commands.confirm(db, fault_id, me.kernel, at=at, actor=actor),
        "dismiss": lambda db: commands.dismiss(db, fault_id, at=at, actor=actor),
        "withdraw": lambda db: commands.withdraw(db, fault_id, me.kernel, at=at, actor=actor),
    }
    return _done(fault_id, decisions[what], _said(what))


@pages.post("/mass-faults/<fault_id>/tickets/<ticket_id>/leave")
@allow("manage_mass_faults")
def take_ticket_out_page(fault_id: str, ticket_id: str) -> ResponseReturnValue:
    """A ticket goes its own way."""
    at = services().clock.now()
    told = gettext("%(ticket)s leaves the mass fault.", ticket=ticket_id)
    return _done(fault_id, lambda db: commands.let_go(db, fault_id, ticket_id, at=at), told)


def _done(fault_id: str, decide: Callable[[Any], Any], told: str) -> ResponseReturnValue:
    try:
        with services().store.write() as db:
            queries.mass_fault(db, g.actor, fault_id)
            decide(db)
        flash(told, "success")
    except NotFound:
        raise
    except KaitongError as refusal:
        flash_error(refusal)
    return redirect(url_for("pages.mass_fault", fault_id=fault_id), 303)


def _said(what: str) -> str:
    return {
        "confirm": gettext("The mass fault is open; reports of its lines join it."),
        "dismiss": gettext("The proposal was dismissed."),
        "withdraw": gettext("The mass fault was withdrawn; its tickets go their own ways."),
    }[what]


def _tab(key: str) -> str:
    return gettext("Going on") if key == "current" else gettext("All")


def _row(found: queries.Counted, areas: Mapping[str, words.Pair]) -> dict[str, Any]:
    fault = found.fault
    return {
        "id": fault.id,
        "url": url_for("pages.mass_fault", fault_id=fault.id),
        "state": fault.state,
        "state_label": ticket_words.fault_states().get(fault.state, fault.state),
        "place": _place(fault),
        "area": words.named(areas, fault.area),
        "origin": ticket_words.origins().get(fault.origin, fault.origin),
        "since": fault.opened_at or fault.proposed_at,
        "expected_at": fault.expected_at,
        "total": found.total,
        "waiting": found.children.get("waiting", 0),
        "good": found.children.get("good", 0),
        "bad": found.children.get("bad", 0),
    }


def _work(work: PlannedWork) -> dict[str, Any]:
    return {
        "id": work.id,
        "place": _place(work),
        "text": work.description,
        "from": work.from_at,
        "until": work.until_at,
    }


def _place(one: Any) -> str:
    return f"{one.node} {one.pon}".strip()


def _ticket(child: MassFaultChild, ticket: TroubleTicket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "url": url_for("pages.order", order_id=ticket.id) if g.actor.can("view_orders") else None,
        "line": ticket.line,
        "status": ticket.status,
        "status_label": ticket_words.statuses().get(ticket.status, ticket.status),
        "result": child.result,
        "result_label": ticket_words.results().get(child.result, child.result),
        "joined_at": child.joined_at,
        "can_leave": child.result == "waiting",
    }
