"""Reading of a component's `validate` object into `Rules`; a rule the server cannot keep is a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from bpmn.forms.patterns import MAX_INPUT, PatternRefused, compile_pattern
from bpmn.forms.schema import Rules

MAX_TEXT = {"textfield": 1_000, "textarea": 10_000}
MAX_NUMBER = Decimal(10**15)  # beyond it a JSON number loses digits in the browser

Report = Callable[..., None]  # report(code, path, **facts)

_LENGTHS = ("minLength", "maxLength")
_ALLOWED = {
    "textfield": {"required", *_LENGTHS, "pattern", "validationType"},
    "textarea": {"required", *_LENGTHS},
    "number": {"required", "min", "max"},
}


def read_rules(kind: str, raw: Any, path: str, report: Report) -> Rules:
    """The rules of one component; problems go to `report` and leave that rule out."""
    if not isinstance(raw, Mapping):
        report("form.schema", path, expected="object")
        return Rules()
    given = {
        name: rule for name, rule in raw.items() if rule is not None and rule != "" and rule is not False
    }
    for name in sorted(set(given) - _ALLOWED.get(kind, {"required"})):
        report("form.rule", f"{path}.{name}", rule=name)
        del given[name]
    return _RuleReader(kind, given, path, report).read()


class _RuleReader:
    def __init__(self, kind: str, given: dict[str, Any], path: str, report: Report) -> None:
        self.kind, self.given, self.path, self.report = kind, given, path, report

    def read(self) -> Rules:
        required = self.given.get("required", False)
        if not isinstance(required, bool):
            self._refuse("required")
        minimum, maximum = self._number("min"), self._number("max")
        if minimum is not None and maximum is not None and minimum > maximum:
            self._refuse("max")
        min_length, max_length = self._lengths()
        return Rules(
            required=required is True,
            min_length=min_length,
            max_length=max_length,
            minimum=minimum,
            maximum=maximum,
            pattern=self._pattern(),
            format=self._format(),
        )

    def _pattern(self) -> Any:
        pattern = self.given.get("pattern")
        if pattern is None:
            return None
        if not isinstance(pattern, str):
            return self._refuse("pattern")
        try:
            return compile_pattern(pattern)
        except PatternRefused as refused:
            code = "form.pattern_unsafe" if refused.unsafe else "form.pattern"
            return self.report(code, f"{self.path}.pattern", pattern=pattern, reason=refused.reason)

    def _format(self) -> str:
        kind = self.given.get("validationType", "custom")
        if kind not in ("custom", "email", "phone"):
            self._refuse("validationType")
        return kind if kind in ("email", "phone") else ""

    def _lengths(self) -> tuple[int, int]:
        limit = MAX_TEXT.get(self.kind, 0)
        if "pattern" in self.given or self._format():
            limit = MAX_INPUT
        shortest, longest = (self._number(name) for name in _LENGTHS)
        for name, length in zip(_LENGTHS, (shortest, longest), strict=True):
            if length is not None and not (length == int(length) and 0 <= length <= limit):
                self._refuse(name)
                return 0, limit
        longest = Decimal(limit) if longest is None else longest
        if shortest is not None and shortest > longest:
            self._refuse("maxLength")
        return int(shortest or 0), int(longest)

    def _number(self, name: str) -> Decimal | None:
        value = self.given.get(name)
        if value is None:
            return None
        number = read_number(value)
        if number is None:
            self._refuse(name)
        return number

    def _refuse(self, name: str) -> None:
        self.report("form.rule", f"{self.path}.{name}", rule=name)


def read_number(value: Any) -> Decimal | None:
    """A number of a form document (the editor also writes them as strings); None when it is not usable."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) <= MAX_NUMBER else None
