"""The parts of a form after reading: fields, options, rules and texts in two languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

from bpmn.forms.conditions import Condition
from bpmn.forms.messages import in_locale

CHINA_TIME = timezone(timedelta(hours=8))

TEXT_KINDS = frozenset({"textfield", "textarea"})
MULTIPLE_KINDS = frozenset({"checklist", "taglist"})
OPTION_KINDS = frozenset({"select", "radio"}) | MULTIPLE_KINDS
INPUT_KINDS = TEXT_KINDS | OPTION_KINDS | {"number", "checkbox", "datetime"}
DISPLAY_KINDS = frozenset({"text", "separator", "spacer"})


@dataclass(frozen=True)
class Text:
    """A text in both languages; English falls back to Chinese when the designer gave none."""

    zh: str = ""
    en: str = ""

    def to(self, locale: str) -> str:
        """The text for a locale such as `zh-CN` or `en`."""
        return in_locale((self.zh or self.en, self.en or self.zh), locale)

    def __bool__(self) -> bool:
        return bool(self.zh or self.en)


@dataclass(frozen=True)
class Option:
    """One choice of a select, radio, checklist or taglist."""

    value: str
    label: Text


@dataclass(frozen=True)
class Rules:
    """What form-js keeps under `validate`, checked and typed; `max_length` is always set for texts."""

    required: bool = False
    min_length: int = 0
    max_length: int = 0
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    pattern: re.Pattern[str] | None = None
    format: str = ""  # "", "email" or "phone"


@dataclass(frozen=True)
class Field:
    """One component of a form; `key` is empty for groups and for what is only shown."""

    kind: str
    path: str
    key: str = ""
    label: Text = Text()
    description: Text = Text()
    pattern_hint: Text = Text()
    unit: Text = Text()
    prefix: Text = Text()
    rules: Rules = Rules()
    options: tuple[Option, ...] = ()
    decimal_digits: int | None = None
    increment: Decimal | None = None
    subtype: str = ""  # of a datetime: "date", "time" or "datetime"
    time_format: str = "utc_offset"
    zone: tzinfo = CHINA_TIME
    default: Any = None
    read_only: bool = False
    hide: Condition | None = None
    hidden_by: tuple[Condition, ...] = ()  # its own condition and those of the groups around it
    children: tuple[Field, ...] = ()

    @property
    def is_input(self) -> bool:
        """Whether a person gives a value here."""
        return self.kind in INPUT_KINDS

    @property
    def is_multiple(self) -> bool:
        """Whether the value is a list of options."""
        return self.kind in MULTIPLE_KINDS

    @property
    def step(self) -> str:
        """The HTML step of a number: the designer's increment, else by the decimal places, else any."""
        if self.increment is not None:
            return format(self.increment, "f")
        return "any" if self.decimal_digits is None else format(Decimal(1).scaleb(-self.decimal_digits), "f")

    def blocks(self, locale: str) -> list[tuple[str, list[str]]]:
        """The lines of a text component: `("heading" | "item" | "paragraph", lines)`, neighbours together."""
        blocks: list[tuple[str, list[str]]] = [("", [])]
        for line in self.label.to(locale).splitlines():
            marked = re.fullmatch(r"\s*(#{1,6}|[-*])\s+(.+)", line)
            kind = "paragraph" if line.strip() else ""
            if marked:
                kind = "heading" if marked[1].startswith("#") else "item"
            if kind != blocks[-1][0] or kind == "heading":
                blocks.append((kind, []))
            blocks[-1][1].append(marked[2].strip() if marked else line.strip())
        return [block for block in blocks if block[0]]
