"""How much an expression or script may take: steps, sizes and depths, and the counter of one run.

A step is about one visited syntax node. Work inside Python's own C code (comparing, copying, formatting, searching)
is charged by the size of the values that it touches, so that no single operation can outrun the counter.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bpmn.expressions.errors import Exceeded, Fault

MAX_SOURCE = 20_000  # characters of one expression or script
MAX_BRACKETS = 40  # open brackets at one place of the text
MAX_CHAIN = 400  # operators that can pile up into one deep syntax tree
MAX_ELIF = 200
MAX_NESTING = 60  # syntax nodes inside each other (operator chains count once)
MAX_CALL_NESTING = 200  # the same over all script functions that are running
STEPS = 200_000
EXIT_STEPS = 100_000  # at least this much is left for handing over the result
MAX_TEXT = 200_000  # characters of one text
MAX_ITEMS = 50_000  # elements of one container
MAX_BITS = 4_096  # of one whole number
MAX_DIGITS = 1_300  # of a number written as text
MAX_EXPONENT = 1_300  # of a decimal number
MAX_DEPTH = 32  # containers inside containers

SCALARS = frozenset({str, int, float, bool, type(None), Decimal, datetime, date, timedelta})
CONTAINERS = frozenset({list, dict, tuple, set})
PLAIN = SCALARS | CONTAINERS | {range}
HEAVY = CONTAINERS | {str, int, Decimal}


class Meter:
    """Counts the steps of one run."""

    __slots__ = ("fuel",)

    def __init__(self, fuel: int = STEPS) -> None:
        self.fuel = fuel

    def spend(self, steps: int) -> None:
        """Take steps off the budget; once it is used up every further call fails, so nothing can go on."""
        self.fuel -= steps
        if self.fuel < 0:
            raise Exceeded("steps")


def weight(value: Any) -> int:
    """Steps for handling a value that is not a container once."""
    kind = type(value)
    if kind is str:
        return 1 + (len(value) >> 4)
    if kind is int:
        return 1 + (int.bit_length(value) >> 5)
    return 8 if kind is Decimal else 1


def charge_search(meter: Meter, text: str, part: str, *, backwards: bool = False) -> None:
    """Charge for looking for one text in another: Python's search is quadratic for short texts and backwards."""
    pairs = len(text) * len(part) >> 8
    meter.spend(1 + (len(text) + len(part) >> 4) + (pairs if backwards else min(pairs, 12_000)))


def walk(meter: Meter, value: Any, depth: int = 0) -> None:
    """Charge for everything inside a value; parts that are shared count as often as they are reached."""
    kind = type(value)
    if kind not in CONTAINERS:
        meter.spend(weight(value))
        return
    if depth >= MAX_DEPTH:
        raise Exceeded("depth")
    meter.spend(3 + len(value))
    for item in value:
        if type(item) in HEAVY:
            walk(meter, item, depth + 1)
    if kind is dict:
        for item in value.values():
            if type(item) in HEAVY:
                walk(meter, item, depth + 1)


def check_text_length(length: int) -> None:
    """Refuse a text before it is built."""
    if length > MAX_TEXT:
        raise Exceeded("size")


def check_item_count(count: int) -> None:
    """Refuse a container before it is built or grown."""
    if count > MAX_ITEMS:
        raise Exceeded("size")


def checked_number(value: Any) -> Any:
    """Pass on the result of a calculation unless it is too large or not a number of ours."""
    kind = type(value)
    if kind is int:
        if value.bit_length() > MAX_BITS:
            raise Exceeded("number")
    elif kind is Decimal:
        check_decimal(value)
    elif kind is complex:
        raise Fault("complex")
    return value


def check_decimal(value: Decimal) -> None:
    """Refuse decimals whose plain writing would be huge (`1E999999999`), and those that are no number."""
    if not value.is_finite():
        raise Fault("not_finite")
    _, digits, exponent = value.as_tuple()
    if len(digits) > MAX_DIGITS or abs(int(exponent)) > MAX_EXPONENT:
        raise Exceeded("number")


def check_key(meter: Meter, key: Any, size: int) -> None:
    """Charge for looking a key up in a container of `size` entries; refuse what cannot be a key.

    Whole numbers beyond 60 bits, decimals, tuples and times can be chosen so that all their hash values collide,
    which makes every look-up a search through all entries: they are charged as such.
    """
    kind = type(key)
    if kind is str:
        meter.spend(len(key) >> 4)
    elif kind is int:
        if key.bit_length() > 60:
            meter.spend(1 + (size >> 5))
    elif kind is tuple:
        walk(meter, key)
        for item in key:
            check_key(meter, item, size)
        meter.spend(size >> 5)
    elif kind in CONTAINERS or kind not in SCALARS:
        raise Fault("unhashable", type=type_name(key))
    elif kind is not bool and kind is not float and key is not None:
        meter.spend(1 + (size >> 5))


def type_name(value: object) -> str:
    """The type of a value as a script author knows it; of anything foreign only that it is an object."""
    kind = type(value)
    if value is None:
        return "None"
    if kind in PLAIN:
        return kind.__name__
    return "function" if callable(value) else "object"
