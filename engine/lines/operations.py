"""All local operations on lines, by name. docs/reference/lines.md explains them."""

from __future__ import annotations

from engine.lines.finding import FindLine
from engine.ports import LocalOperation


def operations() -> dict[str, LocalOperation]:
    """All of them by name."""
    found: list[LocalOperation] = [FindLine()]
    return {o.operation.name: o for o in found}
