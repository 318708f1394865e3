"""Our task specs: SpiffWorkflow's own classes with a `Node` in front that moves tokens instead of growing a task tree.

Behaviour only, no I/O: what a node needs of the running instance is `contract.Instance`; only `engine.runtime` drives it.
"""

from bpmn.specs.activities import (
    Activity,
    CallActivity,
    EventSubProcess,
    ManualActivity,
    NoneActivity,
    ReceiveActivity,
    ScriptActivity,
    SendActivity,
    ServiceActivity,
    SubProcess,
    Transaction,
    UserActivity,
)
from bpmn.specs.definitions import (
    CancelCatch,
    CancelThrow,
    CompensationCatch,
    CompensationThrow,
    ConditionCatch,
    ErrorCatch,
    EscalationCatch,
    MessageCatch,
    MessageThrow,
    SignalCatch,
    SignalThrow,
    TimerCatch,
)
from bpmn.specs.events import Boundary, Catch, End, Start, Throw
from bpmn.specs.gateways import EventBased, Exclusive, Inclusive, Parallel
from bpmn.specs.loops import Loop, ParallelMultiInstance, SequentialMultiInstance, StandardLoop
from bpmn.specs.nodes import BpmnError, Flow, Node, NoFlowTrue
from bpmn.specs.process import ProcessSpec

__all__ = [
    "Activity",
    "Boundary",
    "BpmnError",
    "CallActivity",
    "CancelCatch",
    "CancelThrow",
    "Catch",
    "CompensationCatch",
    "CompensationThrow",
    "ConditionCatch",
    "End",
    "ErrorCatch",
    "EscalationCatch",
    "EventBased",
    "EventSubProcess",
    "Exclusive",
    "Flow",
    "Inclusive",
    "Loop",
    "ManualActivity",
    "MessageCatch",
    "MessageThrow",
    "NoFlowTrue",
    "Node",
    "NoneActivity",
    "Parallel",
    "ParallelMultiInstance",
    "ProcessSpec",
    "ReceiveActivity",
    "ScriptActivity",
    "SendActivity",
    "SequentialMultiInstance",
    "ServiceActivity",
    "SignalCatch",
    "SignalThrow",
    "StandardLoop",
    "Start",
    "SubProcess",
    "Throw",
    "TimerCatch",
    "Transaction",
    "UserActivity",
]
