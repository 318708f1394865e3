"""Who gets a task: the crew of the area with the skill; of several, the one with the fewest open tasks."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tasks.field.model import Crew
from tasks.model import Task


def choose_crew(session: Session, area: str, skill: str) -> Crew | None:
    """None where no active crew fits; a dispatcher then assigns by hand."""
    crews = session.scalars(select(Crew).where(Crew.active.is_(True)).order_by(Crew.id)).all()
    fitting = [c for c in crews if area in c.areas and skill in c.skills]
    if not fitting:
        return None
    query = (
        select(Task.crew_id, func.count())
        .where(Task.crew_id.in_([c.id for c in fitting]), Task.closed_at.is_(None))
        .group_by(Task.crew_id)
    )
    load = dict(session.execute(query).all())
    return min(fitting, key=lambda c: (load.get(c.id, 0), c.id))
