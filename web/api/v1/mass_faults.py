"""Mass faults and planned work: looking, opening, deciding on what was proposed, taking tickets out."""

from __future__ import annotations

from typing import Any

from flask import g, jsonify
from flask.typing import ResponseReturnValue

from engine.tickets import mass_fault_queries as queries
from engine.tickets import mass_faults, planning
from engine.tickets.model import MassFault, MassFaultChild, PlannedWork, TroubleTicket
from web.api.reading import choice, loaded, number, only_parameters, time_cursor
from web.api.times import stamp
from web.api.v1 import fault_shapes as shapes
from web.api.v1.route import Parameter, Route, listing, page_parameters
from web.auth import allow
from web.services import services

_NEW, _WORK = shapes.NewMassFault(), shapes.NewPlannedWork()
STATES = ("current", "proposed", "open", "restored", "closed", "dismissed", "withdrawn", "all")


@allow("view_mass_faults")
def list_mass_faults() -> ResponseReturnValue:
    """Mass faults within sight, newest first."""
    only_parameters("state", "after", "limit")
    state = choice("state", STATES, "current")
    with services().store.read() as session:
        found, following = queries.mass_faults(
            session,
            g.actor,
            state=None if state == "all" else state,
            after=time_cursor(),
            limit=number("limit", 50, least=1, most=200),
        )
        return jsonify(listing([_counted(one) for one in found], following))


@allow("view_mass_faults")
def show_mass_fault(fault_id: str) -> ResponseReturnValue:
    """One mass fault with its tickets."""
    with services().store.read() as session:
        return jsonify(_detail(session, fault_id))


@allow("manage_mass_faults")
def open_mass_fault() -> ResponseReturnValue:
    """Opens one; its process begins, and the open reports of the place join it."""
    me, at, wish = services(), services().clock.now(), loaded(_NEW)
    with me.store.write() as session:
        made = mass_faults.open_at(
            session,
            mass_faults.place_of(session, wish["node"], wish["pon"]),
            me.kernel,
            description=wish["description"],
            at=at,
            zone=me.settings.zone,
            actor=g.actor.login,
        )
        return jsonify(_detail(session, made.id)), 201


@allow("manage_mass_faults")
def confirm_mass_fault(fault_id: str) -> ResponseReturnValue:
    """Opens what was proposed."""
    return _decided(fault_id, confirmed=True)


@allow("manage_mass_faults")
def dismiss_mass_fault(fault_id: str) -> ResponseReturnValue:
    """What was proposed is none."""
    return _decided(fault_id, confirmed=False)


def _decided(fault_id: str, confirmed: bool) -> ResponseReturnValue:
    me, at = services(), services().clock.now()
    with me.store.write() as session:
        queries.mass_fault(session, g.actor, fault_id)
        if confirmed:
            mass_faults.confirm(session, fault_id, me.kernel, at=at, actor=g.actor.login)
        else:
            mass_faults.dismiss(session, fault_id, at=at, actor=g.actor.login)
        return jsonify(_detail(session, fault_id))


@allow("manage_mass_faults")
def withdraw_mass_fault(fault_id: str) -> ResponseReturnValue:
    """It was opened by mistake: its tickets go their own ways again."""
    me = services()
    with me.store.write() as session:
        queries.mass_fault(session, g.actor, fault_id)
        mass_faults.withdraw(session, fault_id, me.kernel, at=me.clock.now(), actor=g.actor.login)
        return jsonify(_detail(session, fault_id))


@allow("manage_mass_faults")
def take_ticket_out(fault_id: str, ticket_id: str) -> ResponseReturnValue:
    """A ticket leaves its mass fault and is handled on its own."""
    me = services()
    with me.store.write() as session:
        queries.mass_fault(session, g.actor, fault_id)
        mass_faults.let_go(session, fault_id, ticket_id, at=me.clock.now())
    return "", 204


@allow("view_mass_faults")
def list_planned_work() -> ResponseReturnValue:
    """Announced work that has not ended, the next first."""
    only_parameters()
    with services().store.read() as session:
        found = planning.works(session, services().clock.now())
        return jsonify(listing([_work(one) for one in found], None))


@allow("manage_mass_faults")
def announce_planned_work() -> ResponseReturnValue:
    """Announces work: reports of its lines within the window are answered, not dispatched."""
    me, wish = services(), loaded(_WORK)
    with me.store.write() as session:
        made = planning.announce_work(
            session,
            mass_faults.place_of(session, wish["node"], wish["pon"]),
            wish["description"],
            (wish["opens"], wish["closes"]),
            at=me.clock.now(),
            zone=me.settings.zone,
            actor=g.actor.login,
        )
        return jsonify(_work(made)), 201


@allow("manage_mass_faults")
def withdraw_planned_work(work_id: str) -> ResponseReturnValue:
    """The work does not take place."""
    me = services()
    with me.store.write() as session:
        gone = planning.withdraw_work(session, work_id, at=me.clock.now(), actor=g.actor.login)
        return jsonify(_work(gone))


def _detail(session: Any, fault_id: str) -> dict[str, Any]:
    found, children = queries.mass_fault(session, g.actor, fault_id)
    return _counted(found) | {"tickets": [_ticket(child, ticket) for child, ticket in children]}


def _counted(found: queries.Counted) -> dict[str, Any]:
    return _json(found.fault) | {"children": dict(found.children)}


def _json(fault: MassFault) -> dict[str, Any]:
    words = ("id", "state", "node", "pon", "area", "origin", "description", "told", "cause_code", "segment")
    times = ("expected_at", "proposed_at", "opened_at", "restored_at", "ended_at")
    return {name: getattr(fault, name) for name in words} | {n: stamp(getattr(fault, n)) for n in times}


def _ticket(child: MassFaultChild, ticket: TroubleTicket) -> dict[str, Any]:
    return {
        "ticket": ticket.id,
        "line": ticket.line,
        "status": ticket.status,
        "result": child.result,
        "joined_at": stamp(child.joined_at),
        "tested_at": stamp(child.tested_at),
    }


def _work(work: PlannedWork) -> dict[str, Any]:
    return {name: getattr(work, name) for name in ("id", "state", "node", "pon", "description")} | {
        "from": stamp(work.from_at),
        "until": stamp(work.until_at),
    }


ROUTES = (
    Route(
        "GET",
        "/mass-faults",
        list_mass_faults,
        shapes.MassFaultList,
        parameters=page_parameters(
            Parameter("state", "current (proposed, open, restored), one state, or all", one_of=STATES)
        ),
    ),
    Route("POST", "/mass-faults", open_mass_fault, shapes.MassFaultDetail, shapes.NewMassFault, status=201),
    Route("GET", "/mass-faults/<fault_id>", show_mass_fault, shapes.MassFaultDetail),
    Route("POST", "/mass-faults/<fault_id>/confirm", confirm_mass_fault, shapes.MassFaultDetail),
    Route("POST", "/mass-faults/<fault_id>/dismiss", dismiss_mass_fault, shapes.MassFaultDetail),
    Route("POST", "/mass-faults/<fault_id>/withdraw", withdraw_mass_fault, shapes.MassFaultDetail),
    Route("DELETE", "/mass-faults/<fault_id>/tickets/<ticket_id>", take_ticket_out, None, status=204),
    Route("GET", "/planned-works", list_planned_work, shapes.PlannedWorkList),
    Route(
        "POST", "/planned-works", announce_planned_work, shapes.PlannedWork, shapes.NewPlannedWork, status=201
    ),
    Route("POST", "/planned-works/<work_id>/withdraw", withdraw_planned_work, shapes.PlannedWork),
)
