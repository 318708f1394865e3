"""Fixtures of the tests without I/O."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing import Driver
from tests.bpmn_xml import executable
from tests.kernel_parts import Run, Twin


@pytest.fixture(params=[False, True], ids=["live", "stored"])
def run(request: pytest.FixtureRequest) -> Run:
    """Starts a process of the given elements: alone, and stored between every two steps beside one that is not."""

    def begin(*body: str, **values: Any) -> Driver:
        kind = Twin if request.param else Driver
        return kind(executable(*body), values)

    return begin
