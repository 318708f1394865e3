"""The sentences of marshmallow in the caller's language; translations/zh_CN/LC_MESSAGES/api.po has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

_NUMBER = re.compile(r"\d+")
_GAP = re.compile(r"\{n\}")


def in_words(text: str) -> str:
    """One sentence, without its full stop; the numbers in it are not part of what is translated."""
    numbers = iter(_NUMBER.findall(text))
    return _GAP.sub(lambda gap: next(numbers), gettext(_NUMBER.sub("{n}", text.rstrip("."))))


def all_in_words(messages: Any) -> Any:
    """Messages of a schema, nested as they are."""
    if isinstance(messages, Mapping):
        return {str(key): all_in_words(inner) for key, inner in messages.items()}
    return [in_words(str(text)) for text in messages]
