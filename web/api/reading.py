"""Reading a request that a machine sent: JSON that we can store, and query parameters. Everything else is refused here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, NoReturn

from flask import request
from flask_babel import gettext
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from engine.errors import BadInput
from web.api.wording import all_in_words

JSON = frozenset({"application/json"})
DEEPEST = 64
BIGGEST = 2**63 - 1
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
_LONG_NUMBER = re.compile(rb"\d{300}")


class BadJson(BadInput):
    """The body is not valid JSON, line {line}, column {column}: {detail}."""

    code = "input.json"


class BadQuery(BadInput):
    """The query parameter {field} is not valid: {detail}."""

    code = "input.query"


def json_object(types: Collection[str] = JSON) -> dict[str, Any]:
    """The body as a JSON object. Raises `BadJson`, `BadInput`; 413 for a large body, 415 for another media type."""
    found = json_value(types)
    if not isinstance(found, dict):
        raise BadInput(detail=gettext("the body must be a JSON object"))
    return found


def json_value(types: Collection[str] = JSON) -> Any:
    """The body as any JSON value that both databases can store."""
    if request.mimetype not in types or not _is_utf8():
        raise UnsupportedMediaType()
    raw = request.get_data()
    try:
        found = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError as e:
        raise BadInput(detail=gettext("the body is not UTF-8")) from e
    except json.JSONDecodeError as e:
        raise BadJson(line=e.lineno, column=e.colno, detail=e.msg) from e
    except RecursionError as e:
        raise _too_deep() from e
    except ValueError as e:  # a number of thousands of digits
        raise BadInput(detail=gettext("the body holds a number that is too long")) from e
    _refuse_unstorable(raw, found)
    return found


def loaded(schema: Schema) -> dict[str, Any]:
    """The body as a schema reads it. Raises `BadInput` whose `errors` name the fields."""
    try:
        found: dict[str, Any] = schema.load(json_object())
    except ValidationError as e:
        errors = all_in_words(e.normalized_messages())
        lines = "; ".join(f"{name}: {_first(inner)}" for name, inner in errors.items())
        raise BadInput(detail=lines, errors=errors) from e
    return found


def _first(messages: Any) -> str:
    """The first sentence of nested messages."""
    while not isinstance(messages, str):
        messages = next(iter(messages.values() if isinstance(messages, dict) else messages), "")
    return messages


def _is_utf8() -> bool:
    return request.mimetype_params.get("charset", "utf-8").lower() in _CHARSETS


def _no_constant(name: str) -> NoReturn:
    raise BadInput(detail=gettext("%(name)s is not JSON", name=name))


def _finite(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise BadInput(detail=gettext("the body holds a number that is too long"))
    return found


def _refuse_unstorable(raw: bytes, found: Any) -> None:
    """The usual body passes after three looks at its bytes; only a suspicious one is walked through."""
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _is_deep(found):
        raise _too_deep()
    lowered = raw.lower()
    if b"\\u0000" in lowered or b"\\ud" in lowered:
        text = json.dumps(found, ensure_ascii=False)
        if "\\u0000" in text.replace("\\\\", "") or _has_lone_surrogate(text):
            raise BadInput(detail=gettext("the body holds characters that cannot be stored"))
    if _LONG_NUMBER.search(raw):
        raise BadInput(detail=gettext("the body holds a number that is too long"))


def _is_deep(found: Any) -> bool:
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            return True
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
    return False


def _has_lone_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _too_deep() -> BadInput:
    return BadInput(detail=gettext("the body is nested more than %(limit)s deep", limit=DEEPEST))


def refuse_unstorable_address() -> None:
    """Before every view: no database text holds the character NUL."""
    if "\0" in request.path or any("\0" in k or "\0" in v for k, v in request.args.items(multi=True)):
        raise BadInput(detail=gettext("the address holds characters that cannot be stored"))


# ---- query parameters


def only_parameters(*known: str) -> None:
    """Raises `BadQuery` for a parameter that this address does not read: a filter that is passed over would lie."""
    for name in request.args:
        if name not in known:
            raise BadQuery(field=name, detail=gettext("known are %(names)s", names=", ".join(known)))


def text(name: str, most: int = 200) -> str | None:
    """A text parameter; None where it is absent or empty."""
    found = request.args.get(name) or None
    if found is not None and len(found) > most:
        raise BadQuery(field=name, detail=gettext("it is longer than %(most)s characters", most=most))
    return found


def number(name: str, default: int, *, least: int = 0, most: int = BIGGEST) -> int:
    """A whole number; one that is too large is cut to `most`."""
    given = request.args.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 20) or int(given) < least:
        raise BadQuery(field=name, detail=gettext("a whole number from %(least)s is needed", least=least))
    return min(int(given), most)


def moment(name: str, given: str) -> datetime:
    """A date with its time and zone; a `+` that came as a blank is understood."""
    try:
        found = datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.utcoffset() is None:
        raise BadQuery(field=name, detail=gettext("a date with time and zone is needed"))
    return found


def optional_number(name: str) -> int | None:
    """A whole number if there is one."""
    return number(name, 0) if name in request.args else None


def choice(name: str, known: Collection[str], default: str) -> str:
    """One of some words."""
    found = request.args.get(name, default)
    if found not in known:
        raise BadQuery(field=name, detail=gettext("known are %(names)s", names=", ".join(sorted(known))))
    return found


def time_cursor(name: str = "after") -> str | None:
    """A cursor of the form `time,id` that an earlier page gave."""
    found = text(name)
    if found is None:
        return None
    at, _, ident = found.partition(",")
    try:
        if ident and datetime.fromisoformat(at).utcoffset() is not None:
            return f"{at},{ident}"
    except ValueError:
        pass
    raise BadQuery(field=name, detail=gettext("it is no cursor of ours"))
