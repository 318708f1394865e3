"""Reading of a form-js document into a `Form`; everything that would not be kept as drawn is refused.

All problems are collected, so that a designer sees them at once. Our extension of form-js is the `properties`
object of a component: `label_en`, `description_en`, `text_en`, `pattern_hint_zh`, `pattern_hint_en`, `unit`,
`unit_en`; options carry `label_en`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from bpmn.forms.conditions import Condition, ConditionRefused, parse_condition
from bpmn.forms.form import Form
from bpmn.forms.messages import FormProblem, FormRefused
from bpmn.forms.rules import read_number, read_rules
from bpmn.forms.schema import CHINA_TIME, DISPLAY_KINDS, INPUT_KINDS, OPTION_KINDS, Field, Option
from bpmn.forms.texts import ComponentTexts, read_option
from bpmn.forms.values import Rejected, clean
from bpmn.forms.visibility import check_conditions

MAX_COMPONENTS = 200
MAX_DEPTH = 4
MAX_OPTIONS = 300

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)
_RESERVED_KEYS = frozenset({"csrf_token"})
_UNSUPPORTED = ("valuesKey", "valuesExpression", "disallowPassedDates", "serializeToString", "path")
_TIME_FORMATS = {
    "date": ("utc_offset", "no_timezone", "utc_normalized"),
    "datetime": ("utc_offset", "no_timezone", "utc_normalized"),
    "time": ("utc_offset", "no_timezone"),  # a time of day without its date has no moment in UTC
}
_UNFINISHED = frozenset({"pattern", "min_length", "email", "phone"})  # a default may begin an answer


def load_form(document: Mapping[str, Any], *, zone: tzinfo = CHINA_TIME) -> Form:
    """Read a form-js document; `zone` is the local time of people who fill it in. Raises `FormRefused`."""
    return _Loader(zone).load(document)


class _Loader:
    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self.problems: list[FormProblem] = []
        self.count = 0
        self.keys: set[str] = set()

    def load(self, document: Any) -> Form:
        if not isinstance(document, Mapping):
            self._report("form.schema", "", expected="object")
            raise FormRefused(tuple(self.problems))
        if document.get("type") != "default":
            self._report("form.schema", "type", expected='"default"')
        form_id = document.get("id")
        if not isinstance(form_id, str) or not 0 < len(form_id) <= 100:
            self._report("form.schema", "id", expected="text (1–100)")
        fields = self._components(document.get("components"), "components", (), 0)
        form = Form(id=str(form_id), fields=fields, document=document)
        if not self.problems:
            self.problems += check_conditions(form)
        if self.problems:
            raise FormRefused(tuple(self.problems))
        return form

    def _components(
        self, raw: Any, path: str, hidden_by: tuple[Condition, ...], depth: int
    ) -> tuple[Field, ...]:
        if not isinstance(raw, list | tuple):
            self._report("form.schema", path, expected="list")
            return ()
        if depth > MAX_DEPTH:
            self._report("form.too_large", path, what=("分组层数", "nested groups"), limit=MAX_DEPTH)
            return ()
        return tuple(self._read_all(raw, path, hidden_by, depth))

    def _read_all(
        self, raw: list[Any] | tuple[Any, ...], path: str, hidden_by: tuple[Condition, ...], depth: int
    ) -> Iterator[Field]:
        for position, component in enumerate(raw):
            self.count += 1
            if self.count > MAX_COMPONENTS:
                if self.count == MAX_COMPONENTS + 1:
                    self._report("form.too_large", path, what=("组件", "components"), limit=MAX_COMPONENTS)
                return
            place = f"{path}[{position}]"
            if not isinstance(component, Mapping):
                self._report("form.schema", place, expected="object")
            elif self._is_known(component, place):
                yield self._component(component, place, hidden_by, depth)

    def _is_known(self, raw: Mapping[str, Any], path: str) -> bool:
        kind = raw.get("type")
        if kind == "html":
            self._report("form.html", path)
        elif not isinstance(kind, str) or kind not in INPUT_KINDS | DISPLAY_KINDS | {"group"}:
            self._report("form.unknown_type", path, type=str(kind)[:40])
        else:
            return True
        return False

    def _component(
        self, raw: Mapping[str, Any], path: str, around: tuple[Condition, ...], depth: int
    ) -> Field:
        for name in _UNSUPPORTED:
            if raw.get(name):
                self._report("form.unsupported", f"{path}.{name}", name=name)
        kind, hide = raw["type"], self._condition(raw, path)
        hidden_by = around if hide is None else (*around, hide)
        if kind in INPUT_KINDS:
            return self._input(raw, path, hide, hidden_by)
        inner: tuple[Field, ...] = ()
        if kind == "group":
            inner = self._components(raw.get("components"), f"{path}.components", hidden_by, depth + 1)
        texts = ComponentTexts(raw, path, self._report)
        label = texts.pair("text" if kind == "text" else "label")
        return Field(kind, path, label=label, hide=hide, hidden_by=hidden_by, children=inner)

    def _input(
        self, raw: Mapping[str, Any], path: str, hide: Condition | None, hidden_by: tuple[Condition, ...]
    ) -> Field:
        kind, texts = raw["type"], ComponentTexts(raw, path, self._report)
        subtype, time_format = self._time(raw, path) if kind == "datetime" else ("", "")
        label = texts.pair("label") or texts.time_label(subtype)
        if not label:
            self._report("form.label_missing", path)
        field = Field(
            kind,
            path,
            key=self._key(raw, path),
            label=label,
            description=texts.pair("description"),
            pattern_hint=texts.extension("pattern_hint_zh", "pattern_hint_en"),
            unit=texts.extension("unit", "unit_en") or texts.adorner("suffixAdorner"),
            prefix=texts.adorner("prefixAdorner"),
            rules=read_rules(kind, raw.get("validate") or {}, f"{path}.validate", self._report),
            options=self._options(raw, path) if kind in OPTION_KINDS else (),
            **(self._digits(raw, path) if kind == "number" else {}),
            subtype=subtype,
            time_format=time_format,
            zone=self.zone,
            default=raw.get("defaultValue"),
            read_only=self._flag(raw, "readonly", path) or self._flag(raw, "disabled", path),
            hide=hide,
            hidden_by=hidden_by,
        )
        return self._with_default(field)

    def _key(self, raw: Mapping[str, Any], path: str) -> str:
        key = raw.get("key")
        if key is None or key == "":
            self._report("form.key_missing", path)
            return ""
        if not isinstance(key, str) or not _KEY.fullmatch(key) or key in _RESERVED_KEYS:
            self._report("form.key_invalid", f"{path}.key", key=str(key)[:80])
            return ""
        if key in self.keys:
            self._report("form.key_duplicate", f"{path}.key", key=key)
        self.keys.add(key)
        return key

    def _flag(self, raw: Mapping[str, Any], name: str, path: str) -> bool:
        value = raw.get(name, False)
        if value is not None and value != "" and not isinstance(value, bool):
            self._report("form.expression", f"{path}.{name}", name=name)
        return value is True

    def _condition(self, raw: Mapping[str, Any], path: str) -> Condition | None:
        conditional, place = raw.get("conditional") or {}, f"{path}.conditional"
        if not isinstance(conditional, Mapping) or set(conditional) - {"hide"}:
            self._report("form.conditional", place, reason=("只能有 hide", "only “hide” may be given"))
            return None
        hide = conditional.get("hide")
        if hide is None or hide == "":
            return None
        try:
            if not isinstance(hide, str):
                raise ConditionRefused("不是文本", "it is not a text")
            return parse_condition(hide)
        except ConditionRefused as refused:
            self._report("form.conditional", f"{place}.hide", reason=refused.reason)
            return None

    def _options(self, raw: Mapping[str, Any], path: str) -> tuple[Option, ...]:
        values = raw.get("values")
        if not isinstance(values, list | tuple) or not values:
            self._report("form.options_missing", path)
            return ()
        if len(values) > MAX_OPTIONS:
            self._report("form.too_large", f"{path}.values", what=("选项", "options"), limit=MAX_OPTIONS)
            return ()
        options: dict[str, Option] = {}
        for position, value in enumerate(values):
            option = read_option(value)
            if option is None or option.value in options:
                self._report("form.option", f"{path}.values[{position}]")
            else:
                options[option.value] = option
        return tuple(options.values())

    def _digits(self, raw: Mapping[str, Any], path: str) -> dict[str, Any]:
        digits, increment = raw.get("decimalDigits"), raw.get("increment")
        places = None if digits is None or digits == "" else read_number(digits)
        if digits not in (None, "") and (places is None or places != int(places) or not 0 <= places <= 9):
            self._report("form.rule", f"{path}.decimalDigits", rule="decimalDigits")
            places = None
        step = None if increment is None or increment == "" else read_number(increment)
        if increment not in (None, "") and (step is None or step <= 0):
            self._report("form.rule", f"{path}.increment", rule="increment")
        return {"decimal_digits": None if places is None else int(places), "increment": step}

    def _time(self, raw: Mapping[str, Any], path: str) -> tuple[str, str]:
        subtype, time_format = raw.get("subtype") or "date", raw.get("timeSerializingFormat") or "utc_offset"
        if not isinstance(subtype, str) or subtype not in _TIME_FORMATS:
            self._report("form.unsupported", f"{path}.subtype", name="subtype")
        elif time_format not in _TIME_FORMATS[subtype]:
            self._report("form.unsupported", f"{path}.timeSerializingFormat", name="timeSerializingFormat")
        return str(subtype), str(time_format)

    def _with_default(self, field: Field) -> Field:
        if field.default is None or any(problem.path.startswith(field.path) for problem in self.problems):
            return field
        try:
            return replace(field, default=clean(field, field.default, required=False))
        except Rejected as rejected:
            if rejected.error.code not in _UNFINISHED:
                self._report("form.default", f"{field.path}.defaultValue")
            return field

    def _report(self, code: str, path: str, **facts: Any) -> None:
        self.problems.append(FormProblem(code, path, facts))
