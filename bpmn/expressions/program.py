"""Expressions and scripts as objects: compiled once, run often, by any number of threads at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from bpmn.expressions import compiler_calls, compiler_errors, compiler_expressions, compiler_statements
from bpmn.expressions.builtins import EXPRESSION_BUILTINS, SCRIPT_BUILTINS
from bpmn.expressions.compiler import Compiler
from bpmn.expressions.compiler_targets import names_assigned
from bpmn.expressions.errors import PROBLEMS, Position, placed
from bpmn.expressions.language import check
from bpmn.expressions.limits import EXIT_STEPS
from bpmn.expressions.runtime import Code, Frame, Run, ScriptFunction, Step
from bpmn.expressions.source import parse_expression, parse_script
from bpmn.expressions.values import leave, same

_EXPRESSION_HANDLERS = {**compiler_expressions.HANDLERS, **compiler_calls.HANDLERS}
_SCRIPT_HANDLERS = {**_EXPRESSION_HANDLERS, **compiler_statements.HANDLERS, **compiler_errors.HANDLERS}
_START: Position = (1, 1)
_OUTSIDE = Frame({}, None)  # an expression has no local names of its own; nothing is ever written here


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression; equal texts are equal expressions."""

    text: str
    names: frozenset[str] = field(compare=False)
    _code: Code = field(compare=False, repr=False)

    def evaluate(self, variables: Mapping[str, Any], *, now: datetime) -> Any:
        """Give the value of the expression: data only, the caller's variables are never changed.

        Raises `ExpressionError` when the expression fails or takes more than its share.
        """
        if type(variables) is not dict:
            variables = {name: variables[name] for name in self.names if name in variables}
        run = Run(variables, now)
        try:
            value = self._code(run, _OUTSIDE)
            if type(value) is bool:
                return value
            run.fuel = max(run.fuel, EXIT_STEPS)
            return leave(run, value, as_json=False)
        except PROBLEMS as problem:
            raise placed(problem, _START) from None

    def __reduce__(self) -> tuple[Any, ...]:
        return compile_expression, (self.text,)


@dataclass(frozen=True, slots=True)
class Script:
    """A checked script; equal texts are equal scripts."""

    text: str
    names: frozenset[str] = field(compare=False)
    assigned: frozenset[str] = field(compare=False)
    _step: Step = field(compare=False, repr=False)
    _functions: frozenset[str] = field(compare=False, repr=False)
    _places: dict[str, Position] = field(compare=False, repr=False)

    def run(self, variables: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
        """Run the script on copies and give the variables that it assigned or changed.

        Functions that the script defines are its own business and not among them. Raises `ExpressionError` when
        the script fails or takes more than its share, `BpmnErrorThrown` when it calls `bpmn_error`.
        """
        run = Run({}, now, variables)
        try:
            self._step(run, Frame(run.globals, None))
        except PROBLEMS as problem:
            raise placed(problem, _START) from None
        run.fuel = max(run.fuel, EXIT_STEPS)
        return {
            name: self._leave(run, name, value)
            for name, value in run.globals.items()
            if self._is_new(run, name)
        }

    def _is_new(self, run: Run, name: str) -> bool:
        value = run.globals[name]
        if name in run.originals:
            return not same(value, run.originals[name])
        return name not in self._functions or type(value) is not ScriptFunction

    def _leave(self, run: Run, name: str, value: Any) -> Any:
        try:
            return leave(run, value, as_json=True)
        except PROBLEMS as problem:
            raise placed(problem, self._places.get(name, _START)) from None

    def __reduce__(self) -> tuple[Any, ...]:
        return compile_script, (self.text,)


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Expression:
    """Check an expression and make it ready; raises `ExpressionError` with the place of the first fault."""
    tree, source = parse_expression(text)
    check(tree, source.at, script=False)
    compiler = Compiler(tree, source, _EXPRESSION_HANDLERS, EXPRESSION_BUILTINS)
    code = compiler.compile(tree.body)
    found = compiler.findings
    return Expression(text, frozenset(found.read | found.read_later), code)


@lru_cache(maxsize=256)
def compile_script(text: str) -> Script:
    """Check a script and make it ready; raises `ExpressionError` with the place of the first fault."""
    tree, source = parse_script(text)
    check(tree, source.at, script=True)
    compiler = Compiler(tree, source, _SCRIPT_HANDLERS, SCRIPT_BUILTINS, names_assigned(tree.body))
    step = compiler_statements.block(compiler, tree.body)
    found = compiler.findings
    names = frozenset(found.read | (found.read_later - found.certain))
    return Script(text, names, frozenset(found.assigned), step, frozenset(found.functions), found.places)
