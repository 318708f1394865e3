"""What makes a drawn diagram readable: nothing overlaps, no line runs through a step, lanes hold what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

from lxml import etree

from bpmn.xml import BPMN, DI, kind_of, read

_DC = "{http://www.omg.org/spec/DD/20100524/DC}"
_DD = "{http://www.omg.org/spec/DD/20100524/DI}"
_PAGE = 1366
"""The narrowest desktop screen that we draw for."""
_SMALLEST_ZOOM = 0.55
_HOLDERS = ("participant", "lane", "subProcess")


@dataclass(frozen=True)
class Box:
    """A shape or a label."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box, by: float = 1.0) -> bool:
        """Whether both cover more than `by` of the same place in each direction."""
        return (
            min(self.x + self.width, other.x + other.width) - max(self.x, other.x) > by
            and min(self.y + self.height, other.y + other.height) - max(self.y, other.y) > by
        )

    def holds(self, other: Box) -> bool:
        """Whether the other lies inside."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )


class Drawing:
    """The shapes, lines and labels of a file."""

    def __init__(self, data: bytes) -> None:
        self.root = read(data)
        self.elements = {str(e.get("id")): e for e in self.root.iter(f"{{{BPMN}}}*") if e.get("id")}

    @cached_property
    def shapes(self) -> dict[str, Box]:
        """Every shape by its element."""
        found = {}
        for shape in self.root.iter(f"{{{DI}}}BPMNShape"):
            bounds = shape.find(f"{_DC}Bounds")
            assert bounds is not None
            found[str(shape.get("bpmnElement"))] = _box(bounds)
        return found

    @cached_property
    def lines(self) -> dict[str, list[tuple[float, float]]]:
        """The way-points of every flow."""
        return {
            str(edge.get("bpmnElement")): [
                (float(p.get("x", 0)), float(p.get("y", 0))) for p in edge.iter(f"{_DD}waypoint")
            ]
            for edge in self.root.iter(f"{{{DI}}}BPMNEdge")
        }

    @cached_property
    def labels(self) -> dict[str, Box]:
        """Labels that stand beside what they name."""
        found = {}
        for drawn in self.root.iter(f"{{{DI}}}BPMNShape", f"{{{DI}}}BPMNEdge"):
            bounds = drawn.find(f"{{{DI}}}BPMNLabel/{_DC}Bounds")
            if bounds is not None:
                found[str(drawn.get("bpmnElement"))] = _box(bounds)
        return found

    def of_kind(self, *kinds: str) -> dict[str, Box]:
        """Shapes of some kinds."""
        return {i: box for i, box in self.shapes.items() if kind_of(self.elements[i]) in kinds}

    @cached_property
    def solid(self) -> dict[str, Box]:
        """What nothing may cover: everything but pools, lanes and sub-processes, which hold others."""
        return {i: b for i, b in self.shapes.items() if kind_of(self.elements[i]) not in _HOLDERS}

    # ---- what is wrong

    def overlapping(self) -> Iterator[str]:
        """Shapes on top of each other; a boundary event lies on its own activity."""
        for (a, first), (b, second) in combinations(self.solid.items(), 2):
            hosts = {self.elements[a].get("attachedToRef"), self.elements[b].get("attachedToRef")}
            if first.overlaps(second) and not hosts & {a, b}:
                yield f"{a} and {b}"

    def crossed(self) -> Iterator[str]:
        """Flows that run through a shape to which they do not belong."""
        for flow, points in self.lines.items():
            ends = {self.elements[flow].get("sourceRef"), self.elements[flow].get("targetRef")}
            ends |= {self.elements[str(e)].get("attachedToRef") for e in ends}
            ends |= {i for i, e in self.elements.items() if e.get("attachedToRef") in ends}
            for name, box in self.solid.items():
                if name not in ends and any(_through(box, a, b) for a, b in pairwise(points)):
                    yield f"{flow} runs through {name}"

    def slanted(self) -> Iterator[str]:
        """Flows that are not made of horizontal and vertical pieces."""
        for flow, points in self.lines.items():
            if any(abs(a[0] - b[0]) > 1 and abs(a[1] - b[1]) > 1 for a, b in pairwise(points)):
                yield flow

    def loose(self) -> Iterator[str]:
        """Flows that do not begin and end at their shapes."""
        for flow, points in self.lines.items():
            for end, (x, y) in (("sourceRef", points[0]), ("targetRef", points[-1])):
                box = self.shapes[str(self.elements[flow].get(end))]
                if not Box(box.x - 2, box.y - 2, box.width + 4, box.height + 4).holds(Box(x, y, 0, 0)):
                    yield f"{flow} at its {end}"

    def outside_lane(self) -> Iterator[str]:
        """Elements that are not drawn where their lane is, or are in none although there are lanes beside them."""
        for lane in self.root.iter(f"{{{BPMN}}}lane"):
            box = self.shapes[str(lane.get("id"))]
            for ref in lane.findall(f"{{{BPMN}}}flowNodeRef"):
                one = self.shapes[str(ref.text)]
                middle = Box(one.x + one.width / 2, one.y + one.height / 2, 0, 0)
                if not box.holds(middle):
                    yield f"{ref.text} and {lane.get('id')}"

    def unreadable(self) -> Iterator[str]:
        """Labels on top of each other or of shapes that they do not belong to."""
        for (a, first), (b, second) in combinations(self.labels.items(), 2):
            if first.overlaps(second, 2):
                yield f"labels of {a} and {b}"
        for name, label in self.labels.items():
            for other, box in self.solid.items():
                host = self.elements[name].get("attachedToRef")
                if other not in (name, host) and label.overlaps(box, 3):
                    yield f"label of {name} on {other}"

    def too_wide(self) -> bool:
        """Whether its names cannot be read when the whole width is shown on the narrowest desktop screen."""
        left = min(b.x for b in self.shapes.values())
        right = max(b.x + b.width for b in self.shapes.values())
        return _PAGE / (right - left) < _SMALLEST_ZOOM


def _box(bounds: etree._Element) -> Box:
    x, y, width, height = (float(bounds.get(name, 0)) for name in ("x", "y", "width", "height"))
    return Box(x, y, width, height)


def _through(box: Box, a: tuple[float, float], b: tuple[float, float]) -> bool:
    left, right = sorted((a[0], b[0]))
    top, bottom = sorted((a[1], b[1]))
    piece = Box(left - 0.5, top - 0.5, right - left + 1, bottom - top + 1)
    return box.overlaps(piece, 0.9)
