"""The positive lists of the language: what may stand in an expression or a script. Everything else is refused.

`check` looks at the whole syntax tree once, before anything is compiled, so the compiler only meets what is listed
here. It also makes the checks that Python itself makes after parsing (`return` outside a function and the like),
because Python's own compiler is never run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from bpmn.expressions.errors import FORBIDDEN, LIMIT, SYNTAX, ExpressionError, Position
from bpmn.expressions.limits import MAX_BITS

EXPRESSION_NODES: frozenset[type[ast.AST]] = frozenset({
    ast.Expression, ast.Load, ast.Constant, ast.Name, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub,
    ast.UAdd, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.Compare, ast.Eq,
    ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.IfExp, ast.Dict, ast.List,
    ast.Tuple, ast.Set, ast.Subscript, ast.Slice, ast.Call, ast.keyword, ast.Attribute, ast.ListComp, ast.SetComp,
    ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.Store, ast.JoinedStr, ast.FormattedValue, ast.Lambda,
    ast.arguments, ast.arg,
})  # fmt: skip
SCRIPT_NODES: frozenset[type[ast.AST]] = EXPRESSION_NODES | {
    ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.Pass,
    ast.FunctionDef, ast.Return, ast.Try, ast.ExceptHandler, ast.Raise, ast.Delete, ast.Del,
}  # fmt: skip
_BITWISE = (ast.BitOr, ast.BitAnd, ast.BitXor, ast.LShift, ast.RShift, ast.MatMult, ast.Invert)
_CONSTANTS = (str, int, float, bool, type(None))

# Errors that a script can raise and catch by name, each with the kinds that it includes.
CATCHABLE: dict[str, frozenset[str]] = {
    "Exception": frozenset({
        "Exception", "ValueError", "TypeError", "NameError", "LookupError", "KeyError", "IndexError",
        "ArithmeticError", "ZeroDivisionError", "OverflowError",
    }),
    "ValueError": frozenset({"ValueError"}),
    "TypeError": frozenset({"TypeError"}),
    "NameError": frozenset({"NameError"}),
    "LookupError": frozenset({"LookupError", "KeyError", "IndexError"}),
    "KeyError": frozenset({"KeyError"}),
    "IndexError": frozenset({"IndexError"}),
    "ArithmeticError": frozenset({"ArithmeticError", "ZeroDivisionError", "OverflowError"}),
    "ZeroDivisionError": frozenset({"ZeroDivisionError"}),
    "OverflowError": frozenset({"OverflowError"}),
}  # fmt: skip

_NAME_FIELDS = ("id", "attr", "arg", "name")

# Methods that change their object; an expression works on the caller's own data and must not have them.
MUTATING = frozenset({
    "append", "extend", "insert", "pop", "remove", "sort", "reverse", "clear", "update", "setdefault", "add", "discard",
})  # fmt: skip

Locate = Callable[[ast.AST], Position]


def check(tree: ast.AST, locate: Locate, *, script: bool) -> None:
    """Refuse the tree at its first node that is not part of the language."""
    _Checker(locate, SCRIPT_NODES if script else EXPRESSION_NODES).walk(tree)


class _Refused(Exception):
    """A node does not belong to the language."""

    def __init__(self, node: ast.AST, construct: str, name: str = "") -> None:
        super().__init__(construct)
        self.node, self.construct, self.name = node, construct, name


class _Checker:
    """Walks the tree without recursion; `_Place` says what surrounds a node."""

    def __init__(self, locate: Locate, allowed: frozenset[type[ast.AST]]) -> None:
        self._locate = locate
        self._allowed = allowed

    def walk(self, tree: ast.AST) -> None:
        """Check every node, in the order of the text."""
        stack: list[tuple[ast.AST, ast.AST, ast.AST]] = [(tree, tree, tree)]
        while stack:
            node, parent, anchor = stack.pop()
            anchor = node if hasattr(node, "lineno") else anchor
            try:
                self._visit(node, parent)
            except _Refused as refused:
                at = self._locate(refused.node if hasattr(refused.node, "lineno") else anchor)
                facts = {"construct": refused.construct}
                if refused.name:
                    facts["name"] = refused.name
                raise ExpressionError(FORBIDDEN, *at, facts) from None
            stack.extend((child, node, anchor) for child in reversed(list(ast.iter_child_nodes(node))))

    def _visit(self, node: ast.AST, parent: ast.AST) -> None:
        if isinstance(node, _BITWISE):
            raise _Refused(node, "bitwise")
        if type(node) not in self._allowed:
            raise _Refused(node, type(node).__name__)
        for field in _NAME_FIELDS:
            name = getattr(node, field, None)
            if isinstance(name, str) and name.startswith("_"):
                raise _Refused(node, "underscore", name)
        if isinstance(node, ast.GeneratorExp) and not (isinstance(parent, ast.Call) and node in parent.args):
            raise _Refused(node, "generator")
        rule = _RULES.get(type(node))
        if rule is not None:
            rule(self, node)

    def constant(self, node: ast.Constant) -> None:
        if type(node.value) not in _CONSTANTS:
            raise _Refused(node, "constant")
        if type(node.value) is int and node.value.bit_length() > MAX_BITS:
            raise ExpressionError(LIMIT, *self._locate(node), {"limit": "number"})

    def attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            raise _Refused(node, "attribute_target")

    def subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            if (
                ast.Module not in self._allowed
            ):  # a loop variable such as order["x"] would write the caller's data
                raise _Refused(node, "subscript_target")
            if isinstance(node.slice, ast.Slice):
                raise _Refused(node, "slice_target")
        if isinstance(node.slice, ast.Tuple) and any(isinstance(part, ast.Slice) for part in node.slice.elts):
            raise _Refused(node, "Slice")

    def call(self, node: ast.Call) -> None:
        seen: set[str] = set()
        for keyword in node.keywords:
            if keyword.arg is None:
                raise _Refused(keyword, "double_star")
            if keyword.arg in seen:
                raise self._syntax(keyword, f"keyword argument repeated: {keyword.arg}")
            seen.add(keyword.arg)
        if _calls(node, "bpmn_error") and ast.Module not in self._allowed:
            raise _Refused(node, "bpmn_error")
        changes = isinstance(node.func, ast.Attribute) and node.func.attr in MUTATING
        if changes and ast.Module not in self._allowed:
            raise _Refused(node.func, "mutation", node.func.attr)  # type: ignore[attr-defined]

    def display(self, node: ast.Dict) -> None:
        if None in node.keys:
            raise _Refused(node, "double_star")

    def comprehension(self, node: ast.comprehension) -> None:
        if node.is_async:
            raise _Refused(node.target, "AsyncFor")

    def compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if isinstance(operator, (ast.Is, ast.IsNot)) and not (
                _is_singleton(left) or _is_singleton(right)
            ):
                raise _Refused(node, "identity")

    def formatted(self, node: ast.FormattedValue) -> None:
        if node.conversion not in (-1, ord("s"), ord("r")):
            raise _Refused(node, "conversion")

    def parameters(self, node: ast.arguments) -> None:
        if node.vararg or node.kwarg or node.kwonlyargs or node.posonlyargs:
            raise _Refused(node, "parameters")
        seen: set[str] = set()
        for argument in node.args:
            if argument.annotation is not None:
                raise _Refused(argument, "annotation")
            if argument.arg in seen:
                raise self._syntax(argument, f"duplicate argument {argument.arg!r}")
            seen.add(argument.arg)

    def function(self, node: ast.FunctionDef) -> None:
        if node.decorator_list:
            raise _Refused(node.decorator_list[0], "decorator")
        if node.returns is not None:
            raise _Refused(node.returns, "annotation")
        if getattr(node, "type_params", None):
            raise _Refused(node, "parameters")
        self._flow(node.body, function=True)

    def module(self, node: ast.Module) -> None:
        self._flow(node.body, function=False)

    def attempt(self, node: ast.Try) -> None:
        if node.finalbody:
            raise _Refused(node.finalbody[0], "finally")
        for handler in node.handlers[:-1]:
            if handler.type is None:
                raise self._syntax(handler, "a bare except must come last")

    def handler(self, node: ast.ExceptHandler) -> None:
        for name in node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]:
            if name is not None and not (isinstance(name, ast.Name) and name.id in CATCHABLE):
                raise _Refused(name, "except", getattr(name, "id", ""))

    def raising(self, node: ast.Raise) -> None:
        if node.cause is not None:
            raise _Refused(node.cause, "raise")
        error = node.exc
        if isinstance(error, ast.Call):
            if error.keywords or len(error.args) > 1:
                raise _Refused(error, "raise")
            error = error.func
        if error is not None and not (isinstance(error, ast.Name) and error.id in CATCHABLE):
            raise _Refused(error, "raise", getattr(error, "id", ""))

    def delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if not isinstance(target, (ast.Name, ast.Subscript)):
                raise _Refused(target, "Delete")

    def _flow(self, body: list[ast.stmt], *, function: bool) -> None:
        """Check that return, break, continue and a bare raise stand where they mean something."""
        blocks = [(body, False, False)]
        while blocks:
            block, loop, handler = blocks.pop()
            for node in block:
                if isinstance(node, ast.Return) and not function:
                    raise self._syntax(node, "'return' outside function")
                if isinstance(node, (ast.Break, ast.Continue)) and not loop:
                    raise self._syntax(node, f"'{type(node).__name__.lower()}' outside loop")
                if isinstance(node, ast.Raise) and node.exc is None and not handler:
                    raise self._syntax(node, "a bare raise outside except")
                if isinstance(node, (ast.For, ast.While, ast.If, ast.Try)):
                    inside = loop or isinstance(node, (ast.For, ast.While))
                    blocks += [(node.body, inside, handler), (node.orelse, loop, handler)]
                for part in getattr(node, "handlers", []):
                    blocks.append((part.body, loop, True))

    def _syntax(self, node: ast.AST, detail: str) -> ExpressionError:
        return ExpressionError(SYNTAX, *self._locate(node), {"detail": detail})


def _calls(node: ast.Call, name: str) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == name


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


_RULES: dict[type[ast.AST], Callable[[_Checker, Any], None]] = {
    ast.Constant: _Checker.constant,
    ast.Attribute: _Checker.attribute,
    ast.Subscript: _Checker.subscript,
    ast.Call: _Checker.call,
    ast.Dict: _Checker.display,
    ast.comprehension: _Checker.comprehension,
    ast.Compare: _Checker.compare,
    ast.FormattedValue: _Checker.formatted,
    ast.arguments: _Checker.parameters,
    ast.FunctionDef: _Checker.function,
    ast.Module: _Checker.module,
    ast.Try: _Checker.attempt,
    ast.ExceptHandler: _Checker.handler,
    ast.Raise: _Checker.raising,
    ast.Delete: _Checker.delete,
}
