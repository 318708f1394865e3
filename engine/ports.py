"""What others implement for the engine: adapters to outside systems, local operations, and in-step listeners.

The adapter contract separates reading (`plan`, `observe`) from the one effect (`apply`), so that whatever is needed
to undo or to find out the truth is stored before anything is sent. Retries belong to the runner in `engine.jobs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Protocol

from marshmallow import Schema

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.orders.model import ServiceOrder


class Repeat(Enum):
    """How a repeated request is made harmless."""

    NATIVE = "native"  # the operation sets a state; doing it twice is doing it once
    BY_KEY = "by_key"  # the target recognises our key
    BY_OBSERVE = "by_observe"  # we look before we repeat
    NONE = "none"  # never repeated without a person's word


class Undo(Enum):
    """How an operation is taken back."""

    INVERSE = "inverse"
    SNAPSHOT = "snapshot"
    NONE = "none"


class Observed(Enum):
    """What is true at the target, compared with what the call wanted."""

    ABSENT = "absent"
    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """What an adapter can do; shown to designers and checked when a diagram is uploaded."""

    name: str
    title_zh: str
    title_en: str
    request: type[Schema]
    response: type[Schema]
    repeat: Repeat
    undo: Undo = Undo.NONE
    timeout_s: float = 5.0
    errors: Mapping[str, str] = field(default_factory=dict)
    """Business error code → meaning; usable in boundary error events."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an outside system. `key` is the same for every attempt."""

    operation: str
    key: str
    args: Mapping[str, Any]
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call would change, JSON-able, stored before anything is sent."""

    steps: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    undo: Mapping[str, Any] | None = None
    already: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a call gave. `output` is checked against the operation's response schema."""

    outcome: Literal["done", "already"]
    output: Mapping[str, Any]


class Adapter(Protocol):
    """An outside system. Raises only `Retryable`, `OutcomeUnknown`, `Permanent`, `NeedsHuman`."""

    name: str

    def operations(self) -> Mapping[str, Operation]:
        """By name."""

    def target(self, call: Call) -> str:
        """What breakers and leases hang on, for example `aaa:AAA-1`."""

    def plan(self, call: Call) -> Plan:
        """Read only."""

    def apply(self, call: Call, plan: Plan) -> Result:
        """One effect, then read back."""

    def observe(self, call: Call, plan: Plan) -> tuple[Observed, Mapping[str, Any]]:
        """The truth at the target, and the output that `apply` would give if it is EQUAL."""

    def undo(self, call: Call, plan: Plan) -> Result:
        """Takes the effect back; harmless when repeated."""

    def probe(self) -> Mapping[str, Any]:
        """Whether the system answers, for the health page."""

    def close(self) -> None:
        """Gives back connections."""


@dataclass(frozen=True, slots=True)
class LocalCall:
    """A service task whose effect is rows in our own database."""

    operation: str
    key: str
    args: Mapping[str, Any]
    instance_id: int
    business_key: str
    now: datetime


class LocalOperation(Protocol):
    """Runs inside the transaction of the step, so that effect and result are one. Raises `Permanent` for a business no.

    `reads_only`: it writes nothing, so that nothing has to be taken back when it raises.
    """

    operation: Operation
    reads_only: bool

    def run(self, session: Session, call: LocalCall) -> Mapping[str, Any]:
        """Writes rows only."""


class CallListener(Protocol):
    """Our own view of an outside system follows the calls to it, in the transaction that records the result.

    The instance's row is locked. `args` are as the step gave them, not as the operation's schema read them.
    """

    def on_result(
        self,
        session: Session,
        operation: str,
        args: Mapping[str, Any],
        output: Mapping[str, Any],
        at: datetime,
        instance_id: int,
    ) -> None:
        """A call of the instance was done, or all its calls were undone; writes rows only."""

    def on_refusal(
        self, session: Session, operation: str, args: Mapping[str, Any], code: str, message: str, at: datetime
    ) -> None:
        """The other side said no; writes rows only."""


# ---- in-step listeners: called inside the transaction of a step, write rows only


@dataclass(slots=True)
class OpenedTask:
    """A user task that has just become runnable; `number` counts those of its instance, from 1.

    Listeners run in order; the clocks set `due_at` before the worklist reads it.
    """

    token_id: int
    number: int
    element: str
    name: str
    name_en: str
    attributes: Mapping[str, str]
    variables: Mapping[str, Any]
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClosedTask:
    """A user task that is no longer runnable.

    `is_recorded`: whoever completed it has closed its row already. `is_limited`: a clock may run for it.
    """

    token_id: int
    element: str
    how: Literal["completed", "cancelled"]
    is_recorded: bool = False
    is_limited: bool = True


EndState = Literal["completed", "partial", "failed", "cancelled", "rejected"]
END_STATES: Mapping[str, EndState] = {
    "completed": "completed",
    "partial": "partial",
    "failed": "failed",
    "cancelled": "cancelled",
    "rejected": "rejected",
}


@dataclass(frozen=True, slots=True)
class InstanceEnd:
    """How an instance ended."""

    state: EndState
    element: str | None = None
    code: str | None = None
    message: str | None = None


@dataclass(slots=True)
class Step:
    """What one command changed in one instance."""

    instance_id: int
    definition_id: int
    process: str
    business_key: str
    order_id: str | None
    at: datetime
    actor: str
    opened: Sequence[OpenedTask] = ()
    closed: Sequence[ClosedTask] = ()
    milestones: Sequence[str] = ()
    incidents: Sequence[str] = ()
    """Elements at which an incident has just opened."""
    started: bool = False
    end: InstanceEnd | None = None
    open_incidents: bool = False
    is_held: bool = False
    """The instance waits at an element that says so: until an agreed day, for example."""


class StepListener(Protocol):
    """Work items, clocks and order states follow a step."""

    def on_step(self, session: Session, step: Step) -> None:
        """Writes rows only; an exception rolls the whole step back."""


class OrderListener(Protocol):
    """Follows the life of an order."""

    def on_order_placed(self, session: Session, order: ServiceOrder, at: datetime) -> None:
        """The order and its items exist; may set the promised date."""

    def on_order_ended(self, session: Session, order: ServiceOrder, at: datetime) -> None:
        """The order has reached a state that it never leaves."""


# ---- people, who are known above the engine


@dataclass(frozen=True, slots=True)
class Ball:
    """Who has an order in hand: people, and the tasks that are open."""

    people: Sequence[int]
    tasks: Sequence[str]


class Desk(Protocol):
    """The people's side of orders: who works on one, who directs, and what follows for their tasks."""

    def ball(self, session: Session, order_id: str, area: str | None) -> Ball:
        """Who holds the open tasks, else their crew or post; a partner's people where it builds; else the dispatchers."""

    def supervisors(self, session: Session, area: str | None) -> Sequence[int]:
        """Active supervisors of the area."""

    def is_open(self, session: Session, task_ids: Sequence[str]) -> bool:
        """Whether one of the tasks is still open."""

    def correct(self, session: Session, order_id: str, customer: str) -> None:
        """The order's open tasks name the customer as he is called now."""

    def put_first(self, session: Session, order_id: str) -> None:
        """Lets the order's open tasks stand further up in the worklists; no limit moves."""
