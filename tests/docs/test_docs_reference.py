"""The reference pages list what there is, and nothing else: settings, commands, codes, events, tables."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from adapters.registry import Registry
from engine.config import PREFIX, Settings
from engine.errors import KaitongError
from engine.store.base import Base
from tests.docs.pages import PACKAGES, ROOT, modules, reference, rows, section, word, words
from web.cli import parser
from web.errors import OddStatus

# ---- settings


def test_settings_are_listed_with_their_defaults() -> None:
    listed = {word(row[0]): row[1] for row in rows(reference("settings.md")) if word(row[0])}

    assert listed == {PREFIX + f.name.upper(): _shown(f.default) for f in fields(Settings)}


def _shown(default: object) -> str:
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`" if text else "empty"


# ---- commands


def leaves(of: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    inner = [a for a in of._actions if isinstance(a, argparse._SubParsersAction)]
    if not inner:
        yield name, of
    for action in inner:
        for word_, sub in action.choices.items():
            yield from leaves(sub, f"{name} {word_}")


def test_commands_have_their_heading_and_nothing_else_has() -> None:
    headings = re.findall(r"^### (.+)$", reference("cli.md"), re.MULTILINE)

    assert sorted(headings) == sorted(name for name, _ in leaves(parser(), "kaitong"))


def test_options_are_described_with_their_command() -> None:
    missing = []
    for name, command in leaves(parser(), "kaitong"):
        text = section(reference("cli.md"), f"### {name}")
        options = [o for action in command._actions for o in action.option_strings if o.startswith("--")]
        missing += [f"{name} {o}" for o in options if o != "--help" and f"`{o}" not in text]
    assert missing == []


# ---- errors


def test_error_codes_are_listed_with_their_status() -> None:
    listed = {(word(row[0]), int(row[1])) for row in rows(section(reference("errors.md"), "## Codes"))}
    modules()

    known = {(c.code, c.http_status) for c in _errors(KaitongError) if c is not OddStatus}
    assert listed == known | {("definition.refused", 400)}  # carries the problems of a diagram


def _errors(parent: type[KaitongError]) -> Iterator[type[KaitongError]]:
    if parent.__module__.split(".")[0] in PACKAGES:
        yield parent
    for child in parent.__subclasses__():
        yield from _errors(child)


def test_incident_codes_of_our_own_are_listed() -> None:
    listed = {word(row[0]) for row in rows(section(reference("errors.md"), "## Incident codes"))}
    modules()
    others = {c.code for c in _errors(KaitongError)} | {"job.done", "job.failed", "job.id"}  # logs, a column

    found = {
        node.value
        for _, tree in sources("engine", "tasks")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"(step|job|instance)\.[a-z_]+", node.value)
    }
    assert listed == found - others


# ---- events

ABOUT_ALL = {"at", "actor", "business_key", "instance_id", "element"}


def sources(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path, ast.parse(path.read_bytes())


RECORDERS = {
    "record": set[str](),
    "_record": set[str](),
    "record_task": {"task", "name", "name_en"},
    "record_order": {"partner_order", "partner"},
    "record_ticket": set[str](),
    "replace_faulty": {"reason"},
}
"""What writes an event, and what it adds to its data by itself."""


def recorded() -> dict[str, set[str]]:
    """Kinds of events with the names of their data, from every call that writes one."""
    found: dict[str, set[str]] = {}
    for _, tree in sources(*PACKAGES):
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in RECORDERS or len(node.args) < 2:
                continue
            data = {k.arg for k in node.keywords if k.arg} - ABOUT_ALL | RECORDERS[node.func.id]
            for part in ast.walk(node.args[1]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    found.setdefault(part.value, set()).update(data)
    return found


def test_kinds_of_events_are_listed() -> None:
    listed = [word(row[0]) for row in rows(reference("events.md"))]

    assert sorted(listed) == sorted(recorded())


def test_the_data_of_events_is_listed() -> None:
    listed = {word(row[0]): words(row[2]) for row in rows(reference("events.md"))}
    for row in rows(section(reference("events.md"), "## Tasks")):  # said once for all of them
        listed[word(row[0])] |= {"task", "name", "name_en"}

    assert {kind: data - listed[kind] for kind, data in recorded().items() if data - listed[kind]} == {}


# ---- tables


def test_tables_are_listed_with_the_package_that_owns_them() -> None:
    listed = {word(row[0]): row[2] for row in rows(reference("database.md"))}
    modules()

    owned = {m.local_table.name: m.class_.__module__ for m in Base.registry.mappers}  # type: ignore[attr-defined]
    assert listed == {
        table: module.rpartition(".")[0]
        for table, module in owned.items()
        if module.split(".")[0] in PACKAGES
    }


# ---- adapters


def test_operations_of_adapters_have_their_heading_and_nothing_else_has() -> None:
    headings = re.findall(r"^### (.+)$", section(reference("adapters.md"), "## Operations"), re.MULTILINE)
    registry = Registry.from_settings(Settings(), plugins=[])

    assert sorted(headings) == sorted(registry.operations())
    registry.close()
