"""What a simulator is asked and what it answers, without any network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose path was split and unquoted; `body` is JSON, the text of another medium, or None."""

    method: str
    path: tuple[str, ...]
    key: str = ""
    """Idempotency-Key; empty when there was none."""
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and how it fails on its way back."""

    status: int
    body: Mapping[str, Any]
    replayed: bool = False
    wait_s: float = 0.0
    """Kept back this long."""
    lost: bool = False
    """The connection closes instead."""
    garbage: bool = False
    """A web page goes out instead."""
    text: str | None = None
    """Goes out instead of `body`, as `media`."""
    media: str = "application/json"

    @property
    def ok(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300


def refusal(status: int, code: str, message: str) -> Reply:
    """A no with a code."""
    return Reply(status, {"code": code, "message": message})


NO_SUCH_PATH = refusal(404, "NO_SUCH_PATH", "this simulator has no such path")
