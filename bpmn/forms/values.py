"""One answer in, one clean JSON value out; used alike for the JSON API and for page posts.

An empty answer is None (a checkbox: False, several choices: an empty list). Texts lose outer white space.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from bpmn.forms.messages import FieldError
from bpmn.forms.rules import MAX_NUMBER
from bpmn.forms.schema import Field

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = re.compile(r"\+?\d{3,15}", re.ASCII)
_DAY, _CLOCK, _OFFSET = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?", r"(Z|[+-]\d\d:\d\d)?"
_TIMES = {
    "date": (re.compile(_DAY, re.ASCII), "YYYY-MM-DD"),
    "time": (re.compile(_CLOCK + _OFFSET, re.ASCII), "HH:MM"),
    "datetime": (re.compile(f"{_DAY}[T ]{_CLOCK}{_OFFSET}", re.ASCII), "YYYY-MM-DDTHH:MM"),
}


class Rejected(Exception):
    """The answer does not pass; `error` says why."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.error = FieldError(code, facts)


def clean(field: Field, raw: Any, *, required: bool | None = None) -> Any:
    """The JSON value of an answer to `field`; raises `Rejected`. `required` overrides its rule."""
    value = _CLEANERS[field.kind](field, raw)
    if (field.rules.required if required is None else required) and is_empty(value):
        raise Rejected("required")
    return value


def is_empty(value: Any) -> bool:
    """Whether nothing was answered; zero is an answer, an unticked box is not."""
    return value is None or value is False or value == "" or value == []


def plain_text(raw: Any) -> str | None:
    """The text of an answer without judging it; None when there is none. Conditions compare with this."""
    if not isinstance(raw, str):
        return None
    return raw.replace("\r\n", "\n").replace("\r", "\n").strip() or None


def plain_number(number: Decimal) -> int | float:
    """A JSON number: int when integral."""
    return int(number) if number == number.to_integral_value() else float(number)


def _text(field: Field, raw: Any) -> str | None:
    if raw is not None and not isinstance(raw, str):
        raise Rejected("type", expected="text")
    text = plain_text(raw)
    if text is None:
        return None
    rules, length = field.rules, len(text)
    if length > rules.max_length:
        raise Rejected("max_length", maximum=rules.max_length, length=length)
    allowed = "\n\t" if field.kind == "textarea" else ""
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in allowed for char in text):
        raise Rejected("characters")
    if length < rules.min_length:
        raise Rejected("min_length", minimum=rules.min_length, length=length)
    _check_format(field, text)
    return text


def _check_format(field: Field, text: str) -> None:
    if field.rules.format == "email" and not _EMAIL.fullmatch(text):
        raise Rejected("email")
    if field.rules.format == "phone" and not _PHONE.fullmatch(re.sub(r"[\s()-]", "", text)):
        raise Rejected("phone")
    if field.rules.pattern and not field.rules.pattern.search(text):
        hint = field.pattern_hint
        raise Rejected("pattern", pattern=field.rules.pattern.pattern, hint_zh=hint.zh, hint_en=hint.en)


def _number(field: Field, raw: Any) -> int | float | None:
    number = _decimal(raw)
    if number is None:
        return None
    rules = field.rules
    if field.decimal_digits is not None and number != round(number, field.decimal_digits):
        if field.decimal_digits == 0:
            raise Rejected("not_an_integer")
        raise Rejected("decimals", digits=field.decimal_digits)
    if rules.minimum is not None and number < rules.minimum:
        raise Rejected("minimum", minimum=plain_number(rules.minimum))
    if rules.maximum is not None and number > rules.maximum:
        raise Rejected("maximum", maximum=plain_number(rules.maximum))
    return plain_number(number)


def _decimal(raw: Any) -> Decimal | None:
    """Numbers as they are; texts as people type them, full-width digits included."""
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal | str):
        raise Rejected("type", expected="number")
    if isinstance(raw, str):
        typed = unicodedata.normalize("NFKC", raw.strip()[:41]).replace("\u2212", "-")
        if not typed:
            return None
        if len(typed) > 40 or not _NUMBER.fullmatch(typed):
            raise Rejected("not_a_number")
        raw = typed
    number = Decimal(repr(raw) if isinstance(raw, float) else raw)
    if not number.is_finite():
        raise Rejected("not_a_number")
    if abs(number) > MAX_NUMBER:
        code, name = ("maximum", "maximum") if number > 0 else ("minimum", "minimum")
        raise Rejected(code, **{name: int(MAX_NUMBER.copy_sign(number))})
    return number


def _checkbox(field: Field, raw: Any) -> bool:
    if raw is None:
        return False
    if not isinstance(raw, bool):
        raise Rejected("type", expected="boolean")
    return raw


def _choice(field: Field, raw: Any) -> str | None:
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise Rejected("type", expected="text")
    if all(raw != option.value for option in field.options):
        raise Rejected("not_an_option")
    return raw


def _choices(field: Field, raw: Any) -> list[str]:
    """The chosen values, each once, in the order of the form."""
    if raw is None:
        return []
    if not isinstance(raw, list | tuple) or any(not isinstance(one, str) for one in raw):
        raise Rejected("type", expected="list")
    known = [option.value for option in field.options]
    if any(one not in known for one in raw):
        raise Rejected("not_an_option")
    return [value for value in known if value in raw]


def _moment(field: Field, raw: Any) -> str | None:
    if raw is not None and not isinstance(raw, str):
        raise Rejected("type", expected="text")
    typed = (raw or "").strip()
    if not typed:
        return None
    form, expected = _TIMES[field.subtype]
    try:
        if not form.fullmatch(typed):
            raise ValueError(typed)
        if field.subtype == "date":
            return date.fromisoformat(typed).isoformat()
        if field.subtype == "time":  # the clock on the wall: an offset that browsers add says nothing more
            return _iso(time.fromisoformat(typed).replace(tzinfo=None))
        return _iso_moment(field, datetime.fromisoformat(typed))
    except (ValueError, OverflowError) as error:
        raise Rejected("not_a_date", expected=expected) from error


def _iso_moment(field: Field, moment: datetime) -> str:
    local = moment.astimezone(field.zone) if moment.tzinfo else moment.replace(tzinfo=field.zone)
    if field.time_format == "no_timezone":
        return _iso(local.replace(tzinfo=None))
    if field.time_format == "utc_normalized":
        return _iso(local.astimezone(UTC).replace(tzinfo=None)) + "Z"
    return _iso(local)


def _iso(moment: datetime | time) -> str:
    return moment.isoformat(timespec="auto" if moment.second or moment.microsecond else "minutes")


_CLEANERS: dict[str, Callable[[Field, Any], Any]] = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "checkbox": _checkbox,
    "select": _choice,
    "radio": _choice,
    "checklist": _choices,
    "taglist": _choices,
    "datetime": _moment,
}
