"""What can go wrong in an expression or a script: two public errors and the two faults that become one of them.

Operators, built-ins and methods know what is wrong but not where; they raise `Fault` or `Exceeded`. The closure
of the syntax node that called them adds line and column with `placed`, and only then is it an `ExpressionError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpmn.expressions.messages import FAULT_KINDS, describe

SYNTAX = "expression.syntax"
FORBIDDEN = "expression.forbidden"
NAME = "expression.name"
VALUE = "expression.value"
LIMIT = "expression.limit"
TOO_LONG = "expression.too_long"

Position = tuple[int, int]


class ExpressionError(Exception):
    """An expression or script was refused or failed; line and column count from 1 inside its text."""

    def __init__(
        self, code: str, line: int = 1, column: int = 1, facts: Mapping[str, Any] | None = None
    ) -> None:
        self.code = code
        self.line = line
        self.column = column
        self.facts: dict[str, Any] = dict(facts or {})
        super().__init__(code, line, column, self.facts)  # these make it cross a process boundary whole

    def message(self, locale: str = "en") -> str:
        """Say what is wrong for a person; `locale` is "zh-CN" or "en"."""
        return describe(self.code, self.line, self.column, self.facts, locale)

    def __str__(self) -> str:
        return self.message("en")

    @property
    def kind(self) -> str:
        """The name by which a script's `except` can catch this error, "" when it cannot."""
        return str(self.facts.get("kind", "")) if self.code in (VALUE, NAME) else ""


class BpmnErrorThrown(Exception):
    """A script called `bpmn_error`: the nearest matching boundary event is to catch it."""

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        self.message = message
        super().__init__(code, message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class Fault(Exception):
    """A type or value fault without its place; `reason` is a key of the message catalogue."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.facts: dict[str, Any] = {"reason": reason, "kind": FAULT_KINDS[reason], **facts}


class Exceeded(Exception):
    """A limit was reached; `limit` names it. Scripts cannot catch this."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


# What an operation on plain data may raise; everything else would be a fault of ours and is not hidden.
PROBLEMS = (Fault, Exceeded, ArithmeticError, LookupError, TypeError, ValueError, RecursionError, MemoryError)


def placed(problem: BaseException, at: Position) -> ExpressionError:
    """Give a problem its place in the text."""
    if isinstance(problem, Exceeded):
        return ExpressionError(LIMIT, *at, {"limit": problem.limit})
    if isinstance(problem, RecursionError):
        return ExpressionError(LIMIT, *at, {"limit": "depth"})
    if isinstance(problem, MemoryError):
        return ExpressionError(LIMIT, *at, {"limit": "size"})
    fault = problem if isinstance(problem, Fault) else _translated(problem)
    code = NAME if fault.facts["reason"] == "unknown_name" else VALUE
    return ExpressionError(code, *at, fault.facts)


def _translated(problem: BaseException) -> Fault:
    """Turn an exception of Python's own operations into a fault of the catalogue."""
    if isinstance(problem, KeyError):
        return Fault("no_key", key=shown(problem.args[0] if problem.args else ""))
    if isinstance(problem, IndexError):
        return Fault("no_index")
    if isinstance(problem, ZeroDivisionError):
        return Fault("division_by_zero")
    if isinstance(problem, OverflowError):
        return Fault("overflow")
    if isinstance(problem, ArithmeticError):
        return Fault("arithmetic")
    return Fault("bad_type" if isinstance(problem, TypeError) else "bad_value", detail=str(problem)[:200])


def shown(value: object) -> str:
    """A short text of a key or name for a message; never long, never a foreign object's own text."""
    if isinstance(value, str):
        return repr(value[:60])
    if isinstance(value, (bool, int, float)) or value is None:
        return repr(value)[:60]
    return type(value).__name__
