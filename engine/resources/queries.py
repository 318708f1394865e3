"""Reading master data of places."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.resources.model import Area, NetworkNode


def area_names(session: Session) -> dict[str, tuple[str, str]]:
    """Names (zh, en) of all areas by id."""
    return {area.id: (area.name, area.name_en) for area in session.scalars(select(Area))}


def nodes(session: Session) -> Sequence[NetworkNode]:
    """The operator's devices."""
    return session.scalars(select(NetworkNode).order_by(NetworkNode.id)).all()
