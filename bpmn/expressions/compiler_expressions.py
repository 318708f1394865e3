"""Compiles literals, names, operators, subscripts and texts to closures.

Each closure takes the run and the frame. A fault is given its place by the innermost closure whose operation failed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from bpmn.expressions.compiler import Compiler, Handler
from bpmn.expressions.errors import PROBLEMS, Fault, Position, placed
from bpmn.expressions.formatting import formatted, text_of, written
from bpmn.expressions.limits import CONTAINERS, Meter, check_key, check_text_length, type_name, walk
from bpmn.expressions.methods import field_of
from bpmn.expressions.operators import BINARY, COMPARE, Binary, affirm, contains, negate, select
from bpmn.expressions.runtime import Code, Frame, Run

_COSTLY = CONTAINERS | {str}
_SHORT = 64


def constant(c: Compiler, node: ast.Constant) -> Code:
    value = node.value
    return lambda run, frame: value


def name(c: Compiler, node: ast.Name) -> Code:
    hops = c.hops(node.id)
    if hops is not None:
        return local(node.id, hops, c.at(node))
    c.note_read(node)
    return variable(c, node.id, c.at(node))


def local(wanted: str, hops: int, at: Position) -> Code:
    """Read a name of the frame that is `hops` frames up."""

    def load(run: Run, frame: Frame) -> Any:
        for _ in range(hops):
            frame = frame.parent  # type: ignore[assignment]
        try:
            return frame.values[wanted]
        except KeyError:
            raise placed(Fault("unknown_name", name=wanted), at) from None

    return load


def variable(c: Compiler, wanted: str, at: Position) -> Code:
    """Read a variable of the process; a built-in only when there is no such variable."""
    builtin = c.builtins.get(wanted)

    def load(run: Run, frame: Frame) -> Any:
        try:
            return run.globals[wanted]
        except KeyError:
            pass
        try:
            return run.fetch(wanted)
        except PROBLEMS as problem:
            if (
                builtin is not None
                and isinstance(problem, Fault)
                and problem.facts["reason"] == "unknown_name"
            ):
                return builtin
            raise placed(problem, at) from None

    return load


def boolean(c: Compiler, node: ast.BoolOp) -> Code:
    *first, last = c.compile_all(node.values)
    wanted = isinstance(node.op, ast.Or)  # the truth value at which the rest is not looked at

    def decide(run: Run, frame: Frame) -> Any:
        for part in first:
            value = part(run, frame)
            if bool(value) is wanted:
                return value
        return last(run, frame)

    return decide


def unary(c: Compiler, node: ast.UnaryOp) -> Code:
    operand: Code = c.compile(node.operand)
    if isinstance(node.op, ast.Not):
        return lambda run, frame: not operand(run, frame)
    apply = negate if isinstance(node.op, ast.USub) else affirm
    at = c.at(node)

    def sign(run: Run, frame: Frame) -> Any:
        value = operand(run, frame)
        try:
            return apply(value)
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return sign


def binary(c: Compiler, node: ast.BinOp) -> Code:
    """Compile a chain `a + b - c` as one loop, so that long chains are not deep."""
    steps: list[tuple[str, Binary, Code, Position]] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp):
        symbol, apply = BINARY[type(left.op)]
        steps.append((symbol, apply, c.compile(left.right), c.at(left)))
        left = left.left
    first: Code = c.compile(left)
    steps.reverse()

    def calculate(run: Run, frame: Frame) -> Any:
        value = first(run, frame)
        for symbol, apply, right, at in steps:
            value = calculated(run, symbol, apply, value, right(run, frame), at)
        return value

    return calculate


def calculated(run: Run, symbol: str, apply: Binary, left: Any, right: Any, at: Position) -> Any:
    """Do one operation of arithmetic and place its faults."""
    try:
        return apply(run, left, right)
    except TypeError:
        fault = Fault("types", operation=symbol, left=type_name(left), right=type_name(right))
        raise placed(fault, at) from None
    except PROBLEMS as problem:
        raise placed(problem, at) from None


def compare(c: Compiler, node: ast.Compare) -> Code:
    first: Code = c.compile(node.left)
    steps: list[tuple[Binary, Code]] = []
    left = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        steps.append(
            (_comparison(operator, _is_cheap(left) or _is_cheap(right), c.at(node)), c.compile(right))
        )
        left = right
    if len(steps) == 1:
        test, second = steps[0]
        return lambda run, frame: test(run, first(run, frame), second(run, frame))

    def chain(run: Run, frame: Frame) -> Any:
        value = first(run, frame)
        result: Any = True
        for test, operand in steps:
            following = operand(run, frame)
            result = test(run, value, following)
            if not result:
                break
            value = following
        return result

    return chain


def _is_cheap(node: ast.expr) -> bool:
    """Whether comparing with this constant cannot take long, whatever is on the other side."""
    return isinstance(node, ast.Constant) and (type(node.value) is not str or len(node.value) <= _SHORT)


def _comparison(operator: ast.cmpop, cheap: bool, at: Position) -> Binary:
    if isinstance(operator, (ast.In, ast.NotIn)):
        return _membership(isinstance(operator, ast.In), at)
    symbol, apply = COMPARE[type(operator)]

    def test(run: Meter, left: Any, right: Any) -> Any:
        try:
            if not cheap and type(left) in _COSTLY and type(left) is type(right):
                walk(run, left)
                walk(run, right)
            return apply(left, right)
        except TypeError:
            fault = Fault("types", operation=symbol, left=type_name(left), right=type_name(right))
            raise placed(fault, at) from None
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return test


def _membership(wanted: bool, at: Position) -> Binary:
    def test(run: Meter, item: Any, container: Any) -> bool:
        try:
            return contains(run, item, container) is wanted
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return test


def conditional(c: Compiler, node: ast.IfExp) -> Code:
    test, body, other = c.compile_all((node.test, node.body, node.orelse))
    return lambda run, frame: body(run, frame) if test(run, frame) else other(run, frame)


def sequence(c: Compiler, node: ast.List | ast.Tuple) -> Code:
    parts = c.compile_all(node.elts)
    if isinstance(node, ast.List):
        return lambda run, frame: [part(run, frame) for part in parts]
    return lambda run, frame: tuple([part(run, frame) for part in parts])


def members(c: Compiler, node: ast.Set) -> Code:
    parts = [(c.compile(part), c.at(part)) for part in node.elts]

    def collect(run: Run, frame: Frame) -> set[Any]:
        made: set[Any] = set()
        for part, at in parts:
            made.add(key_value(run, part(run, frame), len(made), at))
        return made

    return collect


def entries(c: Compiler, node: ast.Dict) -> Code:
    pairs = [
        (c.compile(key), c.compile(value), c.at(key))
        for key, value in zip(node.keys, node.values, strict=True)
        if key is not None
    ]

    def collect(run: Run, frame: Frame) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value, at in pairs:
            found = key_value(run, key(run, frame), len(made), at)
            made[found] = value(run, frame)
        return made

    return collect


def key_value(run: Run, value: Any, size: int, at: Position) -> Any:
    """Pass on a value that is about to become a key or a member of a set of `size` elements."""
    try:
        check_key(run, value, size)
    except PROBLEMS as problem:
        raise placed(problem, at) from None
    return value


def subscript(c: Compiler, node: ast.Subscript) -> Code:
    value: Code = c.compile(node.value)
    key: Code = c.compile(node.slice)
    at = c.at(node)

    def read(run: Run, frame: Frame) -> Any:
        found, wanted = value(run, frame), key(run, frame)
        try:
            return select(run, found, wanted)
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return read


def slice_of(c: Compiler, node: ast.Slice) -> Code:
    nothing = ast.Constant(None)
    bounds = c.compile_all(part or nothing for part in (node.lower, node.upper, node.step))
    return lambda run, frame: slice(*[bound(run, frame) for bound in bounds])


def attribute(c: Compiler, node: ast.Attribute) -> Code:
    value: Code = c.compile(node.value)
    wanted, at = node.attr, c.at(node)

    def read(run: Run, frame: Frame) -> Any:
        found = value(run, frame)
        try:
            return field_of(found, wanted)
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return read


def joined(c: Compiler, node: ast.JoinedStr) -> Code:
    parts, at = c.compile_all(node.values), c.at(node)

    def write(run: Run, frame: Frame) -> str:
        texts = [part(run, frame) for part in parts]
        length = sum(map(len, texts))
        try:
            check_text_length(length)
            run.spend(length >> 4)
        except PROBLEMS as problem:
            raise placed(problem, at) from None
        return "".join(texts)

    return write


def placeholder(c: Compiler, node: ast.FormattedValue) -> Code:
    value: Code = c.compile(node.value)
    spec: Code = c.compile(node.format_spec or ast.Constant(""))
    convert: Callable[[Meter, Any], Any] | None = {ord("s"): text_of, ord("r"): written}.get(node.conversion)
    at = c.at(node.value)

    def write(run: Run, frame: Frame) -> str:
        shown, wanted = value(run, frame), spec(run, frame)
        try:
            return formatted(run, shown if convert is None else convert(run, shown), wanted)
        except PROBLEMS as problem:
            raise placed(problem, at) from None

    return write


HANDLERS: dict[type, Handler] = {
    ast.Constant: constant,
    ast.Name: name,
    ast.BoolOp: boolean,
    ast.UnaryOp: unary,
    ast.BinOp: binary,
    ast.Compare: compare,
    ast.IfExp: conditional,
    ast.List: sequence,
    ast.Tuple: sequence,
    ast.Set: members,
    ast.Dict: entries,
    ast.Subscript: subscript,
    ast.Slice: slice_of,
    ast.Attribute: attribute,
    ast.JoinedStr: joined,
    ast.FormattedValue: placeholder,
}
