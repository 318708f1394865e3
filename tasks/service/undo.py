"""Taking back what an order has done outside: its calls in the ledger, last first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Retryable
from engine.jobs import queue
from engine.jobs.lease import LeaseClock
from engine.jobs.ledger import Ledger
from engine.jobs.local import TARGET
from engine.jobs.queue import Claim
from engine.ports import Undo

if TYPE_CHECKING:
    from tasks.service.runner import Adapters

UNDO = "order.undo"


class StillOut(Retryable):
    """A call of this order is still on its way at {target}; what it does is undone when it is back."""

    code = "undo.still_out"


def undo_instance(ledger: Ledger, adapters: Adapters, claim: Claim, lease: LeaseClock) -> None:
    """Undoes every call of the claim's instance that can be undone; harmless when repeated.

    A call that another worker still has in its hands is waited for: undoing it too early would leave it behind.
    """
    instance_id, _ = queue.place_of(claim)
    with ledger.store.read() as session:
        out = queue.still_out(session, instance_id, "", lease)
    if out is not None:
        raise StillOut(target=out)
    for row in ledger.calls_of(instance_id):
        if row.target == TARGET:
            continue  # rows of our own: the diagram's own steps give back what it holds
        adapter = adapters.adapter_for(row.operation)
        if adapter.operations()[row.operation].undo is not Undo.NONE:
            ledger.undo(adapter, row.key)
