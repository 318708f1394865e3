"""Signs of life of our processes; what /readyz looks at."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.jobs.model import Heartbeat
from engine.store import Store

FORGOTTEN_AFTER = timedelta(hours=1)


def beat(store: Store, clock: Clock, kind: str) -> None:
    """This process is at work. Processes that have not been seen for an hour are forgotten."""
    now = clock.now()
    with store.write() as session:
        session.merge(Heartbeat(process=f"{kind}@{socket.gethostname()}:{os.getpid()}", kind=kind, at=now))
        session.execute(delete(Heartbeat).where(Heartbeat.at < now - FORGOTTEN_AFTER))


def last_seen(session: Session, kind: str) -> datetime | None:
    """When a process of a kind was last seen."""
    return session.scalar(select(func.max(Heartbeat.at)).where(Heartbeat.kind == kind))
