"""What may stand after a dot: a white list of methods and fields for each plain data type.

There is no attribute access on Python objects. A call `value.name(...)` looks the method up here by the exact type of
the value; `value.name` without a call reads a key of a dict or a field of a time.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bpmn.expressions import moments
from bpmn.expressions.builtins import dict_of, sort
from bpmn.expressions.errors import Fault, shown
from bpmn.expressions.limits import (
    check_decimal,
    check_item_count,
    check_key,
    checked_number,
    type_name,
    walk,
)
from bpmn.expressions.methods_text import TEXT_METHODS
from bpmn.expressions.runtime import ANY_KEYWORD, ANY_NUMBER, Builtin, Run
from bpmn.expressions.values import elements


def _append(run: Run, items: list[Any], item: Any) -> None:
    check_item_count(len(items) + 1)
    items.append(item)


def extend(run: Run, items: list[Any], more: Any) -> None:
    """`items.extend(more)`, which `items += more` means too."""
    added = elements(run, more)
    check_item_count(len(items) + len(added))
    items.extend(added)


def _insert(run: Run, items: list[Any], place: Any, item: Any) -> None:
    check_item_count(len(items) + 1)
    run.spend(len(items) >> 4)
    items.insert(_whole(place, "insert"), item)


def _pop_item(run: Run, items: list[Any], place: Any = -1) -> Any:
    run.spend(len(items) >> 4)
    return items.pop(_whole(place, "pop"))


def _search(name: str) -> Builtin:
    """`index`, `count` and `remove`: compare with every element."""

    def body(run: Run, items: Any, item: Any) -> Any:
        walk(run, items)
        walk(run, item)
        try:
            return getattr(type(items), name)(items, item)
        except ValueError:
            raise Fault("not_found") from None

    return Builtin(name, body, 1)


def _sort(run: Run, items: list[Any], key: Any = None, reverse: Any = False) -> None:
    items[:] = sort(run, list(items), key, reverse)


def _copy(run: Run, value: Any) -> Any:
    run.spend(1 + len(value))
    return value.copy()


def _reverse(run: Run, items: list[Any]) -> None:
    run.spend(len(items) >> 4)
    items.reverse()


def _get(run: Run, entries: dict[Any, Any], key: Any, default: Any = None) -> Any:
    check_key(run, key, len(entries))
    return entries.get(key, default)


def _pop_entry(run: Run, entries: dict[Any, Any], key: Any, *default: Any) -> Any:
    check_key(run, key, len(entries))
    if key not in entries and not default:
        raise Fault("no_key", key=shown(key))
    return entries.pop(key, *default)


def _setdefault(run: Run, entries: dict[Any, Any], key: Any, default: Any = None) -> Any:
    check_key(run, key, len(entries))
    check_item_count(len(entries) + 1)
    return entries.setdefault(key, default)


def _update(run: Run, entries: dict[Any, Any], more: Any = (), /, **named: Any) -> None:
    added = dict_of(run, more, **named)
    check_item_count(len(entries) + len(added))
    for key in added:
        check_key(run, key, len(entries))
    entries.update(added)


def _listed(name: str) -> Builtin:
    """`keys`, `values` and `items` give lists, so that the dict may be changed while one goes through them."""

    def body(run: Run, entries: dict[Any, Any]) -> list[Any]:
        run.spend(1 + len(entries))
        return list(getattr(dict, name)(entries))

    return Builtin(name, body)


def _add(run: Run, members: set[Any], item: Any) -> None:
    check_key(run, item, len(members))
    check_item_count(len(members) + 1)
    members.add(item)


def _discard(run: Run, members: set[Any], item: Any) -> None:
    check_key(run, item, len(members))
    members.discard(item)


def _remove_member(run: Run, members: set[Any], item: Any) -> None:
    check_key(run, item, len(members))
    if item not in members:
        raise Fault("no_key", key=shown(item))
    members.remove(item)


def _combined(name: str, most: int = ANY_NUMBER) -> Builtin:
    """The set operations with one or more other collections."""

    def body(run: Run, members: set[Any], *others: Any) -> Any:
        walk(run, members)
        total = len(members)
        collected = []
        for other in others:
            part = elements(run, other)
            total += len(part)
            check_item_count(total)
            for item in part:
                check_key(run, item, total)
            collected.append(part)
        return getattr(set, name)(members, *collected)

    return Builtin(name, body, 0 if most > 1 else 1, most)


def _quantize(run: Run, value: Decimal, step: Any) -> Decimal:
    if type(step) is not Decimal:
        raise Fault("arguments", function="quantize")
    check_decimal(value)
    check_decimal(step)
    return checked_number(value.quantize(step))  # type: ignore[no-any-return]


def _whole(value: Any, function: str) -> int:
    if type(value) is not int:
        raise Fault("arguments", function=function)
    return value


_CLEAR = Builtin("clear", lambda run, value: value.clear())
_COPY = Builtin("copy", _copy)

_METHODS: dict[type, tuple[Builtin, ...]] = {
    str: TEXT_METHODS,
    list: (
        Builtin("append", _append, 1),
        Builtin("extend", extend, 1),
        Builtin("insert", _insert, 2),
        Builtin("pop", _pop_item, 0, 1),
        *map(_search, ("index", "count", "remove")),
        Builtin("sort", _sort, keywords=("key", "reverse")),
        Builtin("reverse", _reverse),
        _COPY,
        _CLEAR,
    ),
    tuple: tuple(map(_search, ("index", "count"))),
    dict: (
        Builtin("get", _get, 1, 2),
        Builtin("pop", _pop_entry, 1, 2),
        Builtin("setdefault", _setdefault, 1, 2),
        Builtin("update", _update, 0, 1, ANY_KEYWORD),
        *map(_listed, ("keys", "values", "items")),
        _COPY,
        _CLEAR,
    ),
    set: (
        Builtin("add", _add, 1),
        Builtin("discard", _discard, 1),
        Builtin("remove", _remove_member, 1),
        *map(_combined, ("union", "intersection", "difference", "update")),
        *(_combined(name, 1) for name in ("symmetric_difference", "issubset", "issuperset", "isdisjoint")),
        _COPY,
        _CLEAR,
    ),
    Decimal: (Builtin("quantize", _quantize, 1),),
    float: (Builtin("is_integer", lambda run, value: value.is_integer()),),
    **moments.METHODS,
}
METHODS: dict[type, dict[str, Builtin]] = {
    kind: {method.name: method for method in methods} for kind, methods in _METHODS.items()
}
METHOD_NAMES = frozenset(name for methods in METHODS.values() for name in methods)


def method_of(value: Any, name: str) -> Builtin:
    """The method `name` for a value of exactly this type."""
    method = METHODS.get(type(value), {}).get(name)
    if method is None:
        raise Fault("no_method", type=type_name(value), method=name)
    return method


def field_of(value: Any, name: str) -> Any:
    """What `value.name` reads: a key of a dict, or a field of a time."""
    kind = type(value)
    if kind is dict:
        if name not in value:
            raise Fault("no_key", key=shown(name))
        return value[name]
    if name in moments.FIELDS.get(kind, ()):
        return getattr(value, name)
    raise Fault("no_field", type=type_name(value), field=name)
