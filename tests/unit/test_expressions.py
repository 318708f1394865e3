"""The expression language: what each construct gives, and what an expression may hand out."""

from __future__ import annotations

import copy
import pickle
from collections import ChainMap
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bpmn.expressions import ExpressionError, compile_expression

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
ORDER: dict[str, Any] = {
    "area": "E",
    "tier": None,
    "customer": {"name": "李雷", "address": {"city": "北京"}},
    "items": [{"kind": "line", "mbit": 500}, {"kind": "iptv", "mbit": 20}],
}


def value(text: str, **variables: Any) -> Any:
    return compile_expression(text).evaluate(variables, now=NOW)


def refused(text: str, **variables: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        value(text, **variables)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-2.5", -2.5),
        ("+3", 3),
        ("'开' \"通\"", "开通"),
        ("None", None),
        ("not 0", True),
        ("1 + 2 - 3 * 4", -9),
        ("7 // 2 + 7 % 4 + 2 ** 3", 14),
        ("7 / 2", 3.5),
        ("2 ** -1", 0.5),
        ("'ab' + 'cd'", "abcd"),
        ("[1] + [2]", [1, 2]),
        ("(1,) + (2,)", (1, 2)),
        ("'ab' * 2 + 2 * 'c'", "ababcc"),
        ("[0] * -1", []),
        ("[0] * 3", [0, 0, 0]),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2 < 1 / 0", False),
        ("1 == 1.0 != 2", True),
        ("None is None and 1 is not None", True),
        ("2 in [1, 2] and 3 not in (1, 2)", True),
        ("'b' in 'abc' and 'a' in {'a': 1} and 1 in {1} and 3 in range(5) and 2.0 in range(5)", True),
        ("[1, [2]] == [1, [2]] and (1, 2) < (1, 3)", True),
        ("0 or '' or 'last'", "last"),
        ("1 and 'second'", "second"),
        ("0 and 1 / 0", 0),
        ("1 or 1 / 0", 1),
        ("'a' if 1 > 2 else 'b'", "b"),
        ("[1, 2, 3][1] + [1, 2, 3][-1]", 5),
        ("'abcdef'[1:5:2] + 'x'[:] + 'abc'[::-1]", "bdxcba"),
        ("(1, 2, 3)[1:]", (2, 3)),
        ("{'a': 1, 'b': [2]}['b']", [2]),
        ("{1, 2, 2}", {1, 2}),
        ("[n * 2 for n in [1, 2, 3] if n > 1 if n < 3]", [4]),
        ("[a + b for a in 'xy' for b in '12']", ["x1", "x2", "y1", "y2"]),
        ("{k: v for k, v in {'a': 1}.items()}", {"a": 1}),
        ("{n % 2 for n in range(5)}", {0, 1}),
        ("[[m for m in range(n)] for n in range(3)]", [[], [0], [0, 1]]),
        ("[f(2) for f in [lambda x: x + n for n in [10]]]", [12]),
        ("(lambda a, b=2: a * b)(3)", 6),
        ("(lambda a, b=2: a * b)(3, b=5)", 15),
        ("f'{1 + 1} {\"a\"} {None}'", "2 a None"),
        ("f'{3.14159:.2f}|{7:03d}|{\"x\":>3}|{1234567:,}|{0.5:%}|{255:#x}|{-1:+}'",
         "3.14|007|  x|1,234,567|50.000000%|0xff|-1"),
        ("f'{1:{2 + 2}}'", "   1"),
        ("f'{\"a\"!r}{\"b\"!s}{[1]!r}'", "'a'b[1]"),
        ("f'{1=}'", "1=1"),
    ],
)  # fmt: skip
def test_an_expression_has_the_value_that_python_gives_it(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("len('abc') + len([1]) + len({'a': 1}) + len(range(5))", 10),
        ("sum([1, 2]) + sum(n for n in (3, 4)) + sum([1], 5) + sum([1], start=1)", 18),
        ("sum([[1], [2]], [])", [1, 2]),
        ("any([0, 1]) and all([]) and not any([])", True),
        ("any(n > 2 for n in [1, 3, 'never compared'])", True),
        ("all(n < 2 for n in [1, 3, 'never compared'])", False),
        ("min(3, 1, 2) + max([1, 5]) + min([], default=7)", 13),
        ("max(['bb', 'a'], key=len) + min('b', 'a')", "bba"),
        ("sorted([3, 1, 2])", [1, 2, 3]),
        ("sorted(['b', 'A', 'a'], key=lambda t: t.lower(), reverse=True)", ["b", "A", "a"]),
        ("list('ab') + list() + list((1,)) + list({'k': 1})", ["a", "b", 1, "k"]),
        ("dict([('a', 1)], b=2)", {"a": 1, "b": 2}),
        ("dict({'a': 1}) == dict(a=1) and dict() == {}", True),
        ("set([1, 1]) == {1} and set() == set([])", True),
        ("tuple([1, 2]) + tuple()", (1, 2)),
        ("list(range(1, 6, 2)) + list(range(3, 0, -1)) + list(range(0))", [1, 3, 5, 3, 2, 1]),
        ("enumerate(['a'], start=1)", [(1, "a")]),
        ("zip([1, 2], 'ab', (True, False))", [(1, "a", True), (2, "b", False)]),
        ("zip()", []),
        ("abs(-1) + abs(-1.5)", 2.5),
        ("round(2.567, 2) + round(2.5) + round(1234, -2)", 1204.57),
        ("int('12') + int(3.9) + int() + int('ff', 16) + int(True) + int(decimal('2.5'))", 273),
        ("float('1.5') + float(1) + float()", 2.5),
        ("str(1) + str('a') + str([1, 'b']) + str() + str(None)", "1a[1, 'b']None"),
        ("bool([]) or bool('x')", True),
        ("bool()", False),
        ("decimal('0.1') + decimal(0.2) == decimal('0.3')", True),
        ("round(decimal('2.345'), 2)", Decimal("2.34")),
        ("decimal('2.345').quantize(decimal('0.1'))", Decimal("2.3")),
        ("decimal(2) ** 3 * decimal() + 10 % decimal(4)", Decimal(2)),
        ("-decimal(1)", Decimal(-1)),
        ("1.0.is_integer()", True),
    ],
)
def test_a_built_in_function_works_as_in_python(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("' a-b '.strip().upper().lower().title().capitalize()", "A-b"),
        ("'a,b,c'.split(',')", ["a", "b", "c"]),
        ("'a b c'.split(maxsplit=1) + 'a b c'.rsplit(' ', 1)", ["a", "b c", "a b", "c"]),
        ("'abc'.replace('b', 'xx') + 'aaa'.replace('a', '', 2)", "axxca"),
        ("'-'.join(['a', 'b']) + ''.join(c for c in 'xy')", "a-bxy"),
        ("'7'.zfill(3) + 'a'.ljust(2, '.') + 'a'.rjust(2) + 'a'.center(3, '*')", "007a. a*a*"),
        ("'abc'.startswith('ab') and 'abc'.endswith(('x', 'c')) and '12'.isdigit()", True),
        ("'abcb'.find('b') + 'abcb'.rfind('b') + 'abc'.index('c') + 'aab'.count('a')", 8),
        ("'k=v=w'.partition('=')", ("k", "=", "v=w")),
        ("'prefix-x'.removeprefix('prefix-') + 'a\\nb'.splitlines()[1]", "xb"),
        ("{'a': 1}.get('a') + {'a': 1}.get('b', 2)", 3),
        ("{'a': 1}.get('b')", None),
        ("{'a': 1}.keys() + {'a': 1}.values() + [k for k, v in {'a': 1}.items()]", ["a", 1, "a"]),
        ("[1, 2, 1].count(1) + [1, 2].index(2) + (5, 6).index(6) + (1,).count(1)", 5),
        ("[1, 2].copy()", [1, 2]),
        ("{1, 2}.union([3]) == {1, 2, 3} and {1, 2}.intersection({2}) == {2}", True),
        ("{1, 2}.difference([2]) == {1} and {1}.symmetric_difference({2}) == {1, 2}", True),
        (
            "{1}.issubset([1, 2]) and {1, 2}.issuperset({1}) and {1}.isdisjoint({2}) and {1}.copy() == {1}",
            True,
        ),
        ("(7).is_integer if False else 1", 1),
    ],
)
def test_a_listed_method_works_as_in_python(text: str, expected: Any) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now()", NOW),
        ("now() + duration('PT4H') - timedelta(hours=1, minutes=30)", NOW + timedelta(hours=2, minutes=30)),
        ("duration('P1W2DT3H4M5.5S')", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5.5)),
        ("duration('-PT1,5H') * 2 / 3", timedelta(hours=-1)),
        ("duration(timedelta(1))", timedelta(days=1)),
        ("duration('P2D') / duration('P1D') + duration('P2D') // duration('P1D')", 4.0),
        (
            "duration('P2D') % duration('PT36H') + -duration('PT1H') + abs(-duration('PT1H'))",
            timedelta(hours=12),
        ),
        ("datetime('2026-03-01T08:30:00Z') == now() == datetime('2026-03-01 08:30')", True),
        ("datetime('2026-03-01T16:30:00+08:00') == datetime(2026, 3, 1, 8, 30) == datetime(now())", True),
        ("datetime(date('2026-03-01'))", datetime(2026, 3, 1, tzinfo=UTC)),
        ("date('2026-01-31')", date(2026, 1, 31)),
        (
            "date(2026, 1, 31) == date('2026-01-31T10:00:00Z') and date(now()) == now().date() == date(date(now()))",
            True,
        ),
        ("now() - datetime('2026-03-01') > duration('PT8H')", True),
        (
            "now().year + now().month + now().day + now().hour + now().minute + now().second",
            2026 + 3 + 1 + 8 + 30,
        ),
        ("date('2026-01-31').day + duration('P2DT3S').days + duration('PT3S').seconds", 36),
        ("now().isoformat() + ' ' + date('2026-01-31').isoformat()", "2026-03-01T08:30:00+00:00 2026-01-31"),
        ("now().strftime('%Y年%m月%d日 %H:%M %%')", "2026年03月01日 08:30 %"),
        ("f'{now():%d.%m.} {date(now()):%j} {duration(\"PT1H\")}'", "01.03. 060 1:00:00"),
        ("now().weekday() + now().isoweekday()", 13),
        ("now().timestamp() + duration('PT1M').total_seconds()", NOW.timestamp() + 60),
        ("now().replace(hour=0, minute=0)", NOW.replace(hour=0, minute=0)),
        ("str(now())", "2026-03-01 08:30:00+00:00"),
    ],
)
def test_times_and_durations_are_calculated_with_the_time_of_the_caller(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_a_key_of_data_is_read_with_a_dot() -> None:
    assert value("order.customer.address.city == order['customer']['address']['city'] == '北京'", order=ORDER)


def test_a_key_that_is_named_like_a_method_is_data_unless_it_is_called() -> None:
    assert value("order.items[0].mbit", order=ORDER) == 500
    assert value("len(order.items())", order=ORDER) == 4


def test_process_data_never_hides_a_function_from_a_call() -> None:
    assert value("duration('PT1H') if duration > 3 else None", duration=4) == timedelta(hours=1)
    assert value("dict(date=date)", date="2026-01-01") == {"date": "2026-01-01"}


def test_an_expression_may_be_wrapped_over_lines_and_be_indented() -> None:
    assert value("\n   x > 3\n   and area == 'E'  # east\n", x=4, area="E") is True
    assert value("  x  ", x=1) == 1
    assert value("1,\n2") == (1, 2)


def test_free_names_are_reported_without_built_ins_and_own_names() -> None:
    text = (
        "sorted([n.mbit for n in order.items if n.mbit > least], key=len) + [f(x) for f in [lambda y: y + z]]"
    )
    assert compile_expression(text).names == {"order", "least", "x", "z"}
    assert compile_expression("date > now()").names == {"date"}


def test_a_variable_of_a_comprehension_does_not_leak() -> None:
    assert value("[x for x in [1]] + [x]", x=9) == [1, 9]
    assert refused("[n for n in [1]] + [n]").code == "expression.name"


def test_an_early_name_is_not_visible_before_its_clause() -> None:
    assert refused("[a for a in b for b in [1]]").code == "expression.name"


def test_a_result_is_a_copy_so_that_nothing_shares_the_callers_data() -> None:
    variables = copy.deepcopy(ORDER)
    found = value("order", order=variables)
    found["customer"]["address"]["city"] = "上海"
    assert variables == ORDER


def test_every_kind_of_data_may_be_the_result() -> None:
    data = [
        "a",
        1,
        1.5,
        True,
        None,
        Decimal("1.5"),
        NOW,
        date(2026, 1, 1),
        timedelta(1),
        (1, (2,)),
        {3},
        {"k": []},
    ]
    assert value("data", data=data) == data


@pytest.mark.parametrize(
    "text",
    ["lambda: 1", "[len]", "now", "range(3)", "{'a': lambda: 1}", "foreign", "[foreign]"],
)
def test_what_is_not_data_does_not_leave(text: str) -> None:
    error = refused(text, foreign=object())
    assert (error.code, error.facts["reason"]) == ("expression.value", "not_plain")


@pytest.mark.parametrize("text", ["1e999", "[-1e999]", "1e999 - 1e999", "{'a': number}"])
def test_a_result_is_never_infinite_or_not_a_number(text: str) -> None:
    assert refused(text, number=float("nan")).facts["reason"] == "not_finite"


def test_keys_of_a_result_are_text_because_json_would_change_them() -> None:
    assert refused("{1: 'a'}").facts["reason"] == "key_not_text"


def test_any_mapping_can_hold_the_variables() -> None:
    variables = ChainMap({"x": 1}, {"y": 2})
    assert compile_expression("x + y + len([1])").evaluate(variables, now=NOW) == 4


def test_equal_texts_are_one_immutable_expression() -> None:
    expression = compile_expression("x + 1")
    assert expression is compile_expression("x + 1")
    assert expression == pickle.loads(pickle.dumps(expression))  # noqa: S301 - our own bytes
    assert {expression: 1}[copy.deepcopy(expression)] == 1
    assert expression != compile_expression("x + 2")
    with pytest.raises(AttributeError):
        expression.text = "y"  # type: ignore[misc]


def test_threads_share_an_expression_and_keep_their_own_budget() -> None:
    expression = compile_expression("sum([n for n in range(limit)])")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda limit: expression.evaluate({"limit": limit}, now=NOW), [5_000] * 12))
    assert found == [sum(range(5_000))] * 12
