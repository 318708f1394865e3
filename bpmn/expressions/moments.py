"""Times, dates and durations of the language: `datetime`, `date`, `timedelta`, `duration`, `now` and their methods.

A time that is written without a zone means UTC, so that everything which scripts build can be compared.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bpmn.expressions.errors import Fault, shown
from bpmn.expressions.formatting import moment_text
from bpmn.expressions.limits import type_name
from bpmn.expressions.runtime import Builtin, Run

_NUMBER = r"(\d{1,9}(?:[.,]\d{1,6})?)"
_DURATION = re.compile(
    rf"(?P<sign>[+-]?)P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_SPANS = (*_UNITS, "milliseconds", "microseconds")
_MAX_TEXT = 60


def duration_of(run: Run, text: Any) -> timedelta:
    """`duration("PT4H")`: weeks, days, hours, minutes and seconds; years and months have no fixed length."""
    if type(text) is timedelta:
        return text
    match = _DURATION.fullmatch(text.strip()) if _is_short(text) else None
    if match is None or not any(match.groups()[1:]):
        raise Fault("bad_duration", text=shown(text))
    amounts = (float(group.replace(",", ".")) if group else 0.0 for group in match.groups()[1:])
    span = timedelta(**dict(zip(_UNITS, amounts, strict=True)))
    return -span if match["sign"] == "-" else span


def datetime_of(run: Run, *parts: Any) -> datetime:
    """`datetime("2026-01-31T08:00:00Z")` or `datetime(2026, 1, 31, 8)`."""
    if len(parts) > 1:
        return datetime(*_whole(parts, "datetime"), tzinfo=UTC)  # type: ignore[misc]
    value = parts[0]
    if type(value) is date:
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif type(value) is not datetime:
        value = _read(datetime, value)
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def date_of(run: Run, *parts: Any) -> date:
    """`date("2026-01-31")`, `date(2026, 1, 31)`, or the day of a time."""
    if len(parts) > 1:
        return date(*_whole(parts, "date"))
    value = parts[0]
    if type(value) is datetime:
        return value.date()
    return value if type(value) is date else _read(datetime, value).date()


def timedelta_of(run: Run, *parts: Any, **spans: Any) -> timedelta:
    """`timedelta(hours=4)`; one plain argument means days."""
    for amount in (*parts, *spans.values()):
        if type(amount) not in (int, float):
            raise Fault("type", operation="timedelta()", type=type_name(amount))
    return timedelta(*parts, **spans)


def _read(kind: type[datetime], text: Any) -> datetime:
    if not _is_short(text):
        raise Fault("bad_moment", text=shown(text))
    try:
        return kind.fromisoformat(text.strip())
    except ValueError:
        raise Fault("bad_moment", text=shown(text)) from None


def _is_short(text: Any) -> bool:
    return type(text) is str and len(text) <= _MAX_TEXT


def _whole(parts: tuple[Any, ...], function: str) -> tuple[Any, ...]:
    if any(type(part) is not int for part in parts):
        raise Fault("arguments", function=function)
    return parts


BUILTINS = (
    Builtin("now", lambda run: run.now),
    Builtin("duration", duration_of, 1),
    Builtin("datetime", datetime_of, 1, 7),
    Builtin("date", date_of, 1, 3),
    Builtin("timedelta", timedelta_of, 0, 1, _SPANS),
)


def _strftime(run: Run, value: date, spec: Any) -> str:
    if type(spec) is not str:
        raise Fault("arguments", function="strftime")
    return moment_text(value, spec)


def _timestamp(run: Run, value: datetime) -> float:
    if value.tzinfo is None:
        raise Fault("no_zone")  # Python would take the zone of the machine
    return value.timestamp()


def _replace(run: Run, value: Any, **parts: Any) -> Any:
    _whole(tuple(parts.values()), "replace")
    return value.replace(**parts)


_DATE_METHODS = (
    Builtin("isoformat", lambda run, value: value.isoformat()),
    Builtin("weekday", lambda run, value: value.weekday()),
    Builtin("isoweekday", lambda run, value: value.isoweekday()),
    Builtin("strftime", _strftime, 1),
)
METHODS: dict[type, tuple[Builtin, ...]] = {
    date: (*_DATE_METHODS, Builtin("replace", _replace, keywords=("year", "month", "day"))),
    datetime: (
        *_DATE_METHODS,
        Builtin("date", lambda run, value: value.date()),
        Builtin("timestamp", _timestamp),
        Builtin(
            "replace",
            _replace,
            keywords=("year", "month", "day", "hour", "minute", "second", "microsecond"),
        ),
    ),
    timedelta: (Builtin("total_seconds", lambda run, value: value.total_seconds()),),
}
_DATE_FIELDS = ("year", "month", "day")
FIELDS: dict[type, frozenset[str]] = {
    date: frozenset(_DATE_FIELDS),
    datetime: frozenset((*_DATE_FIELDS, "hour", "minute", "second", "microsecond")),
    timedelta: frozenset(("days", "seconds", "microseconds")),
}
