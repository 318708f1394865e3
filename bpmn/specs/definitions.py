"""Event definitions that wait: the library's classes with our compiled texts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.conditional import ConditionalEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import (
    ErrorEventDefinition,
    EscalationEventDefinition,
    SignalEventDefinition,
)
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.simple import CancelEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition

from bpmn import durations
from bpmn.expressions import Expression


class TimerCatch(TimerEventDefinition):
    """A date, a duration or a cycle, written as ISO 8601 or as an expression that gives one."""

    def __init__(self, name: str, text: str, expression: Expression | None) -> None:
        super().__init__(name, text)
        self.compiled = expression

    def cycle(self, value: Any, now: datetime) -> durations.Cycle | None:
        """If the timer comes again: how. Raises `BadTimer`."""
        if isinstance(value, str) and value.strip()[:1] in ("R", "r"):
            return durations.cycle(value.strip(), now)
        return None

    def due(self, value: Any, now: datetime) -> datetime:
        """When a timer armed at `now` is due; `value` is the literal text or what the expression gave. Raises `BadTimer`."""
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise durations.BadTimer("the date-time has no zone")
            return value
        if isinstance(value, timedelta):
            if not timedelta(0) < value <= durations.LONGEST:
                raise durations.BadTimer("the duration is not between zero and ten years")
            return now + value
        if not isinstance(value, str):
            raise durations.BadTimer(f"{value!r} is neither a duration nor a date-time")
        return durations.due(value.strip(), now)


class MessageCatch(MessageEventDefinition):
    """A message by exact name and key; without a key expression the key is the instance's business key."""

    def __init__(self, name: str, key: Expression | None) -> None:
        super().__init__(name, [])
        self.key = key


class MessageThrow(MessageEventDefinition):
    """A message that is sent: `values` go with it; without a key expression the key is the instance's business key."""

    def __init__(self, name: str, key: Expression | None, values: tuple[tuple[str, Expression], ...]) -> None:
        super().__init__(name, [])
        self.key, self.values = key, values


class SignalThrow(SignalEventDefinition):
    """A signal to everybody who waits for its name."""


class SignalCatch(SignalEventDefinition):
    """A signal by its exact name."""


class EscalationCatch(EscalationEventDefinition):
    """An escalation by code; an empty code catches any escalation."""

    code: str | None


class ConditionCatch(ConditionalEventDefinition):
    """Happens when its condition becomes true."""

    def __init__(self, text: str, condition: Expression) -> None:
        super().__init__(text)
        self.condition = condition


class CompensationThrow(EventDefinition):
    """Asks for the compensation of one activity, or of all that are done; `wait`: and waits for it."""

    def __init__(self, activity: str | None, wait: bool) -> None:
        super().__init__(activity)
        self.activity, self.wait = activity, wait


class CompensationCatch(EventDefinition):
    """Starts the compensation event sub-process of a sub-process that is done."""


class CancelThrow(CancelEventDefinition):
    """Cancels the transaction around it."""


class CancelCatch(CancelEventDefinition):
    """The transaction was cancelled, and what it had done is compensated."""


class ErrorCatch(ErrorEventDefinition):
    """An error by code; an empty code catches any error."""

    code: str | None
