"""What the tests of the kernel share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bpmn.parse import Executable
from engine.testing import Driver
from tests.bpmn_xml import end, flows, par, start

Run = Callable[..., Driver]
"""Starts a process of the given elements; named arguments are its variables."""


def fork(*inside: str) -> tuple[str, ...]:
    """Start, a parallel gateway `f`, whatever leads to the join `j`, end."""
    return start(), par("f", "j"), *inside, end(), flows("s f", "j e")


def story(driver: Driver) -> Mapping[str, Any]:
    """All that is seen of a run: what happened, which variables changed when, what is waited for, how it ended."""
    return {
        "trace": driver.trace,
        "differences": driver.differences,
        "variables": driver.variables,
        "tasks": driver.tasks,
        "jobs": driver.jobs,
        "incidents": driver.incidents,
        "timers": driver.top.waiting.timers,
        "messages": driver.top.waiting.messages,
        "signals": {name: list(ids) for name, ids in driver.top.waiting.signals.items() if ids},
        "sent": driver.sent,
        "end": driver.end,
    }


class Twin(Driver):
    """Stored and restored between every two steps, beside one that never is: both must tell the same story."""

    def __init__(self, executable: Executable, values: Mapping[str, Any] | None = None) -> None:
        self.other = Driver(executable, values)
        super().__init__(executable, values, round_trip=True)

    def run(self, limit: int = 100_000) -> None:
        """Moves both as far as they go. Raises where they differ then."""
        self.other.run(limit)
        super().run(limit)
        assert story(self) == story(self.other)

    def complete(self, element: str, nth: int = 1, /, **values: Any) -> None:
        self._both(Driver.complete, element, nth, **values)

    def result(self, element: str, nth: int = 1, /, **output: Any) -> None:
        self._both(Driver.result, element, nth, **output)

    def refuse(self, element: str, code: str, nth: int = 1) -> None:
        self._both(Driver.refuse, element, code, nth)

    def message(self, name: str, key: str | None = None, /, **values: Any) -> int:
        caught: int = self._both(Driver.message, name, key, **values)
        return caught

    def signal(self, name: str) -> int:
        caught: int = self._both(Driver.signal, name)
        return caught

    def pass_time(self, by: timedelta) -> None:
        self._both(Driver.pass_time, by)

    def retry(self, element: str, /, **corrected: Any) -> None:
        self._both(Driver.retry, element, **corrected)

    def _both(self, command: Callable[..., Any], /, *arguments: Any, **values: Any) -> Any:
        """What one of them refuses the other must refuse too."""
        self.other.clock.set(self.clock.now())
        answers: list[Any] = []
        for driver in (self.other, self):
            try:
                answers.append(command(driver, *arguments, **values))
            except Exception as error:
                answers.append(error)
        there, here = answers
        assert (type(there), str(there)) == (type(here), str(here))
        if isinstance(here, Exception):
            raise here
        return here
