"""What a step leaves for others: entries of its history, and messages and signals that it sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Note:
    """One entry of the history of a step: entered, completed, cancelled, failed, caught, thrown; or round.

    A loop is entered and completed once; each time its activity was done is a round.
    """

    what: str
    element: str
    token: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A message or signal that leaves the instance with the step's commit."""

    kind: str
    name: str
    key: str
    values: Mapping[str, Any]
