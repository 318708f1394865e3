"""Who gets a task: the crew of the area with the skill; of several, the one with the fewest open tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from engine.store.prepared import Prepared
from tasks.field.model import Crew
from tasks.model import Task

_ACTIVE = Prepared(select(Crew.id, Crew.areas, Crew.skills).where(Crew.active.is_(True)).order_by(Crew.id))
_LOAD = Prepared(
    select(func.count()).select_from(Task).where(Task.crew_id == bindparam("crew"), Task.closed_at.is_(None))
)


class Dispatch:
    """The choices of one step. Crews and their loads are asked for once; what the step itself gives out is added."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._crews: Sequence[Any] | None = None
        self._load: dict[str, int] = {}

    def is_crew(self, crew: str) -> bool:
        """Whether there is an active crew of this id."""
        return any(c.id == crew for c in self._active())

    def _active(self) -> Sequence[Any]:
        if self._crews is None:
            self._crews = _ACTIVE.rows(self._session)
        return self._crews

    def choose(self, area: str, skill: str, without: Collection[str] = ()) -> str | None:
        """The crew's id; None where no active crew fits: a dispatcher then assigns by hand."""
        able = (c for c in self._active() if area in c.areas and skill in c.skills)
        fitting = [c.id for c in able if c.id not in without]
        if not fitting:
            return None
        for crew in fitting:
            if crew not in self._load:
                self._load[crew] = int(_LOAD.value(self._session, crew=crew) or 0)
        chosen: str = min(fitting, key=lambda c: (self._load[c], c))
        self._load[chosen] += 1
        return chosen
