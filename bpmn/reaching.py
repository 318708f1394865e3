"""From where a token can still get to a join: worked out once for each inclusive gateway, when a diagram is read."""

from __future__ import annotations

from bpmn.specs import Inclusive, Node, ProcessSpec


def work_out(spec: ProcessSpec) -> None:
    """For every joining inclusive gateway of a scope: which nodes can reach which of its flows without passing it."""
    joins = [n for n in spec.task_specs.values() if isinstance(n, Inclusive) and len(n.flows_in) > 1]
    if not joins:
        return
    before = _before(spec)
    for node in joins:
        node.reach = {flow.id: _reaching(before, flow.source, node.name) for flow in node.flows_in}


def _before(spec: ProcessSpec) -> dict[str, set[str]]:
    """Node → nodes that lead to it; a boundary event is reached from its activity."""
    before: dict[str, set[str]] = {}
    node: Node
    for node in spec.task_specs.values():
        for name in [flow.target for flow in node.flows_out] + [b.name for b in node.boundaries]:
            before.setdefault(name, set()).add(node.name)
    return before


def _reaching(before: dict[str, set[str]], source: str, without: str) -> frozenset[str]:
    seen, ahead = set[str](), [source]
    while ahead:
        name = ahead.pop()
        if name not in seen and name != without:
            seen.add(name)
            ahead += before.get(name, ())
    return frozenset(seen)
