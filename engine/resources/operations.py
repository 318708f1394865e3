"""All local operations on resources, by name. docs/reference/resources.md explains them."""

from __future__ import annotations

from engine.ports import LocalOperation
from engine.resources import circuits
from engine.resources.checking import CheckResources, ChooseNetwork
from engine.resources.reserving import Allocate, NextPort, Prolong, Release, Reserve
from engine.resources.stock import DrawOnu, ReturnOnu, Take
from engine.resources.surveying import HoldPort, NoteDemand


def operations() -> dict[str, LocalOperation]:
    """All of them by name."""
    found: list[LocalOperation] = [
        CheckResources(),
        ChooseNetwork(),
        Reserve(),
        NextPort(),
        Allocate(),
        Release(),
        Prolong(),
        Take(),
        DrawOnu(),
        ReturnOnu(),
        HoldPort(),
        NoteDemand(),
        *circuits.operations(),
    ]
    return {o.operation.name: o for o in found}
