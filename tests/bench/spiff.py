"""Plain SpiffWorkflow on the same order: in memory, and with the least storage that a user would add to it."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path
from typing import Any

from lxml import etree
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer import DEFAULT_CONFIG

from tests.bench.diagrams import USER_STEPS, order_for_spiff
from tests.bench.measure import own_cpu_ms


class _Services(TaskDataEnvironment):  # type: ignore[misc]
    def call_service(self, *_arguments: Any, **_named: Any) -> str:
        return "{}"


class InMemory:
    """Nothing is stored: what an engine step costs by itself."""

    def __init__(self) -> None:
        parser = SpiffBpmnParser()
        parser.add_bpmn_xml(etree.fromstring(order_for_spiff()))
        self.specs = parser.get_spec("p"), parser.get_subprocess_specs("p")
        self.engine = PythonScriptEngine(_Services({}))
        self._live: dict[str, Any] = {}
        self._numbers = itertools.count(1)

    def start(self, values: Any) -> str:
        """A new workflow, run to where people are waited for."""
        workflow = BpmnWorkflow(*self.specs, script_engine=self.engine)
        workflow.get_tasks(state=TaskState.READY)[0].data.update(values)
        key = str(next(self._numbers))
        self._run(workflow)
        self.save(key, workflow)
        return f"{key}/0"

    def complete(self, task: str) -> str | None:
        """One person's step, and what follows by itself."""
        key, _, step = task.partition("/")
        workflow = self.load(key)
        waiting = workflow.get_tasks(state=TaskState.READY, manual=True)
        next(t for t in waiting if t.task_spec.name == USER_STEPS[int(step)]).run()
        self._run(workflow)
        self.save(key, workflow)
        return None if workflow.is_completed() else f"{key}/{int(step) + 1}"

    def _run(self, workflow: Any) -> None:
        workflow.refresh_timers()
        while (ready := workflow.get_next_task(state=TaskState.READY, manual=False)) is not None:
            ready.run()
            workflow.refresh_timers()

    def save(self, key: str, workflow: Any) -> None:
        """Keeps a workflow while it is open."""
        if workflow.is_completed():
            self._live.pop(key, None)
        else:
            self._live[key] = workflow

    def load(self, key: str) -> Any:
        """An open workflow."""
        return self._live[key]

    def cpu_ms(self) -> float:
        """CPU so far."""
        return own_cpu_ms()

    def close(self) -> None:
        """Nothing is held."""


class Reloaded(InMemory):
    """Loaded and dumped at every step by the library's own serializer; one row per workflow, one per open task."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(DEFAULT_CONFIG))
        self.database = sqlite3.connect(folder / "spiff.db", isolation_level=None)
        self.database.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE workflow (key TEXT PRIMARY KEY, state TEXT);"
            "CREATE TABLE task (key TEXT, name TEXT, PRIMARY KEY (key, name))"
        )

    def save(self, key: str, workflow: Any) -> None:
        """Writes the workflow and its open tasks in one transaction."""
        ready = workflow.get_tasks(state=TaskState.READY, manual=True)
        state = self.serializer.serialize_json(workflow)
        self.database.execute("BEGIN IMMEDIATE")
        self.database.execute("INSERT OR REPLACE INTO workflow VALUES (?, ?)", (key, state))
        self.database.execute("DELETE FROM task WHERE key = ?", (key,))
        self.database.executemany("INSERT INTO task VALUES (?, ?)", [(key, t.task_spec.name) for t in ready])
        self.database.execute("COMMIT")

    def load(self, key: str) -> Any:
        """Reads the workflow."""
        (state,) = self.database.execute("SELECT state FROM workflow WHERE key = ?", (key,)).fetchone()
        workflow = self.serializer.deserialize_json(state)
        workflow.script_engine = self.engine
        return workflow

    def close(self) -> None:
        """Lets the database go."""
        self.database.close()
