"""Incidents (异常单) as operators see them: lists, groups with one cause, and the re-run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.identity.actor import Actor
from engine.identity.scope import IncidentColumns, visible_incidents
from engine.jobs.model import Incident, Job
from engine.runtime.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Group:
    """Open incidents with the same cause."""

    fingerprint: str
    code: str
    message: str
    count: int
    first_seen: datetime


def _visible(query: Select[Incident], actor: Actor) -> Select[Incident]:
    return visible_incidents(query, actor, IncidentColumns(Incident.area))


def incidents(
    session: Session,
    actor: Actor,
    *,
    state: str = "open",
    fingerprint: str | None = None,
    business_key: str | None = None,
    after: int | None = None,
    limit: int = 50,
) -> tuple[Sequence[Incident], str | None]:
    """A page, newest first, and the cursor of the next."""
    query = _visible(select(Incident).where(Incident.state == state), actor)
    if fingerprint:
        query = query.where(Incident.fingerprint == fingerprint)
    if business_key:
        query = query.where(Incident.business_key == business_key)
    if after is not None:
        query = query.where(Incident.id < after)
    found = session.scalars(query.order_by(Incident.id.desc()).limit(limit + 1)).all()
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else None


def groups(session: Session, actor: Actor, limit: int = 50) -> list[Group]:
    """Open incidents by cause, most frequent first."""
    seen = _visible(select(Incident).where(Incident.state == "open"), actor).subquery()
    query = (
        select(
            seen.c.fingerprint,
            func.min(seen.c.code),
            func.max(seen.c.message),
            func.count(),
            func.min(seen.c.created_at),
        )
        .group_by(seen.c.fingerprint)
        .order_by(func.count().desc(), seen.c.fingerprint)
        .limit(limit)
    )
    return [Group(*row) for row in session.execute(query)]


def get_incident(session: Session, actor: Actor, incident_id: int) -> Incident:
    """One incident that the actor may see. Raises `NotFound`."""
    found = session.scalars(_visible(select(Incident).where(Incident.id == incident_id), actor)).one_or_none()
    if found is None:
        raise NotFound(what="incident", id=incident_id)
    return found


def retry_incident(
    session: Session, kernel: Kernel, actor: Actor, incident_id: int, *, at: datetime
) -> Incident:
    """Queues the failed step again, with the same key outside. Raises `NotAllowed`, `NotFound`, `NotWaiting`."""
    actor.require("retry_incident")
    incident = get_incident(session, actor, incident_id)
    kernel.retry(session, incident, at=at, actor=actor.login)
    return incident


def job_state(session: Session, incident: Incident) -> str | None:
    """How the job behind an incident stands now: ready, running, done, incident; None where there is no job."""
    job = session.get(Job, incident.job_id) if incident.job_id is not None else None
    return job.state if job is not None else None


def is_open_again(session: Session, incident: Incident) -> bool:
    """Whether the same step has failed once more since it was queued for a re-run."""
    query = select(Incident.id).where(
        Incident.instance_id == incident.instance_id,
        Incident.token_id == incident.token_id,
        Incident.state == "open",
    )
    return session.scalar(query.limit(1)) is not None


def open_count(session: Session, actor: Actor) -> int:
    """How many open incidents the actor sees."""
    seen = _visible(select(Incident).where(Incident.state == "open"), actor)
    return session.scalar(select(func.count()).select_from(seen.subquery())) or 0


def open_incidents_of(session: Session, actor: Actor, instance_ids: Collection[int]) -> Sequence[Incident]:
    """Open incidents of some instances that the actor may see, newest first."""
    query = select(Incident).where(Incident.instance_id.in_(set(instance_ids)), Incident.state == "open")
    return session.scalars(_visible(query, actor).order_by(Incident.id.desc())).all()


def instances_held_up(session: Session, instance_ids: Collection[int]) -> frozenset[int]:
    """Which of these instances have an open incident; scoped by whoever found them."""
    query = select(Incident.instance_id).where(
        Incident.instance_id.in_(set(instance_ids)), Incident.state == "open"
    )
    return frozenset(found for found in session.scalars(query) if found is not None)
