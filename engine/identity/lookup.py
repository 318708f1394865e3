"""The columns of a person that make an actor, so that a session or a token costs one query."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from engine.identity.actor import Actor
from engine.identity.model import Person

ACTOR_COLUMNS = (
    Person.id,
    Person.login,
    Person.name,
    Person.roles,
    Person.areas,
    Person.crew_id,
    Person.employer,
    Person.locale,
)


def actor_from(row: Row[*tuple[Any, ...]]) -> Actor:
    """The actor, from a row that begins with `ACTOR_COLUMNS`."""
    person_id, login, name, roles, areas, crew_id, employer, locale = row[: len(ACTOR_COLUMNS)]
    return Actor(person_id, login, name, frozenset(roles), frozenset(areas), crew_id, employer, locale)
