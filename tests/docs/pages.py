"""How tests look into the documentation: pages, their sections, tables, fences and anchors."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("bpmn", "engine", "tasks", "adapters", "sla", "web")
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    """Every page that a reader may open."""
    return sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])


def reference(name: str) -> str:
    """The text of a reference page."""
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands between a heading, given with its #, and the next one of the same or a higher level."""
    level = len(heading) - len(heading.lstrip("#"))
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"there is no heading {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows, without headings."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not line.startswith("|--") and not following.startswith("|--"):
            found.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return found


def word(cell: str) -> str:
    """The word in backticks that a cell begins with."""
    match = re.match(r"`([^`]+)`", cell)
    return match[1] if match else ""


def words(text: str) -> set[str]:
    """All words in backticks."""
    return set(re.findall(r"`([^`]+)`", text))


def fences(text: str, *languages: str) -> Iterator[str]:
    """The contents of code fences in one of these languages."""
    for match in _FENCE.finditer(text):
        if match[1] in languages:
            yield match[2]


def anchors(text: str) -> set[str]:
    """The addresses of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every module of the product, imported."""
    found = []
    for package in PACKAGES:
        top = importlib.import_module(package)
        found.append(top)
        for info in pkgutil.walk_packages(top.__path__, f"{package}."):
            if ".migrations." not in info.name:
                found.append(importlib.import_module(info.name))
    return tuple(found)
