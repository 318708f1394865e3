"""A usable form: judges what was submitted through the JSON API or through a page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from bpmn.forms.conditions import Comparison, Condition
from bpmn.forms.messages import FieldError, FormInvalid
from bpmn.forms.schema import Field
from bpmn.forms.shown import fits_browser_input, shown_text
from bpmn.forms.values import Rejected, clean, is_empty, plain_text
from bpmn.forms.visibility import hidden_keys

_TICKED = frozenset({"true", "on", "1"})


class Posted(Protocol):
    """What an HTML form post gives: names with all their values (Werkzeug's MultiDict fits)."""

    def __iter__(self) -> Iterator[str]: ...

    def getlist(self, key: str, /) -> list[str]: ...


@dataclass(frozen=True, eq=False)
class Form:
    """A form as deployed; `fields` is the tree as drawn, in which groups have children."""

    id: str
    fields: tuple[Field, ...]
    document: Mapping[str, Any]

    @cached_property
    def inputs(self) -> tuple[Field, ...]:
        """Every field that takes a value, in the order of the page."""
        return tuple(_inputs(self.fields))

    @cached_property
    def by_key(self) -> Mapping[str, Field]:
        """The inputs by their key."""
        return {field.key: field for field in self.inputs}

    def initial(self, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Values to show in an untouched form: what is known already, else the designer's defaults."""
        return {field.key: (known or {}).get(field.key, field.default) for field in self.inputs}

    def validate(self, submitted: Mapping[str, Any]) -> dict[str, Any]:
        """Judge typed values of the JSON API.

        Returns a value for each visible input (None, False or [] when it was left out). Unknown keys, and
        answers to hidden or read-only fields, are errors. Raises `FormInvalid`.
        """
        if not isinstance(submitted, Mapping):
            raise FormInvalid({"": FieldError("type", {"expected": "object"})}, {})
        return self._judge(dict(submitted), strict=True)

    def validate_html(self, submitted: Posted, *, also: Collection[str] = ("csrf_token",)) -> dict[str, Any]:
        """Judge a page post: an absent checkbox is False, hidden and read-only inputs are ignored.

        `also` names the other inputs of the page; names that begin with an underscore belong to the page too.
        """
        names = (key for key in submitted if key not in also and not key.startswith("_"))
        raw = {key: submitted.getlist(key) for key in names}
        answers = {key: _from_html(field, raw.pop(key, [])) for key, field in self.by_key.items()}
        unknown = {key: values[0] if len(values) == 1 else values for key, values in raw.items()}
        return self._judge(answers | unknown, strict=False)

    def hidden(self, answers: Mapping[str, Any]) -> frozenset[str]:
        """The keys that are hidden with these answers."""
        return hidden_keys(self.by_key, lambda key: plain_text(answers.get(key)))

    def shown(self, key: str, values: Mapping[str, Any]) -> str:
        """The text that a page puts into the input of this key."""
        return shown_text(self.by_key[key], values.get(key))

    def fits_browser_input(self, key: str, text: str) -> bool:
        """Whether the browser's own number or date input can show the text."""
        return fits_browser_input(self.by_key[key], text)

    def explain(self, condition: Condition, locale: str) -> list[list[tuple[str, bool, str]]]:
        """A hide condition in the words of the page: alternatives of (label, is equal, label of the value)."""

        def words(one: Comparison) -> tuple[str, bool, str]:
            asked = self.by_key[one.key]
            value = next(
                (option.label.to(locale) for option in asked.options if option.value == one.literal), ""
            )
            return asked.label.to(locale), one.equal, value or one.literal

        return [[words(one) for one in together] for together in condition.alternatives]

    def _judge(self, answers: dict[str, Any], *, strict: bool) -> dict[str, Any]:
        hidden = self.hidden(answers)
        values: dict[str, Any] = {}
        errors: dict[str, FieldError] = {}
        for field in self.inputs:
            answer = answers.get(field.key)
            if field.key in hidden or field.read_only:
                if strict and not is_empty(answer):
                    errors[field.key] = FieldError("hidden_field" if field.key in hidden else "read_only")
                continue
            try:
                values[field.key] = clean(field, answer)
            except Rejected as rejected:
                errors[field.key] = rejected.error
        errors |= {key: FieldError("unknown_field") for key in answers if key not in self.by_key}
        if errors:
            raise FormInvalid(errors, answers)
        return values


def _inputs(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        if field.is_input:
            yield field
        yield from _inputs(field.children)


def _from_html(field: Field, values: list[str]) -> Any:
    """The typed answer in a post; several values for a single input stay a list, which is then refused."""
    if field.is_multiple:
        return list(values)
    if field.kind == "checkbox":
        return bool(values) if all(value in _TICKED for value in values) else values[0]
    if len(values) > 1:
        return list(values)
    return values[0] if values else None
