"""Data crossing the border of a run: copied in for scripts, compared, and checked and copied on the way out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bpmn.expressions.errors import Exceeded, Fault, shown
from bpmn.expressions.limits import (
    CONTAINERS,
    MAX_DEPTH,
    MAX_ITEMS,
    SCALARS,
    Meter,
    check_item_count,
    check_text_length,
    checked_number,
    type_name,
    walk,
    weight,
)


def copy_in(meter: Meter, value: Any, depth: int = 0) -> Any:
    """Copy the caller's data so that a script may change it; shared parts become separate."""
    kind = type(value)
    if kind not in CONTAINERS:
        if kind not in SCALARS:
            raise Fault("not_plain", type=type_name(value))
        return value
    if depth >= MAX_DEPTH:
        raise Exceeded("depth")
    meter.spend(3 + len(value))
    if kind is dict:
        return {key: copy_in(meter, item, depth + 1) for key, item in value.items()}
    if kind is set:
        return set(value)
    copies = [copy_in(meter, item, depth + 1) for item in value]
    return copies if kind is list else tuple(copies)


def same(copy: Any, original: Any) -> bool:
    """Whether a copy is unchanged; unlike `==` it tells 1 from True and from 1.0."""
    if copy is original:
        return True
    kind = type(copy)
    if kind is not type(original):
        return False
    if kind is dict:
        return copy.keys() == original.keys() and all(same(item, original[key]) for key, item in copy.items())
    if kind is list or kind is tuple:
        return len(copy) == len(original) and all(map(same, copy, original))
    return bool(copy == original)


def leave(meter: Meter, value: Any, *, as_json: bool, depth: int = 0) -> Any:
    """Check and copy a result; `as_json` turns sets and tuples into lists."""
    kind = type(value)
    if kind not in CONTAINERS:
        return _leave_scalar(meter, value)
    if depth >= MAX_DEPTH:
        raise Exceeded("depth")
    check_item_count(len(value))
    meter.spend(3 + 2 * len(value))
    if kind is dict:
        for key in value:
            if type(key) is not str:
                raise Fault("key_not_text", key=shown(key))
            meter.spend(weight(key))
        return {key: leave(meter, item, as_json=as_json, depth=depth + 1) for key, item in value.items()}
    members = ordered(meter, value) if kind is set else value
    items = [leave(meter, item, as_json=as_json, depth=depth + 1) for item in members]
    if as_json or kind is list:
        return items
    return tuple(items) if kind is tuple else set(value)


def _leave_scalar(meter: Meter, value: Any) -> Any:
    kind = type(value)
    if kind is str:
        check_text_length(len(value))
        meter.spend(weight(value))
    elif kind is float:
        if not math.isfinite(value):
            raise Fault("not_finite")
    elif kind is int or kind is Decimal:
        checked_number(value)
    elif kind not in SCALARS:
        raise Fault("not_plain", type=type_name(value))
    return value


def ordered(meter: Meter, value: set[Any]) -> list[Any]:
    """The elements of a set in the same order in every process, so that a repeated run takes the same way."""
    walk(meter, value)
    meter.spend(len(value))
    try:
        return sorted(value)
    except TypeError:
        return sorted(value, key=lambda item: (type(item).__name__, repr(item)))


def iterate(meter: Meter, value: Any) -> Iterable[Any]:
    """What a loop goes through; whoever loops charges for each round."""
    kind = type(value)
    if kind is list or kind is tuple or kind is str or kind is range:
        return value  # type: ignore[no-any-return]
    if kind is dict:
        meter.spend(len(value) >> 2)
        return list(value)
    if kind is set:
        return ordered(meter, value)
    raise Fault("not_iterable", type=type_name(value))


def elements(meter: Meter, value: Any) -> list[Any]:
    """All elements of a value as a new list."""
    source = iterate(meter, value)
    count = len(source)  # type: ignore[arg-type]
    if count > MAX_ITEMS:
        raise Exceeded("size")
    meter.spend(1 + count)
    return list(source)
