"""Reading crews."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tasks.field.model import Crew


def crew_names(session: Session) -> dict[str, tuple[str, str]]:
    """Names (zh, en) of all crews by id."""
    return {crew.id: (crew.name, crew.name_en) for crew in session.scalars(select(Crew))}
