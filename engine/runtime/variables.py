"""Variables: read from the innermost scope outwards, written where the name lives, otherwise at the instance."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance


@dataclass(frozen=True, slots=True)
class Difference:
    """One variable that a step changed. `before` is None where it did not exist."""

    name: str
    before: Any
    after: Any
    element: str | None


def spaces(top: Instance, token: Token) -> Iterator[dict[str, Any]]:
    """Variable dictionaries from the innermost to the outermost."""
    scope = token.workflow
    while True:
        yield scope.data
        if scope is top:
            return
        scope = scope.owner.workflow


def view(top: Instance, token: Token) -> dict[str, Any]:
    """All that the token can see. The values are the live ones: look, do not touch."""
    found: dict[str, Any] = {}
    for space in reversed(list(spaces(top, token))):
        found.update(space)
    return found


def assign(top: Instance, token: Token, values: Mapping[str, Any]) -> list[Difference]:
    """Writes copies, so that no two places ever share a value. Returns what changed."""
    chain, changed = list(spaces(top, token)), []
    for name, value in values.items():
        space = next((s for s in chain if name in s), chain[-1])
        if name in space and space[name] == value and type(space[name]) is type(value):
            continue
        changed.append(Difference(name, space.get(name), value, token.task_spec.name))
        space[name] = copy.deepcopy(value)
    return changed
