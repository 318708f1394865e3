"""The shipped diagrams as bundles: a diagram with the forms that belong to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Packaged:
    """A diagram and its forms, as they are in the package."""

    name: str
    filename: str
    xml: bytes
    forms: Mapping[str, Mapping[str, Any]]


def packaged() -> list[Packaged]:
    """All shipped bundles, by folder name."""
    root = resources.files("bpmn.definitions")
    folders = sorted((f for f in root.iterdir() if f.is_dir()), key=lambda f: f.name)
    return [bundle for folder in folders if (bundle := _bundle(folder)) is not None]


def _bundle(folder: Any) -> Packaged | None:
    """None for a folder without a diagram, such as that of the step tables."""
    diagram = next((f for f in folder.iterdir() if f.name.endswith(".bpmn")), None)
    if diagram is None:
        return None
    forms = folder.joinpath("forms")
    found = {}
    if forms.is_dir():
        for file in sorted(forms.iterdir(), key=lambda f: f.name):
            if file.name.endswith(".form"):
                found[file.name.removesuffix(".form")] = json.loads(file.read_text(encoding="utf-8"))
    return Packaged(folder.name, diagram.name, diagram.read_bytes(), found)
