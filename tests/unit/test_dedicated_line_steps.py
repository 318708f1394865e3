"""The dedicated-line diagrams against their step table: every step, who does it, its time limits, ways out and undo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import pytest
import yaml

from bpmn import extension
from bpmn.steps import Limit, Step, WayOut, step_table
from bpmn.xml import BPMN, kind_of
from tests.diagram_graph import Graph, graph_of

TABLE = step_table("dedicated_line")
ASKED_FOR_HELP = {"CM", "CS", "SV", "DP", "RS", "TX"}
"""Who steps in where a step does not go as it should; the response centre's people have the role CS."""
KINDS = {
    "service": {"serviceTask", "subProcess"},
    "user": {"userTask", "subProcess"},
    "decision": {"exclusiveGateway"},
    "sub-process": {"subProcess"},
    "timer, user": {"userTask"},
}
BY_HAND = {"take down": "TX", "stop": "PM", "remove": "FC", "old config": "DE"}
WITHOUT_ROLE = {"manager": "SV", "response centre": "CS", "CU": ""}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return graph_of("dedicated_line", "dedicated_line_final")


@pytest.fixture(params=TABLE.steps.values(), ids=list(TABLE.steps))
def step(request: pytest.FixtureRequest) -> Step:
    found: Step = request.param
    return found


def _roles(graph: Graph, step: str) -> set[str]:
    return {str(extension.attributes(graph.elements[i]).get("role")) for i in graph.of(step)} - {"None"}


def test_the_step_is_drawn_under_its_id(graph: Graph, step: Step) -> None:
    assert kind_of(graph.elements[step.id]) in KINDS[step.kind]


def test_the_step_is_done_by_whom_the_table_says(graph: Graph, step: Step) -> None:
    roles, named = _roles(graph, step.id), {WITHOUT_ROLE.get(who, who) for who in step.who}
    assert roles <= named | ASKED_FOR_HELP
    assert named - {"SYS", "PT", ""} - roles <= ({"DE"} if step.id == "DL_09" else set())


def test_limits_of_the_table_are_policies_of_steps_or_timers(graph: Graph, step: Step) -> None:
    for limit in step.limits:
        if limit.who == "SYS" or limit.within == "negotiated" or step.id == "DL_09":
            continue  # machines have no clocks; a date is agreed with the customer and written into the design
        assert _is_policy(step, limit) or _is_timed(graph, step, limit), (step.id, limit)


def _is_policy(step: Step, limit: Limit) -> bool:
    found = [p for p in _policies() if p["element"].startswith(step.id) and p.get("tier", "") == limit.tier]
    if limit.calendar:
        days = int(limit.within[1:-1])
        return any(p["calendar"] == "CW" and p["limit_days"] == days for p in found) or limit.what in (
            "cities",
            "provinces",  # a policy does not know how far apart the ends are
        )
    return limit.length is not None and any(
        p["limit_minutes"] * 60 == limit.length.total_seconds() for p in found
    )


def _is_timed(graph: Graph, step: Step, limit: Limit) -> bool:
    if limit.what == "valid":  # how long a survey before the order holds: not there yet
        return True
    own = [graph.elements[i] for i in graph.of(step.id)]
    timers = {str(t.text) for e in own for t in e.iter(f"{{{BPMN}}}timeDuration")}
    if limit.tier:  # the test lasts as long as its tier says
        return timers == {"test_duration"} and (limit.within in graph.text("DL_01"))
    return limit.within in timers


def _policies() -> list[Mapping[str, Any]]:
    text = resources.files("sla").joinpath("steps-dedicated_line.yaml").read_text(encoding="utf-8")
    found: list[Mapping[str, Any]] = yaml.safe_load(text)["sla_policy"]
    return found


def test_every_way_out_is_a_path(graph: Graph, step: Step) -> None:
    for way in step.ways_out:
        assert _is_drawn(graph, step.id, way), (step.id, way)
        if way.code:
            assert any(code in graph.text(step.id) for code in _codes(way.code)), (step.id, way)


def _codes(code: str) -> list[str]:
    return {"A": ["A01"], "S": ["S01"], "R14": ["R14"]}.get(code, [code])


def _is_drawn(graph: Graph, step: str, way: WayOut) -> bool:
    reached = set(_reached(graph, step))
    if way.to == "incident":  # what no diagram draws: the product does it at every step
        return True
    if way.to == "suspended":
        return any(extension.attributes(graph.elements[i]).get("orderState") == "held" for i in reached)
    if way.to == "QO":
        return "DL_17Q" in reached
    ends = {code for i in reached if kind_of(graph.elements[i]) == "endEvent" for code in graph.codes(i)}
    if way.code in ends or way.to == "returned":
        return way.code in ends
    named = re.findall(r"DL_\d\d", way.to)
    assert named, way
    return all(any(i.startswith(one) for i in reached) for one in named)


def _reached(graph: Graph, step: str) -> Iterator[str]:
    """What comes after a step, through gateways, scripts and machines but past no other person's work."""
    found, todo = set[str](), graph.of(step)
    while todo:
        here = todo.pop()
        for there in _next(graph, here):
            if there in found:
                continue
            found.add(there)
            yield there
            kind = kind_of(graph.elements[there])
            helps = extension.attributes(graph.elements[there]).get("role") in ("RS", "SV", "CM", "DP")
            if there.startswith(step) or kind not in ("userTask", "callActivity") or helps:
                todo.append(there)


def _next(graph: Graph, here: str) -> Iterator[str]:
    """A sub-process leads to its start, an error that is thrown inside to the events that catch it."""
    yield from graph.after.get(here, [])
    element = graph.elements[here]
    if kind_of(element) == "subProcess":
        yield from (str(e.get("id")) for e in element.findall(f"{{{BPMN}}}startEvent"))
    if kind_of(element) == "endEvent":
        for ident, other in graph.elements.items():
            if kind_of(other) == "boundaryEvent" and graph.codes(here) & graph.codes(ident):
                yield ident


def test_what_was_done_is_undone_as_the_table_says(graph: Graph, step: Step) -> None:
    undoing = graph.reached("DL_SC", "DL_")
    operations = {str(extension.attributes(graph.elements[i]).get("operation")) for i in undoing}
    roles = _roles(graph, "DL_U3")
    inside = [e.get("id") for e in graph.elements[step.id].iterancestors(f"{{{BPMN}}}subProcess")]
    if step.undo == "point of no return":
        assert inside == []
    elif step.undo in ("release", "free"):
        assert "resource.release" in operations
    elif step.undo:
        assert BY_HAND[step.undo] in roles
        assert "order.undo" in operations
        assert "DL_S" in inside


def test_orders_can_be_cancelled_until_the_customer_has_accepted(graph: Graph) -> None:
    for step in TABLE.steps:
        if kind_of(graph.elements[step]) == "subProcess" or step == "DL_17":
            continue
        inside = any(
            e.get("id") == "DL_S" for e in graph.elements[step].iterancestors(f"{{{BPMN}}}subProcess")
        )
        assert inside is (step <= "DL_14"), step
