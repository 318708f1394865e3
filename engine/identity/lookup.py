"""The columns of a person that make an actor, so that a session or a token costs one query.

They are taken from the tables, not from the classes: such a query passes by the object mapper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.identity.actor import Actor
from engine.identity.model import Person

person = Person.__table__.c
ACTOR_COLUMNS = (
    person.id,
    person.login,
    person.name,
    person.roles,
    person.areas,
    person.crew_id,
    person.employer,
    person.locale,
)


def actor_from(row: Sequence[Any]) -> Actor:
    """The actor, from a row that begins with `ACTOR_COLUMNS`."""
    person_id, login, name, roles, areas, crew_id, employer, locale = row[: len(ACTOR_COLUMNS)]
    return Actor(person_id, login, name, frozenset(roles), frozenset(areas), crew_id, employer, locale)
