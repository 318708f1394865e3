"""Messages and signals on their way from one instance to others: jobs, written with the step that threw them.

A message goes to whoever waits for its name and key, and is kept for a while if nobody does. A signal goes to everybody
who waits for its name at that moment; each hears it in a transaction of its own, once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.jobs import queue
from engine.jobs.queue import Claim
from engine.runtime.instance import Instance
from engine.runtime.lock import Held
from engine.runtime.model import Subscription
from engine.store import Store

if TYPE_CHECKING:
    from engine.runtime.kernel import Kernel

KEPT_FOR = timedelta(days=7)
AT_ONCE = 500
"""So many instances are told of a signal by one job; the next job goes on."""


def send(session: Session, row: Held, top: Instance) -> None:
    """A job for each message and signal of the step. The instance itself has heard its own signals already."""
    for n, sent in enumerate(top.outbox):
        payload = {"name": sent.name, "key": sent.key, "values": dict(sent.values), "source": row.id}
        key = f"{sent.kind}:{row.id}:{row.version}:{n}"
        queue.add(session, kind=sent.kind, key=key, payload=payload, at=top.now)


class Router:
    """The handlers of these jobs, and of those that only move an instance on."""

    def __init__(self, store: Store, clock: Clock, kernel: Kernel) -> None:
        self.store, self.clock, self.kernel = store, clock, kernel

    def advance(self, claim: Claim) -> None:
        """Moves an instance on that had used up its budget, or was started without moving."""
        instance_id, now = claim.instance_id, self.clock.now()
        if instance_id is not None:
            self._do(claim, lambda session: self.kernel.advance(session, instance_id, at=now))

    def message(self, claim: Claim) -> None:
        """Delivers a message, or keeps it; a repeat of the job finds that it is done."""
        sent, now = claim.payload, self.clock.now()

        def work(session: Session) -> None:
            self.kernel.publish(
                session,
                sent["name"],
                sent["key"],
                sent["values"],
                at=now,
                actor="system",
                until=now + KEPT_FOR,
                message_id=claim.key,
            )

        self._do(claim, work)

    def signal(self, claim: Claim) -> None:
        """Tells one instance, or finds out who is to be told."""
        name, now = claim.payload["name"], self.clock.now()
        instance_id = claim.instance_id
        if instance_id is None:
            self._do(claim, lambda session: self._spread(session, claim))
        else:
            self._do(claim, lambda session: self.kernel.signal(session, instance_id, name, at=now))

    def _spread(self, session: Session, claim: Claim) -> None:
        name, source, after = (claim.payload.get(k) for k in ("name", "source", "after"))
        query = (
            select(Subscription.instance_id)
            .where(Subscription.kind == "signal", Subscription.name == name, Subscription.key == "")
            .where(Subscription.instance_id > (after or 0))
            .distinct()
            .order_by(Subscription.instance_id)
            .limit(AT_ONCE)
        )
        found, now = session.scalars(query).all(), self.clock.now()
        first = claim.payload.get("first", claim.key)
        for ident in found:
            if ident != source:
                queue.add(
                    session,
                    kind="signal",
                    key=f"{first}:{ident}",
                    payload={"name": name},
                    at=now,
                    instance_id=ident,
                )
        if len(found) == AT_ONCE:
            rest = {"name": name, "source": source, "after": found[-1], "first": first}
            queue.add(session, kind="signal", key=f"{first}:after:{found[-1]}", payload=rest, at=now)

    def _do(self, claim: Claim, work: Callable[[Session], Any]) -> None:
        """The job and what it does, in one transaction."""

        def both(session: Session) -> None:
            job = queue.held(session, claim)
            if job is not None:
                queue.finish(job, self.clock.now())
                work(session)

        self.store.run(both)
