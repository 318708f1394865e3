"""What was done with an order on its way, in words: lines of the timeline and messages to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import gettext

from web.i18n import local_time
from web.pages import words

Words = tuple[str, str, str, str]  # kind, level, title, detail
Teller = Callable[[Mapping[str, Any], str], Words]


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.extensions["kaitong"].settings.zone
    return zone


def _moment(text: Any, zone: ZoneInfo) -> str:
    try:
        return local_time(datetime.fromisoformat(str(text)).astimezone(UTC), zone)
    except ValueError:
        return ""


def _urged(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Urge %(number)s", number=data.get("number"))
    if int(data.get("times") or 1) > 1:
        title = f"{title} · {gettext('%(times)s times', times=data['times'])}"
    return "note", "warn", title, str(data.get("text") or "")


def _answered(data: Mapping[str, Any], _step: str) -> Words:
    when = _moment(data.get("promised"), _zone())
    title = gettext("Urge %(number)s answered: done by %(time)s", number=data.get("number"), time=when)
    return "note", "ok", title, str(data.get("text") or "")


def _escalated(data: Mapping[str, Any], _step: str) -> Words:
    if data.get("why") == "third":
        title = gettext("Urge %(number)s: the supervisor is told at once", number=data.get("number"))
    else:
        title = gettext("Urge %(number)s was not answered: the supervisor is told", number=data.get("number"))
    return "clock", "error", title, ""


def _broken(data: Mapping[str, Any], _step: str) -> Words:
    when = _moment(data.get("promised"), _zone())
    title = gettext("What was promised for %(time)s has not come", time=when)
    return "clock", "error", title, gettext("the supervisor is told")


def _names(data: Mapping[str, Any]) -> str:
    return ", ".join(words.order_fact(str(name)) for name in data.get("names") or ())


def _amended(data: Mapping[str, Any], _step: str) -> Words:
    if data.get("how") in ("redo", "pending"):
        title = gettext("Amended, version %(version)s: undone, to begin again", version=data.get("version"))
        return "order", "warn", title, _names(data)
    if data.get("how") == "process":
        title = gettext("Amended, version %(version)s: the process decides", version=data.get("version"))
        return "order", "warn", title, _names(data)
    title = gettext("Amended, version %(version)s: changed in place", version=data.get("version"))
    return "order", "info", title, _names(data)


def _restarted(data: Mapping[str, Any], _step: str) -> Words:
    return "order", "info", gettext("Item %(item)s begins again", item=data.get("item")), ""


def _not_amended(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("The amendment was not approved: the order goes on as before")
    return "order", "warn", title, str(data.get("message") or "")


TELLERS: Mapping[str, Teller] = {
    "OrderUrged": _urged,
    "UrgeAnswered": _answered,
    "UrgeEscalated": _escalated,
    "PromiseBroken": _broken,
    "OrderAmended": _amended,
    "ItemRestarted": _restarted,
    "AmendmentRefused": _not_amended,
}


# ---- messages: title and body

Message = Callable[[Mapping[str, Any], ZoneInfo], str]


def _asked_message(facts: Mapping[str, Any], zone: ZoneInfo) -> str:
    return gettext(
        "%(order)s is urged: answer by %(time)s",
        order=facts.get("order"),
        time=_moment(facts.get("answer_by"), zone),
    )


def _answered_message(facts: Mapping[str, Any], zone: ZoneInfo) -> str:
    return gettext(
        "%(order)s: done by %(time)s is promised",
        order=facts.get("order"),
        time=_moment(facts.get("promised"), zone),
    )


def _unanswered_message(facts: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return gettext("%(order)s: nobody has answered the urge", order=facts.get("order"))


def _third_message(facts: Mapping[str, Any], _zone: ZoneInfo) -> str:
    return gettext(
        "%(order)s is urged for the %(number)s. time", order=facts.get("order"), number=facts.get("number")
    )


def _broken_message(facts: Mapping[str, Any], zone: ZoneInfo) -> str:
    return gettext(
        "%(order)s: what was promised for %(time)s has not come",
        order=facts.get("order"),
        time=_moment(facts.get("promised"), zone),
    )


def _amended_message(facts: Mapping[str, Any], _zone: ZoneInfo) -> str:
    if facts.get("how") == "redo":
        return gettext("%(order)s is amended: stop, it begins again", order=facts.get("order"))
    return gettext("%(order)s is amended", order=facts.get("order"))


MESSAGES: Mapping[str, Message] = {
    "urge.asked": _asked_message,
    "urge.answered": _answered_message,
    "urge.unanswered": _unanswered_message,
    "urge.third": _third_message,
    "urge.broken": _broken_message,
    "order.amended": _amended_message,
}


def told(kind: str, facts: Mapping[str, Any], zone: ZoneInfo) -> tuple[str, str]:
    """Title and body of a message whose kind is one of `MESSAGES`."""
    return MESSAGES[kind](facts, zone), str(facts.get("text") or _names(facts))
