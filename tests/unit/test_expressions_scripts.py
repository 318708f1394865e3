"""The script language: what each statement does, and what a script hands back."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from bpmn.expressions import BpmnErrorThrown, ExpressionError, compile_script

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def run(text: str, **variables: Any) -> dict[str, Any]:
    """Run a script and see that it left the caller's data alone."""
    before = copy.deepcopy(variables)
    try:
        return compile_script(text).run(variables, now=NOW)
    finally:
        assert variables == before


def refused(text: str, **variables: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        run(text, **variables)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("pass", {}),
        ("'a note'", {}),
        ("x = y = 1", {"x": 1, "y": 1}),
        ("a, (b, c) = 1, [2, 3]", {"a": 1, "b": 2, "c": 3}),
        ("[a, b] = 'xy'", {"a": "x", "b": "y"}),
        ("x = 1\nx += 2\nx -= 1\nx *= 10\nx //= 3\nx **= 2\nx %= 7", {"x": 1}),
        ("x = 7\nx /= 2", {"x": 3.5}),
        ("d = {'n': [1]}\nd['n'] += [2]\nd['m'] = 0\nd['m'] += 1", {"d": {"n": [1, 2], "m": 1}}),
        ("a = [1]\nb = a\na += [2]\na += 'x'", {"a": [1, 2, "x"], "b": [1, 2, "x"]}),
        ("xs = [1, 2, 3]\nxs[0] = 9\ndel xs[1]", {"xs": [9, 3]}),
        ("d = {'a': 1, 'b': 2}\ndel d['a'], d['b']", {"d": {}}),
        ("x = 1\ny = x\ndel x", {"y": 1}),
        ("if 0:\n  x = 1\nelif 1:\n  x = 2\nelse:\n  x = 3", {"x": 2}),
        ("if 0:\n  x = 1\nelse:\n  x = 3", {"x": 3}),
        ("if 0:\n  x = 1", {}),
        ("n = 0\nfor i in range(10):\n  if i == 2: continue\n  if i == 5: break\n  n += i", {"n": 8, "i": 5}),
        ("n = 0\nfor i in []:\n  n = 1\nelse:\n  n = 2", {"n": 2}),
        ("for i in [1]:\n  break\nelse:\n  n = 2", {"i": 1}),
        ("n = 0\nwhile n < 5:\n  n += 1\n  if n == 3: continue\nelse:\n  e = True", {"n": 5, "e": True}),
        ("n = 0\nwhile True:\n  n += 1\n  if n == 3: break\nelse:\n  e = True", {"n": 3}),
        ("t = ''\nfor k, v in {'a': 1}.items():\n  t += f'{k}{v}'", {"t": "a1", "k": "a", "v": 1}),
        ("d = {}\nfor d['k'] in [1, 2]: pass", {"d": {"k": 2}}),
        (
            "t = ''\nfor k in {'b': 1, 'a': 2}:\n  t += k\nfor k in {'z', 'y'}:\n  t += k",
            {"t": "bayz", "k": "z"},
        ),
    ],
)
def test_statements_do_what_they_do_in_python(text: str, expected: dict[str, Any]) -> None:
    assert run(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a, b=2):\n  return a * b\nx = f(3) + f(1, 1) + f(b=1, a=1)", {"x": 8}),
        ("def f():\n  pass\nx = f()", {"x": None}),
        ("def f():\n  return\nx = f()", {"x": None}),
        ("def f(n):\n  return 1 if n < 2 else n * f(n - 1)\nx = f(10)", {"x": 3628800}),
        ("def f(xs):\n  for x in xs:\n    while True:\n      if x > 1:\n        return x\n      break\nx = f([1, 2, 3])",
         {"x": 2}),
        ("def outer(n):\n  def inner(m):\n    return n + m\n  return inner\nx = outer(1)(2)", {"x": 3}),
        ("def f():\n  total = 1\n  total += rate\n  return total\nrate = 4\nx = f()", {"x": 5, "rate": 4}),
        ("def f():\n  t = [1, 2]\n  del t[0]\n  u = 1\n  del u\n  return t\nx = f()", {"x": [2]}),
        ("fs = [lambda: n for n in [1, 2]]\nx = [f() for f in fs]\ndel fs", {"x": [2, 2]}),
        ("f = lambda a: a + 1\nx = f(1)\ndel f", {"x": 2}),
        ("def sum(xs):\n  return 'mine'\nx = sum([1])\ny = [g for g in [sum]][0]([1])", {"x": "mine", "y": "mine"}),
        ("def any(xs):\n  return xs\nx = any(n for n in [1, 2])", {"x": [1, 2]}),
        ("def f(sorted):\n  return sorted\nx = f(1)", {"x": 1}),
        ("def f(g):\n  return g(2)\nx = f(lambda n: n * 2)", {"x": 4}),
        ("fs = {'f': lambda n: n}\nx = fs['f'](3)\ndel fs", {"x": 3}),
        ("def f():\n  try:\n    return g()\n  except ValueError as e:\n    return e\n"
         "def g():\n  raise ValueError('no')\nx = f()", {"x": "no"}),
    ],
)  # fmt: skip
def test_functions_do_what_they_do_in_python(text: str, expected: dict[str, Any]) -> None:
    assert run(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("xs = [3, 1]\nxs.append(2)\nxs.extend((5,))\nxs.insert(0, 9)\nxs.sort()\nxs.reverse()", {"xs": [9, 5, 3, 2, 1]}),
        ("xs = ['bb', 'a']\nxs.sort(key=len, reverse=False)\nlast = xs.pop()\nxs.remove('a')", {"xs": [], "last": "bb"}),
        ("xs = [1, 2]\nfirst = xs.pop(0)\nxs.clear()", {"xs": [], "first": 1}),
        ("d = {'a': 1}\nd.update({'b': 2}, c=3)\na = d.pop('a')\nn = d.pop('z', None)", 
         {"d": {"b": 2, "c": 3}, "a": 1, "n": None}),
        ("d = {}\nd.setdefault('l', []).append(1)\ne = d.copy()\nd.clear()", {"d": {}, "e": {"l": [1]}}),
        ("s = {2}\ns.add(1)\ns.discard(5)\ns.update([3], (4,))\ns.remove(4)", {"s": [1, 2, 3]}),
    ],
)  # fmt: skip
def test_methods_change_local_data(text: str, expected: dict[str, Any]) -> None:
    assert run(text) == expected


@pytest.mark.parametrize(
    ("body", "caught"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("1 / 0", "ArithmeticError"),
        ("{}['k']", "KeyError"),
        ("{}['k']", "LookupError"),
        ("[][0]", "IndexError"),
        ("int('x')", "ValueError"),
        ("1 + 'a'", "TypeError"),
        ("missing", "NameError"),
        ("missing", "Exception"),
        ("1e300 ** 2", "OverflowError"),
        ("decimal(1) / 0", "ZeroDivisionError"),
        ("decimal('1e900') // 3", "ArithmeticError"),
        ("raise KeyError('mine')", "(ValueError, KeyError)"),
        ("raise Exception", "Exception"),
        ("raise OverflowError()", ""),
    ],
)
def test_a_fault_is_caught_by_its_name(body: str, caught: str) -> None:
    assert run(f"try:\n  {body}\nexcept {caught}:\n  x = 'caught'") == {"x": "caught"}


def test_a_fault_of_another_name_goes_on() -> None:
    error = refused("try:\n  1 / 0\nexcept KeyError:\n  x = 1\nexcept ValueError:\n  x = 2")
    assert (error.facts["kind"], error.line, error.column) == ("ZeroDivisionError", 2, 3)


def test_the_caught_fault_is_its_text_and_is_gone_afterwards() -> None:
    assert run("try:\n  raise ValueError('too late')\nexcept ValueError as e:\n  x = f'<{e}>'") == {
        "x": "<too late>"
    }
    assert refused("try:\n  1 / 0\nexcept ArithmeticError as e:\n  pass\nx = e").code == "expression.name"


def test_a_bare_raise_throws_the_fault_that_is_handled() -> None:
    text = "try:\n  try:\n    1 / 0\n  except ZeroDivisionError:\n    raise\nexcept Exception as e:\n  x = e"
    assert run(text) == {"x": "division by zero"}


def test_else_runs_only_without_a_fault() -> None:
    assert run("try:\n  x = 1\nexcept ValueError:\n  x = 2\nelse:\n  y = 3") == {"x": 1, "y": 3}


def test_raised_faults_tell_their_text_and_place() -> None:
    error = refused("x = 1\nif x:\n    raise ValueError(f'bad {x}')")
    assert (error.code, error.line, error.column) == ("expression.value", 3, 5)
    assert (error.facts["kind"], error.facts["detail"]) == ("ValueError", "bad 1")
    assert refused("raise LookupError").facts["detail"] == "LookupError"


def test_bpmn_error_leaves_the_script_whatever_catches() -> None:
    with pytest.raises(BpmnErrorThrown) as caught:
        run("try:\n  bpmn_error('NO_PORT', message='no free port')\nexcept Exception:\n  x = 1")
    assert (caught.value.code, caught.value.message) == ("NO_PORT", "no free port")
    assert str(caught.value) == "NO_PORT: no free port"
    assert str(pickle.loads(pickle.dumps(BpmnErrorThrown("X")))) == "X"  # noqa: S301 - our own bytes


@pytest.mark.parametrize("call", ["bpmn_error(1)", "bpmn_error('')", "bpmn_error('X', 1)", "bpmn_error()"])
def test_a_bpmn_error_needs_a_code(call: str) -> None:
    assert refused(call).facts["reason"] == "arguments"


def test_only_assigned_and_changed_variables_come_back() -> None:
    order = {"items": [{"n": 1}], "note": "x"}
    found = run(
        "order['items'][0]['n'] += 1\nseen = other['a']\nsame = 1", order=order, other={"a": [1]}, same=1
    )
    assert found == {"order": {"items": [{"n": 2}], "note": "x"}, "seen": [1], "same": 1}


def test_a_change_through_another_name_is_reported_for_both() -> None:
    assert run("items = order['items']\nitems.append(2)", order={"items": [1]}) == {
        "items": [1, 2],
        "order": {"items": [1, 2]},
    }


def test_reading_alone_reports_nothing() -> None:
    data = {"l": [1, (2, 3)], "s": {1}, "n": float("nan"), "d": {"a": None}}
    assert run("len(data.l) + data.l[1][0]\ndata == 1", data=data) == {}


def test_a_change_of_type_alone_is_a_change() -> None:
    assert run("d['a'] = True\nd['a'] == 1", d={"a": 1})["d"]["a"] is True
    assert run("d['a'][0] = (1,)", d={"a": [[1]]}) == {"d": {"a": [[1]]}}


def test_variables_that_are_reassigned_after_a_change_keep_the_new_value() -> None:
    assert run("order['a'] = 2\norder = 5", order={"a": 1}) == {"order": 5}


def test_shared_parts_of_the_callers_data_are_separate_in_the_script() -> None:
    part = [1]
    assert run("a.append(2)", a=part, b=part) == {"a": [1, 2]}


def test_sets_and_tuples_become_lists_and_sets_are_ordered() -> None:
    assert run("x = (1, {'b', 'a'})\ny = {2, 'a', 1}") == {"x": [1, ["a", "b"]], "y": [1, 2, "a"]}


def test_functions_stay_in_the_script() -> None:
    assert run("def helper():\n  return 1\nx = helper()") == {"x": 1}
    assert refused("x = 1\nf = lambda: 1").facts["reason"] == "not_plain"
    error = refused("y = 1\nx = [lambda: 1]")
    assert (error.facts["reason"], error.line, error.column) == ("not_plain", 2, 1)


def test_what_is_not_data_does_not_come_in() -> None:
    assert refused("x = a", a=[object]).facts["reason"] == "not_plain"


def test_a_variable_of_the_process_cannot_be_deleted() -> None:
    assert refused("del x", x=1).facts["reason"] == "not_deletable"
    assert refused("x = 2\ndel x", x=1).facts["reason"] == "not_deletable"
    assert refused("del x").code == "expression.name"
    assert refused("def f():\n  del a\n  a = 1\nf()").code == "expression.name"


def test_a_name_that_a_function_assigns_is_local_from_its_start() -> None:
    assert refused("def f():\n  y = x\n  x = 1\nf()", x=5).code == "expression.name"
    assert run("x = 1\ndef f():\n  x = 2\n  return x\ny = f()") == {"x": 1, "y": 2}


def test_common_indentation_is_removed_and_columns_stay_true() -> None:
    assert run("\n      x = 1\n      if x:\n        y = 2\n    ") == {"x": 1, "y": 2}
    error = refused("\r\n    x = 1\r\n    名 = x / 0\r\n")
    assert (error.line, error.column) == (3, 9)


@pytest.mark.parametrize(
    ("text", "names", "assigned"),
    [
        ("x = a + b", {"a", "b"}, {"x"}),
        ("x = 1\ny = x", set(), {"x", "y"}),
        ("y = x\nx = 1", {"x"}, {"x", "y"}),
        ("x += 1", {"x"}, {"x"}),
        ("order['a'] = 1", {"order"}, set()),
        ("if c:\n  x = 1\ny = x", {"c", "x"}, {"x", "y"}),
        ("if c:\n  x = 1\nelse:\n  x = 2\ny = x", {"c"}, {"x", "y"}),
        ("if c:\n  raise ValueError\nelse:\n  x = 2\ny = x", {"c"}, {"x", "y"}),
        ("if c:\n  bpmn_error('A')\nelse:\n  x = 2\ny = x", {"c"}, {"x", "y"}),
        ("for c in []:\n  if c:\n    break\n  else:\n    continue", set(), {"c"}),
        ("for i in xs:\n  n = i\ny = n", {"xs", "n"}, {"i", "n", "y"}),
        ("while w:\n  n = 1\ny = n", {"w", "n"}, {"n", "y"}),
        ("try:\n  x = a\nexcept ValueError as e:\n  x = e\ny = x", {"a"}, {"x", "y"}),
        ("try:\n  x = a\nexcept ValueError:\n  pass\ny = x", {"a", "x"}, {"x", "y"}),
        ("def f(p):\n  q = p + rate + late\n  return [q for q in q]\nlate = 1\nx = f(1)", {"rate"}, {"late", "x"}),
        ("x = 1\ndel x\ny = x", {"x"}, {"x", "y"}),
        ("x = [n for n in xs if n > m]", {"xs", "m"}, {"x"}),
        ("x = sorted(xs, key=len)", {"xs"}, {"x"}),
        ("def f():\n  try:\n    pass\n  except KeyError as k:\n    pass\n  def g():\n    pass\n  h = lambda: [i for i in j]",
         {"j"}, set()),
    ],
)  # fmt: skip
def test_a_script_knows_what_it_reads_and_assigns(text: str, names: set[str], assigned: set[str]) -> None:
    script = compile_script(text)
    assert (script.names, script.assigned) == (names, assigned)


def test_equal_texts_are_one_script() -> None:
    script = compile_script("x = 1")
    assert script is compile_script("x = 1")
    assert pickle.loads(pickle.dumps(script)) == script  # noqa: S301 - our own bytes
    assert hash(script) != hash(compile_script("x = 2"))
