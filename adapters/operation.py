"""An adapter made of operations: each is a small class of its own; `OperationAdapter` checks arguments and passes calls on.

Not part of the contract in `engine.ports`: a plug-in may implement that directly.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError

from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown
from engine.ports import Call, Observed, Operation, Plan, Result

Args = Mapping[str, Any]


class OutsideOperation(ABC):
    """One operation. `deadline` is on the monotonic clock; all requests of a call share it."""

    operation: Operation
    target: str
    """The system, where there is one of its kind; an operation that many devices offer has `target_of` instead."""

    def target_of(self, args: Args) -> str:
        """The system that these arguments mean, checked or not."""
        return self.target

    @abstractmethod
    def plan(self, call: Call, args: Args, deadline: float) -> Plan:
        """Reads only."""

    @abstractmethod
    def apply(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """One effect, then reads back."""

    @abstractmethod
    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """The truth at the target."""

    def undo(self, call: Call, args: Args, plan: Plan, deadline: float) -> Result:
        """Takes the effect back; an operation without an inverse asks for a person."""
        raise NeedsHuman(
            target=self.target_of(args), detail=f"{self.operation.name} cannot be taken back by itself"
        )

    def read_back(self, call: Call, args: Args, plan: Plan, deadline: float) -> Mapping[str, Any]:
        """The output, once the target shows the effect; otherwise the outcome is unknown."""
        try:
            seen, output = self.observe(call, args, plan, deadline)
        except AdapterError as e:
            raise OutcomeUnknown(
                target=self.target_of(args), detail="it agreed, but could not be read back afterwards"
            ) from e
        if seen is not Observed.EQUAL:
            raise OutcomeUnknown(
                target=self.target_of(args), detail=f"it agreed, but afterwards shows it as {seen.value}"
            )
        return output

    def understood(self, schema: type[Schema], body: Mapping[str, Any], error: type[AdapterError]) -> Args:
        """An answer in the shape that the operation expects, or `error`."""
        try:
            loaded: Args = schema().load(body)
        except ValidationError as e:
            raise error(
                target=self.target, detail=f"the answer lacks {', '.join(sorted(map(str, e.messages)))}"
            ) from e
        return loaded


class Look(OutsideOperation):
    """An operation that only looks: it leaves nothing behind, so after a lost answer it is to be done again."""

    def observe(
        self, call: Call, args: Args, plan: Plan, deadline: float
    ) -> tuple[Observed, Mapping[str, Any]]:
        """There is nothing to find."""
        return Observed.ABSENT, {}


class OperationAdapter:
    """Implements `engine.ports.Adapter` over a set of operations."""

    name: ClassVar[str]

    def __init__(self, operations: Sequence[OutsideOperation]) -> None:
        self._by_name = {o.operation.name: o for o in operations}

    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {name: o.operation for name, o in self._by_name.items()}

    def target(self, call: Call) -> str:
        """What breakers and leases hang on."""
        return self._by_name[call.operation].target_of(call.args)

    def plan(self, call: Call) -> Plan:
        """Reads only; ends within the operation's time-out."""
        part, args = self._part(call)
        return part.plan(call, args, _deadline(part))

    def apply(self, call: Call, plan: Plan) -> Result:
        """One effect, then reads back; ends within the operation's time-out."""
        part, args = self._part(call)
        return part.apply(call, args, plan, _deadline(part))

    def observe(self, call: Call, plan: Plan) -> tuple[Observed, Mapping[str, Any]]:
        """The truth at the target, and the output if it is EQUAL."""
        part, args = self._part(call)
        return part.observe(call, args, plan, _deadline(part))

    def undo(self, call: Call, plan: Plan) -> Result:
        """Takes the effect back; harmless when repeated."""
        part, args = self._part(call)
        return part.undo(call, args, plan, _deadline(part))

    def _part(self, call: Call) -> tuple[OutsideOperation, Args]:
        part = self._by_name[call.operation]
        try:
            args: Args = part.operation.request().load(call.args)
        except ValidationError as e:
            wrong = "; ".join(f"{name}: {text}" for name, text in sorted(e.messages_dict.items()))
            raise NeedsHuman(
                target=part.target_of(call.args), detail=f"arguments of {call.operation}: {wrong}"
            ) from e
        return part, args


def _deadline(part: OutsideOperation) -> float:
    return time.monotonic() + part.operation.timeout_s
