"""What holds for every page: links lead somewhere, examples are whole, commands exist, no machine is named."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, anchors, documents, fences
from web.cli import parser

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?<![\w/-])(?:\.venv/bin/)?kaitong +(?!=)([^|)\n]*)")
OF_A_MACHINE = re.compile(r"(?<![\w.$}-])/(?:root|home/\w+|Users/\w+|work/\w+|tmp/\w+|opt/\w+)/")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_every_link_to_a_file_of_ours_leads_to_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    broken = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = path.parent / file if file else path
        if not found.exists() or (anchor and anchor not in anchors(found.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_every_json_example_can_be_read(path: Path) -> None:
    for example in fences(path.read_text(encoding="utf-8"), "json"):
        json.loads(example)


@pytest.mark.parametrize("path", sorted((DOCS / "samples").glob("*.json")), ids=name_of)
def test_every_sample_can_be_read(path: Path) -> None:
    assert json.loads(path.read_text(encoding="utf-8"))


def commands() -> Iterator[tuple[str, str]]:
    for path in documents():
        for fence in fences(path.read_text(encoding="utf-8"), "", "sh", "console"):
            for command in COMMAND.findall(fence):
                yield name_of(path), command.strip()


@pytest.mark.parametrize(("page", "command"), sorted(set(commands())))
def test_every_command_of_an_example_is_understood(page: str, command: str) -> None:
    parser().parse_args(shlex.split(command, comments=True))


def test_the_tutorial_shows_commands() -> None:
    assert len([page for page, _ in commands() if page.endswith("first-order.md")]) > 5


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_no_page_names_a_folder_of_some_machine(path: Path) -> None:
    assert OF_A_MACHINE.findall(path.read_text(encoding="utf-8")) == []


def test_every_page_can_be_reached_from_the_first_one() -> None:
    seen: set[Path] = set()
    to_read = [DOCS / "README.md"]
    while to_read:
        path = to_read.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:|#", target):
                found = (path.parent / target.partition("#")[0]).resolve()
                to_read.append(found / "README.md" if found.is_dir() else found)
    pages = set(DOCS.rglob("*.md")) - set((DOCS / "records").rglob("*"))
    assert sorted(name_of(p) for p in pages - seen) == []
