"""Parallel branches that write nested data into the same and into other variables, and what must hold at every moment.

Every step of a branch counts in `total`, adds its number to the branch's list in `shared`, and writes `pair` in several
goes, of which nobody may see the middle. It also looks at `pair`, and changes a copy of `shared` that it took before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.bpmn_xml import each, end, flows, par, repeated, script, service, start, sub, user

KINDS = ("script", "user", "service", "scope", "instances")
ROUNDS = 3


@dataclass(frozen=True)
class Branches:
    """The kinds of the steps of each branch."""

    kinds: tuple[tuple[str, ...], ...]

    @cached_property
    def body(self) -> tuple[str, ...]:
        """The diagram: a fork, the branches, a join."""
        text, chains = "", ["s f", "j e"]
        for b, kinds in enumerate(self.kinds):
            parts = [_step(kind, b, n) for n, kind in enumerate(kinds)]
            text += "".join(p for p, _ in parts)
            chains.append(" ".join(["f", *(name for _, names in parts for name in names), "j"]))
        return start(), par("f", "j"), text, end(), flows(*chains)

    @property
    def before(self) -> dict[str, Any]:
        """Variables at the start."""
        own = {name: value for b in range(len(self.kinds)) for name, value in _own(b).items()}
        shared = {f"b{b}": [] for b in range(len(self.kinds))}
        return {"total": 0, "shared": shared, "pair": pair("start"), "journal": [], **own}

    def check(self, variables: Mapping[str, Any]) -> None:
        """What holds between any two commands."""
        given = variables["pair"]
        assert given == pair(given["left"])
        for b in range(len(self.kinds)):
            done = variables["shared"][f"b{b}"]
            assert done == list(range(len(done)))
            assert all(variables[f"seen{b}"])
        assert variables["shared"].keys() == {f"b{b}" for b in range(len(self.kinds))}

    def check_end(self, variables: Mapping[str, Any]) -> None:
        """Nothing is lost, nothing is there twice, and nobody has touched what is somebody else's."""
        self.check(variables)
        for b, kinds in enumerate(self.kinds):
            assert variables["shared"][f"b{b}"] == list(range(len(kinds)))
            assert variables[f"own{b}"] == {"steps": [{"n": n} for n in range(len(kinds))]}
            mine = [entry["n"] for entry in variables["journal"] if entry["b"] == b]
            assert mine == [n for n, kind in enumerate(kinds) if kind == "service"]
            for n, kind in enumerate(kinds):
                if kind == "instances":
                    assert variables[f"out{b}_{n}"] == [{"k": k, "seen": [k, k]} for k in range(ROUNDS)]
        rounds = sum(kind == "instances" for kinds in self.kinds for kind in kinds)
        assert variables["total"] == sum(map(len, self.kinds)) + rounds * ROUNDS
        assert "item" not in variables


def pair(what: Any) -> dict[str, Any]:
    """A value whose parts belong together."""
    return {"left": what, "right": what, "deep": {"both": [what, what]}}


def _own(b: int) -> dict[str, Any]:
    return {f"own{b}": {"steps": []}, f"seen{b}": [], f"taken{b}": {}, f"answer{b}": None}


def _work(name: str, b: int, n: int) -> str:
    """The script at the heart of a step: it counts, adds, looks, and writes a pair bit by bit."""
    lines = [
        f"taken{b}['mirror'] = [{b}, {n}]",  # of the shared value that an earlier step took
        f"taken{b}['b{b}'] = 'changed in a copy'",
        f"seen{b}.append(pair['left'] == pair['right'] and pair['deep']['both'] == [pair['left'], pair['left']])",
        f"pair['left'] = '{name}'",
        f"pair['deep']['both'][0] = '{name}'",
        f"shared['b{b}'].append({n})",
        "total = total + 1",
        f"pair['right'] = '{name}'",
        f"pair['deep']['both'][1] = '{name}'",
        f"own{b}['steps'].append({{'n': {n}}})",
    ]
    return script(name, "\n".join(lines))


def _take(name: str, b: int) -> str:
    """A script that takes a copy: only the next step changes it."""
    return script(name, f"taken{b} = shared")


def _step(kind: str, b: int, n: int) -> tuple[str, Sequence[str]]:
    """Elements of a step, and those of them that stand in the branch, in order."""
    at = f"{b}_{n}"
    take, work = f"take{at}", f"work{at}"
    text, names = _take(take, b) + _work(work, b, n), [take, work]
    if kind == "user":
        return text + user(f"user{at}"), [take, f"user{at}", work]
    if kind == "service":
        outputs = "output journal = journal + [result.entry]", "output pair = result.pair"
        return text + service(f"service{at}", *outputs), [take, f"service{at}", work]
    if kind == "scope":
        inside = start(f"s{at}"), text, user(f"user{at}"), end(f"e{at}")
        return sub(f"scope{at}", *inside, flows(f"s{at} {take} user{at} {work} e{at}")), [f"scope{at}"]
    if kind == "instances":  # each has an item of its own, and all items have the same name
        items = str([{"k": k, "seen": []} for k in range(ROUNDS)])
        loop = each(items, elementVariable="item", outputCollection=f"out{at}", outputElement="item")
        look = [script(f"look{at}{k}", "item['seen'].append(item['k'])") for k in "xy"]
        count = script(f"count{at}", "total = total + 1")
        inside = start(f"s{at}"), *look, user(f"user{at}"), count, end(f"e{at}")
        chain = flows(f"s{at} look{at}x user{at} look{at}y count{at} e{at}")
        return text + repeated(sub(f"scope{at}", *inside, chain), loop), [take, f"scope{at}", work]
    return text, names


def answer(element: str) -> dict[str, Any]:
    """What a person answers at a task: nested data in a variable of the branch, and a pair for everybody."""
    b = element.removeprefix("user").partition("_")[0]
    return {f"answer{b}": {"at": [element, {"deep": element}]}, "pair": pair(element)}


def output(element: str) -> dict[str, Any]:
    """What a service gives back."""
    b, _, n = element.removeprefix("service").partition("_")
    return {"entry": {"b": int(b), "n": int(n)}, "pair": pair(element)}
