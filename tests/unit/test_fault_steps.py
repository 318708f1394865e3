"""The fault diagram against its step table: every step, who does it, its time limits, ways out and undo."""

from __future__ import annotations

import re
from importlib import resources
from typing import Any

import pytest
import yaml

from bpmn import extension
from bpmn.steps import Step, WayOut, step_table
from bpmn.xml import BPMN, kind_of
from tests.diagram_graph import Graph, graph_of

TABLE = step_table("fault")
KINDS = {
    "service": {"serviceTask"},
    "user": {"userTask"},
    "decision": {"serviceTask"},
}
STEPS_IN = {"DP", "NC", "CS", "SV"}
"""Who steps in where a step does not go as it should."""
UNDONE_BY = {"detach": "ticket.detach", "old state": "order.undo"}
NO_PATH = {"helper added": "a command on the task"}
"""Ways out that move no token."""
REASONS = {"A": "A01", "S": "S01"}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return graph_of("fault", "fault_followup")


@pytest.fixture(params=TABLE.steps.values(), ids=list(TABLE.steps))
def step(request: pytest.FixtureRequest) -> Step:
    found: Step = request.param
    return found


@pytest.fixture(scope="module")
def limits() -> list[dict[str, Any]]:
    text = resources.files("sla").joinpath("steps-fault.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["sla_policy"]
    return found


def test_the_step_is_drawn_under_its_id(graph: Graph, step: Step) -> None:
    assert kind_of(graph.elements[step.id]) in KINDS[step.kind]


def test_the_step_is_done_by_whom_the_table_says(graph: Graph, step: Step) -> None:
    own = extension.attributes(graph.elements[step.id]).get("role", "SYS")
    assert own in step.who
    roles = {extension.attributes(graph.elements[i]).get("role") for i in graph.of(step.id)} - {None}
    assert roles <= set(step.who) | STEPS_IN | {"FC"}


def test_every_way_out_is_a_path(graph: Graph, step: Step) -> None:
    for way in step.ways_out:
        if way.when in NO_PATH:
            continue
        assert _is_drawn(graph, step, way), (step.id, way)
        if way.code:
            assert REASONS.get(way.code, way.code) in graph.text(step.id), (step.id, way)


def _is_drawn(graph: Graph, step: Step, way: WayOut) -> bool:
    number = re.fullmatch(r"TT_\d\d", way.to)
    reached = graph.reached(step.id, "TT_10F")
    if number:
        return any(ident.startswith(way.to) for ident in reached)
    return any(word in graph.text(step.id) for word in _WORDS[way.to])


_WORDS = {
    "that department": ["department"],
    "merged": ["E_MERGED"],
    "attached": ["E_ATTACHED"],
    "level up": ["repeated"],
    "told": ["arrears"],
    "NC": ["manual_diagnosis"],
    "mass fault": ["mass_fault"],
    "closed on proof": ["calls >= 3", "Closed on proof"],
    "refused": ["ticket.close"],
    "new linked ticket": ["New linked ticket"],
}


def test_what_was_done_is_undone_as_the_table_says(graph: Graph, step: Step) -> None:
    withdrawn = graph.reached("TT_SC", "TT_C")
    operations = {extension.attributes(graph.elements[i]).get("operation") for i in withdrawn}
    if step.undo in UNDONE_BY:
        assert UNDONE_BY[step.undo] in operations
    elif step.undo == "recall":
        inside = graph.elements[step.id].iterancestors(f"{{{BPMN}}}subProcess")
        assert any(e.get("id") == "TT_S" for e in inside)


def test_people_have_the_limits_of_the_table(step: Step, limits: list[dict[str, Any]]) -> None:
    kept = {(row["element"][:5], row.get("tier"), row["limit_minutes"]) for row in limits}
    for limit in step.limits:
        if limit.length is None or limit.who == "SYS" or limit.what.startswith("then every"):
            continue
        tier = limit.tier if limit.tier in ("A", "B", "C") else None
        minutes = limit.length.total_seconds() // 60
        assert (step.id, tier, minutes) in kept


def test_answers_are_due_every_hour_or_two(graph: Graph) -> None:
    cycle = next(graph.elements["TT_06P0"].iter(f"{{{BPMN}}}timeCycle"))
    assert {"'A': 'R/PT1H'", "'B': 'R/PT1H'", "'C': 'R/PT2H'"} <= set(
        re.findall(r"'[ABC]': '[^']+'", str(cycle.text))
    )
