"""Turning values into text: `str()`, f-strings and their format specifications, `strftime`.

A format can ask for any amount of output (`{x:>999999999}`), so the specification is matched against a narrow
grammar first and containers are measured before Python writes them out.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bpmn.expressions.errors import Exceeded, Fault
from bpmn.expressions.limits import (
    CONTAINERS,
    MAX_DEPTH,
    MAX_TEXT,
    SCALARS,
    Meter,
    check_decimal,
    check_text_length,
    type_name,
)

_MAX_WIDTH = 200
_MAX_PRECISION = 50
_SPEC = re.compile(
    r"(?:.?[<>=^])?[+\- ]?#?0?(?P<width>\d{1,3})?[,_]?(?:\.(?P<precision>\d{1,2}))?[bcdeEfFgGosxX%]?",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"%.")
_MOMENT_SPEC = re.compile(r"(?:%[YmdHMSyjfzUWuVG%]|[^%]){0,100}", re.DOTALL)


def text_of(meter: Meter, value: Any) -> str:
    """What `str(value)` gives."""
    if type(value) is str:
        return value
    measure(meter, value)
    text = str(value)
    check_text_length(len(text))
    return text


def written(meter: Meter, value: Any) -> str:
    """What `repr(value)` gives: the conversion !r of an f-string."""
    measure(meter, value)
    text = repr(value)
    check_text_length(len(text))
    return text


def measure(meter: Meter, value: Any) -> None:
    """Charge for writing a value out, and refuse what is not data or would be too long."""
    _Budget(meter).take(value, 0)


class _Budget:
    """Estimates the length of a value's text."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._left = MAX_TEXT

    def take(self, value: Any, depth: int) -> None:
        """Take one value and all inside it off the budget."""
        kind = type(value)
        if kind not in CONTAINERS:
            self._use(self._length(value))
            return
        if depth >= MAX_DEPTH:
            raise Exceeded("depth")
        self._use(2 * len(value))
        for item in value:
            self.take(item, depth + 1)
        if kind is dict:
            for item in value.values():
                self.take(item, depth + 1)

    def _length(self, value: Any) -> int:
        kind = type(value)
        if kind is str:
            return len(value)
        if kind is int:
            return 1 + (int.bit_length(value) >> 2)
        if kind is Decimal:
            return len(value.as_tuple().digits)
        if kind not in SCALARS:
            raise Fault("not_plain", type=type_name(value))
        return 8

    def _use(self, length: int) -> None:
        self._left -= length
        self._meter.spend(1 + (length >> 3))
        if self._left < 0:
            raise Exceeded("size")


def formatted(meter: Meter, value: Any, spec: str) -> str:
    """What an f-string shows for a value with a format specification."""
    if not spec:
        return text_of(meter, value)
    if isinstance(value, date) and type(value) in SCALARS:
        return moment_text(value, spec)
    match = _SPEC.fullmatch(spec)
    if (
        match is None
        or int(match["width"] or 0) > _MAX_WIDTH
        or int(match["precision"] or 0) > _MAX_PRECISION
    ):
        raise Fault("bad_format", spec=repr(spec[:40]))
    if type(value) is Decimal:
        check_decimal(value)
    elif type(value) not in (str, int, float, bool):
        raise Fault("type", operation=f":{spec}", type=type_name(value))
    measure(meter, value)
    return format(value, spec)


def moment_text(value: date | datetime, spec: str) -> str:
    """Write a date or time by a pattern such as %Y-%m-%d; only patterns that mean the same everywhere."""
    if _MOMENT_SPEC.fullmatch(spec) is None:
        raise Fault("bad_format", spec=repr(spec[:40]))
    # one directive at a time: text between them never meets the C library and its locale
    return _DIRECTIVE.sub(lambda match: value.strftime(match[0]), spec)
