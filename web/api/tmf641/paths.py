"""Names the place of a mistake the way a sender finds it: `serviceOrderItem[0].action`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from engine.orders.intake import FieldError
from web.api.wording import in_words

_MOST = 5


def load(schema: Schema, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as the schema reads it. Raises `FieldError` that names every mistake, up to five."""
    try:
        loaded: dict[str, Any] = schema.load(body)
    except ValidationError as e:
        raise field_error(e.normalized_messages()) from e
    return loaded


def field_error(messages: Mapping[str, Any]) -> FieldError:
    """One error that names the first mistake, and tells the others after it."""
    found = list(_mistakes(messages, ""))
    (field, detail), more = found[0], found[1:_MOST]
    others = "".join(f"; {path}: {text}" for path, text in more)
    return FieldError(field=field, detail=detail + others)


def _mistakes(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _mistakes(inner, _joined(path, key))
        return
    for text in messages:
        yield path or "body", in_words(str(text))


def _joined(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    if key == "_schema":
        return path
    return f"{path}.{key}" if path else str(key)
