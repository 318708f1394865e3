"""The broadband diagram against its step table: every step, who does it, its time limits, ways out and undo."""

from __future__ import annotations

import re

import pytest

from bpmn import extension
from bpmn.steps import Step, WayOut, step_table
from bpmn.xml import BPMN, kind_of
from tests.diagram_graph import Graph, graph_of

TABLE = step_table("broadband")
ASKED_FOR_HELP = {"CS", "SV", "DP"}
"""Who steps in where a step does not go as it should."""
ON_CANCEL = {"release": "resource.release", "back to stock": "resource.return_onu"}
IN_THE_LEDGER = {"stop to partner", "delete", "remove ONU", "deactivate"}
KINDS = {
    "service": {"serviceTask", "scriptTask"},
    "script": {"scriptTask"},
    "user": {"userTask"},
    "decision": {"serviceTask", "exclusiveGateway"},
    "service, message, timer": {"serviceTask"},
}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return graph_of("broadband", "broadband_followup")


@pytest.fixture(params=TABLE.steps.values(), ids=list(TABLE.steps))
def step(request: pytest.FixtureRequest) -> Step:
    found: Step = request.param
    return found


def test_the_step_is_drawn_under_its_id(graph: Graph, step: Step) -> None:
    assert kind_of(graph.elements[step.id]) in KINDS[step.kind]


def test_the_step_is_done_by_whom_the_table_says(graph: Graph, step: Step) -> None:
    own = extension.attributes(graph.elements[step.id]).get("role", "SYS")
    assert own in step.who
    roles = {extension.attributes(graph.elements[i]).get("role") for i in graph.of(step.id)} - {None}
    assert roles <= set(step.who) | ASKED_FOR_HELP


def test_waiting_for_others_ends_after_the_limit_of_the_table(graph: Graph, step: Step) -> None:
    timers = {
        str(t.text) for i in graph.of(step.id) for t in graph.elements[i].iter(f"{{{BPMN}}}timeDuration")
    }
    waited_for = {limit.within for limit in step.limits if limit.who in ("PT", "CU")} - {"PT5M"}
    assert waited_for <= timers


def test_every_way_out_is_a_path(graph: Graph, step: Step) -> None:
    for way in step.ways_out:
        assert _is_drawn(graph, way.at or step.id, way), (step.id, way)
        if way.code:
            assert _names(graph, way.at or step.id, way.code), (step.id, way)


def _is_drawn(graph: Graph, step: str, way: WayOut) -> bool:
    if way.to in ("incident", "retried"):  # what no diagram draws: the product does it at every step
        return True
    number = re.match(r"BB_\d\d", way.to)
    reached = graph.reached(step, number[0] if number else "")
    attributes = {i: extension.attributes(graph.elements[i]) for i in reached}
    if way.to == "pending":
        return any(ours.get("asks") for ours in attributes.values())
    if way.to == "CRM asked":
        return any(ours.get("role") == "CS" for ours in attributes.values())
    if way.to in ("returned", "rejected", "demand record"):
        return any(way.code in graph.codes(i) for i in reached if kind_of(graph.elements[i]) == "endEvent")
    return way.to in reached


def _names(graph: Graph, step: str, code: str) -> bool:
    return code in graph.text(step) or any(code in graph.codes(i) for i in graph.reached(step, ""))


def test_what_was_done_is_undone_as_the_table_says(graph: Graph, step: Step) -> None:
    on_cancel = {
        str(extension.attributes(graph.elements[i]).get("operation")) for i in graph.reached("BB_SC", "BB_")
    }
    inside = graph.elements[step.id].iterancestors(f"{{{BPMN}}}subProcess")
    if step.undo == "point of no return":
        assert not any(True for _ in inside)
    elif step.undo == "recall":
        assert any(e.get("id") == "BB_S" for e in inside)
    elif step.undo in IN_THE_LEDGER:
        assert "order.undo" in on_cancel
    elif step.undo:
        assert ON_CANCEL[step.undo] in on_cancel
