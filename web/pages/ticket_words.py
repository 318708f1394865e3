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


def fault_states() -> dict[str, str]:
    """States of mass faults, in the order of their life."""
    return {
        "proposed": gettext("proposed"),
        "open": pgettext("mass fault", "open"),
        "restored": gettext("lines are being tested"),
        "closed": pgettext("ticket", "closed"),
        "dismissed": gettext("dismissed"),
        "withdrawn": gettext("withdrawn"),
    }


def origins() -> dict[str, str]:
    """How a mass fault became known."""
    return {"desk": gettext("a person"), "tickets": gettext("many reports"), "alarm": gettext("an alarm")}


def results() -> dict[str, str]:
    """What became of the line of a mass fault."""
    return {
        "waiting": gettext("waiting"),
        "good": gettext("line works"),
        "bad": gettext("still down: left"),
        "left": gettext("taken out"),
        "ended": gettext("withdrawn"),
    }


def _of_fault(level: str, title: str) -> Callable[[Mapping[str, Any], str], Words]:
    """A line about a mass fault; `title` is a key of the catalogues."""
    return lambda data, _step: (
        "order",
        level,
        gettext(title),
        str(data.get("place") or data.get("words") or ""),
    )


def _alarm(level: str, title: str) -> Callable[[Mapping[str, Any], str], Words]:
    return lambda data, _step: (
        "call",
        level,
        gettext(title),
        str(data.get("object") or data.get("result") or ""),
    )


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


def segments() -> Mapping[str, str]:
    """Where a fault was found, as the shipped forms name it."""
    return {
        "drop_cable": gettext("drop cable"),
        "splitter": gettext("splitter or box"),
        "trunk_cable": gettext("trunk cable"),
        "olt": gettext("OLT or port"),
        "terminal": gettext("our terminal"),
        "customer_device": gettext("customer's own device"),
        "config": gettext("configuration"),
        "aaa": gettext("AAA server"),
        "bearer": gettext("bearer network"),
        "power": gettext("power supply"),
        "platform": gettext("service platform"),
        "partner": gettext("partner's network"),
        "account": gettext("account and billing"),
        "not_a_fault": gettext("not a fault"),
        "none": gettext("none found"),
    }


def _explained(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Cause of the fault: %(code)s", code=data.get("cause"))
    found = str(data.get("segment", ""))
    return "order", "ok", title, segments().get(found, found)


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
    "MassFaultProposed": _of_fault("warn", "Mass fault proposed"),
    "MassFaultOpened": _of_fault("warn", "Mass fault opened"),
    "MassFaultDismissed": _of_fault("info", "Proposal dismissed"),
    "MassFaultWithdrawn": _of_fault("warn", "Mass fault withdrawn"),
    "MassFaultTold": _of_fault("info", "All customers were told"),
    "MassFaultRestored": _of_fault("ok", "Cause removed, lines are tested"),
    "MassFaultClosed": _of_fault("ok", "Mass fault closed"),
    "WorkAnnounced": _of_fault("info", "Work announced"),
    "WorkWithdrawn": _of_fault("info", "Work withdrawn"),
    "AlarmRaised": _alarm("warn", "Alarm"),
    "AlarmCleared": _alarm("ok", "Alarm cleared"),
}
