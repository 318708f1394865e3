"""Reading of the texts that a component and its options show, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpmn.forms.rules import Report
from bpmn.forms.schema import Option, Text

_TEXT_NAMES = ("label", "description", "text", "dateLabel", "timeLabel")


class ComponentTexts:
    """The texts of one component in both languages; expressions and templates are problems."""

    def __init__(self, raw: Mapping[str, Any], path: str, report: Report) -> None:
        self.raw, self.path, self.report = raw, path, report
        self.properties = self._mapping("properties")
        self.appearance = self._mapping("appearance")
        for name in _TEXT_NAMES:
            self._plain(raw, name)

    def pair(self, name: str) -> Text:
        """A text of form-js with its English twin from `properties`."""
        return Text(_text(self.raw.get(name)), self._plain(self.properties, f"{name}_en"))

    def extension(self, zh: str, en: str) -> Text:
        """Two texts of our own in `properties`."""
        return Text(self._plain(self.properties, zh), self._plain(self.properties, en))

    def adorner(self, name: str) -> Text:
        """A unit or sign that the form-js editor keeps under `appearance`; the same in both languages."""
        return Text(self._plain(self.appearance, name))

    def time_label(self, subtype: str) -> Text:
        """form-js labels the two halves of a datetime apart; together they name ours."""
        halves = {"date": ("dateLabel",), "time": ("timeLabel",)}.get(subtype, ("dateLabel", "timeLabel"))
        label = " / ".join(filter(None, (_text(self.raw.get(half)) for half in halves)))
        return Text(label, self._plain(self.properties, "label_en")) if label else Text()

    def _mapping(self, name: str) -> Mapping[str, Any]:
        value = self.raw.get(name) or {}
        if isinstance(value, Mapping):
            return value
        self.report("form.schema", f"{self.path}.{name}", expected="object")
        return {}

    def _plain(self, holder: Mapping[str, Any], name: str) -> str:
        value = holder.get(name)
        if value is not None and not isinstance(value, str):
            self.report("form.schema", f"{self.path}.{name}", expected="text")
        text = _text(value)
        if text.startswith("=") or "{{" in text:
            self.report("form.expression", f"{self.path}.{name}", name=name)
        return text


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def read_option(raw: Any) -> Option | None:
    """One entry of `values`; None when it is not usable."""
    if not isinstance(raw, Mapping):
        return None
    value, label = raw.get("value"), Text(_text(raw.get("label")), _text(raw.get("label_en")))
    if not isinstance(value, str) or not value or value != value.strip() or not label:
        return None
    return Option(value, label)
