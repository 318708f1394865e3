"""Rules of the source tree that no type checker sees."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bpmn", "engine", "tasks", "adapters", "sla", "web")
LONGEST_MODULE = 450
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
ELSEWHERE = re.compile(
    r"pypi\.(?:org|tuna)|pythonhosted\.org|registry\.npm|npm{2}irror|mirrors?\.(?:aliyun|tencent|ustc|tuna|cloud)"
    r'|index-url[ =]+http|"resolved":\s*"http'
    r"|(?<![\w.$}-])/(?:root|home/\w+|Users/\w+|work/main|work/shared|opt/wheels)/"
)  # addresses of package indexes, and folders of one machine


def modules() -> list[Path]:
    return [
        path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if _is_source(path)
    ]


def _is_source(path: Path) -> bool:
    return not {"node_modules", "__pycache__"} & set(path.parts)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked_files() -> Iterator[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("this tree is no git clone")
    yield from (ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file())


def test_imports_only_point_down() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_too_long_to_read() -> None:
    lengths = {
        named(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules()
        if "versions" not in path.parts  # a migration is a list; it grows with the tables
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [named(path) for path in modules() if path.stem in VAGUE_NAMES] == []


def test_nothing_is_ever_handed_to_pythons_own_evaluator() -> None:
    found = [f"{named(path)}:{line}" for path in modules() for line in _evaluations(path)]
    assert found == []


def _evaluations(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        plain = isinstance(called, ast.Name) and called.id in {"eval", "exec", "compile", "__import__"}
        through = (
            isinstance(called, ast.Attribute)
            and called.attr in {"eval", "exec", "compile"}
            and isinstance(called.value, ast.Name)
            and called.value.id in {"builtins", "__builtins__"}
        )
        if plain or through:
            yield node.lineno


@pytest.mark.parametrize("module", ["web.wsgi", "web.cli"])
def test_importing_an_entry_point_opens_nothing(module: str, tmp_path: Path) -> None:
    if not (ROOT / module.replace(".", "/")).with_suffix(".py").exists():
        pytest.skip(f"there is no {module}")
    watch = (
        "import sys, threading\n"
        "import requests\n"  # its urllib3 asks the machine once whether it speaks IPv6
        "seen = []\n"
        "sys.addaudithook(lambda event, args: event in ('sqlite3.connect', 'socket.connect', 'socket.bind',"
        " 'subprocess.Popen') and seen.append(event))\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        f"import {module}\n"
        "assert not seen, seen\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_tracked_file_names_a_package_index_or_a_folder_of_one_machine() -> None:
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if match := ELSEWHERE.search(line):
                found.append(f"{named(path)}:{number}: {match.group()}")
    assert found == []


def test_every_package_of_the_tree_is_installed() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(setup["options"]["packages"].split())
    present = {named(path.parent).replace("/", ".") for path in modules() if path.name == "__init__.py"}
    assert listed == present


def test_every_module_lies_in_a_package() -> None:
    assert [named(path) for path in modules() if not (path.parent / "__init__.py").exists()] == []
