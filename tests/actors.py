"""Actors without a database: people who hold what the shipped table of roles grants."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.identity import Actor
from engine.identity.model import Role
from engine.identity.rights import Grants, rights_of
from engine.masterdata.loading import shipped_rows

ROLES = {row["code"]: row for row in shipped_rows("engine.masterdata", "role")}
GRANTS: Grants = {code: frozenset(row["rights"].split()) for code, row in ROLES.items()}


def an_actor(*roles: str, person_id: int = 99, login: str = "x", **more: Any) -> Actor:
    """Somebody with some roles."""
    held = frozenset(roles)
    return Actor(person_id, login, login, held, rights_of(held, GRANTS), **more)


def add_roles(session: Session) -> None:
    """The shipped table of roles in a database that has nothing else."""
    session.add_all(Role(**row) for row in ROLES.values())
    session.flush()
