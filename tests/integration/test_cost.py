"""What a command costs the database does not grow with the age of its instance. Counted, not timed; on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.bench.diagrams import VALUES, loop, order
from tests.bench.installation import InProcess, in_process
from tests.bench.sizes import measure


@pytest.fixture
def looping() -> Iterator[InProcess]:
    with in_process(loop("gateway", 1000)) as site:
        yield site


@pytest.fixture
def broadband() -> Iterator[InProcess]:
    with in_process(order()) as site:
        yield site


def connection_of(site: InProcess) -> Any:
    """The driver's connection that all commands use."""
    return site.me.store.run(lambda session: session.connection().connection.driver_connection)


def steps_of(site: InProcess, call: Callable[[], object]) -> int:
    """How many steps SQLite's machine takes."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection = connection_of(site)
    connection.set_progress_handler(step, 1)
    call()
    connection.set_progress_handler(None, 1)
    return steps


def statements_of(site: InProcess, call: Callable[[], object]) -> list[str]:
    """The statements of a command, without those that begin and end its transaction."""
    seen: list[str] = []
    connection = connection_of(site)
    connection.set_trace_callback(seen.append)
    call()
    connection.set_trace_callback(None)
    return [text for text in seen if text.split()[0] not in ("BEGIN", "COMMIT")]


def test_a_command_in_a_loop_takes_the_database_as_long_after_hundreds_of_rounds(looping: InProcess) -> None:
    task: str | None = looping.start({"n": 0})

    def once() -> None:
        nonlocal task
        assert task is not None
        task = looping.complete(task)

    for _ in range(10):
        once()
    young = steps_of(looping, once)
    for _ in range(300):
        once()
    assert steps_of(looping, once) <= young * 1.05


def test_a_command_is_few_statements(broadband: InProcess) -> None:
    found: list[str | None] = [broadband.start(VALUES)]  # the diagram has been read
    assert len(statements_of(broadband, lambda: found.append(broadband.start(VALUES)))) <= 12
    while found[-1] is not None:
        task = found[-1]
        assert len(statements_of(broadband, lambda task=task: found.append(broadband.complete(task)))) <= 12  # type: ignore[misc]


def test_an_open_order_leaves_no_more_than_a_kilobyte_beside_its_data() -> None:
    of_table = {row["table"]: row["open"] for row in measure(10)}
    assert of_table["all"] - of_table["(its data as JSON)"] <= 1024
