"""What a page puts into an input: stored values as a browser wants them, wrong ones as they were typed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from bpmn.forms.schema import Field
from bpmn.forms.values import Rejected, clean

_HTML_NUMBER = re.compile(r"-?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def shown_text(field: Field, value: Any) -> str:
    """The text of the input of a text, number or date."""
    if value is None or isinstance(value, bool):
        return ""
    if field.kind == "datetime" and field.subtype == "datetime" and _is_good(field, value):
        moment = datetime.fromisoformat(value.strip())
        local = moment.astimezone(field.zone) if moment.tzinfo else moment
        return local.replace(tzinfo=None).isoformat(timespec="minutes")
    return str(value)


def fits_browser_input(field: Field, text: str) -> bool:
    """Whether a number or date input would show the text; browsers blank out what they cannot read."""
    if not text:
        return True
    return bool(_HTML_NUMBER.fullmatch(text)) if field.kind == "number" else _is_good(field, text)


def _is_good(field: Field, value: Any) -> bool:
    try:
        return clean(field, value, required=False) is not None
    except Rejected:
        return False
