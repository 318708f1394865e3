"""A route of /api/v1 with all that its description needs: one table makes both the addresses and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask.typing import ResponseReturnValue
from marshmallow import Schema

from web.auth.rules import Rule, rule_of


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter."""

    name: str
    meaning: str
    kind: str = "string"
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address, relative to /api/v1. `media` is the answer's type when it is not JSON."""

    method: str
    path: str
    view: Callable[..., ResponseReturnValue]
    answer: type[Schema] | None
    body: type[Schema] | None = None
    parameters: tuple[Parameter, ...] = ()
    status: int = 200
    media: str = "application/json"
    uploads: tuple[str, ...] = ()
    """Media types of a body that is no JSON."""

    @property
    def name(self) -> str:
        """The endpoint, and the operationId."""
        return self.view.__name__

    @property
    def summary(self) -> str:
        """What the view's docstring says first."""
        return (self.view.__doc__ or "").strip().splitlines()[0]

    @property
    def rule(self) -> Rule:
        """Who may call it."""
        return rule_of(self.view) or Rule(needs_login=True)


AFTER = Parameter("after", "`next` of the page before")
LIMIT = Parameter("limit", "how many at most, 1 to 200; 50 if left out", "integer")


def page_parameters(*more: Parameter) -> tuple[Parameter, ...]:
    """The parameters of a list."""
    return (*more, AFTER, LIMIT)


def listing(items: list[Any], following: str | None) -> dict[str, Any]:
    """A page as every list gives it."""
    return {"items": items, "next": following}
