"""Random expressions agree with Python, and random damage to valid programs never escapes as another exception."""

from __future__ import annotations

import copy
import random
import re
import tempfile
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from bpmn.expressions import BpmnErrorThrown, ExpressionError, compile_expression, compile_script

# hypothesis keeps notes in a folder; one in the project's root would stop pytest from collecting
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "kaitong-hypothesis")

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
FUNCTIONS = [
    "len",
    "sum",
    "abs",
    "min",
    "max",
    "sorted",
    "bool",
    "int",
    "float",
    "round",
    "any",
    "all",
    "list",
    "str",
]
NAMES = {"a": 3, "b": -2.5, "c": True, "d": 0, "t": "tier", "n": None, "xs": [1, 2, 3], "o": {"k": 7}}


def _leaf() -> st.SearchStrategy[str]:
    numbers = st.integers(-1000, 1000).map(lambda n: f"({n})") | st.floats(-1e6, 1e6, width=32).map(
        lambda n: f"({n!r})"
    )
    return numbers | st.sampled_from(
        [*NAMES, "True", "False", "None", "'abc'", "''", "[]", "(1, 2)", "{'k': 1}", "{1}"]
    )


def _branch(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "and", "or", "in", "not in"]
    )
    function = st.sampled_from(FUNCTIONS)
    return st.one_of(
        st.tuples(inner, operator, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(inner, operator, inner, operator, inner).map(lambda p: "(" + " ".join(p) + ")"),
        st.tuples(st.sampled_from(["-", "+", "not "]), inner).map(lambda p: f"({p[0]}{p[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        st.tuples(inner, st.integers(0, 3)).map(lambda p: f"({p[0]} ** {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"[{p[0]}, {p[1]}]"),
        st.tuples(inner, inner).map(lambda p: f"{p[0]}[{p[1]}]"),
        st.tuples(inner, st.integers(-3, 3), st.integers(-3, 3)).map(lambda p: f"{p[0]}[{p[1]}:{p[2]}]"),
        st.tuples(inner, inner).map(lambda p: f"[{p[0]} for q in {p[1]}]"),
        st.tuples(function, inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"(lambda p, q: p == q or q)({p[0]}, {p[1]})"),
    )  # fmt: skip


EXPRESSIONS = st.recursive(_leaf(), _branch, max_leaves=12)


def _python(text: str) -> Any:
    """Python's own value, or the exception that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of `(0)[0]` before it fails
        try:
            return eval(text, copy.deepcopy(NAMES))  # noqa: S307 - generated above from harmless parts
        except (ArithmeticError, LookupError, TypeError, ValueError) as fault:
            return fault


def _ours(text: str) -> Any:
    try:
        return compile_expression(text).evaluate(NAMES, now=NOW)
    except ExpressionError as error:
        return error


def _may_differ(error: ExpressionError, text: str) -> bool:
    """What we refuse on purpose although Python has a value for it."""
    reason = error.facts.get("reason")
    on_purpose = ("not_finite", "percent_format", "complex", "key_not_text")
    return (
        error.code == "expression.limit"
        or reason in on_purpose
        or (reason in ("types", "unhashable") and "{1}" in text)
    )


@settings(max_examples=600, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS)
def test_a_random_expression_has_the_value_that_python_gives_it(text: str) -> None:
    expected, found = _python(text), _ours(text)
    if isinstance(found, ExpressionError):
        assert isinstance(expected, Exception) or _may_differ(found, text), (
            f"{text}: {found} but {expected!r}"
        )
    else:
        assert (found, type(found)) == (expected, type(expected))


VALID = [
    "x > 3 and area == 'E' or order.items[0].price * 1.06 <= limit",
    "sum(i.price * i.count for i in order.items if i.count > 0) + len(order['items'])",
    "f'{order.id:>10} {now():%Y-%m-%d} {total:.2f}' if total else None",
    "sorted(order.items, key=lambda i: i.price, reverse=True)[:2]",
    "{k: [v, str(v).upper()] for k, v in order.note.items()}",
    "now() + duration('PT4H') > datetime('2026-03-01T08:00:00Z') - timedelta(hours=x)",
    "any(i.price > 10 for i in order.items) and all(t in {'a', 'b'} for t in tags)",
    "decimal('1.10') * x // 3 % 2 ** 2",
    "total = 0\nfor item in order.items:\n"
    "    if item.price > 10:\n        total += item.price\n    elif x:\n        continue\n"
    "    else:\n        break\norder['total'] = total\n",
    "def price(item, factor=2):\n    try:\n        return item['price'] / factor\n    except (KeyError, TypeError) as e:\n"
    "        return f'{e}'\nprices = [price(i) for i in order.items]\nn = 0\nwhile n < 5:\n    n += 1\ndel n\n",
    "if not tags:\n    bpmn_error('NO_TAGS', 'none')\ntags.append('z')\ntags.sort()\na, (b, c) = 1, tags[:2]\n"
    "raise ValueError(f'{a}')\n",
    "seen = {}\nfor tag in tags * 2:\n"
    "    seen.setdefault(tag, []).append(len(seen))\nbest = max(seen, key=lambda k: seen[k])\n",
]  # fmt: skip
FRAGMENTS = [
    *re.findall(r"\w+|[^\w\s]+|\s+", "\n".join(VALID)),
    "__class__", "_", "import os", "lambda:", "yield", "await", "**", "*", "(" * 30, "[" * 30, "{", "}", ")", "\\", "'''",
    '"', "\0", "\x0c", "\ud800", "名", "9" * 400, "1e400", "0x", "f'{", "}'", "{{", ":=", "@", "->", "...", "~", "\t",
    "\r\n",     "while 1:",
    "try:", "except:", "finally:", "else:", "class A:", "return", "global x", "* 10**9", "9**9**9", "range(10**9)",
    "\n    ", "# ", ";", "if", "elif", "None", "True", "b''", "1j", "not ", "-", "is", "in", "for x in ", "def f():", "f(f)",
]  # fmt: skip
DATA: dict[str, Any] = {
    "x": 5, "area": "E", "limit": 100.5, "total": Decimal("9.50"), "tags": ["b", "a"], "when": NOW, "none": None,
    "order": {"id": "O-1", "note": {"a": 1}, "items": [{"price": 12, "count": 1}, {"price": 3.5, "count": 0}]},
}  # fmt: skip


def _damaged(text: str, dice: random.Random) -> str:
    parts = re.findall(r"\w+|[^\w\s]+|\s+", text)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(parts) + 1)
        match dice.randrange(6):
            case 0:
                parts.insert(place, dice.choice(FRAGMENTS))
            case 1:
                parts[place : place + dice.randint(1, 3)] = []
            case 2:
                parts[place : place + 1] = [dice.choice(FRAGMENTS)]
            case 3:
                other = dice.randrange(len(parts) + 1)
                parts[place:place] = parts[min(place, other) : max(place, other)]
            case 4:
                joined = "".join(parts)
                cut = dice.randrange(len(joined) + 1)
                parts = [joined[:cut], dice.choice(FRAGMENTS)[:3], joined[cut + 1 :]]
            case _:
                dice.shuffle(
                    parts
                ) if dice.random() < 0.05 else parts.reverse() if dice.random() < 0.05 else None
    return "".join(parts)


@settings(max_examples=1500, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(VALID), st.integers(0, 2**32))
def test_a_damaged_program_fails_only_in_the_ways_that_are_promised(text: str, seed: int) -> None:
    damaged = _damaged(text, random.Random(seed))
    before = copy.deepcopy(DATA)
    for run in (_evaluated, _run):
        outcome = run(damaged)
        assert before == DATA
        if isinstance(outcome, ExpressionError):
            lines = re.split(r"\r\n|\r|\n", damaged)
            assert outcome.message("zh-CN")
            assert 1 <= outcome.line <= len(lines)
            assert 1 <= outcome.column <= len(lines[outcome.line - 1]) + 1


def _evaluated(text: str) -> Any:
    try:
        return compile_expression(text).evaluate(DATA, now=NOW)
    except ExpressionError as error:
        return error


def _run(text: str) -> Any:
    try:
        return compile_script(text).run(DATA, now=NOW)
    except (ExpressionError, BpmnErrorThrown) as error:
        return error


def test_the_programs_that_are_damaged_above_are_valid() -> None:
    for text in VALID[:8]:
        compile_expression(text).evaluate(DATA, now=NOW)
    for text in VALID[8:]:
        compile_script(text)
