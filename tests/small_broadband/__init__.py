"""A small broadband process for tests that are about something else: reserve, one task on site, activate, close."""

from __future__ import annotations

import json
from pathlib import Path

from bpmn.catalog import Packaged

_HERE = Path(__file__).parent

SMALL = Packaged(
    "broadband",
    "broadband.bpmn",
    (_HERE / "broadband.bpmn").read_bytes(),
    {f.stem: json.loads(f.read_text(encoding="utf-8")) for f in sorted((_HERE / "forms").iterdir())},
)
