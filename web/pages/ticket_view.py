"""What the page of an order says of the trouble ticket beside it: its line, how far it is, and what it belongs to."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from flask_babel import gettext

from engine.tickets.queries import find_ticket
from web.pages import ticket_words


def ticket_facts(db: Any, order_id: str) -> list[dict[str, Any]]:
    """Label, text, a line below it, and an address; none for an order that is no report."""
    ticket = find_ticket(db, order_id) if order_id.startswith("TT-") else None
    if ticket is None:
        return []
    status = ticket_words.statuses().get(ticket.status, ticket.status)
    place = " ".join(part for part in (ticket.node, ticket.port or ticket.pon) if part)
    facts: list[dict[str, Any]] = [
        {"label": gettext("Customer's line"), "text": ticket.line, "below": place},
        {"label": gettext("Ticket"), "text": status, "below": ticket.cause_code or ""},
    ]
    if ticket.related_id is not None:
        relation = ticket_words.relations().get(str(ticket.relation), "")
        url = _address(ticket.related_id)
        facts.append(
            {"label": gettext("Belongs to"), "text": ticket.related_id, "below": relation, "url": url}
        )
    return facts


def _address(number: str) -> str | None:
    if number.startswith("GF-"):
        can = g.actor.can("view_mass_faults")
        return url_for("pages.mass_fault", fault_id=number) if can else None
    return None if number.startswith("PW-") else url_for("pages.order", order_id=number)
