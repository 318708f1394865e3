"""Variables: read from the innermost scope outwards, written where the name lives, otherwise at the instance.

A variable is plain data: what JSON can say, and dates, date-times, durations and decimals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bpmn.specs import CallActivity
from engine.errors import BadInput
from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance


DEEPEST = 100
_SCALARS = frozenset({str, int, bool, type(None), datetime, date, timedelta, Decimal})


@dataclass(frozen=True, slots=True)
class Difference:
    """One variable that a step changed. `before` is None where it did not exist."""

    name: str
    before: Any
    after: Any
    element: str | None


def spaces(top: Instance, token: Token) -> Iterator[tuple[dict[str, Any], Token | None]]:
    """Variables from the innermost to the outermost: of each round, with the token that holds them, and of each scope."""
    while True:
        if token.is_round:
            yield token.internal_data["local"], token
        scope = token.workflow
        yield scope.data, None
        if scope is top or isinstance(scope.owner.task_spec, CallActivity):
            return  # a called process sees nothing of its caller
        token = scope.owner


def view(top: Instance, token: Token) -> dict[str, Any]:
    """All that the token can see. The values are the live ones: look, do not touch."""
    found: dict[str, Any] = {}
    for space, _ in reversed(list(spaces(top, token))):
        found.update(space)
    return found


def assign(top: Instance, token: Token, values: Mapping[str, Any]) -> list[Difference]:
    """Writes copies, so that no two places ever share a value. Returns what changed. Raises `BadInput`: all or nothing."""
    chain, changed = list(spaces(top, token)), []
    for name, value in plain(dict(values), "variables").items():
        space, holder = next((s for s in chain if name in s[0]), chain[-1])
        if name in space and same(space[name], value):
            continue
        changed.append(Difference(name, space.get(name), value, token.task_spec.name))
        space[name] = value
        if holder is not None:
            top.touch(holder)
    return changed


def plain(value: Any, where: str, depth: int = 0) -> Any:
    """A copy that the store gives back exactly as it is. Raises `BadInput` for what it could not."""
    kind = type(value)
    if kind in _SCALARS or (kind is float and math.isfinite(value)):
        return value
    if depth >= DEEPEST:
        raise BadInput(detail=f"{where} is nested too deep")
    if kind is list or kind is tuple:
        return [plain(v, f"{where}[{n}]", depth + 1) for n, v in enumerate(value)]
    if kind is not dict:
        raise BadInput(detail=f"{where} is no plain data: {value!r:.60}")
    for key in value:
        if type(key) is not str:
            raise BadInput(detail=f"{where} has the key {key!r:.60}, which is no text")
    return {k: plain(v, f"{where}.{k}", depth + 1) for k, v in value.items()}


def same(one: Any, other: Any) -> bool:
    """Whether two plain values are alike; unlike `==` it tells 1 from True and from 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
