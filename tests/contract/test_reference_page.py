"""The reference page tells about every operation, code and switch that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.registry import Registry
from adapters.sim.faults import KINDS
from engine.config import Settings

PAGE = (Path(__file__).parents[2] / "docs/reference/adapters.md").read_text(encoding="utf-8")
OPERATIONS = Registry.from_settings(Settings(), plugins=[]).operations()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_has_its_section_with_every_field_and_code(name: str) -> None:
    section = PAGE.partition(f"\n### {name}\n")[2].partition("\n##")[0]
    operation = OPERATIONS[name]

    fields = {*operation.request().fields, *operation.response().fields}
    assert section
    assert [word for word in {*fields, *operation.errors} if f"`{word}`" not in section] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_has_its_section_with_an_example(kind: str) -> None:
    section = PAGE.partition(f"\n#### {kind}\n")[2].partition("\n##")[0]

    assert f'"fault": "{kind}"' in section
    assert "curl" in section
