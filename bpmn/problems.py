"""What can be wrong with a diagram: a stable code, a severity, the place, and words in both languages with a remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bpmn.problem_words import CATALOGUE, Severity

__all__ = ["CATALOGUE", "DiagramRefused", "Problem", "Severity"]

ALIASES = {"zh_CN": "zh", "zh-CN": "zh", "zh": "zh", "en": "en"}


@dataclass(frozen=True)
class Problem:
    """One finding. `line` counts from 1 in the uploaded file; 0 where it has no place."""

    code: str
    line: int
    element: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """error: the diagram is refused; warning: it is accepted and the designer should know."""
        return CATALOGUE[self.code].severity

    def message(self, locale: str = "en") -> str:
        """What is wrong."""
        return self._say("zh" if ALIASES.get(locale) == "zh" else "en", locale)

    def remedy(self, locale: str = "en") -> str:
        """What to do about it."""
        return self._say("remedy_zh" if ALIASES.get(locale) == "zh" else "remedy_en", locale)

    def _say(self, part: str, locale: str) -> str:
        facts = {k: v(locale) if callable(v) else v for k, v in self.facts.items()}
        template: str = getattr(CATALOGUE[self.code], part)
        return template.format(**facts)

    def as_dict(self, locale: str = "en") -> dict[str, Any]:
        """The shape that `kaitong lint --format json` and the API print."""
        return {
            "code": self.code,
            "severity": self.severity,
            "line": self.line,
            "element": self.element,
            "message": self.message(locale),
            "remedy": self.remedy(locale),
        }


class DiagramRefused(Exception):
    """A diagram that cannot be executed as drawn. Holds every problem found, warnings included."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = next((p for p in self.problems if p.severity == "error"), self.problems[0])
        super().__init__(f"{first.code} line {first.line}: {first.message('en')}")
