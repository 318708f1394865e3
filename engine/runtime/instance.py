"""A process instance that runs: SpiffWorkflow's `BpmnWorkflow` with a scheduler of its own.

One token moves per step; finished tokens leave the tree in the same step. The tree holds what is going on, nothing else,
so a step costs the same after ten and after ten thousand rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from bpmn.expressions import BpmnErrorThrown, Expression, Script
from bpmn.parse import Executable
from bpmn.specs import (
    BpmnError,
    CompensationThrow,
    EventSubProcess,
    MessageThrow,
    ProcessSpec,
    ServiceActivity,
)
from bpmn.specs.nodes import CANCELLED, COMPLETED, FUTURE, READY, STARTED, WAITING
from engine.ports import END_STATES, InstanceEnd
from engine.runtime import calls, catching, compensating, faults, variables
from engine.runtime.changes import Changes
from engine.runtime.notes import Note, Sent
from engine.runtime.scope import ScopeMixin, SubScope
from engine.runtime.token import Token
from engine.runtime.variables import Difference
from engine.runtime.waiting import Waiting

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class _NoEngine:
    """Stands where the library keeps its script engine; nothing of a diagram ever reaches Python's eval or exec."""


class Instance(ScopeMixin, BpmnWorkflow):
    """Not thread safe: the commands in `engine.runtime.kernel` hold the row's lock while one is used."""

    spec: ProcessSpec
    subprocesses: dict[int, SubScope]

    def __init__(self, executable: Executable, business_key: str, now: datetime) -> None:
        self.executable, self.business_key, self.now = executable, business_key, now
        self.last_id = 0
        self.by_id: dict[int, Token] = {}
        self.queue: dict[int, None] = {}  # tokens to move, in order
        self.arrivals: dict[
            int, None
        ] = {}  # tokens at nodes where entering is waiting: moved before any other
        self.touched: dict[ScopeMixin, None] = {}  # scopes that may have finished
        self.waiting = Waiting(self)
        self.changes = Changes()
        self.notes: list[Note] = []
        self.differences: list[Difference] = []
        self.outbox: list[Sent] = []
        self.troubled: list[str] = []  # elements at which this command has opened an incident
        self.joins, self.undo = {}, []
        self.stored_with_data: list[int] = []
        self.memory: dict[int, dict[str, Any]] = {}  # what loops remember, by token
        self.memory_changed = False
        self.end: InstanceEnd | None = None
        self.last_end_event: str | None = None
        super().__init__(executable.spec, executable.scopes, _NoEngine(), deserializing=True)

    @property
    def top_workflow(self) -> Instance:  # type: ignore[override]
        return self

    # ---- life

    def start(self, values: Mapping[str, Any]) -> None:
        """Puts the first token. The values become the instance's variables."""
        self.task_tree = Token(self, self.spec.start, None, STARTED)
        self.assign(self.task_tree, values)
        self.arm_event_subs()
        self.put(self.spec.node(self.spec.entry))

    def is_completed(self) -> bool:
        return self.end is not None

    def do_engine_steps(self, *_args: Any, **_kwargs: Any) -> None:
        """Moves tokens until everything waits for somebody or something."""
        while self.step():
            pass

    def run(self, budget: int) -> bool:
        """Up to `budget` steps; True when nothing is left to move."""
        for _ in range(budget):
            if not self.step():
                return True
        return not (self.queue or self.arrivals)

    def step(self) -> bool:
        """Moves one token, and settles what follows from it. False: nothing moved."""
        self.settle()
        if self.end is not None or not self.queue:
            return False
        token = self.by_id[next(iter(self.queue))]
        if token._state == FUTURE:
            self.enter(token)
        if token.alive and token._state == READY and not token.task_spec.manual:
            self.guard(token, "run", token.run)
        self.settle()
        return True

    def fire_due(self) -> None:
        """Fires every timer whose time has come."""
        for token in self.waiting.due_tokens(self.now):
            self.waiting.fire(token)
            self.settle()

    def stuck(self) -> Token | None:
        """A token that can never go on, when nothing is left to move.

        Looked at per scope, so that an armed boundary event elsewhere does not hide it: where only joins hold tokens,
        the missing branches can no longer arrive.
        """
        for scope in (self, *self.subprocesses.values()):
            held: list[Token] = [t for t in scope.task_tree.children if not t.is_watch]
            if held and all(t._state == WAITING and t.task_spec.is_join for t in held):
                return held[0]
        return None

    def enter(self, token: Token) -> None:
        """An arrived token meets its node."""
        self.queue.pop(token.id, None)
        self.arrivals.pop(token.id, None)
        if not (token.is_round or isinstance(token.task_spec, EventSubProcess)):
            self.note("entered", token)
        self.guard(token, "enter", lambda: token.task_spec._update(token))

    def settle(self) -> None:
        """Passive arrivals first, then finished scopes, deepest first, until nothing changes."""
        while self.end is None:
            if self.arrivals:
                self.enter(self.by_id[next(iter(self.arrivals))])
                continue
            if self.waiting.ask and self.waiting.check_conditions():
                continue
            if any(s.joins and self.is_live(s) and s.try_joins() for s in list(self.touched)):
                continue
            done = [s for s in self.touched if self.is_live(s) and s.is_finished()]
            self.touched = dict.fromkeys(done)
            if not done:
                return
            self.close(max(done, key=lambda s: s.depth))

    def guard(self, token: Token, phase: str, call: Callable[[], object]) -> None:
        """A business error goes to its boundary, anything else becomes an incident at the token."""
        try:
            call()
        except BpmnError as e:
            self.throw_error(token, e.code, e.message)
        except Exception as e:  # a fault of one element must not stop the instance from being saved
            self.open_incident(token, e, "route" if token._state == COMPLETED else phase)

    # ---- tokens

    def new_id(self) -> int:
        """Ids are never used twice in an instance."""
        self.last_id += 1
        return self.last_id

    def born(self, token: Token) -> None:
        """Called by every new token."""
        self.by_id[token.id] = token
        self.changes.touch(token, existed=False)
        self._queue(token)

    def moved(self, token: Token) -> None:
        """Called by every token that changes its state."""
        self.changes.touch(token)
        self._queue(token)
        if token._state != WAITING:
            self.waiting.disarm(token)

    def _queue(self, token: Token) -> None:
        state, node = token._state, token.task_spec
        if state == FUTURE and node.passive:
            self.arrivals[token.id] = None
        elif state == FUTURE or (state == READY and not node.manual):
            self.queue[token.id] = None
        else:
            self.queue.pop(token.id, None)

    def completed_at(self, token: Token) -> None:
        """The token's node is done."""
        self.note("completed", token)
        self.forget(token)

    def round_at(self, token: Token) -> None:
        """The token of a loop's body is done."""
        self.note("round", token)
        self.forget(token)

    def forget(self, token: Token) -> None:
        """A finished token leaves the tree; what still hangs on it is cancelled."""
        if token.alive:
            for child in list(token.children):
                self.kill(child)
            self._drop(token)

    def kill(self, token: Token | None) -> None:
        """Cancels a token with everything below it."""
        if token is None or not token.alive:
            return
        inner = self.subprocesses.pop(token.id, None)
        if inner is not None:
            self.kill(inner.task_tree)
        for child in list(token.children):
            self.kill(child)
        if "waits" in token.internal_data:  # for a handler that is at work
            self.kill(self.by_id.get(token.internal_data["waits"]))
        if not (token.is_watch or "gate" in token.internal_data):  # that a watch has ended is no news
            self.note("cancelled", token)
        token._state = CANCELLED
        self._drop(token)

    def _drop(self, token: Token) -> None:
        self.changes.touch(token)
        self.waiting.disarm(token)
        for index in (self.queue, self.arrivals, self.by_id, token.workflow.tasks):
            index.pop(token.id, None)
        if self.memory.pop(token.id, None) is not None:
            self.memory_changed = True
        parent = token.workflow.tasks.get(token._parent)
        if parent is not None:
            parent._children.remove(token.id)
        self.touched[token.workflow] = None

    def get_task_from_id(self, task_id: int) -> Token:
        return self.by_id[task_id]

    # ---- scopes

    def open_scope(self, token: Token) -> SubScope:
        """Starts the sub-process of a STARTED token."""
        scope = self.reopen(token, calls.given(self, token))
        scope.arm_event_subs()
        scope.put(scope.spec.node(scope.spec.entry))
        return scope

    def reopen(self, token: Token, data: dict[str, Any]) -> SubScope:
        """The scope of an activity, with nothing in it yet."""
        scope = SubScope(self.executable.scopes[token.task_spec.name], token.id, self)
        scope.data = data
        self.subprocesses[token.id] = scope
        scope.task_tree = Token(scope, scope.spec.start, None, STARTED)
        return scope

    def with_data(self) -> list[int]:
        """Owners of the sub-processes that hold variables of their own."""
        return [owner for owner, scope in self.subprocesses.items() if scope.data]

    def is_live(self, scope: ScopeMixin) -> bool:
        """Whether the scope still belongs to the instance."""
        return scope is self or (
            isinstance(scope, SubScope) and self.subprocesses.get(scope.parent_task_id) is scope
        )

    def close(self, scope: ScopeMixin) -> None:
        """A scope without tokens ends; its activity completes."""
        self.touched.pop(scope, None)
        if isinstance(scope, SubScope) and not self._given_back(scope):
            return
        if isinstance(scope, SubScope):
            compensating.leave_record(scope)
        for watch in list(scope.task_tree.children):
            self.kill(watch)
        self._drop(scope.task_tree)
        self.touched.pop(scope, None)
        if isinstance(scope, SubScope):
            owner = scope.owner
            del self.subprocesses[owner.id]
            self.finish(owner)
        else:
            self._finish()

    def _given_back(self, scope: SubScope) -> bool:
        """What a called process leaves is assigned to its caller; if that fails it waits, complete, for a retry."""
        try:
            calls.give_back(self, scope.owner, scope)
        except Exception as e:  # a fault of one mapping must not stop the instance from being saved
            self.open_incident(scope.owner, e, "leave")
            return False
        return True

    def _finish(self) -> None:
        """The last end event of the process itself may say that the result was not reached."""
        element = self.last_end_event
        outcome = self.spec.node(element).attributes.get("outcome") if element else None
        fault = self.data.get("error")
        state = END_STATES.get(str(outcome), "completed")
        if state in ("failed", "rejected") and isinstance(fault, dict):
            self.end = InstanceEnd(state, element, str(fault.get("code")), str(fault.get("message")))
        else:
            self.end = InstanceEnd(state, element)
        self.completed = True

    def note_end(self, token: Token) -> None:
        """An end event of the process itself has been reached."""
        if token.workflow is self:
            self.last_end_event = token.task_spec.name

    def fail(self, element: str, code: str, message: str) -> None:
        """Nobody caught a business error: the instance has failed."""
        self.kill(self.task_tree)
        self.end = InstanceEnd("failed", element, code, message)
        self.completed, self.success = True, False

    # ---- what nodes ask for

    def arm(self, token: Token) -> None:
        self.changes.touch(token)
        self.waiting.arm(token)

    def evaluate(self, token: Token, expression: Expression, known: Mapping[str, Any] = _NOTHING) -> Any:
        """`known` are names that only this expression sees."""
        seen = variables.view(self, token)
        seen.update(known)
        return expression.evaluate(seen, now=self.now)

    def run_script(self, token: Token, script: Script) -> None:
        try:
            changed = script.run(variables.view(self, token), now=self.now)
        except BpmnErrorThrown as e:
            raise BpmnError(e.code, e.message) from e
        self.assign(token, changed)

    def assign(self, token: Token, values: Mapping[str, Any]) -> None:
        changed = variables.assign(self, token, values)
        self.differences += changed
        if changed and self.waiting.conditions:
            self.waiting.ask = True

    def touch(self, token: Token) -> None:
        """What the token keeps has changed, its state has not."""
        self.changes.touch(token)

    def plain(self, value: Any) -> Any:
        """A copy that nobody shares. Raises `BadInput` for what cannot be stored."""
        return variables.plain(value, "the result")

    def remember(self, token: Token, **values: Any) -> None:
        """Keeps values for a loop as long as its token lives."""
        self.memory.setdefault(token.id, {}).update(values)
        self.memory_changed = True

    def recall(self, token: Token) -> dict[str, Any]:
        """What has been kept."""
        return self.memory.get(token.id, {})

    def finish(self, token: Token) -> None:
        """Completes a token on which others have worked; what goes wrong is the token's own incident."""
        self.guard(token, "route", token.complete)

    def take_result(self, token: Token, output: Mapping[str, Any]) -> None:
        """The outside has done a service task: its output mappings, then it completes."""
        node = token.task_spec
        mapping = node.output_map if isinstance(node, ServiceActivity) else ()

        def finish() -> None:
            seen = variables.view(self, token) | {"result": dict(output)}
            self.assign(token, {name: e.evaluate(seen, now=self.now) for name, e in mapping})
            token.complete()

        self.guard(token, "run", finish)

    def throw_error(self, token: Token, code: str, message: str) -> None:
        catching.throw_error(self, token, code, message)

    def record_done(self, token: Token) -> None:
        compensating.record_done(self, token)

    def compensate(self, token: Token, definition: CompensationThrow) -> bool | None:
        return compensating.compensate(self, token, definition)

    def next_compensation(self, token: Token) -> bool:
        return compensating.next_compensation(self, token)

    def compensated(self, token: Token) -> None:
        compensating.compensated(self, token)

    def compensator_done(self, token: Token) -> None:
        compensating.compensator_done(self, token)

    def cancel_transaction(self, token: Token) -> None:
        compensating.cancel_transaction(self, token)

    def throw_signal(self, token: Token, name: str) -> None:
        """Everybody here who waits for it hears it at once; others are told after the commit."""
        self.note("thrown", token)
        self.outbox.append(Sent("signal", name, "", {}))
        self.waiting.signal(name)

    def send_message(self, token: Token, definition: MessageThrow) -> None:
        """Sent after the commit, to whoever waits for this name and key, here or elsewhere."""
        seen = variables.view(self, token)
        key = self.business_key if definition.key is None else definition.key.evaluate(seen, now=self.now)
        values = {name: self.plain(e.evaluate(seen, now=self.now)) for name, e in definition.values}
        self.note("thrown", token)
        self.outbox.append(Sent("message", definition.name, str(key), values))

    def throw_escalation(self, token: Token, code: str) -> None:
        catching.throw_escalation(self, token, code)

    def open_incident(self, token: Token, error: Exception, phase: str = "run") -> None:
        faults.open_incident(self, token, error, phase)

    def retry(self, token: Token) -> None:
        """Repeats what failed of a token in ERROR, and nothing else."""
        faults.retry(self, token)

    def note(self, what: str, token: Token) -> None:
        """Adds to the history of this step."""
        if token.task_spec.kind:
            self.notes.append(Note(what, token.task_spec.name, token.id))
