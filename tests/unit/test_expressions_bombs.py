"""Texts that try to use up time or memory: each ends in `expression.limit`, and soon.

The bound is generous on purpose, and counts work, not waiting: without the limits most of these would run for hours.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bpmn.expressions import ExpressionError, compile_expression, compile_script

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
COLLIDING = 2**61 - 1  # whole numbers with this distance all have the same hash
SOON_S = 20
SHARED_LIST = "a = [1]\nfor i in range(30): a = [a, a]\n"
SHARED_TUPLE = "a = ()\nfor i in range(30): a = (a, a)\n"
LONG = "s = 'a' * 200000\n"
MANY = "xs = list(range(50000))\n"

EXPRESSIONS = [
    "'a' * 10**9",
    "10**9 * 'a'",
    "[0] * 10**9",
    "(0,) * 10**9",
    "9**9**9",
    "2**99999",
    "(-3)**99999",
    "10**1000 * 10**1000",
    "range(10**12)",
    "range(10**30)",
    "list(range(10**12))",
    "sum(range(10**12))",
    "sorted(range(10**12))",
    "[i for i in range(40000) for j in range(40000)]",
    "any(False for i in range(40000) for j in range(40000))",
    "sum([i for i in range(40000)] for j in range(40000))",
    "'a'.zfill(10**9)",
    "'a'.ljust(10**9)",
    "'a'.center(10**9)",
    "('a' * 10**5).replace('a', 'b' * 10**5)",
    "('a' * 10**5).replace('', 'b' * 10**5)",
    "('a' * 10**5).join(['b'] * 10**4)",
    "''.join(['a' * 10**5] * 10**4)",
    'f\'{"a" * 10**5}{"a" * 10**5}{"a" * 10**5}\'',
    "str([['a' * 1000] * 1000] * 1000)",
    "str([10**1200] * 50000)",
    "('ß' * 150000).upper()",
    "('a b ' * 50000).split()",
    "sum([[1] * 1000] * 1000, [])",
    "decimal('1E999999999')",
    "decimal('1E1300') * decimal('1E1300')",
    "decimal('1E999999999999')",
    "(lambda f: f(f))(lambda f: f(f))",
    "max([lambda f: f(f)], key=lambda f: f(f))",
    "0x" + "f" * 5000,
    "x" + " + x" * 4000,
    "-" * 5000 + "1",
    "not " * 4000 + "1",
    "(" * 60 + "1" + ")" * 60,
    "[" * 45 + "]" * 45,
    "x" + "[0]" * 3000,
    "x" + ".a" * 3000,
    "lambda: " * 1000 + "1",
    "1 if 1 else " * 1000 + "1",
    "any(" * 39 + "x for x in [1]" + " for x in [1])" * 39,
    "f'{" + "-" * 500 + "1}'",
    "f'" + "{1}" * 3000 + "'",
    "1 < " * 3000 + "1",
    "2 ** " * 600 + "1",
]

SCRIPTS = [
    "while True: pass",
    "while True:\n  try:\n    1 / 0\n  except Exception: pass",
    "while True:\n  try:\n    'a' * 10**9\n  except Exception: pass",
    "for i in range(40000):\n  for j in range(40000): pass",
    "x = 1\nwhile True: x = x * 3 + 1",
    "x = 1\nwhile True: x += x",
    "x = 'x'\nwhile True: x = x + x",
    "x = 'x'\nwhile True: x = f'{x}{x}'",
    "x = 'ab'\nwhile True: x = x.replace('a', 'aab')",
    "xs = [1]\nfor x in xs: xs.append(x)",
    "xs = [1]\nwhile True: xs += xs",
    "xs = [1]\nwhile True: xs.extend(xs)",
    "xs = [1]\nwhile True: xs = xs + xs",
    "xs = []\nwhile True: xs.insert(0, 1)",
    "d = {}\ni = 0\nwhile True:\n  i += 1\n  d[i] = 1",
    f"d = {{}}\ni = 0\nwhile True:\n  i += 1\n  d[i * {COLLIDING}] = 1",
    f"d = {{i * {COLLIDING}: 1 for i in range(50000)}}",
    f"d = {{(i * {COLLIDING},) for i in range(50000)}}",
    f"s = set([i * {COLLIDING} for i in range(20000)])",
    f"s = dict([(decimal(i * {COLLIDING}), 1) for i in range(20000)])",
    SHARED_LIST,
    SHARED_LIST + "b = f'{a}'",
    SHARED_LIST + "b = str(a)",
    SHARED_LIST + "b = a == [a]",
    SHARED_LIST + "b = a in [a]",
    SHARED_LIST + "b = sorted([a, a])",
    SHARED_LIST + "b = max(a, a)",
    SHARED_LIST + "b = [a].index([a])",
    SHARED_TUPLE + "b = {a: 1}",
    SHARED_TUPLE + "b = {a}",
    SHARED_TUPLE + "b = {}.get(a)",
    SHARED_TUPLE + "b = a in {1}",
    "a = []\na.append(a)\nb = 1",
    "a = []\na.append(a)\na == a",
    "a = {}\na['a'] = a\nb = f'{a}'",
    "a = []\nfor i in range(40): a = [a]",
    "f = lambda n: f(n)\nf(1)",
    "def f(n):\n  return [f(m) for m in [n]]\nf(1)",
    "def f(n):\n  return sorted([n], key=f)\nf(1)",
    "def f(n):\n  for i in range(100):\n    f(n)\nf(1)",
    "def f(n):\n  g(n)\ndef g(n):\n  f(n)\nf(1)",
    "f = 0\ndef nest(p):\n  return lambda: p\nfor i in range(50000): f = nest(f)",
    LONG + "t = s + ''\nwhile True: s == t",
    LONG + "while True: s.upper()",
    LONG + "while True: s[::-1]",
    LONG + "while True: {s: 1}",
    LONG + "while True: s.split('a')",
    LONG + "while True: s.rfind('a' + 'b' + 'a' * 50000)",
    LONG + "while True: s.strip('b' * 50000)",
    LONG + "t = []\nwhile True: t.append(s + '')",
    LONG + "t = []\nfor i in range(30): t.append(s[1:] + 'b')\nwhile True: t == t[:]",
    "s = 'a' * 2400\nn = 'a' * 1198 + 'ba'\nwhile True: n in s",
    "s = 'a' * 2400\nn = 'a' * 1198 + 'ba'\nwhile True: s.count(n)",
    MANY + "while True: xs[:]",
    MANY + "while True: xs.sort()",
    MANY + "while True: xs.reverse()",
    MANY + "while True: -1 in xs",
    MANY + "while True: 1.5 in range(50000)",
    MANY + "while True: xs.copy()",
    MANY + "while True: tuple(xs)",
    MANY + "while True: zip(xs, xs)",
    MANY + "while True: del xs[0]",
    MANY + "s = set(xs)\nwhile True: s.union(xs)",
    MANY + "s = set(xs)\nwhile True: list(s)",
    MANY + "d = dict(zip(xs, xs))\nwhile True: d.items()",
    MANY + "d = dict(zip(xs, xs))\nwhile True:\n  for k in d: break",
    "x = 2**4000\nwhile True: f'{x}'",
    "x = 2**2000\nwhile True: x * x % 7",
    "x = decimal('1.0000000001')\nwhile True: x ** x",
    "d = {'a': 1}\nwhile True: d.update(b=1)",
    "if 1: pass\n" + "elif 1: pass\n" * 1000,
    "".join(" " * n + "if 1:\n" for n in range(90)) + " " * 90 + "x = 1",
    "def f():\n  pass\n" * 3 + "x = " + "f(" * 50 + ")" * 50,
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_bomb_ends_soon(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text).evaluate({"x": 1}, now=NOW)
    assert caught.value.code == "expression.limit"
    assert time.process_time() - began < SOON_S


@pytest.mark.parametrize("text", SCRIPTS)
def test_a_script_bomb_ends_soon(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        compile_script(text).run({}, now=NOW)
    assert caught.value.code == "expression.limit"
    assert time.process_time() - began < SOON_S


def test_the_callers_data_is_charged_too() -> None:
    shared: Any = [1]
    for _ in range(25):
        shared = [shared, shared]
    for text in ("a == [a]", "f'{a}'", "a"):
        with pytest.raises(ExpressionError) as caught:
            compile_expression(text).evaluate({"a": shared}, now=NOW)
        assert caught.value.code == "expression.limit"
    with pytest.raises(ExpressionError) as caught:
        compile_script("b = a[0]").run({"a": shared}, now=NOW)
    assert caught.value.facts == {"limit": "steps"}


def test_data_that_contains_itself_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    for text in ("a", "a == [a]", "str(a)"):
        with pytest.raises(ExpressionError) as caught:
            compile_expression(text).evaluate({"a": circle}, now=NOW)
        assert caught.value.facts == {"limit": "depth"}
    with pytest.raises(ExpressionError) as caught:
        compile_script("b = a").run({"a": circle}, now=NOW)
    assert caught.value.facts == {"limit": "depth"}


def test_a_stack_that_is_already_deep_gives_a_limit_and_no_crash() -> None:
    expression = compile_expression("not " * 50 + "x")

    def deep(left: int) -> Any:
        return deep(left - 1) if left else expression.evaluate({"x": 1}, now=NOW)

    codes = set()
    for depth in range(700, 1000, 5):
        try:
            deep(depth)
        except ExpressionError as error:
            codes.add(error.code)
        except RecursionError:  # of our own function
            break
    assert codes <= {"expression.limit"}


def test_ordinary_work_stays_far_below_the_limits() -> None:
    items = [{"kind": "line" if n % 2 else "iptv", "price": n, "name": f"item {n}"} for n in range(1_000)]
    text = """
        total = 0
        names = []
        for item in items:
            if item.kind == "line" and item.price > 10:
                total += item.price * 2
                names.append(f"{item.name.upper()}: {item.price:>6}")
        cheapest = sorted(items, key=lambda item: item.price)[0]
        text = ", ".join(names)
    """
    assert compile_script(text).run({"items": items}, now=NOW)["total"] == 499_950
