"""Which rows an instance should have, and how that differs from what it had when it was loaded.

Rows follow the tokens: an open user task, a job for a started service task, a timer, a subscription, an incident.
Only tokens that moved are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bpmn.specs import ServiceActivity, UserActivity
from bpmn.specs.nodes import ERROR, READY, STARTED, WAITING
from engine.runtime.token import Token

if TYPE_CHECKING:
    from engine.runtime.instance import Instance


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the database for one token."""

    task: bool = False
    job: bool = False
    incident: int = 0  # which fault of the token: a retry that fails again is a new incident
    due: str | None = None
    hears: tuple[str, str, str] | None = None
    """Kind, name and key of the message or signal that it waits for."""


NOTHING, TASK, JOB = Standing(), Standing(task=True), Standing(job=True)


def standing(token: Token) -> Standing:
    """The rows that a live token calls for."""
    state, node, data = token._state, token.task_spec, token.internal_data
    if state == ERROR:
        return Standing(incident=data.get("faults", 1))
    if state == WAITING:
        return Standing(due=data.get("due"), hears=_hears(data))
    if state == READY and isinstance(node, UserActivity):
        return TASK
    return JOB if state == STARTED and isinstance(node, ServiceActivity) else NOTHING


def _hears(data: Mapping[str, Any]) -> tuple[str, str, str] | None:
    if "message" in data:
        return "message", data["message"][0], data["message"][1]
    return ("signal", data["signal"], "") if "signal" in data else None


@dataclass(frozen=True, slots=True)
class Change:
    """One token whose rows change. `token` is the last that was seen of it."""

    token: Token
    before: Standing
    after: Standing


class Changes:
    """Remembers how each token stood before this command touched it."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Token, Standing]] = {}
        self._known: dict[int, Standing] = {}

    def loaded(self, token: Token) -> None:
        """A token that came from the database: its rows exist."""
        now = standing(token)
        if now != NOTHING:
            self._known[token.id] = now

    def touch(self, token: Token, existed: bool = True) -> None:
        """The token is about to differ, or has just been made."""
        token.packed = None
        if token.id not in self._before:
            before = self._known.get(token.id, NOTHING) if existed else NOTHING
            self._before[token.id] = (token, before)

    def take(self, top: Instance) -> list[Change]:
        """What differs now; the state of now is the new ground."""
        found = []
        for ident, (token, before) in self._before.items():
            after = standing(token) if ident in top.by_id else NOTHING
            if after != before:
                found.append(Change(token, before, after))
            if after == NOTHING:
                self._known.pop(ident, None)
            else:
                self._known[ident] = after
        self._before = {}
        return found
