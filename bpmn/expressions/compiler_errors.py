"""Compiles try/except and raise. Limits and BPMN errors are not caught by any `except`: they always leave."""

from __future__ import annotations

import ast

from bpmn.expressions.compiler import Compiler, Handler
from bpmn.expressions.compiler_statements import block
from bpmn.expressions.errors import PROBLEMS, ExpressionError, Fault, placed
from bpmn.expressions.formatting import text_of
from bpmn.expressions.language import CATCHABLE
from bpmn.expressions.messages import describe_fault
from bpmn.expressions.runtime import Code, Frame, Run, Signal, Step

_MAX_MESSAGE = 2_000


def attempt(c: Compiler, node: ast.Try) -> Step:
    before = set(c.findings.certain)
    body = block(c, node.body)
    otherwise = block(c, node.orelse)
    certain = c.findings.certain
    handlers = []
    for part in node.handlers:
        c.findings.certain = set(before)
        handlers.append(_handler(c, part))
        certain = certain & c.findings.certain
    c.findings.certain = certain

    def run_body(run: Run, frame: Frame) -> Signal | None:
        try:
            signal = body(run, frame)
        except ExpressionError as error:
            for kinds, handle in handlers:
                if error.kind in kinds:
                    return _handled(run, frame, error, handle)
            raise
        return signal if signal is not None else otherwise(run, frame)

    return run_body


def _handled(run: Run, frame: Frame, error: ExpressionError, handle: Step) -> Signal | None:
    outer, frame.handling = frame.handling, error
    try:
        return handle(run, frame)
    finally:
        frame.handling = outer


def _handler(c: Compiler, node: ast.ExceptHandler) -> tuple[frozenset[str], Step]:
    named = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    kinds = frozenset().union(*(CATCHABLE[getattr(name, "id", "Exception")] for name in named))
    name = node.name
    is_variable = name is not None and c.hops(name) is None
    if name is not None and is_variable:
        c.findings.certain.add(name)
    step = block(c, node.body)
    if name is None:
        return kinds, step
    bound = name
    if is_variable:
        c.findings.certain.discard(bound)

    def handle(run: Run, frame: Frame) -> Signal | None:
        values = run.globals if is_variable else frame.values
        error = frame.handling
        values[bound] = describe_fault(error.facts, "en") if error is not None else ""
        try:
            return step(run, frame)
        finally:
            values.pop(bound, None)

    return kinds, handle


def raising(c: Compiler, node: ast.Raise) -> Step:
    at = c.at(node)
    if node.exc is None:

        def again(run: Run, frame: Frame) -> Signal | None:
            raise frame.handling or placed(Fault("raised", detail=""), at)

        return again
    call = node.exc if isinstance(node.exc, ast.Call) else None
    kind = getattr(call.func if call is not None else node.exc, "id", "")
    detail: Code = c.compile(call.args[0] if call is not None and call.args else ast.Constant(""))

    def throw(run: Run, frame: Frame) -> Signal | None:
        try:
            text = text_of(run, detail(run, frame))
        except PROBLEMS as problem:
            raise placed(problem, at) from None
        raise placed(Fault("raised", detail=text[:_MAX_MESSAGE] or kind, kind=kind), at)

    return throw


HANDLERS: dict[type, Handler] = {ast.Try: attempt, ast.Raise: raising}
