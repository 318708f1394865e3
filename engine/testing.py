"""Small real implementations for tests and for the virtual clock of `kaitong simulate`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import Schema, fields

from bpmn.parse import Executable
from bpmn.specs import Loop, Node, ServiceActivity, UserActivity
from bpmn.specs.nodes import ERROR, READY, STARTED
from engine.errors import AdapterError
from engine.ports import Call, InstanceEnd, Observed, Operation, Plan, Repeat, Result, Undo
from engine.runtime import codec
from engine.runtime.changes import standing
from engine.runtime.instance import Instance
from engine.runtime.notes import Sent
from engine.runtime.token import Token
from engine.runtime.variables import Difference

START = datetime(2026, 11, 22, 1, 12, tzinfo=UTC)  # Sunday 09:12 in Shanghai


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self, start: datetime = START) -> None:
        if start.tzinfo is None:
            raise ValueError("the start needs a zone")
        self._now = start.astimezone(UTC)
        self._ticks = 0
        self._boots = 1

    def now(self) -> datetime:
        return self._now

    def ticks_ms(self) -> int:
        return self._ticks

    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def advance(self, by: timedelta) -> None:
        """Time passes: wall time and ticks move together."""
        if by < timedelta(0):
            raise ValueError("time passes forward only; use `set` for a wall clock that jumps")
        self._now += by
        self._ticks += by // timedelta(milliseconds=1)

    def set(self, now: datetime) -> None:
        """The wall clock jumps, forward or back; ticks do not notice."""
        self._now = now.astimezone(UTC)

    def reboot(self) -> None:
        """The machine starts again: ticks count from zero."""
        self._ticks = 0
        self._boots += 1


class RoundTripLost(AssertionError):
    """A stored and restored instance is not the instance that was stored."""


class Driver:
    """Runs one instance in memory, without rows.

    With `round_trip` it is stored and restored between every two steps, and both are compared in every index: what is
    derived from the tokens must come out the same, or something would be lost with the next restart.
    """

    def __init__(
        self,
        executable: Executable,
        values: Mapping[str, Any] | None = None,
        *,
        round_trip: bool = False,
        key: str = "T-1",
        clock: FakeClock | None = None,
    ) -> None:
        self.executable, self.key, self.round_trip = executable, key, round_trip
        self.clock = clock if clock is not None else FakeClock()
        self.trace: list[tuple[str, str]] = []
        self.differences: list[Difference] = []
        self.sent: list[Sent] = []
        self.top = Instance(executable, key, self.clock.now())
        self.top.start(values or {})
        self.run()

    # ---- what can be seen

    @property
    def end(self) -> InstanceEnd | None:
        return self.top.end

    @property
    def variables(self) -> dict[str, Any]:
        return self.top.data

    def elements(self, what: str) -> list[str]:
        """Elements of the history entries of one kind, in order."""
        return [element for kind, element in self.trace if kind == what]

    @property
    def completed(self) -> list[str]:
        """What has been completed, in order."""
        return self.elements("completed")

    def at(self, state: int, kind: type[Node]) -> list[str]:
        """Elements of a kind with a token in a state, by token."""
        found = [t for t in self.top.by_id.values() if t._state == state and isinstance(t.task_spec, kind)]
        return [t.task_spec.name for t in sorted(found, key=lambda t: t.id)]

    @property
    def tasks(self) -> list[str]:
        """User tasks that are open."""
        return self.at(READY, UserActivity)

    @property
    def jobs(self) -> list[str]:
        """Service tasks at work."""
        return self.at(STARTED, ServiceActivity)

    @property
    def incidents(self) -> dict[str, str]:
        """Element → code of the faults that wait for a retry."""
        failed = [t for t in self.top.by_id.values() if t._state == ERROR]
        return {t.task_spec.name: t.internal_data["incident"]["code"] for t in failed}

    # ---- commands

    def complete(self, element: str, nth: int = 1, /, **values: Any) -> None:
        """A person completes the oldest open task of an element, or the second, the third …"""
        self._begin()
        token = self._token(element, READY, nth)
        self.top.assign(token, values)
        self.top.guard(token, "route", token.complete)
        self.run()

    def result(self, element: str, nth: int = 1, /, **output: Any) -> None:
        """A worker has done a service task."""
        self._begin()
        self.top.take_result(self._token(element, STARTED, nth), output)
        self.run()

    def refuse(self, element: str, code: str, nth: int = 1) -> None:
        """A worker was told a business no."""
        self._begin()
        self.top.throw_error(self._token(element, STARTED, nth), code, "no")
        self.run()

    def message(self, name: str, key: str | None = None, /, **values: Any) -> int:
        """A message comes in; returns how many tokens caught it."""
        self._begin()
        caught = 0
        for token_id in list(self.top.waiting.messages.get((name, key or self.key), ())):
            if token_id in self.top.by_id:
                self.top.waiting.fire(self.top.by_id[token_id], values)
                caught += 1
        self.run()
        return caught

    def signal(self, name: str) -> int:
        """A signal of another instance comes in; returns how many tokens caught it."""
        self._begin()
        caught = self.top.waiting.signal(name)
        self.run()
        return caught

    def pass_time(self, by: timedelta) -> None:
        """Time passes, and what is due fires."""
        self.clock.advance(by)
        self._begin()
        self.run()

    def retry(self, element: str, /, **corrected: Any) -> None:
        """An operator corrects variables and repeats a failed step."""
        self._begin()
        token = self._token(element, ERROR)
        self.top.assign(token, corrected)
        self.top.retry(token)
        self.run()

    # ---- how it moves

    def run(self, limit: int = 100_000) -> None:
        """Steps until nothing moves."""
        self.top.settle()
        self._between()
        for _ in range(limit):
            moved = self.top.step()
            self._between()
            if not moved:
                return
        raise AssertionError(f"still moving after {limit} steps")

    def _begin(self) -> None:
        self.top.now = self.clock.now()
        self.top.fire_due()

    def _token(self, element: str, state: int, nth: int = 1) -> Token:
        found: list[Token] = []
        for token in sorted(self.top.by_id.values(), key=lambda t: t.id):
            is_loop = state == STARTED and isinstance(token.task_spec, Loop)
            if token.task_spec.name == element and token._state == state and not is_loop:
                found.append(token)
        if len(found) >= nth:
            return found[nth - 1]
        raise AssertionError(f"nothing waits at {element}: {sorted(_picture(self.top)['tokens'].values())}")

    def _between(self) -> None:
        self.trace += [(n.what, n.element) for n in self.top.notes]
        self.differences += self.top.differences
        self.sent += self.top.outbox
        self.top.notes.clear()
        self.top.outbox.clear()
        self.top.differences.clear()
        if self.round_trip and self.top.end is None:
            self.top = self._restored()

    def _restored(self) -> Instance:
        stored = codec.encode_tokens(self.top), codec.encode_variables(self.top)
        found = codec.decode(*stored, self.executable, self.key, self.top.now)
        if (codec.encode_tokens(found), codec.encode_variables(found)) != stored:
            raise RoundTripLost("storing again gives other bytes")
        for token in found.by_id.values():
            token.packed = None
        if codec.encode_tokens(found) != stored[0]:
            raise RoundTripLost("what was kept of a token's stored form is out of date")
        live, restored = _picture(self.top), _picture(found)
        for name, index in live.items():
            if index != restored[name]:
                raise RoundTripLost(f"{name}: live {index!r}, restored {restored[name]!r}")
        return found


def _picture(top: Instance) -> dict[str, Any]:
    """Every index of an instance, as plain data."""
    return {
        "tokens": {
            t.id: (t.task_spec.name, int(t._state), t._parent or 0, t.workflow.spec.name, t.internal_data)
            for t in top.by_id.values()
        },
        "children": {t.id: list(t._children) for t in top.by_id.values()},
        "queue": list(top.queue),
        "arrivals": list(top.arrivals),
        "timers": top.waiting.timers,
        "signals": {k: list(v) for k, v in top.waiting.signals.items() if v},
        "conditions": list(top.waiting.conditions),
        "messages": {k: list(v) for k, v in top.waiting.messages.items()},
        "scopes": {owner: (s.spec.name, s.data) for owner, s in top.subprocesses.items()},
        "variables": top.data,
        "memory": top.memory,
        "undo": [s.undo for s in (top, *top.subprocesses.values())],
        "joins": [
            sorted(n for n in s.joins if s.waiting_at(s.spec.node(n)))
            for s in (top, *top.subprocesses.values())
        ],
        "last": (top.last_id, top.last_end_event),
        "standing": {t.id: standing(t) for t in top.by_id.values()},
    }


class FakeRequest(Schema):
    """Which number, and what it shall be."""

    name = fields.String(required=True)
    value = fields.Integer(required=True)


class FakeResponse(Schema):
    """What it is now."""

    value = fields.Integer(required=True)


class FakeNetwork:
    """An outside system that keeps numbers by name, and the list of all effects that were asked of it.

    `before` and `after` are raised by the next `apply`, before or after its effect; `away` by every look.
    """

    name = "fake"

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.effects: list[tuple[str, str, int | None]] = []
        self.before: BaseException | None = None
        self.after: BaseException | None = None
        self.away: AdapterError | None = None
        self.looked_away = False

    def operations(self) -> Mapping[str, Operation]:
        texts = ("设置", "Set", FakeRequest, FakeResponse)
        found = [
            Operation("fake.set", *texts, Repeat.BY_OBSERVE, Undo.SNAPSHOT, 1.0, {"F01": "refused"}),
            Operation("fake.once", *texts, Repeat.NONE, timeout_s=1.0),
        ]
        return {o.name: o for o in found}

    def target(self, call: Call) -> str:
        return f"fake:{call.args['name']}"

    def plan(self, call: Call) -> Plan:
        if self.away is not None:
            raise self.away
        name, value = call.args["name"], call.args["value"]
        now = self.numbers.get(name)
        return Plan(
            (f"set {name} to {value}",), {"value": now}, {"value": value}, {"value": now}, now == value
        )

    def apply(self, call: Call, plan: Plan) -> Result:
        self._fail("before")
        self._set("apply", call.args["name"], plan.after["value"])
        self._fail("after")
        return Result("already" if plan.already else "done", {"value": plan.after["value"]})

    def observe(self, call: Call, plan: Plan) -> tuple[Observed, Mapping[str, Any]]:
        if self.away is not None:
            raise self.away
        if self.looked_away:
            return Observed.UNKNOWN, {}
        now = self.numbers.get(call.args["name"])
        if now == plan.after["value"]:
            return Observed.EQUAL, {"value": now}
        return (Observed.ABSENT if now == plan.before["value"] else Observed.DIFFERENT), {}

    def undo(self, call: Call, plan: Plan) -> Result:
        self._fail("before")
        before = (plan.undo or {}).get("value")
        self._set("undo", call.args["name"], before)
        self._fail("after")
        return Result("done", {})

    def probe(self) -> Mapping[str, Any]:
        return {"numbers": len(self.numbers)}

    def close(self) -> None:
        """Nothing is open."""

    def _set(self, what: str, name: str, value: int | None) -> None:
        self.effects.append((what, name, value))
        if value is None:
            self.numbers.pop(name, None)
        else:
            self.numbers[name] = value

    def _fail(self, when: str) -> None:
        fault: BaseException | None = getattr(self, when)
        setattr(self, when, None)
        if fault is not None:
            raise fault
