"""troubleTicket: report, list, look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.identity.actor import SYSTEM
from engine.orders.intake import DuplicateOrder, FieldError
from engine.orders.replay import keep_answer, take_key
from engine.tickets import queries
from engine.tickets.intake import ReportFault, report_fault
from engine.tickets.model import TroubleTicket
from tasks.columns import TASK_COLUMNS
from web.api.reading import json_object, moment, only_parameters, text, time_cursor
from web.api.tmf621.blueprint import blueprint
from web.api.tmf621.resources import ticket_resource
from web.api.tmf621.schemas import CREATE
from web.api.tmf641.blueprint import created, many, one, page
from web.api.tmf641.orders import add_notes, digest, idempotency_key
from web.api.tmf641.paths import load
from web.auth import allow
from web.services import services

FILTERS = {
    "id": "id",
    "status": "status",
    "externalId": "external_id",
    "ticketType": "ticket_type",
    "severity": "severity",
    "priority": "priority",
    "creationDate": "created_at",
    "relatedEntity.id": "line",
}
LINE = "line"
_WIRE = {"customer": "customerName", "line": "relatedEntity"}
"""Where the sender wrote what the engine names otherwise."""


@blueprint.post("/troubleTicket")
@allow("place_order")
def report_ticket() -> ResponseReturnValue:
    """Takes a fault report in. The same Idempotency-Key with the same body gets the first answer again."""
    me, at = services(), services().clock.now()
    body = json_object()
    read = load(CREATE, body)
    report = _report(read, body)
    key = idempotency_key()
    with _explained(report), me.store.write() as session:
        known = take_key(session, report.source, key, digest(), at) if key else None
        if known is not None and known.status:
            return created(known.body, known.status, {"Idempotent-Replay": "true"})
        ticket = report_fault(
            session,
            report,
            me.kernel,
            me.order_listeners,
            at=at,
            zone=me.settings.zone,
            actor=g.actor.login,
        )
        resource = _with_notes(session, ticket, read["note"])
        if known is not None:
            keep_answer(known, 201, resource)
    return created(resource)


def _with_notes(session: Any, ticket: TroubleTicket, notes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    _, order = queries.get_ticket(session, SYSTEM, ticket.id, TASK_COLUMNS)
    add_notes(session, order, notes, ticket.created_at)
    return ticket_resource(ticket, order, g.actor)


def _report(read: Mapping[str, Any], body: Mapping[str, Any]) -> ReportFault:
    return ReportFault(
        source=g.actor.login,
        external_id=read.get("external_id"),
        line=_line(read["related_entity"]),
        ticket_type=read["ticket_type"],
        severity=read["severity"],
        description=read["description"],
        origin="crm" if "CRM" in g.actor.roles else "desk",
        symptom=read.get("symptom"),
        priority=read.get("priority"),
        phone=read.get("contact_phone"),
        wished_window=read.get("wished_window"),
        wished_at=read.get("requested_resolution_date"),
        product=read.get("product"),
        area=read.get("area"),
        address=read.get("address"),
        customer=read.get("customer_name"),
        tier=read.get("tier"),
        document=body,
    )


def _line(entities: Sequence[Mapping[str, Any]]) -> str:
    """What the report is about: the entity in the role of the line, else the only one."""
    named = [e for e in entities if e["role"].lower() == LINE] or list(entities)
    if len(named) > 1:
        raise FieldError(field="relatedEntity", detail=gettext("exactly one has the role line"))
    return str(named[0]["id"])


@contextmanager
def _explained(report: ReportFault) -> Iterator[None]:
    """Refusals name the place on the wire, and the ticket that was there first."""
    try:
        yield
    except FieldError as e:
        field, detail = str(e.facts["field"]), e.facts["detail"]
        if field == LINE:
            detail = gettext(
                "none of our orders built the line %(line)s; then product, area, address and customerName are needed",
                line=report.line,
            )
        if field.startswith("serviceOrderItem"):
            field, detail = "product", gettext("%(product)s is no product of ours", product=report.product)
        raise FieldError(field=_WIRE.get(field, field), detail=detail) from e
    except DuplicateOrder as e:
        where = {"source": report.source, "external_id": report.external_id or ""}
        with services().store.read() as session:
            found = queries.tickets(
                session, SYSTEM, TASK_COLUMNS, where=where, after=None, offset=0, limit=1
            ).tickets
        raise DuplicateOrder(**(e.facts | {"order": found[0][0].id if found else e.facts["order"]})) from e


@blueprint.get("/troubleTicket")
@allow("view_orders")
def list_tickets() -> ResponseReturnValue:
    """A page of the tickets that the caller may see, newest first."""
    where, after = _where(), time_cursor()
    offset, limit = page()
    with services().store.read() as session:
        found = queries.tickets(
            session, g.actor, TASK_COLUMNS, where=where, after=after, offset=offset, limit=limit
        )
        resources = [ticket_resource(ticket, order, g.actor) for ticket, order in found.tickets]
    return many(resources, found.total, {"X-Next-After": found.after} if found.after else None)


def _where() -> dict[str, Any]:
    only_parameters(*FILTERS, "fields", "offset", "limit", "after")
    found: dict[str, Any] = {
        name: (text(name, 200) or "").strip('"') for name in FILTERS if name in request.args
    }
    if "creationDate" in found:
        found["creationDate"] = moment("creationDate", found["creationDate"])
    return {FILTERS[name]: value for name, value in found.items()}


@blueprint.get("/troubleTicket/<ticket_id>")
@allow("view_orders")
def show_ticket(ticket_id: str) -> ResponseReturnValue:
    """One ticket."""
    with services().store.read() as session:
        ticket, order = queries.get_ticket(session, g.actor, ticket_id, TASK_COLUMNS)
        return one(ticket_resource(ticket, order, g.actor))
