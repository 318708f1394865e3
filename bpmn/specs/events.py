"""Start, end, intermediate and boundary events."""

from __future__ import annotations

from collections.abc import Sequence

from SpiffWorkflow.bpmn.specs import defaults as spiff
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import (
    ErrorEventDefinition,
    EscalationEventDefinition,
)
from SpiffWorkflow.bpmn.specs.event_definitions.simple import TerminateEventDefinition

from bpmn.specs.contract import Token
from bpmn.specs.definitions import CancelThrow, CompensationThrow, MessageThrow, SignalThrow
from bpmn.specs.nodes import WAITING, BpmnError, Node


class Start(Node, spiff.StartEvent):
    """A start event; what triggers that of an event sub-process is waited for by the sub-process's own node."""


def throw(token: Token, definitions: Sequence[EventDefinition]) -> bool:
    """Throws messages, signals and escalations, in order; False: one of them has ended the token itself."""
    top = token.workflow.top_workflow
    for definition in definitions:
        if isinstance(definition, MessageThrow):
            top.send_message(token, definition)
        elif isinstance(definition, SignalThrow):
            top.throw_signal(token, definition.name)
        elif isinstance(definition, EscalationEventDefinition):
            top.throw_escalation(token, definition.code)
        if not token.alive:
            return False
    return True


class Throw(Node, spiff.IntermediateThrowEvent):
    """An intermediate event that throws, or only marks a place. A link, thrown or caught, is one: a flow joins both."""

    def _run_hook(self, token: Token) -> bool | None:
        if self.events and isinstance(self.events[0], CompensationThrow):
            return token.workflow.top_workflow.compensate(token, self.events[0])
        return throw(token, self.events) or None


class End(Node, spiff.EndEvent):
    """A none, terminate, error, escalation, message, signal, compensation or cancel end event."""

    def _run_hook(self, token: Token) -> bool | None:
        definition = self.events[0] if self.events else None
        if isinstance(definition, ErrorEventDefinition):
            raise BpmnError(definition.code, self.label)
        if isinstance(definition, CancelThrow):
            token.workflow.top_workflow.cancel_transaction(token)
            return None
        if not throw(token, self.events):
            return None
        token.workflow.top_workflow.note_end(token)
        if isinstance(definition, CompensationThrow):
            return token.workflow.top_workflow.compensate(token, definition)
        if isinstance(definition, TerminateEventDefinition):
            token.workflow.emit(token, ())
            token.workflow.clear()
            return None
        return True


class Catch(Node, spiff.IntermediateCatchEvent):
    """An intermediate timer or message event."""

    passive = True

    def _update_hook(self, token: Token) -> bool:
        token._set_state(WAITING)
        token.workflow.top_workflow.arm(token)
        return False


class Boundary(Node, spiff.BoundaryEvent):
    """Waits as a child of its activity's token; when it happens a token starts here."""

    cancel_activity: bool
    passive = True

    def _update_hook(self, token: Token) -> bool:
        token._set_state(WAITING)
        token.workflow.top_workflow.arm(token)
        return False


class Compensator(Node, spiff.IntermediateThrowEvent):
    """A hidden node of every scope: runs recorded compensations, last first, for whoever does not wait himself."""

    def _run_hook(self, token: Token) -> bool | None:
        return token.workflow.top_workflow.next_compensation(token) or None

    def _on_complete(self, token: Token) -> None:
        token.workflow.top_workflow.compensator_done(token)
