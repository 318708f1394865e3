"""When a field is hidden: the small part of FEEL that forms may use, read at deployment and evaluated here.

Supported is exactly `=key = "literal"`, `=key != "literal"` and these joined by `and` / `or` (`and` binds
tighter). Anything else is refused, never guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_LENGTH = 500

_COMPARISON = re.compile(r'\s*([A-Za-z][A-Za-z0-9_]*)\s*(!=|=)\s*"((?:[^"\\]|\\["\\])*)"\s*', re.ASCII)
_JOIN = re.compile(r"(and|or)\b", re.ASCII)


class ConditionRefused(ValueError):
    """The expression is not of the supported form; `reason` is a (zh, en) pair."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.reason = (zh, en)


@dataclass(frozen=True)
class Comparison:
    """`key = "literal"` or, when not `equal`, `key != "literal"`."""

    key: str
    equal: bool
    literal: str


@dataclass(frozen=True)
class Condition:
    """Alternatives (or) of comparisons that must all hold (and)."""

    alternatives: tuple[tuple[Comparison, ...], ...]

    def holds(self, answer: Callable[[str], str | None]) -> bool:
        """Evaluate with the present answers; no answer is equal to no literal."""
        return any(
            all((answer(one.key) == one.literal) is one.equal for one in together)
            for together in self.alternatives
        )

    def __iter__(self) -> Iterator[Comparison]:
        return (one for together in self.alternatives for one in together)

    def as_json(self) -> str:
        """For a script in the browser: a list (or) of lists (and) of `{"key", "op", "value"}`."""
        return json.dumps(
            [
                [{"key": one.key, "op": "=" if one.equal else "!=", "value": one.literal} for one in together]
                for together in self.alternatives
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        )


def parse_condition(text: str) -> Condition:
    """Read a `hide` expression; raises `ConditionRefused`."""
    if len(text) > MAX_LENGTH:
        raise ConditionRefused(f"超过 {MAX_LENGTH} 个字符", f"longer than {MAX_LENGTH} characters")
    if not text.startswith("="):
        raise ConditionRefused("应以 = 开头", "it does not begin with =")
    alternatives: list[list[Comparison]] = [[]]
    at = 1
    while True:
        found = _COMPARISON.match(text, at)
        if not found:
            raise ConditionRefused(f"第 {at + 1} 个字符处不是比较", f"no comparison at character {at + 1}")
        key, operator, literal = found.groups()
        alternatives[-1].append(Comparison(key, operator == "=", re.sub(r"\\(.)", r"\1", literal)))
        at = found.end()
        if at == len(text):
            return Condition(tuple(tuple(together) for together in alternatives))
        join = _JOIN.match(text, at)
        if not join:
            where = at + 1
            raise ConditionRefused(
                f"第 {where} 个字符处应为 and 或 or", f"expected and / or at character {where}"
            )
        if join[1] == "or":
            alternatives.append([])
        at = join.end()
