"""Firing the rungs that are due: an event for the history, a message for the people who have to know.

Any process may sweep at any time. A sweep locks the clocks it works on and leaves those that another process holds, so
each rung fires once, however many sweeps run and whenever they are killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.events import record
from engine.identity.inbox import tell
from engine.orders.jeopardy import foresee
from sla.clocks import orders_of
from sla.model import SlaClock, SlaRung

ACTOR = "sla"
LIMIT_REACHED = 100
SUPERVISORS_FROM = 80


class Holders(Protocol):
    """Who has to know; implemented where tasks and people are known."""

    def holder_ids(self, session: Session, business_key: str, token_id: int) -> Sequence[int]:
        """People who hold the task of this instance; token 0: those who hold the open tasks of the whole order."""

    def supervisor_ids(self, session: Session, area: str | None) -> Sequence[int]:
        """Supervisors (role SV) of an area; without an area, all supervisors."""


def is_due(session: Session, now: datetime) -> bool:
    """Whether a sweep would find something: a look that takes no lock."""
    return session.scalars(_due_clock_ids(now).limit(1)).first() is not None


class Sweep:
    """Fires rungs. Holds no state of its own."""

    def __init__(self, holders: Holders) -> None:
        self._holders = holders

    def sweep(self, session: Session, now: datetime, limit: int = 500) -> int:
        """Fires what is due at `now`, oldest first, and says how many rungs that were; fewer than `limit`: all done.

        Of several rungs of one clock that are due together, all fire but only the highest tells people.
        """
        clocks = _claim(session, now, limit)
        rungs = _due_rungs(session, list(clocks), now)
        orders = orders_of(session, clocks.values())
        for rung in rungs:
            _fire(session, clocks[rung.clock_id], rung, orders[rung.clock_id], now)
        supervisors: dict[str | None, Sequence[int]] = {}
        highest = {rung.clock_id: rung for rung in rungs}  # they come lowest first: the last one stays
        for clock_id, rung in highest.items():
            self._tell(session, clocks[clock_id], rung, orders[clock_id], now, supervisors)
        return len(rungs)

    def _tell(
        self,
        session: Session,
        clock: SlaClock,
        rung: SlaRung,
        order: str,
        now: datetime,
        supervisors: dict[str | None, Sequence[int]],
    ) -> None:
        if rung.percent < SUPERVISORS_FROM:
            people = self._holders.holder_ids(session, clock.business_key, clock.token_id)
        else:
            if clock.area not in supervisors:
                supervisors[clock.area] = self._holders.supervisor_ids(session, clock.area)
            people = supervisors[clock.area]
        breach = rung.percent >= LIMIT_REACHED
        tell(
            session,
            people,
            f"sla:{clock.id}:{rung.percent}",
            "sla.breach" if breach else "sla.warning",
            "late" if breach else "warn",
            {
                "order": order,
                "element": clock.element,
                "area": clock.area,
                **_facts(clock, rung),
            },
            now,
        )


def _due_clock_ids(now: datetime) -> Select[int]:
    return (
        select(SlaClock.id)
        .join(SlaRung, SlaRung.clock_id == SlaClock.id)
        .where(SlaRung.fired_at.is_(None), SlaRung.due_at <= now, SlaClock.state == "running")
        .order_by(SlaRung.due_at)
    )


def _claim(session: Session, now: datetime, limit: int) -> dict[int, SlaClock]:
    """Locks the clocks of the `limit` oldest rungs. The clock is locked, not the rung: ending a clock locks it too."""
    ids = session.scalars(
        _due_clock_ids(now).limit(limit).with_for_update(of=SlaClock, skip_locked=True)
    ).all()
    clocks = session.scalars(
        select(SlaClock)
        .where(SlaClock.id.in_(set(ids)), SlaClock.state == "running")
        .execution_options(populate_existing=True)
    )
    return {clock.id: clock for clock in clocks}


def _due_rungs(session: Session, clock_ids: Sequence[int], now: datetime) -> list[SlaRung]:
    """Asked after the lock is held: what another sweep fired meanwhile is no longer among them.

    Only the clocks are asked for, so that the primary key is used and a batch costs the same however long the backlog.
    """
    rungs = session.scalars(
        select(SlaRung)
        .where(SlaRung.clock_id.in_(clock_ids))
        .order_by(SlaRung.clock_id, SlaRung.percent)
        .execution_options(populate_existing=True)
    )
    return [rung for rung in rungs if rung.fired_at is None and rung.due_at <= now]


def _fire(session: Session, clock: SlaClock, rung: SlaRung, order: str, now: datetime) -> None:
    rung.fired_at = now
    if clock.subject == "order":
        foresee(session, order, rung.percent, name=clock.label, due_at=clock.due_at, at=now)
    clock.level = max(clock.level, rung.percent)
    breach = rung.percent >= LIMIT_REACHED
    record(
        session,
        "SlaBreached" if breach else "SlaWarned",
        at=now,
        actor=ACTOR,
        business_key=order,
        instance_id=clock.instance_id,
        element=clock.element,
        **_facts(clock, rung),
        **({"priority": True} if breach else {}),
    )


def _facts(clock: SlaClock, rung: SlaRung) -> dict[str, Any]:
    """What screens put into words. `due` is the clock's limit, not the time of the rung."""
    return {
        "subject": clock.subject,
        "percent": rung.percent,
        "due": clock.due_at.isoformat(),
        "label": clock.label,
        "label_en": clock.label_en,
    }
