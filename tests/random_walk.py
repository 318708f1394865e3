"""Does the open work of a random diagram in any order; when nothing but waiting is left, an hour passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random

from bpmn.specs import Boundary, ServiceActivity, UserActivity
from bpmn.specs.nodes import READY, STARTED
from engine.runtime.token import Token
from engine.testing import Driver
from tests.random_diagrams import Drawing, round_of

MOST_COMMANDS = 5_000


class Walker(Driver):
    """One walk. Two walks with the same seed do the same, unless storing has changed something."""

    def __init__(self, drawing: Drawing, seed: int, *, round_trip: bool) -> None:
        self.drawing, self.plan, self.random = drawing, drawing.plan, Random(seed)
        self.heard = Counter[int]()
        super().__init__(drawing.executable, drawing.before, round_trip=round_trip)

    def finish(self) -> None:
        """To the end. Raises when it never comes."""
        for _ in range(MOST_COMMANDS):
            if self.end is not None:
                return
            todo = list(self.todo())
            if todo:
                self.random.choice(todo)()
            else:
                assert self.top.waiting.timers, "nothing can move it any more"
                self.pass_time(timedelta(hours=1))
        raise AssertionError(f"no end after {MOST_COMMANDS} commands")

    @property
    def done(self) -> Counter[str]:
        """How often each element was completed, and each round of a loop."""
        rounds = [round_of(name) for name in self.elements("round")]
        return Counter(self.completed) + Counter(rounds)

    def todo(self) -> Iterator[Callable[[], object]]:
        """All that could be done now, by token."""
        for ident in sorted(self.top.by_id):
            token = self.top.by_id[ident]
            node, state = token.task_spec, token._state
            if isinstance(node, UserActivity) and state == READY and self._may_be_done(token):
                yield lambda t=token: self._complete(t)  # type: ignore[misc]
            elif isinstance(node, ServiceActivity) and state == STARTED:
                yield lambda t=token: self._answer(t)  # type: ignore[misc]
        for element in sorted(self.incidents):
            name = element.rstrip("g")
            yield lambda e=element, n=name: self.retry(e, **{f"{n}_ok": 1})  # type: ignore[misc]
        for name, key in sorted(self.top.waiting.messages):
            if self._may_be_sent(name, key):
                yield lambda n=name, k=key: self._send(n, k)  # type: ignore[misc]

    def _may_be_done(self, token: Token) -> bool:
        name = token.task_spec.name
        if name in self.plan.beside:
            boundary, often = self.plan.beside[name]
            if boundary in self.drawing.messages:
                return self.heard[token.id] == often
            return boundary not in [child.task_spec.name for child in token.children]
        return name not in self.plan.never

    def _may_be_sent(self, name: str, key: str) -> bool:
        often = dict(self.plan.beside.values())
        return name not in often or any(
            self.heard[t._parent] < often[name] for t in self._waiting(name, key) if t._parent
        )

    def _waiting(self, name: str, key: str) -> list[Token]:
        return [self.top.by_id[i] for i in self.top.waiting.messages[name, key]]

    def _nth(self, token: Token) -> int:
        """Which of the tokens that are there at the same time."""
        beside = [t for t in self.top.by_id.values() if t.task_spec is token.task_spec]
        return 1 + sum(t.id < token.id and t._state == token._state for t in beside)

    def _complete(self, token: Token) -> None:
        name = token.task_spec.name
        self.complete(name, self._nth(token), **{name: self.variables[name] + 1})

    def _answer(self, token: Token) -> None:
        name = token.task_spec.name
        if name in self.plan.refused:
            self.refuse(name, self.plan.refused[name], self._nth(token))
        else:
            self.result(name, self._nth(token), one=1)

    def _send(self, name: str, key: str) -> None:
        for token in self._waiting(name, key):
            if isinstance(token.task_spec, Boundary) and token._parent:
                self.heard[token._parent] += 1
        self.message(name, key, **{name: self.variables[name] + 1})
