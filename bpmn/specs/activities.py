"""Tasks and sub-processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow.bpmn.specs import defaults as spiff

from bpmn.expressions import Expression, Script
from bpmn.specs.contract import Token
from bpmn.specs.nodes import STARTED, WAITING, Node

if TYPE_CHECKING:
    from bpmn.specs.loops import Loop


class Activity(Node):
    """What all activities share: their boundary events are armed when they are entered.

    `loop` is set where the activity is the body of one: the flows and boundary events are then the loop's.
    """

    loop: Loop | None = None

    def _update_hook(self, token: Token) -> bool:
        scope = token.workflow
        for boundary in self.boundaries:
            scope.top_workflow.arm(scope.put(boundary, parent=token, state=WAITING))
        return self.enter(token)

    def enter(self, token: Token) -> bool:
        """True: runnable. False: something below the token is at work."""
        return True

    def _on_complete(self, token: Token) -> None:
        if self.loop is None:
            super()._on_complete(token)
        else:
            self.loop.round_done(token)


class ScriptActivity(Activity, spiff.ScriptTask):
    """A script in our own language; it works on a copy, what it changed is assigned."""

    compiled: Script

    def _run_hook(self, token: Token) -> bool | None:
        token.workflow.top_workflow.run_script(token, self.compiled)
        return True


class UserActivity(Activity, spiff.UserTask):
    """A task for a person: READY is open."""

    passive = True


class ServiceActivity(Activity, spiff.ServiceTask):
    """A task for a worker: STARTED until its result comes."""

    input_map: tuple[tuple[str, Expression], ...] = ()
    output_map: tuple[tuple[str, Expression], ...] = ()

    def _run_hook(self, token: Token) -> bool | None:
        return None


class SubProcess(Activity, spiff.SubWorkflowTask):
    """An embedded sub-process: STARTED while its scope lives."""

    has_scope = True

    def enter(self, token: Token) -> bool:
        token._set_state(STARTED)
        token.workflow.top_workflow.open_scope(token)
        return False
