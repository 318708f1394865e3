"""Events of partner orders in words, for the timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext

Words = tuple[str, str, str, str]  # kind, level, title, detail
_STATES: Mapping[str, Callable[[], str]] = {
    "received": lambda: gettext("received by the partner"),
    "accepted": lambda: gettext("accepted by the partner"),
    "appointed": lambda: gettext("appointment made"),
    "on_site": lambda: gettext("partner on site"),
    "done": lambda: gettext("work done by the partner"),
    "refused": lambda: gettext("refused by the partner"),
    "stopped": lambda: gettext("stopped by the partner"),
    "confirmed": lambda: gettext("proof accepted"),
    "sent_back": lambda: gettext("sent back to the partner"),
}
_OUTCOMES: Mapping[str, Callable[[], str]] = {
    "confirmed": lambda: gettext("the partner has stopped"),
    "pending": lambda: gettext("the partner will answer later"),
    "late": lambda: gettext("too late, the work is done"),
}


def _state(word: Any) -> str:
    return _STATES[word]() if word in _STATES else str(word)


def _order(data: Mapping[str, Any], *more: Any) -> str:
    return " · ".join(str(part) for part in (data.get("partner"), data.get("partner_order"), *more) if part)


def _opened(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("Partner order made"), _order(data)


def _sent(data: Mapping[str, Any], _step: str) -> Words:
    return "call", "ok", gettext("Sent to the partner"), _order(data, data.get("partner_number"))


def _reported(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Partner order: %(state)s", state=_state(data.get("after")))
    level = "warn" if data.get("after") in ("refused", "stopped") else "info"
    return "call", level, title, _order(data, data.get("code"))


def _late(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("A message of the partner came late: %(state)s", state=_state(data.get("reported")))
    return "call", "info", title, _order(data)


def _stopped(data: Mapping[str, Any], _step: str) -> Words:
    outcome = str(data.get("outcome"))
    said = _OUTCOMES[outcome]() if outcome in _OUTCOMES else outcome
    return "call", "warn", gettext("The partner was asked to stop: %(said)s", said=said), _order(data)


def _checked(data: Mapping[str, Any], _step: str) -> Words:
    title = gettext("Partner order: %(state)s", state=_state(data.get("after")))
    return "step", "info", title, _order(data, data.get("reason"))


def _differs(data: Mapping[str, Any], _step: str) -> Words:
    here, there = (_state(data[side]) if data.get(side) else "–" for side in ("ours", "theirs"))
    title = gettext(
        "The partner knows this order otherwise: here %(here)s, there %(there)s", here=here, there=there
    )
    return "call", "warn", title, _order(data)


def _compared(data: Mapping[str, Any], _step: str) -> Words:
    count = data.get("differences")
    title = gettext("Open orders compared with the partner: %(count)s differences", count=count)
    return "call", "info", title, _order(data)


TELLERS: Mapping[str, Callable[[Mapping[str, Any], str], Words]] = {
    "PartnerOrderOpened": _opened,
    "PartnerOrderSent": _sent,
    "PartnerReported": _reported,
    "PartnerReportedLate": _late,
    "PartnerOrderStopped": _stopped,
    "PartnerOrderChecked": _checked,
    "PartnerOrderDiffers": _differs,
    "PartnerOrdersCompared": _compared,
}
