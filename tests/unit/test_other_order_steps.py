"""The diagrams of the smaller orders against their step tables: every step, who does it, limits, ways out and undo."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml

from bpmn import extension
from bpmn.steps import Step, StepTable, WayOut, step_table
from bpmn.xml import BPMN, kind_of
from tests.diagram_graph import Graph, graph_of

TABLES = ("speed_change", "suspension", "termination", "survey", "quality_order")
ASKED_FOR_HELP = {"CS", "SV", "DP"}
"""Who steps in where a step does not go as it should."""
KINDS = {
    "service": {"serviceTask", "scriptTask"},
    "user": {"userTask"},
    "decision": {"exclusiveGateway"},
    "timer": {"intermediateCatchEvent"},
}
ON_CANCEL = {
    "release": "resource.release",
    "back to stock": "resource.return_onu",
    "reasons as before": "line.restore",
    "old state": "order.undo",
    "old profile": "order.undo",
}
STEPS = [(name, step) for name in TABLES for step in step_table(name).steps.values()]


@pytest.fixture(scope="module")
def graphs() -> dict[str, Graph]:
    return {name: graph_of(name) for name in TABLES}


@pytest.fixture(params=STEPS, ids=[step.id for _, step in STEPS])
def step(request: pytest.FixtureRequest) -> tuple[str, Step]:
    found: tuple[str, Step] = request.param
    return found


@pytest.fixture
def graph(graphs: dict[str, Graph], step: tuple[str, Step]) -> Graph:
    return graphs[step[0]]


@pytest.fixture
def table(step: tuple[str, Step]) -> StepTable:
    return step_table(step[0])


def test_the_step_is_drawn_under_its_id(graph: Graph, step: tuple[str, Step]) -> None:
    drawn = graph.elements[step[1].id]
    assert kind_of(drawn) in KINDS[step[1].kind]
    assert drawn.get("name") == step[1].zh
    assert extension.attributes(drawn)["nameEn"] == step[1].en


def test_the_step_is_done_by_whom_the_table_says(graph: Graph, step: tuple[str, Step]) -> None:
    own = extension.attributes(graph.elements[step[1].id]).get("role", "SYS")
    assert own in step[1].who
    roles = {extension.attributes(graph.elements[i]).get("role") for i in graph.of(step[1].id)} - {None}
    assert roles <= set(step[1].who) | ASKED_FOR_HELP


def test_every_task_of_people_has_the_limit_of_the_table(graph: Graph, step: tuple[str, Step]) -> None:
    limits = _limits(step[0])
    for ident in graph.of(step[1].id):
        role = extension.attributes(graph.elements[ident]).get("role")
        if kind_of(graph.elements[ident]) == "userTask":
            assert ident in limits
            expected = step[1].limit_of(str(role)) if role in step[1].who else None
            if expected is not None:
                assert limits[ident] == expected.total_seconds() / 60, ident


def _limits(process: str) -> dict[str, int]:
    text = resources.files("sla").joinpath(f"steps-{process}.yaml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = yaml.safe_load(text)["sla_policy"]
    assert {row["process"] for row in rows} == {process}
    return {row["element"]: row["limit_minutes"] for row in rows}


def test_every_way_out_is_a_path(graph: Graph, step: tuple[str, Step]) -> None:
    for way in step[1].ways_out:
        assert _is_drawn(graph, way.at or step[1].id, way), (step[1].id, way)


def _is_drawn(graph: Graph, step: str, way: WayOut) -> bool:
    if way.to in ("incident", "retried"):  # what no diagram draws: the product does it at every step
        return True
    reached = graph.reached(step, way.to[:5] if way.to[3:5].isdigit() else "")
    if way.to == "pending":
        return any(extension.attributes(graph.elements[i]).get("asks") for i in reached | set(graph.of(step)))
    if way.to in ("returned", "rejected", "demand record"):
        return any(way.code in graph.codes(i) for i in reached if kind_of(graph.elements[i]) == "endEvent")
    if way.code and not any(way.code in graph.codes(i) for i in graph.of(step) if _caught(graph, i)):
        return False
    return way.to in reached | set(graph.of(step))


def _caught(graph: Graph, ident: str) -> bool:
    return kind_of(graph.elements[ident]) == "boundaryEvent"


def test_what_was_done_is_undone_as_the_table_says(
    graph: Graph, step: tuple[str, Step], table: StepTable
) -> None:
    undo, prefix = step[1].undo, table.order_type
    on_cancel = {
        str(extension.attributes(graph.elements[i]).get("operation"))
        for i in graph.reached(f"{prefix}_SC", f"{prefix}_")
    }
    parts = graph.elements[step[1].id].iterancestors(f"{{{BPMN}}}subProcess")
    is_inside = any(True for _ in parts)
    if undo == "point of no return":
        assert not is_inside
    elif undo:
        assert is_inside
        assert ON_CANCEL[undo] in on_cancel
