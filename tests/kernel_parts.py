"""What the tests of the kernel share."""

from __future__ import annotations

from collections.abc import Callable

from engine.testing import Driver
from tests.bpmn_xml import end, flows, par, start

Run = Callable[..., Driver]
"""Starts a process of the given elements; named arguments are its variables."""


def fork(*inside: str) -> tuple[str, ...]:
    """Start, a parallel gateway `f`, whatever leads to the join `j`, end."""
    return start(), par("f", "j"), *inside, end(), flows("s f", "j e")
