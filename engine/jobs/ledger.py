"""The runner of outside calls: plan, record, send, observe. One path for all adapters; adapters hold no retries.

PLANNED → SENT is committed before the effect. A call found SENT or UNKNOWN is observed before anything is sent again:
EQUAL is done, ABSENT may be sent again with the same key, anything else is for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.jobs.model import AdapterCall
from engine.ports import Adapter, Call, Observed, Operation, Plan, Repeat
from engine.store import Store

Guard = Callable[[Session], None]
OPEN_STATES = ("SENT", "UNKNOWN", "UNDOING")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a process a call belongs."""

    instance_id: int | None
    element: str | None


class Ledger:
    """Makes calls and keeps their rows. Its methods open their own short transactions; never call them inside one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def perform(self, adapter: Adapter, call: Call, place: Place, guard: Guard) -> Mapping[str, Any]:
        """The output of the operation, whether it is done now or was done before. Raises the adapter's errors.

        `guard` runs in the transaction that says SENT; what it raises stops the call before anything is sent.
        """
        operation = adapter.operations()[call.operation]
        args = checked(operation, call.args)
        call = Call(call.operation, call.key, args, call.attempt)
        before = self._find(call.key)
        if before is not None and before.state == "DONE":
            return dict(before.result or {})
        try:
            if before is not None and before.state in OPEN_STATES:
                output = self._observe(adapter, call, _plan_of(before), operation)
                if output is not None:
                    return self._done(call.key, output)
            plan = adapter.plan(call)
            self._sent(adapter, call, plan, place, guard)
            result = adapter.apply(call, plan)
            return self._done(call.key, _answered(operation, result.output))
        except AdapterError as e:
            self._failed(adapter, call, place, e)
            raise

    def undo(self, adapter: Adapter, key: str) -> None:
        """Takes back a call that may have happened; harmless when repeated."""
        row = self._find(key)
        if row is None or row.state in ("UNDONE", "PLANNED", "FAILED"):
            return
        if row.plan is None:  # it failed before anything was sent
            self._set(key, "UNDONE")
            return
        call = Call(row.operation, key, row.request)
        plan = _plan_of(row)
        if row.state in ("SENT", "UNKNOWN", "RETRY", "HUMAN"):
            state, _ = adapter.observe(call, plan)
            if state is Observed.ABSENT:
                self._set(key, "UNDONE")
                return
        self._set(key, "UNDOING")
        adapter.undo(call, plan)
        self._set(key, "UNDONE")

    def calls_of(self, instance_id: int) -> list[AdapterCall]:
        """All calls of an instance, last first: the order in which they are undone."""
        with self.store.read() as session:
            query = select(AdapterCall).where(AdapterCall.instance_id == instance_id)
            return list(session.scalars(query.order_by(AdapterCall.id.desc())))

    # ---- rows

    def _observe(
        self, adapter: Adapter, call: Call, plan: Plan, operation: Operation
    ) -> Mapping[str, Any] | None:
        try:
            state, output = adapter.observe(call, plan)
        except Retryable as e:  # the earlier request is still unexplained: it must not be sent again unseen
            raise OutcomeUnknown(target=adapter.target(call), detail=str(e.facts.get("detail", e))) from e
        if state is Observed.EQUAL:
            return _answered(operation, output)
        if state is Observed.ABSENT and operation.repeat is not Repeat.NONE:
            return None
        raise NeedsHuman(
            target=adapter.target(call),
            detail=f"after a lost answer the target shows {state.value} instead of our request",
        )

    def _find(self, key: str) -> AdapterCall | None:
        with self.store.read() as session:
            return session.scalars(select(AdapterCall).where(AdapterCall.key == key)).first()

    def _sent(self, adapter: Adapter, call: Call, plan: Plan, place: Place, guard: Guard) -> None:
        now = self.clock.now()
        with self.store.write() as session:
            guard(session)
            row = session.scalars(select(AdapterCall).where(AdapterCall.key == call.key)).first()
            if row is None:
                row = AdapterCall(key=call.key, created_at=now, attempts=0)
                session.add(row)
            row.operation, row.target, row.request = call.operation, adapter.target(call), dict(call.args)
            row.instance_id, row.element = place.instance_id, place.element
            # when the effect is there already, only the plan that was stored before it can undo it
            if row.plan is None or not plan.already:
                row.plan = asdict(plan)
            row.state, row.changed_at = "SENT", now
            row.attempts += 1

    def _done(self, key: str, output: Mapping[str, Any]) -> Mapping[str, Any]:
        self._set(key, "DONE", result=dict(output))
        return output

    def _failed(self, adapter: Adapter, call: Call, place: Place, error: AdapterError) -> None:
        state = _state_after(error)
        facts = {"error_code": str(getattr(error, "bpmn_code", error.code))[:64], "error": str(error)[:1000]}
        if self._find(call.key) is None:
            now = self.clock.now()
            with self.store.write() as session:
                session.add(
                    AdapterCall(
                        key=call.key,
                        state=state,
                        operation=call.operation,
                        target=adapter.target(call),
                        instance_id=place.instance_id,
                        element=place.element,
                        request=dict(call.args),
                        attempts=1,
                        created_at=now,
                        changed_at=now,
                        **facts,
                    )
                )
            return
        self._set(call.key, state, **facts)

    def _set(self, key: str, state: str, **values: Any) -> None:
        with self.store.write() as session:
            row = session.scalars(select(AdapterCall).where(AdapterCall.key == key).with_for_update()).one()
            row.state, row.changed_at = state, self.clock.now()
            for name, value in values.items():
                setattr(row, name, value)


def _state_after(error: AdapterError) -> str:
    for kind, state in (
        (OutcomeUnknown, "UNKNOWN"),
        (Retryable, "RETRY"),
        (Permanent, "FAILED"),
        (NeedsHuman, "HUMAN"),
    ):
        if isinstance(error, kind):
            return state
    return "UNKNOWN"


def _plan_of(row: AdapterCall) -> Plan:
    stored = row.plan or {"steps": (), "before": {}, "after": {}}
    return Plan(**(stored | {"steps": tuple(stored["steps"])}))


@cache
def _schema(kind: type[Schema]) -> Schema:
    """Making one costs more than using it."""
    return kind()


def checked(operation: Operation, args: Mapping[str, Any]) -> Mapping[str, Any]:
    """A step's input as the operation takes it, outside or in our own database. Raises `NeedsHuman`."""
    try:
        loaded: Mapping[str, Any] = _schema(operation.request).load(dict(args))
    except ValidationError as e:
        raise NeedsHuman(target=operation.name, detail=f"the step's input does not fit: {e.messages}") from e
    return loaded


def _answered(operation: Operation, output: Mapping[str, Any]) -> Mapping[str, Any]:
    problems = _schema(operation.response).validate(dict(output))
    if problems:
        raise OutcomeUnknown(target=operation.name, detail=f"the answer does not fit: {problems}")
    return output
