"""The handler of jobs of kind `compare`: asks a partner for its open orders, and compares them with ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.clock import Clock
from engine.jobs import queue
from engine.jobs.queue import Claim
from engine.partners.comparison import compare
from engine.ports import Call
from engine.store import Store

if TYPE_CHECKING:
    from tasks.service.runner import Adapters

OPERATION = "partner.orders.list"


class CompareJob:
    """Reads outside any transaction, then records; a partner that is away is asked again later."""

    def __init__(self, store: Store, clock: Clock, adapters: Adapters) -> None:
        self.store, self.clock, self.adapters = store, clock, adapters

    def __call__(self, claim: Claim) -> None:
        """Raises the adapter's errors: the worker tries again."""
        partner = str(claim.payload["partner"])
        adapter = self.adapters.adapter_for(OPERATION)
        call = Call(OPERATION, claim.key, {"partner": partner})
        listed = adapter.apply(call, adapter.plan(call)).output["orders"]
        now = self.clock.now()
        with self.store.write() as session:
            job = queue.held(session, claim)
            if job is not None:
                compare(session, partner, listed, now)
                queue.finish(job, now)
