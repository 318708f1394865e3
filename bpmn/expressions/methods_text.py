"""The methods of texts. Those that can make a text much longer are measured first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bpmn.expressions.errors import Fault
from bpmn.expressions.limits import charge_search, check_item_count, check_text_length, type_name
from bpmn.expressions.runtime import Builtin, Run
from bpmn.expressions.values import elements

_TESTS = (
    "isalnum",
    "isalpha",
    "isdecimal",
    "isdigit",
    "islower",
    "isnumeric",
    "isspace",
    "istitle",
    "isupper",
)
_CHANGES = ("capitalize", "casefold", "lower", "swapcase", "title", "upper")


def _plain(name: str, least: int = 0, most: int | None = None, keywords: tuple[str, ...] = ()) -> Builtin:
    """A method whose work and result are about as long as its text."""
    method: Callable[..., Any] = getattr(str, name)
    backwards = name in ("rfind", "rsplit", "rpartition", "strip", "lstrip", "rstrip")

    def body(run: Run, text: str, *args: Any, **named: Any) -> Any:
        run.spend(1 + (len(text) >> 3))
        for argument in (*args, *named.values()):
            if type(argument) is str:
                charge_search(run, text, argument, backwards=backwards)
        return _sized(run, method(text, *args, **named))

    return Builtin(name, body, least, most, keywords)


def _sized(run: Run, made: Any) -> Any:
    if type(made) is str:
        check_text_length(len(made))
    elif type(made) is list:
        check_item_count(len(made))
        run.spend(len(made) >> 2)
    return made


def _affixed(name: str) -> Builtin:
    """`startswith` and `endswith`, which also take a tuple of texts."""
    method: Callable[..., bool] = getattr(str, name)

    def body(run: Run, text: str, affix: Any) -> bool:
        affixes = affix if type(affix) is tuple else (affix,)
        for one in affixes:
            run.spend(1 + (len(_text(one, name)) >> 4))
        return method(text, affixes)

    return Builtin(name, body, 1)


def _padded(name: str, most: int) -> Builtin:
    method: Callable[..., str] = getattr(str, name)

    def body(run: Run, text: str, width: Any, *fill: Any) -> str:
        if type(width) is not int:
            raise Fault("arguments", function=name)
        check_text_length(width)
        run.spend((len(text) + max(width, 0)) >> 4)
        return method(text, width, *fill)

    return Builtin(name, body, 1, most)


def _replace(run: Run, text: str, old: Any, new: Any, count: Any = -1) -> str:
    if type(count) is not int:
        raise Fault("arguments", function="replace")
    charge_search(run, text, _text(old, "replace"))
    found = text.count(old)
    if count >= 0:
        found = min(found, count)
    check_text_length(len(text) + found * max(len(_text(new, "replace")) - len(old), 0))
    run.spend(1 + (len(text) + len(old) + found * len(new) >> 3))
    return text.replace(old, new, count)


def _join(run: Run, text: str, parts: Any) -> str:
    pieces = elements(run, parts)
    length = len(text) * len(pieces) + sum(len(_text(piece, "join")) for piece in pieces)
    check_text_length(length)
    run.spend(length >> 4)
    return text.join(pieces)


def _text(value: Any, function: str) -> str:
    if type(value) is not str:
        raise Fault("type", operation=f"{function}()", type=type_name(value))
    return value


TEXT_METHODS = (
    *map(_plain, _TESTS),
    *map(_plain, _CHANGES),
    *(_plain(name, 0, 1) for name in ("strip", "lstrip", "rstrip")),
    *(_plain(name, 0, 2, ("sep", "maxsplit")) for name in ("split", "rsplit")),
    *(_plain(name, 1, 3) for name in ("find", "rfind", "index", "count")),
    *(_plain(name, 1) for name in ("partition", "rpartition", "removeprefix", "removesuffix")),
    _plain("splitlines"),
    _affixed("startswith"),
    _affixed("endswith"),
    _padded("zfill", 1),
    *(_padded(name, 2) for name in ("ljust", "rjust", "center")),
    Builtin("replace", _replace, 2, 3),
    Builtin("join", _join, 1),
)
