"""What tokens wait for: timers, messages, signals, conditions. Rebuilt from the tokens after loading, never stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bpmn.durations import Cycle
from bpmn.specs import Boundary, ConditionCatch, EventSubProcess, MessageCatch, SignalCatch, TimerCatch
from bpmn.specs.nodes import READY, STARTED
from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance


class Waiting:
    """The armed events of one instance."""

    def __init__(self, top: Instance) -> None:
        self.top = top
        self.timers: dict[int, datetime] = {}
        self.messages: dict[tuple[str, str], dict[int, None]] = {}
        self.signals: dict[str, dict[int, None]] = {}
        self.conditions: dict[int, None] = {}
        self.ask = False
        """Whether a condition may have changed since it was asked last."""

    def arm(self, token: Token) -> None:
        """Works out due time and keys once, and stores them with the token."""
        for definition in token.task_spec.events:
            if isinstance(definition, TimerCatch):
                value: Any = definition.expression
                if definition.compiled is not None:
                    value = self.top.evaluate(token, definition.compiled)
                cycle = definition.cycle(value, self.top.now)
                if cycle is not None:
                    self._keep_cycle(token, cycle)
                else:
                    token.internal_data["due"] = definition.due(value, self.top.now).isoformat()
            elif isinstance(definition, MessageCatch):
                key: Any = self.top.business_key
                if definition.key is not None:
                    key = self.top.evaluate(token, definition.key)
                token.internal_data["message"] = [definition.name, str(key)]
            elif isinstance(definition, SignalCatch):
                token.internal_data["signal"] = definition.name
            elif isinstance(definition, ConditionCatch):
                self.ask = True
        self.index(token)

    def index(self, token: Token) -> None:
        """Enters a token that waits; called again for each after loading."""
        due, message = token.internal_data.get("due"), token.internal_data.get("message")
        if due is not None:
            self.timers[token.id] = datetime.fromisoformat(due).astimezone(UTC)
        if message is not None:
            self.messages.setdefault((message[0], message[1]), {})[token.id] = None
        signal = token.internal_data.get("signal")
        if signal is not None:
            self.signals.setdefault(signal, {})[token.id] = None
        if any(isinstance(d, ConditionCatch) for d in token.task_spec.events):
            self.conditions[token.id] = None

    def disarm(self, token: Token) -> None:
        """The token waits no longer."""
        self.timers.pop(token.id, None)
        self.conditions.pop(token.id, None)
        self.signals.get(token.internal_data.get("signal", ""), {}).pop(token.id, None)
        message = token.internal_data.get("message")
        if message is not None:
            waiting = self.messages.get((message[0], message[1]), {})
            waiting.pop(token.id, None)
            if not waiting:
                self.messages.pop((message[0], message[1]), None)

    def due_tokens(self, now: datetime) -> Iterator[Token]:
        """Tokens whose time has come, earliest first; each is looked up again, an earlier one may have ended it."""
        while True:
            ready = [(due, ident) for ident, due in self.timers.items() if due <= now]
            if not ready:
                return
            yield self.top.by_id[min(ready)[1]]

    def signal(self, name: str) -> int:
        """Fires every event that waits for the signal, in the order in which they were armed; how many there were."""
        caught = 0
        for ident in list(self.signals.get(name, ())):
            if ident in self.signals.get(name, ()):  # an earlier one may have ended it
                self.fire(self.top.by_id[ident])
                caught += 1
        return caught

    def check_conditions(self) -> bool:
        """Fires one event whose condition has become true since it was asked last; True if there was one."""
        self.ask = False
        for ident in list(self.conditions):
            token, fired = self.top.by_id[ident], False
            for definition in token.task_spec.events:
                if isinstance(definition, ConditionCatch):
                    fired = self._became_true(token, definition)
            if fired:
                self.ask = True  # the others are asked again
                self.fire(token)
                return True
        return False

    def _became_true(self, token: Token, definition: ConditionCatch) -> bool:
        try:
            holds = bool(self.top.evaluate(token, definition.condition))
        except Exception as e:  # an incident at the event; its activity goes on
            self.top.open_incident(token, e, "enter")
            return False
        if holds != token.internal_data.get("holds", False):
            token.internal_data["holds"] = holds
            self.top.touch(token)
            return holds
        return False

    def fire(self, token: Token, values: dict[str, Any] | None = None) -> None:
        """The event of a waiting token has happened."""
        node, scope, top = token.task_spec, token.workflow, self.top
        top.note("caught", token)
        if values:
            top.assign(token, values)
        if isinstance(node, EventSubProcess):
            self._begin_handler(token, node)
            return
        if "gate" in token.internal_data:  # the first event behind an event-based gateway
            flow = token.internal_data["flow"]
            top.completed_at(token.parent)
            scope.put(node, state=READY, flow=flow)
            return
        if not isinstance(node, Boundary):
            if self._comes_again(token):  # one token for each time
                scope.put(node, state=READY, flow=token.internal_data["flow"])
                return
            _forget_timer(token)
            token._set_state(READY)
            return
        activity = token.parent
        if node.cancel_activity:
            top.kill(activity)
        elif not self._comes_again(token):
            top.forget(token)
        scope.put(node, state=READY)

    def _comes_again(self, token: Token) -> bool:
        """Whether what the token waits for may happen again: messages and conditions may, of timers only a cycle does."""
        data = token.internal_data
        if "due" not in data:
            return isinstance(token.task_spec, Boundary | EventSubProcess)
        if "cycle" not in data:
            return False
        left, every = data["cycle"]
        following = Cycle(datetime.fromisoformat(data["due"]), left, every).after(self.top.now)
        if following is not None:
            self._keep_cycle(token, following)
            self.timers[token.id] = following.due.astimezone(UTC)
            self.top.touch(token)
        return following is not None

    def _keep_cycle(self, token: Token, cycle: Cycle) -> None:
        token.internal_data["due"] = cycle.due.isoformat()
        token.internal_data["cycle"] = [cycle.left, cycle.every]

    def _begin_handler(self, token: Token, node: EventSubProcess) -> None:
        """An interrupting event sub-process takes the scope over; another runs beside it, and may run again."""
        scope, top, handler = token.workflow, self.top, token
        if node.is_interrupting:
            for other in list(scope.task_tree.children):
                if other is not token:
                    top.kill(other)
            _forget_timer(token)
            token._set_state(STARTED)
        else:
            if not self._comes_again(token):
                top.forget(token)
            handler = scope.put(node, state=STARTED)
        top.guard(handler, "enter", lambda: top.open_scope(handler))


def _forget_timer(token: Token) -> None:
    for key in ("due", "cycle"):
        token.internal_data.pop(key, None)
