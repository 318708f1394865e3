"""Texts that try to get out of the sandbox: each is refused as an `ExpressionError` and leaves no trace."""

from __future__ import annotations

import ast
import builtins
import copy
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import bpmn.expressions
from bpmn.expressions import ExpressionError, compile_expression, compile_script

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
TRACE = "attack-left-this"

EXPRESSIONS = [
    "().__class__",
    "().__class__.__base__.__subclasses__()",
    "[c for c in ().__class__.__mro__[1].__subclasses__()]",
    "''.__class__.__mro__[1]",
    "x.__dict__",
    "x._private",
    "[].append.__self__",
    "(lambda: 0).__globals__",
    "(lambda: 0).__code__",
    "(lambda: 0).__closure__",
    "(x for x in [1]).gi_frame",
    "(x for x in [1]).gi_frame.f_back.f_globals",
    "(x for x in [1])",
    "[g for g in [(x for x in [1])]]",
    "any(x for x in [1]).gi_frame",
    "len.__self__",
    "len.body",
    "now.body",
    "(lambda: 0).frame",
    "(lambda: 0).frame.values",
    "__import__('os').system('touch attack-left-this')",
    "__builtins__",
    "__name__",
    "_x",
    "ＡＢ._c",
    "__\u0069mport__('os')",
    "＿＿import＿＿('os')",
    "\uff47etattr(x, 'a')",
    "open('attack-left-this', 'w')",
    "open('/etc/passwd').read()",
    "eval('1')",
    "exec('1')",
    "compile('1', '', 'eval')",
    "globals()",
    "locals()",
    "vars()",
    "dir(x)",
    "type(x)",
    "type('X', (), {})",
    "isinstance(x, object)",
    "getattr(x, '__class__')",
    "setattr(x, 'a', 1)",
    "hasattr(x, 'a')",
    "input()",
    "print(x)",
    "help()",
    "breakpoint()",
    "memoryview(b'x')",
    "super()",
    "object()",
    "id(x)",
    "hash(x)",
    "repr(x)",
    "iter([1])",
    "next(x)",
    "map(len, x)",
    "callable(x)",
    "b'bytes'",
    "1j",
    "...",
    "'{0.__class__}'.format(x)",
    "'{0.__class__.__mro__}'.format_map({'0': x})",
    "str.format('{0.__class__}', x)",
    "'%(a)s' % {'a': 1}",
    "f'{x.__class__}'",
    "f'{x!a}'",
    "f'{x:{x.__class__}}'",
    "f'{().__class__.__base__}'",
    "f'{(lambda: 0)}'",
    "str(lambda: 0)",
    "f'{foreign}'",
    "str([foreign])",
    "foreign.secret",
    "foreign.leak()",
    "foreign()",
    "foreign + 1",
    "foreign < 1",
    "foreign[0]",
    "1 in foreign",
    "[x for x in foreign]",
    "len(foreign)",
    "{foreign: 1}",
    "-foreign",
    "x.encode('utf-8')",
    "'a'.translate({97: 'b'})",
    "'a'.maketrans('a', 'b')",
    "(1).to_bytes(1, 'big')",
    "(1).real",
    "(1).__add__(2)",
    "now().__reduce__()",
    "now().tzinfo",
    "now().astimezone()",
    "now().ctime()",
    "[*x]",
    "len(*[x])",
    "dict(**{'a': 1})",
    "{**{'a': 1}}",
    "(y := 1)",
    "[y := 1, y]",
    "(yield)",
    "(lambda: (yield 1))()",
    "(lambda: (yield from [1]))()",
    "await x",
    "[a async for a in x]",
    "lambda *a: a",
    "lambda **k: k",
    "lambda a, /: a",
    "lambda *, a: a",
    "lambda _a: _a",
    "lambda a=().__class__: a",
    "lambda a=open: a",
    "[_ for _ in [1]]",
    "dict(_a=1)",
    "[1 for x.a in [1]]",
    "[1 for data['a'] in [1]]",
    "[1 for data[0:1] in [1]]",
    "1 | 2",
    "1 << 99999999",
    "~1",
    "data @ data",
    "x is x",
    "data.pop('a')",
    "data.update(a=1)",
    "data.clear()",
    "data.setdefault('z', 1)",
    "data.list.append(1)",
    "data.list.sort()",
    "[data.list.extend([1]) for i in [1]]",
    "bpmn_error('X')",
    "x[1:2, 3]",
    "import os",
    "x = 1",
    "1; 2",
    "1)(",
]

SCRIPTS = [
    "import os",
    "import os as o",
    "from os import system",
    "from . import errors",
    "from __future__ import annotations",
    "class A: pass",
    "class A(metaclass=type): pass",
    "with open('attack-left-this', 'w') as f: f.write('x')",
    "with x: pass",
    "async def f(): pass",
    "async def f():\n  async with x: pass",
    "async def f():\n  async for a in x: pass",
    "async def f():\n  await x",
    "def f():\n  yield 1",
    "def f():\n  x = yield",
    "global x",
    "def f():\n  global x\n  x = 1",
    "def f():\n  x = 1\n  def g():\n    nonlocal x",
    "@len\ndef f(): pass",
    "@(lambda f: f)\ndef f(): pass",
    "def f(*a): pass",
    "def f(**k): pass",
    "def f(a, /): pass",
    "def f(*, a): pass",
    "def f(a: int): pass",
    "def f() -> int: pass",
    "def f(a=().__class__): pass",
    "def _f(): pass",
    "def __getattr__(a): pass",
    "x: int = 1",
    "x: int",
    "assert x",
    "match x:\n  case 1: pass",
    "_x = 1",
    "__builtins__ = {}",
    "x.a = 1",
    "x.__class__ = 1",
    "x.a += 1",
    "del x.a",
    "del data[0:1]",
    "del (x, y)",
    "data[0:1] = [1]",
    "data[0:1] += [1]",
    "a, *b = [1, 2]",
    "for x.a in [1]: pass",
    "for *a, in [[1]]: pass",
    "x |= 1",
    "x @= 1",
    "try: pass\nfinally: pass",
    "try: pass\nexcept* ValueError: pass",
    "try: pass\nexcept BaseException: pass",
    "try: pass\nexcept SystemExit: pass",
    "try: pass\nexcept RecursionError: pass",
    "try: pass\nexcept x: pass",
    "try: pass\nexcept (ValueError, x): pass",
    "try: pass\nexcept len(x): pass",
    "try: pass\nexcept ValueError as _e: pass",
    "try:\n  1 / 0\nexcept Exception as e:\n  e.__traceback__",
    "try:\n  1 / 0\nexcept Exception as e:\n  e.with_traceback(None)",
    "try:\n  1 / 0\nexcept Exception as e:\n  e.args",
    "raise BaseException",
    "raise SystemExit",
    "raise KeyboardInterrupt()",
    "raise x",
    "raise ValueError('a', 'b')",
    "raise ValueError(a='b')",
    "raise ValueError from KeyError",
    "raise ValueError().x",
    "raise",
    "ValueError('x')",
    "x = ValueError",
    "e = Exception\ne.__class__",
    "f = lambda: 1\nf.frame",
    "f = lambda: 1\nf.__globals__",
    "f = open",
    "exit()",
    "quit()",
    "print('x')",
    "eval('1')",
    "def f():\n  return eval\nf()('1')",
    "x = [f for f in [eval]]",
    "open('attack-left-this', 'w')",
    "f = {}.get\nf('a')",
    "f = 'a'.format",
    "foreign.secret = 1",
    "foreign['a'] = 1",
    "foreign.append(1)",
    "x = foreign",
    "x = [foreign]",
    "x = {'a': (foreign,)}",
    "x = now",
    "x = [lambda: 1]",
    "x = (n for n in [1])",
    "def g(): return 1\nx = [g]",
    "return 1",
    "break",
    "nonlocal x",
    "print >> x",
    "exec 'x'",
    "x = `1`",
    "# -*- coding: utf-7 -*-\n+AGkAbQBwAG8AcgB0- os",
    "if True:\n  import os",
    "def f():\n  def g():\n    import os",
    "lambda: __import__('os')",
    "type X = int",
    "def f[T](a): pass",
]


class Foreign:
    """An object that only a mistake of the caller can bring in; touching its insides is recorded."""

    touched = 0
    secret = "secret"

    def leak(self) -> str:
        Foreign.touched += 1
        return "leaked"

    def __call__(self) -> None:
        Foreign.touched += 1

    def __iter__(self) -> Any:
        Foreign.touched += 1
        return iter([1])

    def __getitem__(self, key: object) -> int:
        Foreign.touched += 1
        return 1

    def __len__(self) -> int:
        Foreign.touched += 1
        return 1

    def __contains__(self, item: object) -> bool:
        Foreign.touched += 1
        return True

    def __str__(self) -> str:
        Foreign.touched += 1
        return "leaked"

    def __repr__(self) -> str:
        return "Foreign()"

    def __add__(self, other: object) -> int:
        Foreign.touched += 1
        return 1

    def __neg__(self) -> int:
        Foreign.touched += 1
        return 1


def variables() -> dict[str, Any]:
    return {"x": "text", "y": 1, "data": {"a": 1, "list": [1]}, "foreign": Foreign()}


@pytest.fixture(autouse=True)
def _no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run in an empty folder and see that no file, module or global is new afterwards."""
    monkeypatch.chdir(tmp_path)
    Foreign.touched = 0
    modules, names = set(sys.modules), set(vars(builtins))
    yield
    assert list(tmp_path.iterdir()) == []
    assert Foreign.touched == 0
    assert set(sys.modules) == modules
    assert set(vars(builtins)) == names


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_that_reaches_out_is_refused(text: str) -> None:
    given = variables()
    before = copy.deepcopy({name: value for name, value in given.items() if name != "foreign"})
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text).evaluate(given, now=NOW)
    assert caught.value.message("zh-CN")
    assert {name: value for name, value in given.items() if name != "foreign"} == before


@pytest.mark.parametrize("text", [*SCRIPTS, *(f"result = {text}" for text in EXPRESSIONS[:60])])
def test_a_script_that_reaches_out_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_script(text).run(variables(), now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "open('x')",
        "().__class__",
        "'{}'.format(x)",
        "x.format_map(x)",
        "eval('1')",
        "[*x]",
        "import_me(1)",
        "x.mro()",
    ],
)
def test_what_can_never_work_is_already_refused_at_upload(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.code in ("expression.forbidden", "expression.name")


def test_every_attack_on_an_object_of_the_caller_stays_outside() -> None:
    for name in dir(Foreign()):
        with pytest.raises(ExpressionError):
            compile_expression(f"foreign.{name}").evaluate(variables(), now=NOW)


def test_the_package_never_calls_pythons_evaluator_or_compiler() -> None:
    forbidden = {"eval", "exec", "compile", "__import__", "globals", "locals", "setattr", "delattr"}
    files = list(Path(bpmn.expressions.__file__).parent.glob("*.py"))
    assert len(files) > 10
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in forbidden, f"{file.name}:{node.lineno}"


def test_the_callers_data_is_untouched_when_a_script_fails_midway() -> None:
    given = {"data": {"list": [1]}, "n": Decimal(1)}
    with pytest.raises(ExpressionError):
        compile_script("data['list'].append(2)\nn / 0").run(given, now=NOW)
    assert given == {"data": {"list": [1]}, "n": Decimal(1)}
