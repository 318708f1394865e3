"""Who is asking: the person or machine behind a request, as values. Read from the database once per request."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import NotAllowed
from engine.identity.rights import MACHINE, RIGHTS, rights_of


@dataclass(frozen=True)
class Actor:
    """`rights` are those of the roles; `areas` empty means all areas; `scopes` None means all of the rights."""

    person_id: int
    login: str
    name: str
    roles: frozenset[str]
    rights: frozenset[str]
    areas: frozenset[str] = frozenset()
    crew_id: str | None = None
    employer: str | None = None
    locale: str = "zh_CN"
    scopes: frozenset[str] | None = None

    def can(self, right: str) -> bool:
        """Whether the roles, and the scopes if there are any, hold `right`; KeyError for a right that does not exist."""
        if right not in RIGHTS:
            raise KeyError(right)
        return right in self.rights and (self.scopes is None or right in self.scopes)

    def require(self, right: str) -> None:
        """Raises `NotAllowed` unless the actor holds `right`."""
        if not self.can(right):
            raise NotAllowed(right=right)


_SYSTEM_ROLES = frozenset({MACHINE})
SYSTEM = Actor(0, "system", "系统", _SYSTEM_ROLES, rights_of(_SYSTEM_ROLES, {}))
"""The product itself, for work that no person asked for; has no row in the person table."""
