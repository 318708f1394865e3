"""Tasks and sub-processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn.specs import defaults as spiff

from bpmn.expressions import Expression, Script
from bpmn.specs.contract import Token
from bpmn.specs.events import throw
from bpmn.specs.nodes import STARTED, WAITING, Node

if TYPE_CHECKING:
    from bpmn.specs.loops import Loop


class Activity(Node):
    """What all activities share: their boundary events are armed when they are entered.

    `loop` is set where the activity is the body of one: the flows and boundary events are then the loop's.
    """

    loop: Loop | None = None
    needs = 1
    """How many tokens have to arrive before it begins (startQuantity)."""
    produces = 1
    """How many tokens leave by each flow (completionQuantity)."""

    @property
    def is_join(self) -> bool:  # type: ignore[override]
        return self.needs > 1

    def _update_hook(self, token: Token) -> bool:
        scope = token.workflow
        if self.needs > 1 and not self._gathered(token):
            return False
        for boundary in self.boundaries:
            scope.top_workflow.arm(scope.put(boundary, parent=token, state=WAITING))
        return self.enter(token)

    def _gathered(self, token: Token) -> bool:
        """Whether enough tokens are here; they have then become this one."""
        token._set_state(WAITING)
        here = token.workflow.waiting_at(self)[-self.needs :]
        if len(here) == self.needs:
            token.workflow.merge(token, here)
        return len(here) == self.needs

    def enter(self, token: Token) -> bool:
        """True: runnable. False: something below the token is at work."""
        return True

    def _on_complete(self, token: Token) -> None:
        top = token.workflow.top_workflow
        if "back" in token.internal_data:  # it has compensated something
            top.compensated(token)
        elif self.loop is not None:
            self.loop.round_done(token)
        else:
            flows = list(self.route(token)) * self.produces  # may fail: nothing has been changed yet
            top.record_done(token)
            token.workflow.emit(token, flows)


class NoneActivity(Activity, spiff.NoneTask):
    """A task of no kind: passed through."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manual = False  # the library leaves it to a person


class ManualActivity(NoneActivity):
    """Work that no system has a part in: passed through, as the standard says of execution (BPMN 2.0.2, 13.3.3)."""


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


class SendActivity(Activity, spiff.SendTask):
    """Sends a message and goes on."""

    def _run_hook(self, token: Token) -> bool | None:
        return throw(token, self.events) or None


class ReceiveActivity(Activity, spiff.ReceiveTask):
    """Waits for a message."""

    passive = True

    def enter(self, token: Token) -> bool:
        token._set_state(WAITING)
        token.workflow.top_workflow.arm(token)
        return False


class SubProcess(Activity, spiff.SubWorkflowTask):
    """An embedded sub-process: STARTED while its scope lives."""

    has_scope = True

    def enter(self, token: Token) -> bool:
        token._set_state(STARTED)
        token.workflow.top_workflow.open_scope(token)
        return False


class Transaction(SubProcess):
    """A sub-process that can be cancelled from inside: what it has done is then compensated."""


class CallActivity(SubProcess):
    """Runs another process of the file, which has variables of its own.

    Without mappings it is given copies of all that the caller sees, and gives back all that it has.
    """

    input_map: tuple[tuple[str, Expression], ...] = ()
    output_map: tuple[tuple[str, Expression], ...] = ()


class EventSubProcess(SubProcess):
    """Its WAITING token is the subscription, one for each start of the scope; the STARTED one is the running handler.

    `events` are those of its start event.
    """

    is_interrupting: bool
    passive = True

    def _update_hook(self, token: Token) -> bool:
        token._set_state(WAITING)
        token.workflow.top_workflow.arm(token)
        return False
