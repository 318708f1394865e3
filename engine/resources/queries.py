"""Reading master data of places."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.resources.model import Area


def area_names(session: Session) -> dict[str, tuple[str, str]]:
    """Names (zh, en) of all areas by id."""
    return {area.id: (area.name, area.name_en) for area in session.scalars(select(Area))}
