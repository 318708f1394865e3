"""`kaitong demo` plays its order to the end, and its exit status says whether it went right."""

from __future__ import annotations

import pytest

from web.cli import main


def test_the_demonstration_goes_right_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    told = capsys.readouterr().out
    assert "the AAA server goes down" in told
    assert "incident at BB_12" in told
    assert "is completed: one account at the AAA server, one report" in told
