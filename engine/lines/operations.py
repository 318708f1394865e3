"""All local operations on lines, by name. docs/reference/lines.md explains them."""

from __future__ import annotations

from engine.lines.capability import CheckCapability
from engine.lines.changing import ChangeLine, EndLine
from engine.lines.finding import FindLine
from engine.lines.suspending import LineState, RestoreLine, ResumeLine, SuspendLine
from engine.ports import LocalOperation


def operations() -> dict[str, LocalOperation]:
    """All of them by name."""
    found: list[LocalOperation] = [
        FindLine(),
        CheckCapability(),
        ChangeLine(),
        SuspendLine(),
        ResumeLine(),
        LineState(),
        RestoreLine(),
        EndLine(),
    ]
    return {o.operation.name: o for o in found}
