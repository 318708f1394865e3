"""What happened to a trouble ticket, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext, pgettext

Words = tuple[str, str, str, str]  # kind, level, title, detail


def statuses() -> dict[str, str]:
    """Statuses of tickets, in the order of their life."""
    return {
        "acknowledged": gettext("acknowledged"),
        "inProgress": gettext("in progress"),
        "pending": gettext("pending"),
        "held": gettext("held up"),
        "resolved": pgettext("ticket", "resolved"),
        "closed": pgettext("ticket", "closed"),
        "cancelled": pgettext("order", "cancelled"),
        "rejected": gettext("rejected"),
    }


def relations() -> dict[str, str]:
    """What correlating finds."""
    return {
        "none": gettext("A fault of its own"),
        "merged": gettext("The line has an open report"),
        "attached": gettext("Belongs to a mass fault or planned work"),
        "repeat": gettext("The same line again within 7 days"),
    }


def _reported(data: Mapping[str, Any], _step: str) -> Words:
    return "order", "info", gettext("Fault reported"), str(data.get("line", ""))


def _status(data: Mapping[str, Any], _step: str) -> Words:
    after = str(data.get("after"))
    level = {"resolved": "ok", "closed": "ok", "held": "warn", "pending": "warn"}.get(after, "info")
    return "order", level, gettext("Ticket: %(status)s", status=statuses().get(after, after)), ""


def _correlated(data: Mapping[str, Any], _step: str) -> Words:
    relation = str(data.get("relation"))
    level = "info" if relation == "none" else "warn"
    return "step", level, relations().get(relation, relation), str(data.get("related") or "")


def _urged(data: Mapping[str, Any], _step: str) -> Words:
    return "note", "warn", gettext("Reported again"), str(data.get("by", ""))


def _changed(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Changed by its sender: %(name)s", name=data.get("attribute"))
    return "order", "info", title, str(data.get("after") or "")


def _explained(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Cause of the fault: %(code)s", code=data.get("cause"))
    return "order", "ok", title, str(data.get("segment", ""))


def _joined(data: Mapping[str, Any], _step: str) -> Words:
    return "order", "warn", gettext("Joined a mass fault"), str(data.get("mass_fault", ""))


def _left(data: Mapping[str, Any], _step: str) -> Words:
    return "order", "warn", gettext("Left the mass fault"), str(data.get("mass_fault", ""))


TELLERS: Mapping[str, Callable[[Mapping[str, Any], str], Words]] = {
    "TicketReported": _reported,
    "TicketStatusChanged": _status,
    "TicketCorrelated": _correlated,
    "TicketUrged": _urged,
    "TicketChanged": _changed,
    "TicketExplained": _explained,
    "TicketJoined": _joined,
    "TicketLeft": _left,
}
