"""The diagrams that we ship, walked at random: stored and restored between every two steps they tell the same story."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bpmn.parse import Executable, parse
from tests.kernel_parts import Twin

SHIPPED = Path(__file__).resolve().parents[2] / "bpmn" / "definitions"
FEWEST_WALKS, MOST_WALKS = 40, 300
SMALL = Path(__file__).resolve().parents[1] / "small_broadband" / "broadband.bpmn"
MOST_COMMANDS = 60
_NAME = re.compile(r"(?<![.'\w])[a-z]\w*")
_FIELD = re.compile(r"\bresult\.(\w+)")
_CODE = re.compile(r'errorCode="(\w+)"')
Command = Callable[[], object]


@dataclass(frozen=True)
class Shipped:
    """A diagram with what a walk may say: answers of its forms, fields of results, codes of refusals."""

    executable: Executable
    names: tuple[str, ...]
    answers: tuple[tuple[str, tuple[Any, ...]], ...]
    fields: tuple[str, ...]
    codes: tuple[str, ...]


def shipped(path: Path) -> Iterator[Shipped]:
    """The processes of a file."""
    text, forms = path.read_text(encoding="utf-8"), sorted(path.parent.glob("forms/*.form"))
    texts = " ".join(re.findall(r">([^<>]+)</(?:bpmn:script|bpmn:conditionExpression|kaitong:\w+)>", text))
    parts = [p for form in forms for p in json.loads(form.read_text(encoding="utf-8"))["components"]]
    answers = tuple((p["key"], _choices(p)) for p in parts if "key" in p)
    names, fields = (tuple(sorted(set(p.findall(texts)))) for p in (_NAME, _FIELD))
    codes = (*sorted(set(_CODE.findall(text))), "UNHEARD_OF")
    for executable in parse(path.read_bytes()).processes.values():
        yield Shipped(executable, names, answers, fields, codes)


def _choices(part: dict[str, Any]) -> tuple[Any, ...]:
    if "values" in part:
        return tuple(v["value"] for v in part["values"])
    return {"number": (-20.5, -8, 3), "checkbox": (True, False)}.get(part["type"], ("", "A1", "文字"))


def commands(twin: Twin, known: Shipped, random: Random) -> list[Command]:
    """All that could be done now."""
    answers = {key: random.choice(choices) for key, choices in known.answers}
    output = {
        name: random.choice([True, False, 7, "x", {"deep": [1, {"er": None}]}]) for name in known.fields
    }
    numbers = {name: random.randrange(1, 1000) for name in known.names}
    found: list[Command] = [lambda t=t: twin.complete(t, **answers) for t in twin.tasks]  # type: ignore[misc]
    for job in twin.jobs:
        found += [lambda j=job: twin.result(j, **output)] * 5  # type: ignore[misc]
        found.append(lambda j=job: twin.refuse(j, random.choice(known.codes)))  # type: ignore[misc]
    found += [lambda e=e: twin.retry(e, **numbers) for e in twin.incidents]  # type: ignore[misc]
    if random.random() < 0.1:
        found += [lambda m=m: twin.message(*m, note="n") for m in twin.top.waiting.messages]  # type: ignore[misc]
    if twin.top.waiting.timers:
        found.append(lambda: twin.pass_time(timedelta(hours=random.randrange(1, 48))))
    return found


def walk(known: Shipped, seed: int) -> Twin:
    """From the start to an end, or until it has gone on for long enough. Each command compares both."""
    random = Random(seed)
    twin = Twin(known.executable, {name: random.randrange(1, 1000) for name in known.names})
    for _ in range(MOST_COMMANDS):
        if twin.end is not None:
            break
        random.choice(commands(twin, known, random))()
    return twin


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/*.bpmn")), ids=lambda p: p.stem)
def test_a_shipped_diagram_is_the_same_when_it_is_stored_between_all_steps(path: Path) -> None:
    """As far as answers by chance lead; the stories in tests/scenario lead everywhere."""
    for known in shipped(path):
        assert all(walk(known, seed).completed for seed in range(FEWEST_WALKS))


def test_the_small_diagram_is_the_same_everywhere_when_it_is_stored_between_all_steps() -> None:
    (known,) = shipped(SMALL)
    done: set[str] = set()
    for seed in range(MOST_WALKS):
        done |= set(walk(known, seed).completed)
        if seed >= FEWEST_WALKS and done == set(known.executable.nodes):
            break
    assert done == set(known.executable.nodes)  # the walks have been everywhere
