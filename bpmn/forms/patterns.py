"""Gate for designers' regular expressions: only what JavaScript reads alike and what ends quickly.

The check counts in how many ways a pattern can divide a text; that number bounds backtracking. Repeating a
part that can itself match in several ways (`(a+)+`, `(a|aa)*`) is refused, and so are long chains of `+` and `*`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_PATTERN = 200
MAX_INPUT = 200  # a text longer than this is never given to a designer's pattern
_MAX_WAYS = 10_000_000
_MAX_SIZE = 5_000
_MAX_DEPTH = 10

_GROUPS = ("(?:", "(?=", "(?!", "(?<=", "(?<!")
_COUNT = re.compile(r"\{(\d{1,4})(?:(,)(\d{0,4}))?\}", re.ASCII)
_PYTHON_ONLY = frozenset("AZaUN123456789")  # escapes that JavaScript reads otherwise, and back references
_SET_OPERATORS = ("--", "&&", "~~", "||")  # reserved in both languages


class PatternRefused(ValueError):
    """The pattern cannot be used; `reason` is a (zh, en) pair, `unsafe` tells cost from syntax."""

    def __init__(self, zh: str, en: str, *, unsafe: bool = False) -> None:
        super().__init__(en)
        self.reason = (zh, en)
        self.unsafe = unsafe


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Check and compile; use with `search` (as form-js does) on texts of at most `MAX_INPUT` characters."""
    if len(pattern) > MAX_PATTERN:
        raise PatternRefused(
            f"超过 {MAX_PATTERN} 个字符", f"longer than {MAX_PATTERN} characters", unsafe=True
        )
    reader = _Reader(pattern)
    cost = reader.whole()
    anchored = re.match(r"\^(?![*+?{])", pattern) and not reader.has_top_level_alternatives
    starts = 1 if anchored else MAX_INPUT
    if cost.ways * starts * (1 + cost.size // 20) > _MAX_WAYS:
        raise PatternRefused("重复太多", "too many repetitions", unsafe=True)
    try:
        return re.compile(pattern, re.ASCII)
    except (re.error, OverflowError) as error:
        raise PatternRefused("语法错误", f"syntax error ({error})") from error


@dataclass(frozen=True)
class _Cost:
    """`ways` a part can match, its `size` written out, and whether an unlimited repetition is inside."""

    ways: int = 1
    size: int = 0
    unlimited: bool = False

    def then(self, other: _Cost) -> _Cost:
        return self._beside(other, self.ways * other.ways)

    def otherwise(self, other: _Cost) -> _Cost:
        return self._beside(other, self.ways + other.ways)

    def _beside(self, other: _Cost, ways: int) -> _Cost:
        return _Cost(_capped(ways), self.size + other.size, self.unlimited or other.unlimited)

    def repeated(self, low: int, high: int | None) -> _Cost:
        size = max(self.size, 1) * max(low, 1 if high is None else high)
        if size > _MAX_SIZE:
            raise PatternRefused("重复次数太大", "repetition counts are too large", unsafe=True)
        repeats = high is None or high > 1
        if (self.unlimited and repeats) or (self.ways > 1 and high is None):
            raise PatternRefused("嵌套重复", "a repetition inside a repetition", unsafe=True)
        if high is None:
            return _Cost(MAX_INPUT, size, True)
        return _Cost(_capped(self.ways**high * (high - low + 1)), size, self.unlimited)


def _capped(ways: int) -> int:
    return min(ways, _MAX_WAYS + 1)


class _Reader:
    """Recursive descent over a pattern, before Python compiles it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.has_top_level_alternatives = False

    def whole(self) -> _Cost:
        cost = self._alternatives(0)
        if self._next():
            raise self._foreign(self._next())
        return cost

    def _alternatives(self, depth: int) -> _Cost:
        if depth > _MAX_DEPTH:
            raise PatternRefused("括号嵌套太深", "brackets are nested too deeply", unsafe=True)
        cost = self._sequence(depth)
        while self._next() == "|":
            self.has_top_level_alternatives |= depth == 0
            self.at += 1
            cost = cost.otherwise(self._sequence(depth))
        return cost

    def _sequence(self, depth: int) -> _Cost:
        cost = _Cost()
        while self._next() not in ("", "|", ")"):
            cost = cost.then(self._quantified(self._atom(depth)))
        return cost

    def _atom(self, depth: int) -> _Cost:
        char = self._next()
        if char == "(":
            return self._group(depth)
        if char == "[":
            self._skip_class()
        elif char == "\\":
            self._skip_escape()
        elif char in "{}":
            raise self._foreign("{")
        else:
            self.at += 1
        return _Cost(size=1)

    def _group(self, depth: int) -> _Cost:
        opening = next((one for one in _GROUPS if self.text.startswith(one, self.at)), "(")
        if opening == "(" and self.text.startswith("(?", self.at):
            raise self._foreign(self.text[self.at : self.at + 3])
        self.at += len(opening)
        inner = self._alternatives(depth + 1)
        if self._next() != ")":
            raise self._foreign("(")
        self.at += 1
        return inner

    def _skip_class(self) -> None:
        self.at += 2 if self.text.startswith("[^", self.at) else 1
        if self._next() == "]":
            raise self._foreign("[]")  # an empty class in JavaScript, a literal bracket in Python
        while self._next() != "]":
            if self._next() in ("", "[") or self.text[self.at : self.at + 2] in _SET_OPERATORS:
                raise self._foreign("[")
            if self._next() == "\\":
                self._skip_escape()
            else:
                self.at += 1
        self.at += 1

    def _skip_escape(self) -> None:
        escaped = self.text[self.at + 1 : self.at + 2]
        if not escaped or escaped in _PYTHON_ONLY:
            raise self._foreign("\\" + escaped)
        self.at += 2

    def _quantified(self, atom: _Cost) -> _Cost:
        limits = self._limits()
        if limits is None:
            return atom
        if self._next() == "?":
            self.at += 1  # lazy: the same number of ways
        if self._next() and self._next() in "*+?":
            raise self._foreign(self._next())
        return atom.repeated(*limits)

    def _limits(self) -> tuple[int, int | None] | None:
        char = self._next()
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if char in simple:
            self.at += 1
            return simple[char]
        if char != "{":
            return None
        counted = _COUNT.match(self.text, self.at)
        if not counted:
            raise self._foreign("{")
        self.at = counted.end()
        low = int(counted[1])
        if not counted[2]:
            return low, low
        return low, int(counted[3]) if counted[3] else None

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _foreign(self, what: str) -> PatternRefused:
        where = self.at + 1
        return PatternRefused(
            f"第 {where} 个字符处的 {what} 不支持", f"{what} at character {where} is not supported"
        )
