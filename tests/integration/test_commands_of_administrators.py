"""The command line as administrators use it, on a database of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.cli import main

DIAGRAM = Path("bpmn/definitions/broadband/broadband.bpmn")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("KAITONG_DATA_DIR", str(tmp_path / "data"))
    ours = os.umask(0o022)  # the command sets its own; the next test shall not inherit it
    assert main(["migrate"]) == 0
    yield tmp_path
    os.umask(ours)


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    capsys.readouterr()
    assert main([*arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_diagram_goes_into_service_and_a_changed_one_takes_over_its_forms(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = _json(capsys, "deploy", str(DIAGRAM))
    assert first == [{"process": "broadband", "version": 1, "state": "active", "taken_forms": []}]
    changed = site / "changed.bpmn"
    changed.write_text(DIAGRAM.read_text(encoding="utf-8").replace("上门施工", "入户施工"), encoding="utf-8")
    second = _json(capsys, "deploy", str(changed), "--draft")
    forms = sorted(form.stem for form in (DIAGRAM.parent / "forms").iterdir())
    assert second == [{"process": "broadband", "version": 2, "state": "draft", "taken_forms": forms}]


def test_lint_names_what_is_wrong_and_its_status_says_so(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = site / "bad.bpmn"
    text = DIAGRAM.read_text(encoding="utf-8").replace("speed_mbps * 9 // 10", "__import__('os').system('x')")
    bad.write_text(text, encoding="utf-8")
    capsys.readouterr()
    assert main(["lint", str(bad), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert [(p["severity"], p["element"]) for p in report["problems"] if p["severity"] == "error"] == [
        ("error", "BB_02")
    ]
    assert main(["lint", str(DIAGRAM)]) == 0


def test_a_person_of_a_crew_that_does_not_exist_is_not_added(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "add", "li", "--role", "FC", "--crew", "X9"]) == 1
    assert "There is no crew X9" in capsys.readouterr().err
    assert main(["user", "token", "li"]) == 1


def test_a_machine_gets_a_token_that_is_listed_without_its_secret(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "add", "billing", "--role", "CRM", "--machine"]) == 0
    capsys.readouterr()
    assert main(["user", "token", "billing", "--days", "7"]) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("kt_")
    listed = _json(capsys, "user", "tokens", "billing")
    assert isinstance(listed, list)
    assert len(listed) == 1
    assert secret not in json.dumps(listed)


def test_the_database_is_for_its_owner_alone(site: Path) -> None:
    assert (site / "data" / "kaitong.db").stat().st_mode & 0o077 == 0


def test_the_doctor_says_which_part_is_ill(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["doctor", "--format", "json"]) == 1
    checks = {c["check"]: c["ok"] for c in json.loads(capsys.readouterr().out)}
    assert checks["packages"] is True
    assert checks["database"] is True
    assert checks["adapters"] is False  # the simulators do not run
