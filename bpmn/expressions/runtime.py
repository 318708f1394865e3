"""What exists while an expression or script runs: the run itself, frames of local names, functions.

Everything that a run needs hangs on its `Run`, which is handed to every closure; compiled code holds no state and
can be used by many threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bpmn.expressions.errors import Exceeded, ExpressionError, Fault
from bpmn.expressions.limits import CONTAINERS, MAX_CALL_NESTING, STEPS, Meter, type_name
from bpmn.expressions.values import copy_in


class Run(Meter):
    """One evaluation or one run of a script."""

    __slots__ = ("depth", "globals", "now", "originals", "outer")

    def __init__(
        self, variables: dict[str, Any], now: datetime, outer: Mapping[str, Any] | None = None
    ) -> None:
        self.fuel = STEPS
        self.depth = 0
        self.now = now
        self.globals = variables  # an expression reads the caller's variables, a script its own
        self.outer = outer  # the caller's variables when a script runs
        self.originals: dict[str, Any] = {}  # of those that were copied because the script might change them

    def fetch(self, name: str) -> Any:
        """Find a variable that is not among the globals: a script gets its own copy of the caller's data."""
        if self.outer is not None and name in self.outer:
            value = self.outer[name]
            if type(value) in CONTAINERS:
                self.originals[name] = value
                value = self.globals[name] = copy_in(self, value)
            return value
        raise Fault("unknown_name", name=name)


class Frame:
    """The names of one function call or comprehension; `parent` is where its text stands."""

    __slots__ = ("handling", "parent", "result", "values")

    def __init__(self, values: dict[str, Any], parent: Frame | None) -> None:
        self.values = values
        self.parent = parent
        self.result: Any = None
        self.handling: ExpressionError | None = None


Code = Callable[[Run, Frame], Any]
"""A compiled expression."""


class Signal:
    """How a statement ended when it was not by reaching its end."""

    __slots__ = ()


BREAK, CONTINUE, RETURN = Signal(), Signal(), Signal()
Step = Callable[[Run, Frame], Signal | None]
"""A compiled statement."""


class Builtin:
    """A function or method of the language: its body and the arguments that it takes."""

    __slots__ = ("body", "keywords", "lazy", "least", "most", "name")

    def __init__(
        self,
        name: str,
        body: Callable[..., Any],
        least: int = 0,
        most: int | None = None,
        keywords: tuple[str, ...] = (),
        *,
        lazy: bool = False,
    ) -> None:
        self.name = name
        self.body = body
        self.least = least
        self.most = least if most is None else most
        self.keywords = keywords
        self.lazy = lazy  # whether it may stop before the end of a generator expression

    def __call__(self, run: Run, args: list[Any], keywords: dict[str, Any]) -> Any:
        self.accept(args, keywords)
        return self.body(run, *args, **keywords)

    def accept(self, args: list[Any], keywords: dict[str, Any]) -> None:
        """Refuse arguments that the function does not take."""
        if not self.least <= len(args) <= self.most:
            raise Fault("arguments", function=self.name)
        if keywords and self.keywords != ANY_KEYWORD and not keywords.keys() <= set(self.keywords):
            raise Fault("arguments", function=self.name)


ANY_KEYWORD = ("*",)
ANY_NUMBER = 1_000


class ScriptFunction:
    """A `def` or `lambda` of the script together with the frame that it was made in."""

    __slots__ = ("body", "cost", "defaults", "frame", "height", "name", "parameters")

    def __init__(
        self,
        name: str,
        parameters: tuple[str, ...],
        defaults: list[Any],
        body: Code,
        frame: Frame,
        *,
        cost: int,
        height: int,
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.defaults = defaults
        self.body = body
        self.frame = frame
        self.cost = cost  # steps of one call
        self.height = height  # syntax nodes inside each other in the body

    def __call__(self, run: Run, args: list[Any], keywords: dict[str, Any]) -> Any:
        frame = Frame(self._bind(args, keywords), self.frame)
        run.spend(self.cost)
        run.depth += self.height
        if run.depth > MAX_CALL_NESTING:
            raise Exceeded("depth")
        try:
            return self.body(run, frame)
        finally:
            run.depth -= self.height

    def _bind(self, args: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
        names = self.parameters
        if len(args) > len(names):
            raise Fault("arguments", function=self.name)
        values = dict(zip(names[len(names) - len(self.defaults) :], self.defaults, strict=True))
        given = dict(zip(names, args, strict=False))
        for name, value in keywords.items():
            if name in given or name not in names:
                raise Fault("arguments", function=self.name)
            given[name] = value
        values.update(given)
        if len(values) != len(names):
            raise Fault("arguments", function=self.name)
        return values


def call(run: Run, function: Any, args: list[Any], keywords: dict[str, Any] | None = None) -> Any:
    """Call a value, which must be a function of the script or of the language."""
    if type(function) is not Builtin and type(function) is not ScriptFunction:
        raise Fault("not_callable", type=type_name(function))
    return function(run, args, keywords or {})
