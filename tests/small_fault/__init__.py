"""A small fault process for tests that are about tickets: correlate, wait for a mass fault, repair, confirm, close."""

from __future__ import annotations

import json
from pathlib import Path

from bpmn.catalog import Packaged

_HERE = Path(__file__).parent

SMALL_FAULT = Packaged(
    "fault",
    "fault.bpmn",
    (_HERE / "fault.bpmn").read_bytes(),
    {f.stem: json.loads(f.read_text(encoding="utf-8")) for f in sorted((_HERE / "forms").iterdir())},
)
