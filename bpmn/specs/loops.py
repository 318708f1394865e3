"""Activities that are done several times: a standard loop, or once for each of several, in sequence or in parallel.

The loop is a node under the element's id; its `body` is the activity itself. The loop's token is STARTED, owns the
boundary events, and counts. Tokens of the body hang below it, each with variables of its own (`local`), which end with it.
Only counters are in the token; lists that may be long (items, outputs) are remembered beside the variables.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as spiff

from bpmn.expressions import Expression
from bpmn.specs.activities import Activity
from bpmn.specs.contract import Token
from bpmn.specs.nodes import STARTED

MOST_IN_PARALLEL = 5_000
MOST_IN_SEQUENCE = 100_000


class BadLoop(Exception):
    """How often an activity is to be done cannot be worked out; an incident at the activity."""

    code = "loop.cardinality"


class Loop(Activity):
    """What both kinds share. `nth` of a body's token counts from 0."""

    body: Activity

    @property
    def has_scope(self) -> bool:  # type: ignore[override]
        return self.body.has_scope

    def begin(self, token: Token, nth: int, **local: Any) -> None:
        """One more token of the body."""
        variables = {"loopCounter": nth} | local
        token.workflow.put(self.body, parent=token, nth=nth, local=variables)

    def end_round(self, inner: Token) -> None:
        """A round leaves the tree; what it may have to be compensated for stays with the loop until that is done."""
        top, outer = inner.workflow.top_workflow, inner.parent
        left = inner.internal_data.pop("left", None)
        if left is not None and not self.handler:
            top.remember(outer, left=[*top.recall(outer).get("left", ()), left])
        top.round_at(inner)

    @abstractmethod
    def round_done(self, inner: Token) -> None:
        """A token of the body is complete. Whatever may fail is worked out before anything changes."""


class StandardLoop(Loop, spiff.StandardLoopTask):
    """Again while the condition holds, at most `maximum` times; `test_before` asks before the first time too."""

    maximum: int | None
    test_before: bool
    asks: Expression | None = None

    def enter(self, token: Token) -> bool:
        if self.test_before and not self._again(token, 0):
            return True
        token._set_state(STARTED)
        self.begin(token, 0)
        return False

    def round_done(self, inner: Token) -> None:
        outer, done = inner.parent, inner.internal_data["nth"] + 1
        top, again = inner.workflow.top_workflow, self._again(inner, done)
        self.end_round(inner)
        if again:
            self.begin(outer, done)
        else:
            top.finish(outer)

    def _again(self, token: Token, done: int) -> bool:
        """In the condition, `loopCounter` is how often the activity has been done."""
        if self.maximum is not None and done >= self.maximum:
            return False
        known = {"loopCounter": done}
        return self.asks is None or bool(token.workflow.top_workflow.evaluate(token, self.asks, known))


class MultiInstance(Loop):
    """Once for each item of a collection, or as often as the cardinality says; until enough are done, if asked.

    `element` is the variable that holds the item. The outputs become one list, in the order of the items, when all is
    done; an instance that was not completed leaves None in it.
    """

    in_sequence: bool
    often: Expression | None = None
    items: Expression | None = None
    element: str = ""
    enough: Expression | None = None
    output_name: str = ""
    output: Expression | None = None

    def enter(self, token: Token) -> bool:
        top = token.workflow.top_workflow
        items = self._items(token)
        total = len(items)
        if self.output_name:
            top.remember(token, outputs=[None] * total)
        if not total:
            self._hand_over(token)
            return True
        if self.in_sequence and self.element:
            top.remember(token, items=items)
        token.internal_data |= {"total": total, "done": 0}
        token._set_state(STARTED)
        for nth in range(1 if self.in_sequence else total):
            self._begin(token, nth, items)
        return False

    def round_done(self, inner: Token) -> None:
        outer, top = inner.parent, inner.workflow.top_workflow
        value = top.plain(top.evaluate(inner, self.output)) if self.output is not None else None
        done, total = outer.internal_data["done"] + 1, outer.internal_data["total"]
        is_over = done == total or self._is_enough(inner, done, total)
        nth = inner.internal_data["nth"]
        outer.internal_data["done"] = done
        top.touch(outer)
        if self.output is not None:
            outputs = top.recall(outer)["outputs"]
            outputs[nth] = value
            top.remember(outer, outputs=outputs)
        self.end_round(inner)
        if is_over:
            self._hand_over(outer)
            top.finish(outer)
        elif self.in_sequence:
            self._begin(outer, nth + 1, top.recall(outer).get("items", ()))

    def _items(self, token: Token) -> Any:
        """A list of items, or a range where only the number is known. Raises `BadLoop`."""
        top = token.workflow.top_workflow
        most = MOST_IN_SEQUENCE if self.in_sequence else MOST_IN_PARALLEL
        if self.items is not None:
            found = top.evaluate(token, self.items)
            if not isinstance(found, list | tuple):
                raise BadLoop(f"the collection is no list: {found!r:.60}")
            count = len(found)
        else:
            assert self.often is not None  # noqa: S101  (lint: one of the two is there)
            count = top.evaluate(token, self.often)
            if type(count) is not int or count < 0:
                raise BadLoop(f"the cardinality is no whole number from 0: {count!r:.60}")
        if count > most:
            raise BadLoop(f"{count} instances are asked for; {most} are allowed")
        return range(count) if self.items is None else top.plain(found)

    def _begin(self, outer: Token, nth: int, items: Any) -> None:
        if self.element:
            self.begin(outer, nth, **{self.element: items[nth]})
        else:
            self.begin(outer, nth)

    def _is_enough(self, inner: Token, done: int, total: int) -> bool:
        if self.enough is None:
            return False
        known = {
            "numberOfInstances": total,
            "numberOfCompletedInstances": done,
            "numberOfActiveInstances": 0 if self.in_sequence else total - done,
            "numberOfTerminatedInstances": 0,
        }
        return bool(inner.workflow.top_workflow.evaluate(inner, self.enough, known))

    def _hand_over(self, outer: Token) -> None:
        top = outer.workflow.top_workflow
        if self.output_name:
            top.assign(outer, {self.output_name: top.recall(outer)["outputs"]})


class SequentialMultiInstance(MultiInstance, spiff.SequentialMultiInstanceTask):
    """One after another."""

    in_sequence = True


class ParallelMultiInstance(MultiInstance, spiff.ParallelMultiInstanceTask):
    """All at the same time."""

    in_sequence = False
