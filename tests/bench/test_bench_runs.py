"""The bench itself runs; what it measures is not judged here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import MEASURES, main

COUNTS = {"orders": 2, "repeat": 1, "rounds": 12, "turns": 3, "widths": 3, "length": 5}
SHORT = ["--sqlite-only", *(f"--{name}={count}" for name, count in COUNTS.items())]


def _figures(what: str, folder: Path) -> list[dict[str, Any]]:
    main([what, *SHORT, "--json", str(folder / "figures.json")])
    found: list[dict[str, Any]] = json.loads((folder / "figures.json").read_text(encoding="utf-8"))[what]
    return found


@pytest.mark.parametrize("what", MEASURES)
def test_each_measure_prints_a_table_and_writes_its_figures(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _figures(what, tmp_path)
    printed = capsys.readouterr().out
    assert rows
    assert all(str(next(iter(row.values()))) in printed for row in rows)


def test_the_order_is_run_by_plain_spiffworkflow_and_by_the_product(tmp_path: Path) -> None:
    rows = _figures("order", tmp_path)
    names = ["SpiffWorkflow, memory", "SpiffWorkflow, SQLite", "kernel, SQLite", "REST, SQLite"]
    assert [row["peer"] for row in rows] == names
    assert rows[0]["times_plain"] == 1


def test_an_open_order_leaves_rows_and_more_when_it_is_done(tmp_path: Path) -> None:
    total = next(row for row in _figures("open", tmp_path) if row["table"] == "all")
    assert 0 < total["open"] < total["done"]
