"""Compiles calls, lambdas and comprehensions to closures."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from bpmn.expressions.compiler import Compiler, Handler
from bpmn.expressions.compiler_expressions import key_value, local
from bpmn.expressions.compiler_targets import Target, names_in, target
from bpmn.expressions.errors import FORBIDDEN, PROBLEMS, ExpressionError, Fault, Position, placed
from bpmn.expressions.limits import check_item_count
from bpmn.expressions.methods import METHOD_NAMES, method_of
from bpmn.expressions.runtime import Builtin, Code, Frame, Run, ScriptFunction, call
from bpmn.expressions.values import iterate

_SORTING = ("min", "max", "sorted", "sort")


def called(c: Compiler, node: ast.Call) -> Code:
    at = c.at(node)
    if isinstance(node.func, ast.Attribute):
        if node.func.attr not in METHOD_NAMES:  # no value has it: say so before anything runs
            raise ExpressionError(FORBIDDEN, *at, {"construct": "method", "name": node.func.attr})
        return _method_call(c.compile(node.func.value), node.func.attr, _arguments(c, node), at)
    function = _callee(c, node.func)
    if _may_stop_early(c, node):
        return _early(function, generator(c, node.args[0]), at)
    arguments = _arguments(c, node)

    def invoke(run: Run, frame: Frame) -> Any:
        try:
            found = function(run, frame)
            values, keywords = arguments(run, frame)
            return call(run, found, values, keywords)
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return invoke


def _may_stop_early(c: Compiler, node: ast.Call) -> bool:
    """Whether this is `any(… for …)` or `all(… for …)`; a function of the script may still have taken the name."""
    builtin = c.builtins.get(node.func.id) if isinstance(node.func, ast.Name) else None
    single = len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp)
    return builtin is not None and builtin.lazy and single


def _early(function: Code, items: Code, at: Position) -> Code:
    def invoke(run: Run, frame: Frame) -> Any:
        try:
            found = function(run, frame)
            rounds = items(run, frame)
            return call(run, found, [rounds if type(found) is Builtin else list(rounds)])
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return invoke


def _method_call(owner: Code, name: str, arguments: Code, at: Position) -> Code:
    def invoke(run: Run, frame: Frame) -> Any:
        value = owner(run, frame)
        try:
            method = method_of(value, name)
            values, keywords = arguments(run, frame)
            method.accept(values, keywords)
            return method.body(run, value, *values, **keywords)
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return invoke


def _arguments(c: Compiler, node: ast.Call) -> Code:
    positional = c.compile_all(node.args)
    sorting = getattr(node.func, "id", getattr(node.func, "attr", "")) in _SORTING
    named = [
        (
            str(keyword.arg),
            _callee(c, keyword.value) if sorting and keyword.arg == "key" else c.compile(keyword.value),
        )
        for keyword in node.keywords
    ]

    def collect(run: Run, frame: Frame) -> tuple[list[Any], dict[str, Any]]:
        return [part(run, frame) for part in positional], {key: part(run, frame) for key, part in named}

    return collect


def _callee(c: Compiler, node: ast.expr) -> Code:
    """Compile what stands for a function: process data of the same name never hides a built-in from a call."""
    builtin = c.builtins.get(node.id) if isinstance(node, ast.Name) else None
    if not isinstance(node, ast.Name):
        return c.compile(node)  # type: ignore[no-any-return]
    hops = c.hops(node.id)
    if builtin is None:
        if hops is None and node.id not in c.own_names:  # process data is never a function
            raise placed(Fault("unknown_name", name=node.id), c.at(node))
        return c.compile(node)  # type: ignore[no-any-return]
    wanted = node.id
    if hops is not None:
        return local(wanted, hops, c.at(node))

    def find(run: Run, frame: Frame) -> Any:
        own = run.globals.get(wanted)
        return own if type(own) is ScriptFunction else builtin

    return find


def function_value(
    c: Compiler,
    name: str,
    arguments: ast.arguments,
    body: list[ast.AST],
    own_names: frozenset[str],
    compile_body: Callable[[], Code],
) -> Code:
    """Compile a lambda or def to code that makes the function."""
    parameters = tuple(argument.arg for argument in arguments.args)
    defaults = c.compile_all(arguments.defaults)
    with c.entering(own_names | set(parameters), is_function=True), c.measuring() as height:
        code = compile_body()
        tall = height()
    cost = 2 + len(parameters) + c.cost_of(*body)

    def make(run: Run, frame: Frame) -> ScriptFunction:
        values = [default(run, frame) for default in defaults]
        return ScriptFunction(name, parameters, values, code, frame, cost=cost, height=tall)

    return make


def anonymous(c: Compiler, node: ast.Lambda) -> Code:
    return function_value(c, "lambda", node.args, [node.body], frozenset(), lambda: c.compile(node.body))


Collected = TypeVar("Collected", list[Any], set[Any], dict[Any, Any])
Loop = Callable[[Run, Frame, Frame], Iterator[None]]
"""Goes through the rounds of a comprehension: run, frame outside, frame inside."""


def _loop(
    c: Compiler, generators: list[ast.comprehension], *results: ast.expr
) -> tuple[Loop, tuple[Code, ...]]:
    """Compile the clauses of a comprehension and, inside them, what it collects."""
    outside: Code = c.compile(generators[0].iter)
    with c.entering(names_in(*(clause.target for clause in generators)), is_function=False):
        loop = _clause(c, None, outside, generators[0], c.cost_of(*results))
        for clause in generators[1:]:
            loop = _clause(c, loop, c.compile(clause.iter), clause, c.cost_of(*results))
        return loop, c.compile_all(results)


def _clause(c: Compiler, outer: Loop | None, source: Code, clause: ast.comprehension, cost: int) -> Loop:
    bind: Target = target(c, clause.target)
    conditions = c.compile_all(clause.ifs)
    cost += 1 + c.cost_of(clause.target, *clause.ifs)
    entry = c.cost_of(clause.iter)
    at = c.at(clause.iter)

    def rounds(run: Run, outside: Frame, inside: Frame) -> Iterator[None]:
        values = source(run, outside)
        for item in charged(run, values, cost, at, entry):
            bind(run, inside, item)
            if all(condition(run, inside) for condition in conditions):
                yield

    if outer is None:
        return rounds
    before = outer

    def nested(run: Run, outside: Frame, inside: Frame) -> Iterator[None]:
        for _ in before(run, outside, inside):
            yield from rounds(run, inside, inside)

    return nested


def charged(run: Run, values: Any, cost: int, at: Position, entry: int = 0) -> Iterator[Any]:
    """Go through a value and pay for each round, and once for having got there."""
    try:
        run.spend(entry)
        for item in iterate(run, values):
            run.spend(cost)
            yield item
    except PROBLEMS as problem:
        raise placed(problem, at) from None


def listed(c: Compiler, node: ast.ListComp | ast.GeneratorExp) -> Code:
    loop, (element,) = _loop(c, node.generators, node.elt)
    at = c.at(node)

    def collect(run: Run, frame: Frame) -> list[Any]:
        inside = Frame({}, frame)
        made = [element(run, inside) for _ in loop(run, frame, inside)]
        return _sized(made, at)

    return collect


def generator(c: Compiler, node: Any) -> Code:
    """Compile to a real generator; only given to `any` and `all`, which may stop early."""
    loop, (element,) = _loop(c, node.generators, node.elt)

    def produce(run: Run, frame: Frame) -> Iterator[Any]:
        inside = Frame({}, frame)
        return (element(run, inside) for _ in loop(run, frame, inside))

    return produce


def collected(c: Compiler, node: ast.SetComp) -> Code:
    loop, (element,) = _loop(c, node.generators, node.elt)
    at = c.at(node.elt)

    def collect(run: Run, frame: Frame) -> set[Any]:
        inside = Frame({}, frame)
        made: set[Any] = set()
        for _ in loop(run, frame, inside):
            made.add(key_value(run, element(run, inside), len(made), at))
        return _sized(made, at)

    return collect


def mapped(c: Compiler, node: ast.DictComp) -> Code:
    loop, (key, value) = _loop(c, node.generators, node.key, node.value)
    at = c.at(node.key)

    def collect(run: Run, frame: Frame) -> dict[Any, Any]:
        inside = Frame({}, frame)
        made: dict[Any, Any] = {}
        for _ in loop(run, frame, inside):
            found = key_value(run, key(run, inside), len(made), at)
            made[found] = value(run, inside)
        return _sized(made, at)

    return collect


def _sized(made: Collected, at: Position) -> Collected:
    try:
        check_item_count(len(made))
    except PROBLEMS as problem:
        raise placed(problem, at) from None
    return made


HANDLERS: dict[type, Handler] = {
    ast.Call: called,
    ast.Lambda: anonymous,
    ast.ListComp: listed,
    ast.GeneratorExp: listed,
    ast.SetComp: collected,
    ast.DictComp: mapped,
}
