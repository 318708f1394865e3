"""How tickets look on the wire. Also read outside requests, by the call-backs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.identity.actor import Actor
from engine.orders.model import ServiceOrder
from engine.tickets.model import TroubleTicket
from web.api.times import stamp

BASE = "/tmf-api/troubleTicket/v4"
_OURS = frozenset(
    {
        "id",
        "href",
        "externalId",
        "creationDate",
        "lastUpdate",
        "description",
        "severity",
        "priority",
        "ticketType",
        "status",
        "statusChange",
        "statusChangeDate",
        "statusChangeReason",
        "expectedResolutionDate",
        "requestedResolutionDate",
        "resolutionDate",
        "note",
        "troubleTicketRelationship",
        "informationRequired",
        "cause",
        "@type",
    }
)
"""Attributes that only we write: what a sender put there is not shown again."""
_RELATIONS = {"merged": "duplicates", "repeat": "repeats", "attached": "dependsOn", "none": "relatesTo"}
_RESTORED = ("resolved", "closed")


def ticket_href(ticket_id: str) -> str:
    """Where a ticket is."""
    return f"{BASE}/troubleTicket/{ticket_id}"


def ticket_resource(
    ticket: TroubleTicket, order: ServiceOrder, actor: Actor, status: str | None = None
) -> dict[str, Any]:
    """A ticket with everything that its sender wrote; without his words for those who may not see customer data."""
    sees_all = actor.can("see_customer_data")
    document = ticket.document if sees_all else {}
    status = status or ticket.status
    restored = ticket.restored_at or order.ended_at
    ours = {
        "id": ticket.id,
        "href": ticket_href(ticket.id),
        "externalId": order.external_id,
        "creationDate": stamp(ticket.created_at),
        "lastUpdate": stamp(ticket.updated_at),
        "description": ticket.description if sees_all else "***",
        "severity": ticket.severity,
        "priority": ticket.priority,
        "ticketType": ticket.ticket_type,
        "status": status,
        "statusChange": [_change(line) for line in ticket.changes],
        "statusChangeDate": stamp(ticket.status_at),
        "statusChangeReason": ticket.status_reason,
        "expectedResolutionDate": stamp(order.expected_at),
        "requestedResolutionDate": stamp(ticket.wished_at),
        "resolutionDate": stamp(restored) if status in _RESTORED else None,
        "note": _notes(order),
        "troubleTicketRelationship": [*_given(document), *_found(ticket)],
        "informationRequired": [q.field for q in order.questions if q.ended_at is None],
        "cause": _cause(ticket),
        "@type": "TroubleTicket",
    }
    theirs = {k: v for k, v in document.items() if k not in _OURS and v is not None}
    return {k: v for k, v in ours.items() if v is not None and v != []} | _referred(theirs)


def _change(line: Mapping[str, str]) -> dict[str, Any]:
    at = stamp(datetime.fromisoformat(line["at"]))
    found = {"status": line["status"], "changeDate": at, "changeReason": line.get("reason")}
    return {k: v for k, v in found.items() if v is not None} | {"@type": "StatusChange"}


def _notes(order: ServiceOrder) -> list[dict[str, Any]]:
    return [
        {"id": str(n.id), "author": n.author, "date": stamp(n.at), "text": n.text, "@type": "Note"}
        for n in order.notes
    ]


def _given(document: Mapping[str, Any]) -> list[Any]:
    return list(document.get("troubleTicketRelationship") or [])


def _found(ticket: TroubleTicket) -> list[dict[str, Any]]:
    """What we found that it belongs to."""
    if ticket.related_id is None or ticket.relation is None:
        return []
    found = {
        "id": ticket.related_id,
        "relationshipType": _RELATIONS[ticket.relation],
        "@type": "TroubleTicketRelationship",
    }
    is_ticket = ticket.related_id.startswith("TT-")
    return [found | {"href": ticket_href(ticket.related_id)} if is_ticket else found]


def _cause(ticket: TroubleTicket) -> dict[str, Any] | None:
    if ticket.cause_code is None:
        return None
    return {"code": ticket.cause_code, "segment": ticket.segment, "owner": ticket.time_owner}


def _referred(theirs: dict[str, Any]) -> dict[str, Any]:
    """References name their type and are known by texts, which many senders leave out and the description demands."""
    filled = {}
    for name, kind in (("relatedEntity", "Service"), ("relatedParty", "Party")):
        if name in theirs:
            filled[name] = [
                {"@referredType": one.get("@type") or kind} | one | {"id": str(one["id"])}
                for one in theirs[name]
            ]
    return theirs | filled
