"""Compiles what stands left of `=` and in `for … in`: names, elements of data, and tuples of both."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from bpmn.expressions.compiler import Compiler
from bpmn.expressions.errors import PROBLEMS, Fault, placed
from bpmn.expressions.operators import store
from bpmn.expressions.runtime import Code, Frame, Run
from bpmn.expressions.values import elements

Target = Callable[[Run, Frame, Any], None]
"""Takes the value that is to be assigned."""


def target(c: Compiler, node: ast.expr) -> Target:
    """Compile one target."""
    if isinstance(node, ast.Name):
        return _named(c, node)
    if isinstance(node, ast.Subscript):
        return _element(c, node)
    assert isinstance(node, (ast.Tuple, ast.List))  # noqa: S101 - the checker lets nothing else through
    return _several(c, node)


def _named(c: Compiler, node: ast.Name) -> Target:
    name = node.id
    if c.hops(name) is not None:  # always the innermost frame: there is no nonlocal

        def assign(run: Run, frame: Frame, value: Any) -> None:
            frame.values[name] = value

        return assign
    c.note_assigned(node)
    return assign_variable(name)


def assign_variable(name: str) -> Target:
    """Assign a variable of the process; from now on it counts as assigned, not as copied."""

    def assign(run: Run, frame: Frame, value: Any) -> None:
        run.globals[name] = value
        run.originals.pop(name, None)

    return assign


def _element(c: Compiler, node: ast.Subscript) -> Target:
    owner: Code = c.compile(node.value)
    key: Code = c.compile(node.slice)
    at = c.at(node)

    def assign(run: Run, frame: Frame, value: Any) -> None:
        container, place = owner(run, frame), key(run, frame)
        try:
            store(run, container, place, value)
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return assign


def _several(c: Compiler, node: ast.Tuple | ast.List) -> Target:
    parts = [target(c, part) for part in node.elts]
    at = c.at(node)

    def assign(run: Run, frame: Frame, value: Any) -> None:
        try:
            values = elements(run, value)
            if len(values) != len(parts):
                raise Fault("unpack", expected=len(parts))
        except PROBLEMS as problem:
            raise placed(problem, at) from None
        for part, one in zip(parts, values, strict=True):
            part(run, frame, one)

    return assign


def names_in(*targets: ast.expr) -> frozenset[str]:
    """The names that targets of a comprehension bind."""
    return frozenset(
        part.id
        for node in targets
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    )


_INNER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def names_assigned(body: Iterable[ast.AST]) -> frozenset[str]:
    """The names that the statements of a function make local to it."""
    names: set[str] = set()
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
            continue
        if isinstance(node, _INNER):
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        if isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        waiting.extend(ast.iter_child_nodes(node))
    return frozenset(names)
