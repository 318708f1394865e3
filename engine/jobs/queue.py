"""The job queue: claiming with lease and fence, giving results under the fence, retrying later.

A claim takes one job that is ready and due, or running with a lease that has passed. Jobs of one instance run one at
a time as far as their transactions go: the instance row is locked by the kernel, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from engine.jobs.lease import LeaseClock
from engine.jobs.model import Job
from engine.runtime.lock import lock_instance
from engine.store.base import table_of
from engine.store.prepared import inserting

POISON_CLAIMS = 5
"""Claims without a recorded result after which a job is taken for what kills its worker."""
LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker. Nothing is accepted for it under another fence."""

    job_id: int
    kind: str
    key: str
    fence: int
    attempts: int
    claims: int
    instance_id: int | None
    token_id: int | None
    element: str | None
    payload: dict[str, Any]
    lease_until: int


def claim(session: Session, worker: str, *, lease: LeaseClock, now: datetime, lease_ms: int) -> Claim | None:
    """Takes the most overdue job, if there is one."""
    job = _next(session, worker, lease, now)
    if job is None:
        return None
    until = lease.now_ms(session) + lease_ms
    job.state, job.owner, job.lease_until = "running", lease.owner(session, worker), until
    job.fence += 1
    job.claims += 1
    return Claim(
        job.id,
        job.kind,
        job.key,
        job.fence,
        job.attempts,
        job.claims,
        job.instance_id,
        job.token_id,
        job.element,
        job.payload,
        until,
    )


def _next(session: Session, worker: str, lease: LeaseClock, now: datetime) -> Job | None:
    ready = and_(Job.state == "ready", Job.due_at <= now)
    lapsed = and_(Job.state == "running", _lapsed(session, worker, lease))
    for condition in (ready, lapsed):
        query = select(Job).where(condition).order_by(Job.due_at).limit(1).with_for_update(skip_locked=True)
        job = session.scalars(query).first()
        if job is not None:
            return job
    return None


def _lapsed(session: Session, worker: str, lease: LeaseClock) -> Any:
    passed = Job.lease_until < lease.now_ms(session)
    if session.get_bind().dialect.name == "postgresql":
        return passed
    boot = lease.owner(session, worker).split("/", 1)[0]
    return or_(passed, Job.owner.notlike(f"{boot}/%"))


def place_of(work: Job | Claim) -> tuple[int, int]:
    """Instance and token of a service job. Raises `ValueError` for a job that has none."""
    if work.instance_id is None or work.token_id is None:
        raise ValueError(f"the job {work.key} belongs to no step")
    return work.instance_id, work.token_id


def held(session: Session, claimed: Claim) -> Job | None:
    """The job's row, locked, if the claim still counts. Its instance is locked first, as every command does."""
    if claimed.instance_id is not None:
        lock_instance(session, claimed.instance_id)
    query = select(Job).where(Job.id == claimed.job_id, Job.state == "running", Job.fence == claimed.fence)
    return session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).first()


class ClaimLost(Exception):
    """The job is no longer in this worker's hands: its result does not count, and nothing may be sent for it."""


def ensure_sendable(session: Session, claimed: Claim, lease: LeaseClock, needed_ms: int) -> None:
    """Raises `ClaimLost` unless the claim counts and its lease outlives a call of `needed_ms`."""
    if held(session, claimed) is None or claimed.lease_until - lease.now_ms(session) < needed_ms:
        raise ClaimLost()


def let_go(session: Session, claimed: Claim) -> None:
    """The worker is done with a job that was cancelled while it worked: nothing is on its way any more."""
    session.execute(
        update(Job)
        .where(Job.id == claimed.job_id, Job.fence == claimed.fence, Job.state == "cancelled")
        .values(lease_until=None)
    )


def still_out(session: Session, instance_id: int, worker: str, lease: LeaseClock) -> str | None:
    """The key of a cancelled job of the instance that a worker may still be busy with."""
    query = select(Job.key).where(
        Job.instance_id == instance_id,
        Job.state == "cancelled",
        Job.lease_until.is_not(None),
        ~_lapsed(session, worker, lease),
    )
    return session.scalars(query.limit(1)).first()


def finish(job: Job, at: datetime) -> None:
    """The work is done."""
    job.state, job.ended_at, job.lease_until, job.claims = "done", at, None, 0


def postpone(job: Job, code: str, message: str, *, due_at: datetime, counts: bool = True) -> None:
    """Try again later. A wait that is nobody's failure does not count."""
    job.state, job.due_at, job.lease_until, job.claims = "ready", due_at, None, 0
    job.error_code, job.error = code[:64], message[:1000]
    job.attempts += counts


def give_up(job: Job, code: str, message: str) -> None:
    """A person has to look at it."""
    job.state, job.lease_until, job.claims = "incident", None, 0
    job.error_code, job.error = code[:64], message[:1000]


def again(job: Job, at: datetime) -> None:
    """As if it had never been tried; its key stays, so that nothing outside happens twice."""
    job.state, job.attempts, job.claims, job.due_at, job.ended_at = "ready", 0, 0, at, None


def cancel(job: Job, at: datetime) -> None:
    """The step has ended without its job, whose worker knows it."""
    job.state, job.ended_at, job.lease_until, job.claims = "cancelled", at, None, 0


def give_back(session: Session, claimed: Claim) -> None:
    """On shutdown: somebody else may take it at once."""
    session.execute(
        update(Job)
        .where(Job.id == claimed.job_id, Job.fence == claimed.fence, Job.state == "running")
        .values(state="ready", lease_until=None, claims=Job.claims - 1)
    )


def release_all(session: Session) -> int:
    """Ends every lease. Only for the one supervisor of an embedded database, who knows that no worker is left."""
    result = session.execute(
        update(Job).where(Job.state == "running").values(state="ready", lease_until=None)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def pause_before(attempt: int, first: timedelta, share: float) -> timedelta:
    """How long to wait before try number `attempt` + 1: doubling, at most five minutes, ± 20 % by `share` in 0…1."""
    pause = min(first * (1 << min(attempt, 20)), LONGEST_PAUSE)
    return pause * (0.8 + 0.4 * share)


def enqueue(session: Session, kind: str, key: str, payload: dict[str, Any], at: datetime) -> bool:
    """A job without an instance, such as a call-back; False if the key is already there."""
    if session.scalar(select(Job.id).where(Job.key == key)) is not None:
        return False
    add(session, kind=kind, key=key, payload=payload, at=at)
    return True


_INSERT = inserting(table_of(Job), without=["id"])


def add(
    session: Session,
    *,
    kind: str,
    key: str,
    payload: dict[str, Any],
    at: datetime,
    instance_id: int | None = None,
    token_id: int | None = None,
    element: str | None = None,
) -> None:
    """A job that is due at once; its key must be new."""
    _INSERT.run(
        session,
        kind=kind,
        key=key,
        state="ready",
        instance_id=instance_id,
        token_id=token_id,
        element=element,
        payload=payload,
        due_at=at,
        owner=None,
        fence=0,
        claims=0,
        attempts=0,
        lease_until=None,
        error_code=None,
        error=None,
        created_at=at,
        ended_at=None,
    )
