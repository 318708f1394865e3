"""Arithmetic, comparison and subscripts on plain data, each checked for type and size before the work is done.

Only exact types are accepted, so no method of a foreign object is ever reached from here.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bpmn.expressions.errors import Exceeded, Fault
from bpmn.expressions.limits import (
    HEAVY,
    MAX_BITS,
    PLAIN,
    Meter,
    charge_search,
    check_item_count,
    check_key,
    check_text_length,
    checked_number,
    type_name,
    walk,
)

Binary = Callable[[Meter, Any, Any], Any]
_NUMBERS = frozenset({int, float, bool, Decimal})
_WHOLE = frozenset({int, bool})
_SEQUENCES = frozenset({str, list, tuple})
_MOMENTS = frozenset({datetime, date, timedelta})
_CALCULABLE = _NUMBERS | _MOMENTS


def add(meter: Meter, left: Any, right: Any) -> Any:
    """`+` for numbers, for two texts, lists or tuples, and for times."""
    kind = type(left)
    if kind in _CALCULABLE and type(right) in _CALCULABLE:
        return checked_number(left + right)
    if kind in _SEQUENCES and type(right) is kind:
        length = len(left) + len(right)
        if kind is str:
            check_text_length(length)
            meter.spend(length >> 4)
        else:
            check_item_count(length)
            meter.spend(length >> 2)
        return left + right
    raise _unsuitable("+", left, right)


def _calculation(symbol: str, apply: Callable[[Any, Any], Any]) -> Binary:
    def calculate(meter: Meter, left: Any, right: Any) -> Any:
        if type(left) in _CALCULABLE and type(right) in _CALCULABLE:
            _charge(meter, left, right)
            return checked_number(apply(left, right))
        raise _unsuitable(symbol, left, right)

    return calculate


def multiply(meter: Meter, left: Any, right: Any) -> Any:
    """`*` for numbers and durations, and to repeat a text, list or tuple."""
    if type(left) in _WHOLE and type(right) in _SEQUENCES:
        left, right = right, left
    if type(left) in _SEQUENCES and type(right) in _WHOLE:
        length = len(left) * max(right, 0)
        if type(left) is str:
            check_text_length(length)
        else:
            check_item_count(length)
        meter.spend(length >> 2)
        return left * right
    if type(left) in _CALCULABLE and type(right) in _CALCULABLE:
        if type(left) in _WHOLE and type(right) in _WHOLE and _bits(left) + _bits(right) > MAX_BITS + 1:
            raise Exceeded("number")
        _charge(meter, left, right)
        return checked_number(left * right)
    raise _unsuitable("*", left, right)


def remainder(meter: Meter, left: Any, right: Any) -> Any:
    """`%` for numbers and durations; not for formatting text."""
    if type(left) is str:
        raise Fault("percent_format")
    if type(left) in _CALCULABLE and type(right) in _CALCULABLE:
        _charge(meter, left, right)
        return checked_number(left % right)
    raise _unsuitable("%", left, right)


def power(meter: Meter, left: Any, right: Any) -> Any:
    """`**` for numbers."""
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        raise _unsuitable("**", left, right)
    if type(left) in _WHOLE and type(right) in _WHOLE and right > 0 and _bits(left) > 1:
        if right > MAX_BITS or (_bits(left) - 1) * right > MAX_BITS:
            raise Exceeded("number")
        meter.spend(16)
    elif type(left) is Decimal or type(right) is Decimal:
        meter.spend(400)
    return checked_number(left**right)


def _charge(meter: Meter, left: Any, right: Any) -> None:
    """Charge for calculating with long numbers; short ones are part of the price of their node."""
    if type(left) is int and type(right) is int:
        bits = _bits(left) + _bits(right)
        if bits > 256:
            meter.spend(bits >> 7)
    elif type(left) is Decimal or type(right) is Decimal:
        meter.spend(4)


def _bits(value: int) -> int:
    return int.bit_length(value)


BINARY: dict[type[ast.operator], tuple[str, Binary]] = {
    ast.Add: ("+", add),
    ast.Sub: ("-", _calculation("-", operator.sub)),
    ast.Mult: ("*", multiply),
    ast.Div: ("/", _calculation("/", operator.truediv)),
    ast.FloorDiv: ("//", _calculation("//", operator.floordiv)),
    ast.Mod: ("%", remainder),
    ast.Pow: ("**", power),
}


def negate(value: Any) -> Any:
    """`-` in front of a number or duration."""
    return _signed("-", operator.neg, value)


def affirm(value: Any) -> Any:
    """`+` in front of a number or duration."""
    return _signed("+", operator.pos, value)


def _signed(symbol: str, apply: Callable[[Any], Any], value: Any) -> Any:
    if type(value) in _NUMBERS or type(value) is timedelta:
        return apply(value)
    raise Fault("type", operation=symbol, type=type_name(value))


COMPARE: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is not", operator.is_not),
}


def contains(meter: Meter, item: Any, container: Any) -> bool:
    """`in`: an element of a list, a key of a dict, a part of a text."""
    kind = type(container)
    if kind is str and type(item) is str:
        charge_search(meter, container, item)
    elif kind is dict or kind is set:
        check_key(meter, item, len(container))
    elif kind is list or kind is tuple:
        walk(meter, container)
        if type(item) in HEAVY:
            walk(meter, item)
    elif kind is not range or type(item) not in PLAIN:
        raise _unsuitable("in", item, container)
    elif type(item) is not int:
        meter.spend(len(container))
    return item in container


def select(meter: Meter, value: Any, key: Any) -> Any:
    """`value[key]`: an element, a part of a text, or a slice."""
    kind = type(value)
    if kind is dict:
        check_key(meter, key, len(value))
        return value[key]
    if kind not in _SEQUENCES:
        raise Fault("type", operation="[]", type=type_name(value))
    if type(key) is slice:
        part = value[key]
        meter.spend(len(part) >> (4 if kind is str else 2))
        return part
    if type(key) not in _WHOLE:
        raise _unsuitable("[]", value, key)
    return value[key]


def store(meter: Meter, value: Any, key: Any, item: Any) -> None:
    """`value[key] = item` for a dict or a list."""
    if type(value) is dict:
        check_key(meter, key, len(value))
        value[key] = item
        check_item_count(len(value))
    elif type(value) is list and type(key) is int:
        value[key] = item
    else:
        raise _unsuitable("[]", value, key)


def remove(meter: Meter, value: Any, key: Any) -> None:
    """`del value[key]` for a dict or a list."""
    if type(value) is dict:
        check_key(meter, key, len(value))
    elif type(value) is not list or type(key) is not int:
        raise _unsuitable("[]", value, key)
    else:
        meter.spend(len(value) >> 4)
    del value[key]


def _unsuitable(symbol: str, left: Any, right: Any) -> Fault:
    return Fault("types", operation=symbol, left=type_name(left), right=type_name(right))
