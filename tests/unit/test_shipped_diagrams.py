"""The shipped diagrams are drawn so that people can read them, and lint has nothing to say about them."""

from __future__ import annotations

import re

import pytest

from bpmn.catalog import Packaged, packaged
from bpmn.lint import Catalogue
from bpmn.parse import problems_of
from bpmn.xml import kind_of
from tests.diagram_layout import Drawing

BUNDLES = packaged()
NAMED = ("userTask", "serviceTask", "scriptTask", "boundaryEvent", "endEvent")


@pytest.fixture(params=BUNDLES, ids=[b.name for b in BUNDLES])
def bundle(request: pytest.FixtureRequest) -> Packaged:
    found: Packaged = request.param
    return found


@pytest.fixture
def drawing(bundle: Packaged) -> Drawing:
    return Drawing(bundle.xml)


def test_lint_is_silent(bundle: Packaged) -> None:
    assert problems_of(bundle.xml, Catalogue(forms=bundle.forms)) == ()


def test_nothing_lies_on_top_of_something_else(drawing: Drawing) -> None:
    assert list(drawing.overlapping()) == []


def test_no_line_runs_through_a_step(drawing: Drawing) -> None:
    assert list(drawing.crossed()) == []


def test_lines_are_straight_and_join_their_shapes(drawing: Drawing) -> None:
    assert list(drawing.slanted()) == []
    assert list(drawing.loose()) == []


def test_elements_stand_in_their_lanes(drawing: Drawing) -> None:
    assert list(drawing.outside_lane()) == []


def test_labels_can_be_read(drawing: Drawing) -> None:
    assert list(drawing.unreadable()) == []


def test_the_whole_width_can_be_read_on_a_small_desktop_screen(drawing: Drawing) -> None:
    assert not drawing.too_wide()


def test_every_step_is_named_in_both_languages(drawing: Drawing) -> None:
    for ident, element in drawing.elements.items():
        if kind_of(element) in NAMED and (name := element.get("name")):
            english = element.get("{urn:kaitong:bpmn:1}nameEn") or ""
            assert re.search(r"[\u4e00-\u9fff]|R\d\d", name), ident
            assert english.isascii(), ident
            assert english, ident
