"""The clock that leases are measured on. It only counts forward, and never is a worker's wall clock.

SQLite lives on one machine: milliseconds since boot, and a lease from before a restart has passed. PostgreSQL: the
server's clock. See docs/explanation/durability.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.clock import Clock


@dataclass(frozen=True)
class LeaseClock:
    """Gives lease times for a session's database."""

    clock: Clock

    def now_ms(self, session: Session) -> int:
        """Milliseconds on the lease clock."""
        if session.get_bind().dialect.name == "postgresql":
            seconds = session.scalar(text("SELECT extract(epoch FROM clock_timestamp()) * 1000"))
            return int(seconds or 0)
        return self.clock.ticks_ms()

    def owner(self, session: Session, worker: str) -> str:
        """Who holds a lease. On SQLite it names the boot too: after a restart nobody of before is alive."""
        if session.get_bind().dialect.name == "postgresql":
            return worker
        return f"{self.clock.boot_id()}/{worker}"
