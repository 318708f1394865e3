"""Texts of timer events: ISO 8601 durations and date-times, checked before they are used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition

LONGEST = timedelta(days=3660)
LONGEST_MONTHS = 121
SHORTEST = timedelta(seconds=1)
_LOOKS_LITERAL = re.compile(r"^[+-]?P[\dYMWDTHS.,-]*$|^\d{4}-\d\d-\d\d|^R\d*/", re.IGNORECASE)

_NUMBER = r"\d{1,12}(?:[.,]\d{1,9})?"
_SHAPE = re.compile(rf"P(?:{_NUMBER}[YMWD])*(?:T(?:{_NUMBER}[HMS])+)?", re.IGNORECASE | re.ASCII)


class BadTimer(ValueError):
    """The text is neither a duration nor a date-time with zone."""


def is_literal(text: str) -> bool:
    """Whether the text is meant as ISO 8601, not as an expression."""
    return bool(_LOOKS_LITERAL.match(text))


_CYCLE = re.compile(r"R(\d{0,6})/(?:([^/]+)/)?(P[^/]+)", re.IGNORECASE | re.ASCII)
_CALENDAR = re.compile(r"P[^T]*[YM]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A timer that comes again. `left` counts the times that are still to come, -1: without end."""

    due: datetime
    left: int
    every: str

    def after(self, now: datetime) -> Cycle | None:
        """What follows once it has fired at `now`; None: that was the last. Times missed meanwhile count as gone."""
        gone, at = 1, self.due + duration(self.every, self.due)
        while at <= now and (self.left < 0 or gone < self.left):
            step = duration(self.every, at)
            rounds = 1 if _CALENDAR.match(self.every) else (now - at) // step + 1
            at, gone = at + step * rounds, gone + rounds
        if 0 <= self.left <= gone:
            return None
        return Cycle(at, self.left if self.left < 0 else self.left - gone, self.every)


def cycle(text: str, now: datetime) -> Cycle:
    """`R3/PT10M`, `R/PT1H` or `R3/<date-time>/PT1H`, armed at `now`. Raises `BadTimer`."""
    found = _CYCLE.fullmatch(text)
    if found is None:
        raise BadTimer(f"{text[:60]} is no ISO 8601 repeating interval")
    count, start, every = found.groups()
    length = duration(every, now)
    if count and int(count) == 0:
        raise BadTimer("a cycle of no times never comes")
    if length < SHORTEST:
        raise BadTimer("a cycle is no shorter than a second")
    return Cycle(moment(start) if start else now + length, int(count) if count else -1, every)


def due(text: str, now: datetime) -> datetime:
    """When a timer with this text, armed at `now`, is due. Raises `BadTimer`."""
    return now + duration(text, now) if text[:1] in "Pp" else moment(text)


def duration(text: str, start: datetime) -> timedelta:
    """A calendar duration counted from `start`: P1M is a month of that time of year. Raises `BadTimer`."""
    if not _SHAPE.fullmatch(text):
        raise BadTimer(f"{text[:60]} is no ISO 8601 duration")
    try:
        parts = TimerEventDefinition.parse_iso_duration(text)
        if (
            parts.get("years", 0) * 12 + parts.get("months", 0) > LONGEST_MONTHS
        ):  # the library counts them one by one
            raise BadTimer("the duration is longer than ten years")
        length: timedelta = TimerEventDefinition.get_timedelta_from_start(parts, start)
    except BadTimer:
        raise
    except Exception as e:  # the library raises bare Exception here
        raise BadTimer(f"{text} is no ISO 8601 duration") from e
    if length <= timedelta(0):
        raise BadTimer("the duration is not positive")
    if length > LONGEST:
        raise BadTimer("the duration is longer than ten years")
    return length


def moment(text: str) -> datetime:
    """A date-time with zone. Raises `BadTimer`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise BadTimer(f"{text} is no ISO 8601 date-time") from e
    if at.tzinfo is None:
        raise BadTimer("the date-time has no zone")
    return at.astimezone(UTC)
