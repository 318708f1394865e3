from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .kit import WRITE_OPERATIONS, Bench, Case, WriteOperation


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture(params=WRITE_OPERATIONS, ids=lambda operation: operation.name)
def case(bench: Bench, request: pytest.FixtureRequest) -> Case:
    operation: WriteOperation = request.param
    return Case(bench, operation)
