"""The executable form of one scope: a process or an embedded sub-process."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.control import BpmnStartTask
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition

from bpmn.specs.activities import EventSubProcess
from bpmn.specs.events import Compensator
from bpmn.specs.nodes import Node

COMPENSATOR = "(compensation)"
ROOT = "(scope)"  # no XML id can be this, so no element of a diagram collides with it


class ScopeRoot(Node, BpmnStartTask):
    """The token that all others of a scope hang on; it never moves."""


class ProcessSpec(BpmnProcessSpec):
    """Nodes by element id. Stateless after parsing, shared by all instances of its version."""

    task_specs: dict[str, Any]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.task_specs.clear()
        self.start = ScopeRoot(self, ROOT)
        self.end = None
        self.entry = ""
        self.event_subs: list[EventSubProcess] = []
        self.compensation_sub: EventSubProcess | None = None
        Compensator(self, COMPENSATOR, event_definition=NoneEventDefinition())
        self.label, self.label_en = "", ""

    def node(self, name: str) -> Node:
        """The node of an element id."""
        found: Node = self.task_specs[name]
        return found
