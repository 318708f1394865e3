"""The table of crews."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, word
from engine.store.base import name as title


class Crew(Base):
    """A crew (班组): its areas, and its skills with a level, for example {"FTTH": 3}."""

    __tablename__ = "crew"

    id: Mapped[word] = mapped_column(primary_key=True)
    name: Mapped[title]
    name_en: Mapped[title]
    employer: Mapped[word | None]
    areas: Mapped[list[str]]
    skills: Mapped[dict[str, Any]]
    people: Mapped[int] = mapped_column(default=0, server_default="0")
    visits_a_day: Mapped[int] = mapped_column(default=6, server_default="6")
    window_minutes: Mapped[int] = mapped_column(default=120, server_default="120")  # length of an appointment
    active: Mapped[bool] = mapped_column(default=True)
