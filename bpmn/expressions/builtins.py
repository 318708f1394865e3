"""The functions that expressions and scripts can call by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from types import GeneratorType
from typing import Any

from bpmn.expressions import moments
from bpmn.expressions.errors import BpmnErrorThrown, Fault, shown
from bpmn.expressions.formatting import text_of
from bpmn.expressions.limits import (
    MAX_DIGITS,
    check_decimal,
    check_item_count,
    check_key,
    checked_number,
    type_name,
    walk,
)
from bpmn.expressions.operators import add
from bpmn.expressions.runtime import ANY_KEYWORD, ANY_NUMBER, Builtin, Run, call
from bpmn.expressions.values import elements

_NUMBERS = (int, float, bool, Decimal)
_MAX_ROUNDING = 400


def _len(run: Run, value: Any) -> int:
    if type(value) not in (str, list, dict, tuple, set, range):
        raise Fault("type", operation="len()", type=type_name(value))
    return len(value)


def _sum(run: Run, value: Any, start: Any = 0) -> Any:
    if type(start) is str:
        raise Fault("type", operation="sum()", type="str")
    total = start
    for item in elements(run, value):
        total = add(run, total, item)
    return total


def _lazily(run: Run, value: Any) -> Iterable[Any]:
    return value if type(value) is GeneratorType else elements(run, value)


def _extreme(name: str, better: Any) -> Builtin:
    def choose(run: Run, *values: Any, key: Any = None, **default: Any) -> Any:
        items = elements(run, values[0]) if len(values) == 1 else list(values)
        if not items:
            if "default" in default:
                return default["default"]
            raise Fault("empty", function=name)
        ranks = _ranks(run, items, key)
        best = 0
        for place in range(1, len(items)):
            if better(ranks[place], ranks[best]):
                best = place
        return items[best]

    return Builtin(name, choose, 1, ANY_NUMBER, ("key", "default"))


def _ranks(run: Run, items: list[Any], key: Any) -> list[Any]:
    """What items are compared by; comparing is charged here, once for all."""
    ranks = items if key is None else [call(run, key, [item]) for item in items]
    walk(run, ranks)
    return ranks


def sort(run: Run, items: list[Any], key: Any = None, reverse: Any = False) -> list[Any]:
    """Sort like Python; about a hundred comparisons of two elements cost as much as a step per element."""
    ranks = _ranks(run, items, key)
    run.spend((len(items) * len(items).bit_length()) >> 2)
    order = sorted(range(len(items)), key=ranks.__getitem__, reverse=bool(reverse))
    return [items[place] for place in order]


def _sorted(run: Run, value: Any, key: Any = None, reverse: Any = False) -> list[Any]:
    return sort(run, elements(run, value), key, reverse)


def dict_of(run: Run, value: Any = (), /, **named: Any) -> dict[str, Any]:
    """`dict(pairs)`, `dict(other)` and `dict(name=value)`; also the body of the method `update`."""
    made: dict[Any, Any] = {}
    if type(value) is dict:
        run.spend(len(value))
        made.update(value)
    else:
        for pair in elements(run, value):
            both = elements(run, pair)
            if len(both) != 2:
                raise Fault("unpack", expected=2)
            check_key(run, both[0], len(made))
            made[both[0]] = both[1]
    made.update(named)
    return made


def set_of(run: Run, value: Any = ()) -> set[Any]:
    """`set(values)`."""
    made: set[Any] = set()
    for item in elements(run, value):
        check_key(run, item, len(made))
        made.add(item)
    return made


def _range(run: Run, *bounds: Any) -> range:
    if any(type(bound) is not int for bound in bounds):
        raise Fault("arguments", function="range")
    made = range(*bounds)
    if made:  # its length may not fit into what len() can return
        check_item_count(abs(made.stop - made.start) // abs(made.step))
    return made


def _enumerate(run: Run, value: Any, start: Any = 0) -> list[tuple[Any, Any]]:
    if type(start) is not int:
        raise Fault("arguments", function="enumerate")
    return list(enumerate(elements(run, value), start))


def _zip(run: Run, *values: Any) -> list[tuple[Any, ...]]:
    columns = [elements(run, value) for value in values]
    return list(zip(*columns, strict=False))


def _abs(run: Run, value: Any) -> Any:
    if type(value) not in (*_NUMBERS, timedelta):
        raise Fault("type", operation="abs()", type=type_name(value))
    return abs(value)


def _round(run: Run, value: Any, ndigits: Any = None) -> Any:
    if type(value) not in _NUMBERS:
        raise Fault("type", operation="round()", type=type_name(value))
    if ndigits is not None and (type(ndigits) is not int or abs(ndigits) > _MAX_ROUNDING):
        raise Fault("arguments", function="round")
    if type(value) is Decimal:
        check_decimal(value)
    return checked_number(round(value) if ndigits is None else round(value, ndigits))


def _int(run: Run, value: Any = 0, base: Any = None) -> int:
    if type(value) is Decimal:
        check_decimal(value)
    elif type(value) not in (int, float, bool, str) or type(base) not in (int, type(None)):
        raise Fault("type", operation="int()", type=type_name(value))
    if base is not None and type(value) is not str:
        raise Fault("arguments", function="int")
    return _number(lambda: int(value) if base is None else int(value, base), value)  # type: ignore[no-any-return]


def _float(run: Run, value: Any = 0.0) -> float:
    if type(value) not in (int, float, bool, str, Decimal):
        raise Fault("type", operation="float()", type=type_name(value))
    return _number(lambda: float(value), value)  # type: ignore[no-any-return]


def _decimal(run: Run, value: Any = 0) -> Decimal:
    """Make an exact decimal number; a float means the number that is shown for it, so 0.1 is one tenth."""
    if type(value) not in (int, float, bool, str, Decimal):
        raise Fault("type", operation="decimal()", type=type_name(value))
    return _number(lambda: Decimal(repr(value) if type(value) is float else value), value)  # type: ignore[no-any-return]


def _number(read: Any, value: Any) -> Any:
    if type(value) is str and len(value) > MAX_DIGITS:
        raise Fault("bad_number", text=shown(value))
    try:
        return checked_number(read())
    except (ValueError, InvalidOperation):
        raise Fault("bad_number", text=shown(value)) from None


def _bpmn_error(run: Run, code: Any, message: Any = "") -> None:
    if type(code) is not str or not code or type(message) is not str:
        raise Fault("arguments", function="bpmn_error")
    raise BpmnErrorThrown(code, message)


_ALL = (
    Builtin("len", _len, 1),
    Builtin("sum", _sum, 1, 2, ("start",)),
    Builtin("any", lambda run, value: any(_lazily(run, value)), 1, lazy=True),
    Builtin("all", lambda run, value: all(_lazily(run, value)), 1, lazy=True),
    _extreme("min", operator.lt),
    _extreme("max", operator.gt),
    Builtin("sorted", _sorted, 1, 1, ("key", "reverse")),
    Builtin("list", lambda run, value=(): elements(run, value), 0, 1),
    Builtin("dict", dict_of, 0, 1, ANY_KEYWORD),
    Builtin("set", set_of, 0, 1),
    Builtin("tuple", lambda run, value=(): tuple(elements(run, value)), 0, 1),
    Builtin("range", _range, 1, 3),
    Builtin("enumerate", _enumerate, 1, 2, ("start",)),
    Builtin("zip", _zip, 0, ANY_NUMBER),
    Builtin("abs", _abs, 1),
    Builtin("round", _round, 1, 2, ("ndigits",)),
    Builtin("int", _int, 0, 2, ("base",)),
    Builtin("float", _float, 0, 1),
    Builtin("str", lambda run, value="": text_of(run, value), 0, 1),
    Builtin("bool", lambda run, value=False: bool(value), 0, 1),
    Builtin("decimal", _decimal, 0, 1),
    *moments.BUILTINS,
)
EXPRESSION_BUILTINS: dict[str, Builtin] = {builtin.name: builtin for builtin in _ALL}
SCRIPT_BUILTINS: dict[str, Builtin] = {
    **EXPRESSION_BUILTINS,
    "bpmn_error": Builtin("bpmn_error", _bpmn_error, 1, 2, ("message",)),
}
