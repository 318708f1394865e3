"""Whether this installation can work, and a few figures about it. Every question is cheap, however full the tables are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.errors import KaitongError
from engine.jobs.heartbeat import last_seen
from engine.jobs.model import Incident, Job
from engine.orders.model import ServiceOrder
from engine.store import Store
from engine.store.migrate import check

SILENT_AFTER = timedelta(seconds=30)
MOST = 10_000
"""Nothing is counted further than this."""
JOB_STATES = ("ready", "running", "incident")
ORDER_STATES = (
    "acknowledged",
    "inProgress",
    "pending",
    "held",
    "assessingCancellation",
    "pendingCancellation",
    "cancelled",
    "completed",
    "failed",
    "partial",
    "rejected",
)


@dataclass(frozen=True, slots=True)
class Ailment:
    """Why orders would not get on."""

    code: str
    message: str


def ailments(store: Store, now: datetime) -> list[Ailment]:
    """What is wrong: the database, its migrations, a worker or ticker that is silent. Empty when all is well."""
    try:
        check(store)
        with store.read() as session:
            return _silent(session, now)
    except KaitongError as e:
        return [Ailment(e.code, e.text())]
    except SQLAlchemyError as e:
        return [Ailment("database.away", f"The database does not answer ({type(e).__name__}).")]


def _silent(session: Session, now: datetime) -> list[Ailment]:
    found = []
    for kind, needed in (("worker", True), ("ticker", False)):
        seen = last_seen(session, kind)
        if seen is None and needed:
            found.append(Ailment(f"{kind}.missing", f"No {kind} has been seen."))
        elif seen is not None and now - seen > SILENT_AFTER:
            silence = int((now - seen).total_seconds())
            found.append(Ailment(f"{kind}.silent", f"The {kind} was last seen {silence} seconds ago."))
    return found


def seconds_silent(session: Session, kind: str, now: datetime) -> float | None:
    """How long ago a process of a kind was seen."""
    seen = last_seen(session, kind)
    return None if seen is None else max(0.0, (now - seen).total_seconds())


def jobs_by_state(session: Session) -> dict[str, int]:
    """Jobs that are not done."""
    return {s: _count(session, select(Job.id).where(Job.state == s)) for s in JOB_STATES}


def orders_by_state(session: Session) -> dict[str, int]:
    """Orders of all sources and areas."""
    return {s: _count(session, select(ServiceOrder.id).where(ServiceOrder.state == s)) for s in ORDER_STATES}


def open_incidents(session: Session) -> int:
    """Incidents that nobody has mended."""
    return _count(session, select(Incident.id).where(Incident.state == "open"))


def _count(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.limit(MOST).subquery())) or 0
