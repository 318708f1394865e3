"""Errors of expressions and scripts: each code, its place in the text and its words in both languages."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from bpmn.expressions import ExpressionError, compile_expression, compile_script
from bpmn.expressions import messages as texts

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
VARIABLES: dict[str, Any] = {"x": 5, "area": "E", "order": {"a": {"b": 1}}, "xs": [1, 2], "foreign": object()}


def failure(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text).evaluate(VARIABLES, now=NOW)
    return caught.value


def script_failure(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        compile_script(text).run(VARIABLES, now=NOW)
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "expression.syntax", 1, 1),
        ("  \n ", "expression.syntax", 2, 2),
        ("1 +", "expression.syntax", 1, 4),
        ("x = 1", "expression.syntax", 1, 3),
        ("  1 $ 2", "expression.syntax", 1, 5),
        ("x ==\n 'abc", "expression.syntax", 2, 2),
        ("x)\n+ (area", "expression.syntax", 2, 1),
        ("x) + (area +\n1", "expression.syntax", 1, 1),
        ("'\0'", "expression.syntax", 1, 1),
        ("'\ud800'", "expression.syntax", 1, 1),
        ("min(xs, key=1, key=2)", "expression.syntax", 1, 16),
        ("lambda a, a: 1", "expression.syntax", 1, 11),
        ("x and 1j", "expression.forbidden", 1, 7),
        ("'你好' + x._y", "expression.forbidden", 1, 8),
        ("x\n and (y := 1)", "expression.forbidden", 2, 7),
        ("unknown(x)", "expression.name", 1, 1),
        ("x > 1 and missing", "expression.name", 1, 11),
        ("x and 1 / 0", "expression.value", 1, 7),
        ("'中文' == 1 or area.b", "expression.value", 1, 14),
        ("\n\n   x and\n  order.c", "expression.value", 4, 3),
        ("[1,\n 2 + 'a']", "expression.value", 2, 2),
        ("x + 'a'", "expression.value", 1, 1),
        ("len(x)", "expression.value", 1, 1),
        ("[n for n in x]", "expression.value", 1, 13),
        ("x or 1\n+ 2 ** 99999", "expression.value", 1, 1),
        ("1 and 2 ** 99999", "expression.limit", 1, 7),
        ("0" * 20_001, "expression.too_long", 1, 1),
    ],
)
def test_an_error_names_its_code_line_and_column(text: str, code: str, line: int, column: int) -> None:
    if text.startswith("x or 1"):
        text = text.replace("x or 1", "1 / (x - 5)", 1)
    error = failure(text)
    assert (error.code, error.line, error.column) == (code, line, column)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("x = 1\ny = = 2", "expression.syntax", 2, 5),
        ("  x = 1\n    y = 2", "expression.syntax", 2, 4),
        ("if x:\n        y = 1\n    z = 1", "expression.syntax", 3, 10),
        ("return 1", "expression.syntax", 1, 1),
        ("if x:\n  break", "expression.syntax", 2, 3),
        ("for i in xs: pass\nelse: continue", "expression.syntax", 2, 7),
        ("def f():\n  while x:\n    def g():\n      break", "expression.syntax", 4, 7),
        ("try: pass\nexcept KeyError: pass\nelse: raise", "expression.syntax", 3, 7),
        ("try: pass\nexcept: pass\nexcept KeyError: pass", "expression.syntax", 2, 1),
        ("    x = 1\n    import os", "expression.forbidden", 2, 5),
        ("x = 1\ny = missing", "expression.name", 2, 5),
        ("def f():\n  return missing\ny = f()", "expression.name", 2, 10),
        ("a, b = 1, 2, 3", "expression.value", 1, 1),
        ("a, b = x", "expression.value", 1, 1),
        ("y = 1\nx['a'] = 2", "expression.value", 2, 1),
        ("xs[9] = 2", "expression.value", 1, 1),
        ("del xs[9]", "expression.value", 1, 5),
        ("del x[0]", "expression.value", 1, 5),
        ("del order['zz']", "expression.value", 1, 5),
        ("order['zz'] += 1", "expression.value", 1, 1),
        ("xs += 5", "expression.value", 1, 1),
        ("x += 'a'", "expression.value", 1, 1),
        ("raise ValueError(lambda: 1)", "expression.value", 1, 1),
        ("y = 2\nz = {1: 2}", "expression.value", 2, 1),
        ("order['f'] = lambda: 1", "expression.value", 1, 1),
        ("while True:\n  while True: pass", "expression.limit", 2, 3),
        ("x = 1\n" + " " * 20_000, "expression.too_long", 1, 1),
    ],
)
def test_an_error_in_a_script_names_its_code_line_and_column(
    text: str, code: str, line: int, column: int
) -> None:
    error = script_failure(text)
    assert (error.code, error.line, error.column) == (code, line, column)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x < 'a'", "types"),
        ("1 - 'a'", "types"),
        ("[1] * [1]", "types"),
        ("now() + now()", "types"),
        ("'a' ** 2", "types"),
        ("1 in 2", "types"),
        ("None % 2", "types"),
        ("'abc'['a']", "types"),
        ("xs[1.0]", "types"),
        ("-'a'", "type"),
        ("x[0]", "type"),
        ("sum(xs, '')", "type"),
        ("abs('a')", "type"),
        ("round('a')", "type"),
        ("int(None)", "type"),
        ("float(None)", "type"),
        ("decimal(None)", "type"),
        ("timedelta(hours='1')", "type"),
        ("f'{None:>3}'", "type"),
        ("','.join([1])", "type"),
        ("'a'.startswith(1)", "type"),
        ("min(1, 'a')", "bad_type"),
        ("'a'.find(1)", "bad_type"),
        ("xs['a':]", "bad_type"),
        ("xs[::0]", "bad_value"),
        ("'abc'.index('z')", "bad_value"),
        ("[1].index(5)", "not_found"),
        ("x(1)", ""),
        ("xs[0](1)", "not_callable"),
        ("(1)(2)", "not_callable"),
        ("sorted(xs, key=5)", "not_callable"),
        ("[n for n in None]", "not_iterable"),
        ("any(n for n in 5)", "not_iterable"),
        ("any(5)", "not_iterable"),
        ("len()", "arguments"),
        ("len(xs, xs)", "arguments"),
        ("len(xs, obj=1)", "arguments"),
        ("zip(xs, strict=True)", "arguments"),
        ("(lambda a: a)()", "arguments"),
        ("(lambda a: a)(1, 2)", "arguments"),
        ("(lambda a: a)(1, a=2)", "arguments"),
        ("(lambda a: a)(b=2)", "arguments"),
        ("range('a')", "arguments"),
        ("enumerate(xs, 'a')", "arguments"),
        ("round(1, 'a')", "arguments"),
        ("round(5, -1000000)", "arguments"),
        ("int(1, 2)", "arguments"),
        ("now().strftime(1)", "arguments"),
        ("now().replace(hour='1')", "arguments"),
        ("now().replace(tzinfo=None)", "arguments"),
        ("datetime('a', 1)", "arguments"),
        ("'a'.ljust('b')", "arguments"),
        ("'a'.replace('a', 'b', 'c')", "arguments"),
        ("decimal(1).quantize(1)", "arguments"),
        ("(5).items()", "no_method"),
        ("foreign.items()", "no_method"),
        ("xs.upper()", "no_method"),
        ("area.upper", "no_field"),
        ("now().tzinfo", "no_field"),
        ("foreign.a", "no_field"),
        ("order.zz", "no_key"),
        ("order['zz']", "no_key"),
        ("order[None]", "no_key"),
        ("order[(1, 2)]", "no_key"),
        ("xs[9]", "no_index"),
        ("{[1]: 2}", "unhashable"),
        ("{xs}", "unhashable"),
        ("{(1, [2]): 3}", "unhashable"),
        ("order[1:2]", "unhashable"),
        ("{n: 1 for n in [foreign]}", "unhashable"),
        ("'%s' % x", "percent_format"),
        ("str(foreign)", "not_plain"),
        ("f'{[lambda: 1]}'", "not_plain"),
        ("foreign", "not_plain"),
        ("x % 0", "division_by_zero"),
        ("0 ** -1", "division_by_zero"),
        ("10 ** 400 / 3", "overflow"),
        ("now() + timedelta(days=10 ** 9)", "overflow"),
        ("int(1e999)", "overflow"),
        ("decimal(10) ** 999999999", "arithmetic"),
        ("(-1) ** 0.5", "complex"),
        ("int('abc')", "bad_number"),
        ("float('abc')", "bad_number"),
        ("decimal('abc')", "bad_number"),
        ("int('1' * 2000)", "bad_number"),
        ("decimal('NaN')", "not_finite"),
        ("f'{x:>9999}'", "bad_format"),
        ("f'{x:999999999d}'", "bad_format"),
        ("f'{x:.99}'", "bad_format"),
        ("f'{x:n}'", "bad_format"),
        ("f'{now():%c}'", "bad_format"),
        ("now().strftime('%1000000000d')", "bad_format"),
        ("f'{x:{xs}}'", "bad_format"),
        ("f'{area:d}'", "bad_value"),
        ("duration('4h')", "bad_duration"),
        ("duration('P')", "bad_duration"),
        ("duration('P1Y')", "bad_duration"),
        ("duration('PT')", "bad_duration"),
        ("duration(4)", "bad_duration"),
        ("duration('P' + '1' * 5000 + 'D')", "bad_duration"),
        ("datetime('tomorrow')", "bad_moment"),
        ("datetime(5)", "bad_moment"),
        ("date('2026-02-30')", "bad_moment"),
        ("dict([(1, 2, 3)])", "unpack"),
        ("min([])", "empty"),
    ],
)
def test_a_fault_at_run_time_names_its_reason(text: str, reason: str) -> None:
    error = failure(text)
    assert error.facts.get("reason") == reason or (reason == "" and error.code == "expression.name")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("order.remove('x')", "no_method"),
        ("xs.remove(9)", "not_found"),
        ("xs.pop('a')", "arguments"),
        ("xs.pop(99)", "no_index"),
        ("order.pop('zz')", "no_key"),
        ("s = {1}\ns.remove(2)", "no_key"),
        ("xs.extend(1)", "not_iterable"),
        ("xs.sort(lambda n: n)", "arguments"),
        ("order.update([1])", "not_iterable"),
    ],
)
def test_a_fault_of_a_changing_method_names_its_reason(text: str, reason: str) -> None:
    assert script_failure(text).facts["reason"] == reason


def test_a_time_without_zone_has_no_timestamp_because_the_machines_zone_would_count() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what the test is about
    with pytest.raises(ExpressionError) as caught:
        compile_expression("t.timestamp()").evaluate({"t": naive}, now=NOW)
    assert caught.value.facts["reason"] == "no_zone"


def test_fields_of_a_date_can_be_read_and_replaced() -> None:
    found = compile_expression("d.replace(day=d.day + 1)").evaluate({"d": date(2026, 1, 1)}, now=NOW)
    assert found == date(2026, 1, 2)


def test_a_decimal_of_the_caller_that_would_be_huge_when_written_is_refused() -> None:
    for text in ("int(d)", "f'{d:f}'", "round(d)", "d", "d + 1", "d.quantize(d)"):
        with pytest.raises(ExpressionError) as caught:
            compile_expression(text).evaluate({"d": Decimal("1E+999999")}, now=NOW)
        assert caught.value.facts == {"limit": "number"}


def test_a_long_text_that_is_not_even_tokens_is_a_syntax_error() -> None:
    assert failure("x + '''" + "-" * 500).code == "expression.syntax"
    assert script_failure("if x:\n        y = 1\n    z = 1\n" + "# long\n" * 100).line == 3


@pytest.mark.parametrize(
    "text", ["'" + "a" * 19_000 + "'", "f'" + "-" * 5_000 + "'", "[" + "-1, " * 4_000 + "]"]
)
def test_long_flat_texts_are_fine(text: str) -> None:
    assert compile_expression(text).evaluate({}, now=NOW)


def test_long_chains_of_operators_and_elifs_are_fine() -> None:
    assert compile_expression("+".join(["x"] * 200)).evaluate({"x": 1}, now=NOW) == 200
    assert (
        compile_expression(" and ".join(["order.a == 1"] * 50)).evaluate({"order": {"a": 1}}, now=NOW) is True
    )
    chain = "if x == 0: y = 0\n" + "".join(f"elif x == {n}: y = {n}\n" for n in range(1, 150))
    assert compile_script(chain).run({"x": 140}, now=NOW) == {"y": 140}


@pytest.mark.parametrize(
    ("text", "chinese", "english"),
    [
        ("1 +", "第 1 行第 4 列：语法错误：invalid syntax", "line 1, column 4: syntax error: invalid syntax"),
        ("x.__class__", "第 1 行第 1 列：表达式语言不支持以下划线开头的名称 (__class__)",
         "line 1, column 1: a name that starts with an underscore (__class__) is not part of the expression language"),
        ("nobody", "第 1 行第 1 列：没有名为 nobody 的变量或函数",
         "line 1, column 1: there is no variable or function named nobody"),
        ("x / 0", "第 1 行第 1 列：除数为零", "line 1, column 1: division by zero"),
        ("9 ** 9 ** 9", "第 1 行第 1 列：某个数过大", "line 1, column 1: a number became too large"),
        ("1" * 20_001, "第 1 行第 1 列：文本有 20001 个字符，最多允许 20000 个",
         "line 1, column 1: the text has 20001 characters, at most 20000 are allowed"),
    ],
)  # fmt: skip
def test_each_code_speaks_chinese_and_english(text: str, chinese: str, english: str) -> None:
    error = failure(text)
    assert error.message("zh-CN") == chinese
    assert error.message("en") == english == str(error)


def test_every_text_of_the_catalogue_can_be_written_in_both_languages() -> None:
    placeholders = (
        "operation",
        "left",
        "right",
        "type",
        "detail",
        "function",
        "field",
        "method",
        "key",
        "spec",
        "text",
    )
    facts = dict.fromkeys((*placeholders, "expected", "name"), "值")
    for reason in texts.FAULT_KINDS:
        english = texts.describe("expression.value", 1, 2, {**facts, "reason": reason}, "en")
        chinese = texts.describe("expression.value", 1, 2, {**facts, "reason": reason}, "zh-CN")
        assert english.startswith("line 1, column 2: ")
        assert chinese.startswith("第 1 行第 2 列：")


def test_an_error_crosses_a_process_boundary_whole() -> None:
    error = failure("x / 0")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (again.code, again.line, again.column, again.facts) == (error.code, 1, 1, error.facts)
    assert str(again) == str(error)
