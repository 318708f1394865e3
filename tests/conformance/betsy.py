"""The public diagrams of the betsy suite, as far as they are on this machine. They are read where they lie, never copied.

Their script texts are neutral tokens; here they become texts of our language, in memory and without moving any line.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bpmn.parse import Bundle, parse
from bpmn.problems import DiagramRefused, Problem
from engine.runtime.notes import Sent
from engine.testing import Driver, FakeClock

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "betsy"
NOT_APPLICABLE: Mapping[str, str] = {
    "AdHocSubProcess_Parallel": "expects a token that none of its scripts writes",
    "Timer_BoundaryEvent_SubProcess_Interrupting_Activity": "needs a script that blocks for ten seconds; ours cannot block",
}
_TOKENS: Mapping[str, str] = {
    "CREATE_LOG_FILE": "pass",
    "CREATE_MARKER_FILE": "marker = True",
    "SET_STRING_DATA": 'data = "String"',
    "LOG_DATA": "logged = data",
    "THROW_ERROR": 'bpmn_error("ERR_CODE")',
    "INCREMENT_INTEGER_VARIABLE": "integerVariable = integerVariable + 1",
    "INCREMENT_INTEGER_VARIABLE_AND_LOG": 'integerVariable = integerVariable + 1; trace.append("INCREMENT")',
}
_SCRIPT = re.compile(r"(?<=script>)\s*(\w+)\s*(?=</)")
_CONTAINS = re.compile(r'(!?)\btest\.contains\("(\w+)"\)')
_WRAPPED = re.compile(r"\$\{(.*?)\}")
_BOOLEAN = re.compile(r"(?<=>)(true|false)(?=</)")


@dataclass(frozen=True)
class Public:
    """One test of the suite: a file, and what each of its cases shall give."""

    name: str
    file: Path
    process: str
    cases: tuple[Mapping[str, Any], ...]


def public_tests() -> list[Any]:
    """One parameter for each test; a single skipped one where the suite is not on this machine."""
    if not (FOLDER / "expectations.json").exists():
        missing = pytest.mark.skip(reason="the public diagrams are not on this machine")
        return [pytest.param(None, marks=missing, id="betsy")]
    listed = json.loads((FOLDER / "expectations.json").read_text(encoding="utf-8"))["tests"]
    found = [Public(t["test"], FOLDER / t["file"], t["process_id"], tuple(t["cases"])) for t in listed]
    return [pytest.param(t, id=t.name) for t in found]


def translated(text: str) -> str:
    """The file with its tokens and conditions in our language."""
    text = _SCRIPT.sub(lambda m: _script(m[1]), text)
    text = _WRAPPED.sub(r"\1", text)
    text = _CONTAINS.sub(lambda m: f"'{m[2]}' {'not in' if m[1] else 'in'} test", text)
    return _BOOLEAN.sub(lambda m: m[1].capitalize(), text)


def _script(token: str) -> str:
    return f'trace.append("{token}")' if token.startswith("SCRIPT_") else _TOKENS[token]


def read(test: Public) -> Bundle | tuple[Problem, ...]:
    """The file, ready to run; or why it was refused."""
    try:
        return parse(translated(test.file.read_text(encoding="utf-8")).encode())
    except DiagramRefused as e:
        return tuple(p for p in e.problems if p.severity == "error")


class Company:
    """The instances of one case: what one throws, the others hear. All have the same clock and the same key."""

    def __init__(self, bundle: Bundle, test: Public, case: Mapping[str, Any], *, round_trip: bool) -> None:
        self.drivers: list[Driver] = []
        clock = FakeClock()
        for process in (*case.get("start_first", ()), test.process):
            values = {"trace": [], **case["inputs"]}
            executable = bundle.processes[process]
            self.drivers.append(Driver(executable, values, round_trip=round_trip, clock=clock))
        last = clock.now() + timedelta(milliseconds=case["wait_ms"])
        self._carry()
        while (due := self._next()) is not None and due <= last:
            clock.set(due)
            for driver in self.drivers:
                driver.pass_time(timedelta())
            self._carry()

    @property
    def main(self) -> Driver:
        """The instance of the process that is tested."""
        return self.drivers[-1]

    @property
    def written(self) -> list[str]:
        """The tokens of all instances."""
        return [token for driver in self.drivers for token in driver.variables["trace"]]

    def has(self, name: str, value: Any) -> bool:
        """Whether a variable of some instance has a value."""
        return any(driver.variables.get(name) == value for driver in self.drivers)

    def seen(self) -> list[Any]:
        """All that is compared between two runs."""
        return [(d.trace, d.variables, d.end) for d in self.drivers]

    def _carry(self) -> None:
        while any(driver.sent for driver in self.drivers):
            for driver in self.drivers:
                sent, driver.sent = driver.sent, []
                for one in sent:
                    self._deliver(one, driver)

    def _deliver(self, sent: Sent, sender: Driver) -> None:
        for other in self.drivers:
            if sent.kind == "message":
                other.message(sent.name, sent.key, **sent.values)
            elif other is not sender:
                other.signal(sent.name)

    def _next(self) -> datetime | None:
        dues = [due for d in self.drivers if d.end is None for due in d.top.waiting.timers.values()]
        return min(dues, default=None)


def outcome(driver: Driver) -> str:
    """What the product says of the run, in the words of the suite."""
    if driver.incidents:
        return "runtime_error"
    if driver.end is not None and driver.end.state == "failed":
        return "error_event_uncaught"
    return "ok"


def _can_go_on(driver: Driver) -> bool:
    return bool(driver.tasks or driver.jobs or driver.top.waiting.timers or driver.top.waiting.messages)


def complaints(company: Company, case: Mapping[str, Any]) -> list[str]:
    """How a run differs from what the suite expects."""
    found, written, driver = [], company.written, company.main
    if Counter(written) != Counter(case["trace"]):
        found.append(f"trace {written}, expected {case['trace']}")
    if outcome(driver) not in case["outcome"].replace("deploy_or_", ""):
        found.append(f"outcome {outcome(driver)}, expected {case['outcome']}")
    passed = {
        "marker": lambda: company.has("marker", True),
        "data": lambda: company.has("logged", "String"),
    }
    if driver.end is None and not driver.incidents and not _can_go_on(driver) and driver.top.stuck() is None:
        found.append("nothing can move it any more, and nobody is told")
    return found + [f"check {check} failed" for check in case["checks"] if not passed[check]()]
