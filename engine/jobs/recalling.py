"""Taking back jobs whose input has changed after a worker has read it: nothing old may be sent any more."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.jobs.ledger import OPEN_STATES
from engine.jobs.model import AdapterCall, Job

_NEVER = "order.undo"
"""It takes back whatever is in the ledger; no variable of the process matters to it."""


def recall(session: Session, instance_id: int, at: datetime) -> None:
    """Service jobs of the instance that a worker has in its hands become ready again, but for calls that are out already.

    The caller holds the instance's row, which a worker has to have to say that a call goes out: so none can slip through.
    """
    query = select(Job).where(Job.instance_id == instance_id, Job.kind == "service", Job.state == "running")
    found = [job for job in session.scalars(query) if job.payload.get("operation") != _NEVER]
    if not found:
        return
    out = select(AdapterCall.key).where(
        AdapterCall.key.in_([job.key for job in found]), AdapterCall.state.in_((*OPEN_STATES, "DONE"))
    )
    sent = set(session.scalars(out))
    for job in found:
        if job.key not in sent:
            job.state, job.due_at, job.lease_until, job.claims = "ready", at, None, 0
            job.fence += 1
