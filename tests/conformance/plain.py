"""The library as it is: its own parser, tree and script engine. Only for diagrams that we have drawn ourselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.specs.defaults import ServiceTask
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from tests.random_diagrams import NEVER, Drawing

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC).isoformat()
_DURATION = re.compile(r"(?<=<timeDuration>)(\w+)(?=</)")


class Plain:
    """One workflow of the library, driven step by step."""

    def __init__(self, file: bytes, values: Mapping[str, Any], *, quoted: bool = True) -> None:
        parser, text = BpmnParser(), file.decode()
        if quoted:  # to the library a duration is a text of Python
            text = _DURATION.sub(r'"\1"', text)
        parser.add_bpmn_xml(etree.fromstring(text.encode()))
        engine = PythonScriptEngine(TaskDataEnvironment({}))
        specs = parser.get_spec("p"), parser.get_subprocess_specs("p")
        self.workflow = BpmnWorkflow(*specs, script_engine=engine)
        self.workflow.get_tasks(state=TaskState.READY)[0].data.update(values)
        self.workflow.do_engine_steps()

    # ---- what can be seen

    def all_tasks(self) -> list[Any]:
        """Every task of every scope, finished ones too; the library's own walk stops at depth 1000."""
        scopes = [self.workflow, *self.workflow.subprocesses.values()]
        return [task for scope in scopes for task in list(scope.tasks.values())]

    def named(self, state: int, names: Collection[str] | None = None) -> list[Any]:
        """Tasks in a state, of the given elements."""
        found = [t for t in self.all_tasks() if t.state == state]
        return [t for t in found if names is None or t.task_spec.name in names]

    @property
    def has_ended(self) -> bool:
        """What the library says."""
        return bool(self.workflow.is_completed())

    @property
    def users(self) -> list[Any]:
        """User tasks that wait for a person."""
        return [t for t in self.named(TaskState.READY) if t.task_spec.manual]

    @property
    def services(self) -> list[Any]:
        """Service tasks that wait for a worker."""
        return [t for t in self.named(TaskState.STARTED) if isinstance(t.task_spec, ServiceTask)]

    def waiting(self, kind: type[Any]) -> list[Any]:
        """Tasks that wait for an event of a kind."""
        found = [t for t in self.named(TaskState.WAITING) if hasattr(t.task_spec, "event_definition")]
        return [t for t in found if isinstance(t.task_spec.event_definition, kind)]

    def done(self, names: Collection[str]) -> Counter[str]:
        """How often each of the given elements is complete."""
        return Counter(t.task_spec.name for t in self.named(TaskState.COMPLETED, names))

    # ---- what can be done

    def complete(self, task: Any, **values: Any) -> None:
        """A person has done it."""
        task.data.update(values)
        task.run()
        self.workflow.do_engine_steps()

    def result(self, task: Any, **values: Any) -> None:
        """A worker has done it."""
        task.data.update(values)
        task.complete()
        self.workflow.do_engine_steps()

    def message(self, name: str, **values: Any) -> None:
        """A message comes in."""
        self.workflow.catch(BpmnEvent(MessageEventDefinition(name), payload=values))
        self.workflow.do_engine_steps()

    def pass_time(self) -> None:
        """What waits for a time, however long, but not for ever, has waited long enough."""
        for task in self.waiting(TimerEventDefinition):
            if NEVER not in task.task_spec.event_definition.expression:
                task._set_internal_data(event_value=LONG_AGO)
        self.workflow.refresh_timers()
        self.workflow.do_engine_steps()


class PlainWalk(Plain):
    """Does the open work of a random diagram in any order, as `tests.random_walk` does with our kernel."""

    def __init__(self, drawing: Drawing, seed: int) -> None:
        self.drawing, self.plan, self.random = drawing, drawing.plan, Random(seed)
        self.sent = Counter[Any]()
        super().__init__(drawing.file, drawing.before)

    def finish(self, most: int = 3_000) -> None:
        """To the end, or until nothing can be done any more."""
        for _ in range(most):
            if self.has_ended:
                return
            todo = list(self.todo())
            if todo:
                self.random.choice(todo)()
            elif self.waiting(TimerEventDefinition):
                self.pass_time()
            else:
                return

    def todo(self) -> Iterator[Callable[[], object]]:
        """All that could be done now."""
        for task in self.users:
            if self._may_be_done(task):
                yield lambda t=task: self.complete(t, **self._one_more(t, t.task_spec.name))  # type: ignore[misc]
        for task in self.services:
            yield lambda t=task: self.result(t, **self._one_more(t, t.task_spec.name))  # type: ignore[misc]
        for task in self.waiting(MessageEventDefinition):
            if self._may_be_sent(task):
                yield lambda t=task: self._send(t)  # type: ignore[misc]

    def _one_more(self, task: Any, name: str) -> Mapping[str, Any]:
        return {name: task.data.get(name, 0) + 1} if name in self.drawing.counting else {}

    def _beside(self, task: Any) -> Any:
        """The boundary event that still waits at the same activity."""
        name = self.plan.beside[task.task_spec.name][0]
        return next((t for t in task.parent.children if t.task_spec.name == name), None)

    def _may_be_done(self, task: Any) -> bool:
        name = task.task_spec.name
        if name in self.plan.never or name not in self.plan.beside:
            return name not in self.plan.never
        boundary, often = self.plan.beside[name]
        if boundary in self.drawing.messages:
            return self.sent[task.parent.id] == often
        found = self._beside(task)
        return found is None or found.state != TaskState.WAITING

    def _may_be_sent(self, task: Any) -> bool:
        often = dict(self.plan.beside.values())
        name = task.task_spec.name
        return name not in often or self.sent[task.parent.id] < often[name]

    def _send(self, task: Any) -> None:
        self.sent[task.parent.id] += 1
        self.message(task.task_spec.event_definition.name, **self._one_more(task, task.task_spec.name))
