"""What the page on the kernel says still runs of the library is what runs: measured, function by function."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import SpiffWorkflow

from bpmn.parse import Bundle, parse
from tests.conformance import betsy
from tests.random_diagrams import draw
from tests.random_walk import Walker

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "kernel.md"
LIBRARY = str(Path(SpiffWorkflow.__file__).parent)
SEEDS = range(30)


@contextmanager
def watched() -> Iterator[set[str]]:
    """Collects the functions of the library that are called meanwhile, as `module.Class.function`."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(LIBRARY) and "<" not in code.co_qualname:
            module = Path(code.co_filename).relative_to(LIBRARY).with_suffix("")
            found.add(".".join([*module.parts, code.co_qualname]))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)


def listed(heading: str) -> set[str]:
    """The functions, or the modules, in the table below a heading."""
    text = PAGE.read_text(encoding="utf-8").partition(f"### {heading}\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", text, re.MULTILINE)
    return {f"{owner}.{name}" for owner, names in rows for name in re.findall(r"`(\w+)`", names)}


def _public() -> Iterator[Callable[[], object]]:
    for parameter in betsy.public_tests():
        test = parameter.values[0]
        bundle = betsy.read(test) if not parameter.marks and test.name not in betsy.NOT_APPLICABLE else None
        if isinstance(bundle, Bundle):
            for case in test.cases:
                yield lambda b=bundle, t=test, c=case: betsy.Company(b, t, c, round_trip=True)  # type: ignore[misc]


def test_the_functions_that_run_with_an_instance_are_those_of_the_page() -> None:
    walks = [Walker(draw(seed), seed, round_trip=True) for seed in SEEDS]
    with watched() as random:
        for walk in walks:
            walk.finish()
    runs = list(_public())
    with watched() as public:
        for run in runs:
            run()
    assert random == listed("While an instance runs")
    assert public <= random


def test_the_functions_that_read_a_diagram_are_those_of_the_page() -> None:
    files = [draw(seed).file for seed in SEEDS]
    with watched() as found:
        for file in files:
            parse(file)
    of_specs = {name for name in found if re.match(r"(bpmn\.)?specs\..*__init__$", name)}
    assert of_specs
    assert found - of_specs == listed("While a diagram is read")
