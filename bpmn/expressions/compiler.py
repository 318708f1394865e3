"""The frame of the compiler: it turns a checked syntax tree into closures, and knows what every name refers to.

How each node is compiled stands in the modules `compiler_*`; they register functions by node type. Names are resolved
once, here, as Python does: a name that a function assigns is local to it, anything else belongs to the nearest
enclosing function or comprehension that has it, or to the variables of the process.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bpmn.expressions.errors import LIMIT, ExpressionError, Position
from bpmn.expressions.limits import MAX_NESTING
from bpmn.expressions.runtime import Builtin, Code
from bpmn.expressions.source import Source

Handler = Callable[["Compiler", Any], Any]


@dataclass(frozen=True)
class Scope:
    """The names that belong to one function or comprehension."""

    names: frozenset[str]
    is_function: bool
    parent: Scope | None


@dataclass
class Findings:
    """What the compiler notices about the names of a program while it goes through the text."""

    read: set[str] = field(default_factory=set)  # before they were certainly assigned
    read_later: set[str] = field(default_factory=set)  # by functions, when they are called
    certain: set[str] = field(default_factory=set)  # assigned on every way to the current place
    assigned: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    places: dict[str, Position] = field(default_factory=dict)  # where a variable is named first


class Compiler:
    """Compiles one program; used once."""

    def __init__(
        self,
        tree: ast.AST,
        source: Source,
        handlers: Mapping[type, Handler],
        builtins: Mapping[str, Builtin],
        own_names: frozenset[str] = frozenset(),
    ) -> None:
        self.source = source
        self.builtins = builtins
        self.own_names = own_names  # that the script assigns or defines at its top level
        self.findings = Findings()
        self.scope: Scope | None = None
        self._handlers = handlers
        self._costs = _costs(tree)
        self._depth = 0
        self._peak = 0

    def compile(self, node: ast.AST) -> Any:
        """Compile one node: an expression gives `Code`, a statement a `Step`."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise ExpressionError(LIMIT, *self.at(node), {"limit": "nesting"})
        self._peak = max(self._peak, self._depth)
        try:
            return self._handlers[type(node)](self, node)
        finally:
            self._depth -= 1

    def compile_all(self, nodes: Iterable[ast.AST]) -> tuple[Code, ...]:
        """Compile several expressions."""
        return tuple(map(self.compile, nodes))

    def at(self, node: ast.AST) -> Position:
        """The place of a node in the text."""
        return self.source.at(node)

    def cost_of(self, *nodes: ast.AST) -> int:
        """Steps of going through these nodes once."""
        return sum(self._costs[id(node)] for node in nodes)

    @contextmanager
    def entering(self, names: Iterable[str], *, is_function: bool) -> Iterator[None]:
        """Compile the inside of a function or comprehension."""
        outer = self.scope
        self.scope = Scope(frozenset(names), is_function, outer)
        try:
            yield
        finally:
            self.scope = outer

    @contextmanager
    def measuring(self) -> Iterator[Callable[[], int]]:
        """Measure how many nodes are inside each other in what is compiled here."""
        before, start = self._peak, self._depth
        self._peak = start
        yield lambda: self._peak - start + 1
        self._peak = max(before, self._peak)

    def hops(self, name: str) -> int | None:
        """How many frames up a local name lives; None for a variable of the process or a built-in."""
        count, scope = 0, self.scope
        while scope is not None:
            if name in scope.names:
                return count
            count, scope = count + 1, scope.parent
        return None

    def note_read(self, node: ast.Name) -> None:
        """Remember that a variable is read here."""
        self.findings.places.setdefault(node.id, self.at(node))
        scope = self.scope
        while scope is not None and not scope.is_function:
            scope = scope.parent
        if scope is not None:
            self.findings.read_later.add(node.id)
        elif node.id not in self.findings.certain:
            self.findings.read.add(node.id)

    def note_assigned(self, node: ast.Name) -> None:
        """Remember that a variable is assigned here."""
        self.findings.places.setdefault(node.id, self.at(node))
        self.findings.assigned.add(node.id)
        self.findings.certain.add(node.id)


_FREE = (ast.Load, ast.Store, ast.Del)
_DEAR = (ast.Call, ast.JoinedStr, ast.comprehension, ast.Try)


def _costs(tree: ast.AST) -> dict[int, int]:
    """Steps of going once through each node and all inside it, by the identity of the node."""
    costs: dict[int, int] = {}
    for node in reversed(list(ast.walk(tree))):  # inner nodes first
        own = 0 if isinstance(node, _FREE) else 4 if isinstance(node, _DEAR) else 1
        costs[id(node)] = own + sum(costs[id(part)] for part in ast.iter_child_nodes(node))
    return costs
