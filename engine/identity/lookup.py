"""The columns of a person that make an actor, so that a session or a token costs one query.

They are taken from the tables, not from the classes: such a query passes by the object mapper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, literal_column, select

from engine.identity.actor import Actor
from engine.identity.model import Person, Role
from engine.identity.rights import read_grants, rights_of

person = Person.__table__.c
_role = Role.__table__.c
_COLON: Any = literal_column(
    "':'"
)  # a text would become a parameter, which a prepared statement has to be given
_SEMICOLON: Any = literal_column("';'")
GRANTS = select(func.aggregate_strings(_role.code + _COLON + _role.rights, _SEMICOLON)).scalar_subquery()
"""The table of roles in one line, see `read_grants`: an actor holds what it says at this moment."""
ACTOR_COLUMNS = (
    person.id,
    person.login,
    person.name,
    person.roles,
    person.areas,
    person.crew_id,
    person.employer,
    person.locale,
    GRANTS.label("grants"),
)


def actor_from(row: Sequence[Any]) -> Actor:
    """The actor, from a row that begins with `ACTOR_COLUMNS`."""
    person_id, login, name, roles, areas, crew_id, employer, locale, grants = row[: len(ACTOR_COLUMNS)]
    mine = frozenset(roles)
    rights = rights_of(mine, read_grants(grants))
    return Actor(person_id, login, name, mine, rights, frozenset(areas), crew_id, employer, locale)
