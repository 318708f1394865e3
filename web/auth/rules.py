"""Who may call a view. Every view carries one of these rules; an application with a view without one does not start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.identity import RIGHTS

View = TypeVar("View", bound=Callable[..., Any])
_ATTRIBUTE = "access_rule"


@dataclass(frozen=True, slots=True)
class Rule:
    """`right` None: no particular right is needed."""

    needs_login: bool
    right: str | None = None


def allow(right: str) -> Callable[[View], View]:
    """Callers that hold `right`."""
    if right not in RIGHTS:
        raise ValueError(f"there is no right {right!r}")
    return lambda view: _ruled(view, Rule(needs_login=True, right=right))


def allow_login(view: View) -> View:
    """Every person and machine that has logged in."""
    return _ruled(view, Rule(needs_login=True))


def allow_anyone(view: View) -> View:
    """The whole world."""
    return _ruled(view, Rule(needs_login=False))


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """The rule that a view carries."""
    return getattr(view, _ATTRIBUTE, None)


def _ruled(view: View, rule: Rule) -> View:
    if rule_of(view) is not None:
        raise ValueError(f"{view.__qualname__} has two rules")
    setattr(view, _ATTRIBUTE, rule)
    return view
