"""Runs the job of a service task: inputs by its mappings, the operation, and the result back into the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.orm import Session

from bpmn.expressions import ExpressionError
from bpmn.specs import ServiceActivity
from engine.clock import Clock
from engine.errors import NeedsHuman, Permanent
from engine.jobs import queue
from engine.jobs.lease import LeaseClock
from engine.jobs.ledger import Ledger, Place
from engine.jobs.model import Job
from engine.jobs.queue import Claim
from engine.ports import Adapter, Call, CallListener
from engine.runtime import variables
from engine.runtime.kernel import Kernel
from engine.store import Store
from tasks.service.undo import UNDO, StillOut, undo_instance

Fail = Callable[..., None]


class Adapters(Protocol):
    """Where operations of outside systems are found."""

    def adapter_for(self, operation_name: str) -> Adapter: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What a job needs to be done, read in one look."""

    claim: Claim
    operation: str
    args: Mapping[str, Any]
    business_key: str


class ServiceRunner:
    """The handler of jobs of kind `service`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        kernel: Kernel,
        adapters: Adapters,
        fail: Callable[[], Fail],
        listeners: Sequence[CallListener] = (),
    ) -> None:
        self.store, self.clock, self.kernel = store, clock, kernel
        self.adapters = adapters
        self.ledger, self.lease = Ledger(store, clock), LeaseClock(clock)
        self._fail, self.listeners = fail, tuple(listeners)

    def __call__(self, claim: Claim) -> None:
        """Does the job. Business refusals and what only a person can mend are recorded; the rest is raised and retried."""
        request = self._request(claim)
        if request is None:
            with self.store.write() as session:
                queue.let_go(session, claim)
            return
        try:
            if request.operation == UNDO:
                undo_instance(self.ledger, self.adapters, request.claim, self.lease)
                self._finish(request, {})
            else:
                self._outside(request)
        except queue.ClaimLost:
            with self.store.write() as session:
                queue.let_go(session, claim)
        except StillOut as e:
            self._wait(request, e)
        except Permanent as e:
            self._refused(request, e)
        except NeedsHuman as e:
            self._fail()(claim, e.code, str(e), final=True)

    def _request(self, claim: Claim) -> Request | None:
        instance_id, token_id = queue.place_of(claim)
        now = self.clock.now()
        with self.store.read() as session:
            top = self.kernel.inspect(session, instance_id, now)
        token = top.by_id.get(token_id)
        node = token.task_spec if token is not None else None
        if token is None or not isinstance(node, ServiceActivity):
            return None  # cancelled meanwhile; the job's row says so
        seen = variables.view(top, token)
        try:
            args = {name: expression.evaluate(seen, now=now) for name, expression in node.input_map}
        except ExpressionError as e:  # the designer's or the operator's to mend
            self._fail()(claim, "step.input", str(e), final=True)
            return None
        return Request(claim, node.attributes["operation"], args, top.business_key)

    def _outside(self, request: Request) -> None:
        adapter = self.adapters.adapter_for(request.operation)
        call = Call(request.operation, request.claim.key, request.args, request.claim.attempts + 1)
        needed = int(adapter.operations()[request.operation].timeout_s * 1000)

        def guard(session: Any) -> None:
            queue.ensure_sendable(session, request.claim, self.lease, needed)

        place = Place(request.claim.instance_id, request.claim.element)
        self._finish(request, self.ledger.perform(adapter, call, place, guard))

    def _finish(self, request: Request, output: Mapping[str, Any]) -> None:
        now = self.clock.now()
        instance_id, _ = queue.place_of(request.claim)

        def write(session: Session, job: Job) -> None:
            self._complete(session, job, output, now)
            for listener in self.listeners:
                listener.on_result(session, request.operation, request.args, output, now, instance_id)

        self._record(request, write)

    def _wait(self, request: Request, error: StillOut) -> None:
        due = self.clock.now() + timedelta(seconds=1)
        self._record(
            request,
            lambda _, job: queue.postpone(job, error.code, str(error), due_at=due, counts=False),
        )

    def _refused(self, request: Request, error: Permanent) -> None:
        now, detail = self.clock.now(), str(error.facts.get("detail", error))

        def write(session: Session, job: Job) -> None:
            self.kernel.business_error(session, job, error.bpmn_code, detail, at=now)
            for listener in self.listeners:
                listener.on_refusal(session, request.operation, request.args, error.bpmn_code, detail, now)

        self._record(request, write)

    def _record(self, request: Request, write: Callable[[Any, Job], None]) -> None:
        """Writes a result if the job is still ours; one that was cancelled meanwhile is let go of, for the undo."""

        def work(session: Session) -> None:
            job = queue.held(session, request.claim)
            if job is None:
                queue.let_go(session, request.claim)
            else:
                write(session, job)

        self.store.run(work)

    def _complete(self, session: Any, job: Job, output: Mapping[str, Any], now: datetime) -> None:
        instance_id, token_id = queue.place_of(job)
        queue.finish(job, now)
        self.kernel.complete_service(session, instance_id, token_id, output, at=now)
