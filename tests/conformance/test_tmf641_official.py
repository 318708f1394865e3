"""TMF641 beside the published description and drawings, where they lie next to the project; skipped where they do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.orders.lifecycle import CANCELLATION, ORDER, Lifecycle

OFFICIAL = Path(__file__).resolve().parents[3] / "shared/tmf"
pytestmark = pytest.mark.skipif(not OFFICIAL.exists(), reason="the published description is not here")


@pytest.mark.parametrize(("name", "cycle"), [("ServiceOrder", ORDER), ("CancelServiceOrder", CANCELLATION)])
def test_states_follow_each_other_as_the_drawings_have_it(name: str, cycle: Lifecycle) -> None:
    drawn = json.loads((OFFICIAL / "lifecycles.json").read_text(encoding="utf-8"))[f"TMF641.{name}"]

    assert drawn["initial"] == [cycle.initial]
    assert set(drawn["final"]) == cycle.final
    assert {state: set(ways) for state, ways in cycle.arrows.items() if ways} == {
        state: set(ways) for state, ways in drawn["transitions"].items()
    }
