"""Compiles the statements of scripts. A step returns None, or a signal: break, continue or return.

While it goes through the statements it follows which variables are certainly assigned, so that a script can say
which variables it needs from the process.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from bpmn.expressions.compiler import Compiler, Handler
from bpmn.expressions.compiler_calls import charged, function_value
from bpmn.expressions.compiler_expressions import calculated
from bpmn.expressions.compiler_targets import Target, assign_variable, names_assigned, target
from bpmn.expressions.errors import PROBLEMS, Fault, Position, placed
from bpmn.expressions.methods import extend
from bpmn.expressions.operators import BINARY, remove, select, store
from bpmn.expressions.runtime import BREAK, CONTINUE, RETURN, Code, Frame, Run, Signal, Step


def block(c: Compiler, body: Sequence[ast.stmt]) -> Step:
    """Compile statements that follow each other."""
    steps: tuple[Step, ...] = tuple(map(c.compile, body))
    if len(steps) == 1:
        return steps[0]

    def follow(run: Run, frame: Frame) -> Signal | None:
        for step in steps:
            signal = step(run, frame)
            if signal is not None:
                return signal
        return None

    return follow


def expression(c: Compiler, node: ast.Expr) -> Step:
    value: Code = c.compile(node.value)

    def discard(run: Run, frame: Frame) -> None:
        value(run, frame)

    return discard


def assignment(c: Compiler, node: ast.Assign) -> Step:
    value: Code = c.compile(node.value)
    targets = [target(c, one) for one in node.targets]

    def assign(run: Run, frame: Frame) -> None:
        found = value(run, frame)
        for bind in targets:
            bind(run, frame, found)

    return assign


def augmented(c: Compiler, node: ast.AugAssign) -> Step:
    symbol, apply = BINARY[type(node.op)]
    at = c.at(node)

    def combine(run: Run, old: Any, value: Any) -> Any:
        if symbol == "+" and type(old) is list:  # in place, as in Python: other names of the list see it
            try:
                extend(run, old, value)
            except PROBLEMS as problem:
                raise placed(problem, at) from None
            return old
        return calculated(run, symbol, apply, old, value, at)

    if isinstance(node.target, ast.Subscript):
        return _augmented_element(c, node.target, c.compile(node.value), combine, at)
    assert isinstance(node.target, ast.Name)  # noqa: S101 - the checker lets nothing else through
    load: Code = c.compile(node.target)
    value: Code = c.compile(node.value)
    bind: Target = target(c, node.target)
    return lambda run, frame: bind(run, frame, combine(run, load(run, frame), value(run, frame)))


def _augmented_element(c: Compiler, node: ast.Subscript, value: Code, combine: Any, at: Position) -> Step:
    owner: Code = c.compile(node.value)
    key: Code = c.compile(node.slice)

    def change(run: Run, frame: Frame) -> None:
        container, place = owner(run, frame), key(run, frame)
        try:
            old = select(run, container, place)
            store(run, container, place, combine(run, old, value(run, frame)))
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return change


def choice(c: Compiler, node: ast.If) -> Step:
    """Compile a whole if/elif/else as one list of branches."""
    certain = c.findings.certain
    branches: list[tuple[Code, Step]] = []
    ends: list[set[str]] = []
    otherwise: list[ast.stmt] = [node]
    while len(otherwise) == 1 and isinstance(otherwise[0], ast.If):
        part = otherwise[0]
        test: Code = c.compile(part.test)
        step, end = _branch(c, part.body, certain)
        branches.append((test, step))
        ends += end
        otherwise = part.orelse
    last, end = _branch(c, otherwise, certain)
    ends += end
    c.findings.certain = set.intersection(*ends) if ends else certain

    def choose(run: Run, frame: Frame) -> Signal | None:
        for condition, body in branches:
            if condition(run, frame):
                return body(run, frame)
        return last(run, frame)

    return choose


def _branch(c: Compiler, body: list[ast.stmt], certain: set[str]) -> tuple[Step, list[set[str]]]:
    """Compile a branch; also what is certain at its end, nothing when the end is never reached."""
    c.findings.certain = set(certain)
    step = block(c, body)
    leaves = bool(body) and _leaves(body[-1])
    return step, [] if leaves else [c.findings.certain]


def _leaves(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
        return True
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "bpmn_error"


def for_loop(c: Compiler, node: ast.For) -> Step:
    source: Code = c.compile(node.iter)
    certain = set(c.findings.certain)
    bind = target(c, node.target)
    body = block(c, node.body)
    c.findings.certain = certain
    otherwise, _ = _branch(c, node.orelse, certain)
    c.findings.certain = certain
    cost, at = 1 + c.cost_of(node.target, *node.body), c.at(node.iter)

    def loop(run: Run, frame: Frame) -> Signal | None:
        for item in charged(run, source(run, frame), cost, at):
            bind(run, frame, item)
            signal = body(run, frame)
            if signal is BREAK:
                return None
            if signal is RETURN:
                return signal
        return otherwise(run, frame)

    return loop


def while_loop(c: Compiler, node: ast.While) -> Step:
    test: Code = c.compile(node.test)
    certain = set(c.findings.certain)
    body, _ = _branch(c, node.body, certain)
    otherwise, _ = _branch(c, node.orelse, certain)
    c.findings.certain = certain
    cost, at = 1 + c.cost_of(node.test, *node.body), c.at(node)

    def loop(run: Run, frame: Frame) -> Signal | None:
        while test(run, frame):
            try:
                run.spend(cost)
            except PROBLEMS as problem:
                raise placed(problem, at) from None
            signal = body(run, frame)
            if signal is BREAK:
                return None
            if signal is RETURN:
                return signal
        return otherwise(run, frame)

    return loop


def function(c: Compiler, node: ast.FunctionDef) -> Step:
    name = node.name
    is_variable = c.hops(name) is None
    if is_variable:
        c.findings.functions.add(name)
        c.findings.certain.add(name)
        c.findings.places.setdefault(name, c.at(node))
    make = function_value(
        c, name, node.args, list(node.body), names_assigned(node.body), lambda: _body(block(c, node.body))
    )
    variable = assign_variable(name)

    def define(run: Run, frame: Frame) -> None:
        value = make(run, frame)
        if is_variable:
            variable(run, frame, value)
        else:
            frame.values[name] = value

    return define


def _body(step: Step) -> Code:
    def body(run: Run, frame: Frame) -> Any:
        step(run, frame)
        return frame.result

    return body


def returning(c: Compiler, node: ast.Return) -> Step:
    value: Code = c.compile(node.value or ast.Constant(None))

    def leave(run: Run, frame: Frame) -> Signal:
        frame.result = value(run, frame)
        return RETURN

    return leave


def nothing(c: Compiler, node: ast.Pass) -> Step:
    return lambda run, frame: None


def breaking(c: Compiler, node: ast.Break) -> Step:
    return lambda run, frame: BREAK


def continuing(c: Compiler, node: ast.Continue) -> Step:
    return lambda run, frame: CONTINUE


def deletion(c: Compiler, node: ast.Delete) -> Step:
    steps = [
        _delete_name(c, one) if isinstance(one, ast.Name) else _delete_element(c, one) for one in node.targets
    ]

    def delete(run: Run, frame: Frame) -> None:
        for step in steps:
            step(run, frame)

    return delete


def _delete_name(c: Compiler, node: ast.Name) -> Step:
    name, at = node.id, c.at(node)
    is_variable = c.hops(name) is None
    if is_variable:
        c.findings.certain.discard(name)

    def delete(run: Run, frame: Frame) -> None:
        if is_variable and run.outer is not None and name in run.outer:
            # the process would keep its value: saying nothing would be a lie
            raise placed(Fault("not_deletable", name=name), at)
        if name not in frame_values(run, frame):
            raise placed(Fault("unknown_name", name=name), at)
        del frame_values(run, frame)[name]

    def frame_values(run: Run, frame: Frame) -> dict[str, Any]:
        return run.globals if is_variable else frame.values

    return delete


def _delete_element(c: Compiler, node: ast.expr) -> Step:
    assert isinstance(node, ast.Subscript)  # noqa: S101 - the checker lets nothing else through
    owner: Code = c.compile(node.value)
    key: Code = c.compile(node.slice)
    at = c.at(node)

    def delete(run: Run, frame: Frame) -> None:
        container, place = owner(run, frame), key(run, frame)
        try:
            remove(run, container, place)
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return delete


HANDLERS: dict[type, Handler] = {
    ast.Expr: expression,
    ast.Assign: assignment,
    ast.AugAssign: augmented,
    ast.If: choice,
    ast.For: for_loop,
    ast.While: while_loop,
    ast.FunctionDef: function,
    ast.Return: returning,
    ast.Pass: nothing,
    ast.Break: breaking,
    ast.Continue: continuing,
    ast.Delete: deletion,
}
