"""Fixtures of the tests without I/O."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing import Driver
from tests.bpmn_xml import executable
from tests.kernel_parts import Run


@pytest.fixture(params=[False, True], ids=["live", "stored"])
def run(request: pytest.FixtureRequest) -> Run:
    """Starts a process of the given elements, plainly and with storing and restoring between every two steps."""

    def begin(*body: str, **values: Any) -> Driver:
        return Driver(executable(*body), values, round_trip=request.param)

    return begin
