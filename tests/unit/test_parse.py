"""From bytes to an executable process: what is built, and that the file's odd corners do not change its meaning."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bpmn import durations
from bpmn.catalog import packaged
from bpmn.parse import parse, problems_of, rebuild
from bpmn.specs import Exclusive, Parallel, ScriptActivity, ServiceActivity, SubProcess, UserActivity
from engine.testing import Driver
from tests.bpmn_xml import (
    element,
    end,
    executable,
    flows,
    on_error,
    on_message,
    par,
    process,
    script,
    service,
    start,
    sub,
    user,
    xor,
)
from tests.small_broadband import SMALL

DATE = "<timerEventDefinition><timeDate>day</timeDate></timerEventDefinition>"
NOW = datetime(2026, 1, 15, tzinfo=UTC)


def test_every_element_becomes_our_own_class_with_its_names() -> None:
    inside = start("is"), script("c", "x = 1"), end("ie"), flows("is c ie")
    body = (
        start(),
        user("u", name="上门", _nameEn="On site"),
        service("v"),
        sub("S", *inside),
        xor("g"),
        par("f"),
    )
    found = executable(*body, end(), flows("s u v S g f e")).nodes
    kinds = {
        "u": UserActivity,
        "v": ServiceActivity,
        "S": SubProcess,
        "c": ScriptActivity,
        "g": Exclusive,
        "f": Parallel,
    }
    assert {name: type(found[name]) for name in kinds} == kinds
    assert (found["u"].label, found["u"].label_en, found["v"].label) == ("上门", "On site", "v")
    assert found["u"].attributes["role"] == "FC"


def test_a_file_may_hold_several_processes_and_one_that_is_not_executed() -> None:
    one = process(start(), end(), flows("s e")).decode()
    more = (
        '<process id="q" name="第二" kaitong:nameEn="Second" isExecutable="1"><startEvent id="qs" /></process>'
        '<process id="black" isExecutable="false"><startEvent id="bs" /></process></definitions>'
    )
    bundle = parse(one.replace("</definitions>", more).encode())
    assert sorted(bundle.processes) == ["p", "q"]
    assert (bundle.processes["q"].name, bundle.processes["q"].name_en) == ("第二", "Second")
    assert len(bundle.sha256) == 64


def test_flows_without_an_id_are_told_apart_at_a_join() -> None:
    nameless = '<sequenceFlow sourceRef="f" targetRef="j" />' * 2
    d = Driver(executable(start(), par("f", "j"), end(), nameless, flows("s f", "j e")))
    assert (d.completed.count("j"), d.end is not None) == (1, True)


@pytest.mark.parametrize(
    ("written", "interrupts"), [("true", True), ("1", True), ("false", False), ("0", False)]
)
def test_both_spellings_of_a_boolean_mean_the_same(written: str, interrupts: bool) -> None:
    boundary = on_message("b", "u", "go").replace('cancelActivity="true"', f'cancelActivity="{written}"')
    d = Driver(executable(start(), user("u"), boundary, end("e", "x"), flows("s u e", "b x")))
    d.message("go")
    assert (d.tasks == []) is interrupts


def test_a_comment_inside_a_condition_changes_nothing() -> None:
    body = start(), xor("g", "g_b"), end("a", "b"), flows("s g", "g a if x == 1 and y", "g b")
    file = process(*body).replace(b"x == 1 and y", b"x == 1<!-- always --> and y<?note?>")
    ways = [Driver(parse(file).processes["p"], {"x": 1, "y": y}).completed[-1] for y in (True, False)]
    assert ways == ["a", "b"]


def test_an_error_boundary_without_a_code_catches_any_error() -> None:
    d = Driver(executable(start(), service("v"), on_error("b", "v"), end("e", "x"), flows("s v e", "b x")))
    d.refuse("v", "anything")
    assert d.completed[-2:] == ["b", "x"]


def test_the_shipped_diagrams_are_bundles_with_their_forms() -> None:
    for bundle in packaged():
        assert bundle.filename.endswith(".bpmn")
        assert all(form["type"] == "default" for form in bundle.forms.values())


def _wide(count: int) -> bytes:
    ends = "".join(f'<endEvent id="e{n}" />' for n in range(count))
    return process(start(), par("f"), ends, flows("s f", *(f"f e{n}" for n in range(count))))


def _watched(count: int) -> bytes:
    steps = "".join(element("serviceTask", f"v{n}", _operation="t.do") for n in range(count))
    row = " ".join(["is", *(f"v{n}" for n in range(count))])
    watches = "".join(on_error(f"b{n}", "S", "E1") for n in range(count))
    return process(start(), sub("S", start("is"), steps, flows(row)), watches, end(), flows("s S e"))


@pytest.mark.parametrize(
    ("file", "code", "count"),
    [
        (_wide(2000), "NOT_DRAWN", 1),
        (_watched(800), "DEAD_END", 801),
        (process("".join(f'<adHocSubProcess id="a{n}" />' for n in range(5000))), "ELEMENT", 5000),
    ],
    ids=["wide", "watched", "unknown"],
)
def test_a_huge_file_gets_its_whole_report(file: bytes, code: str, count: int) -> None:
    """How long it may take is measured in tests/bench; here each element must still be named."""
    assert len({p.element for p in problems_of(file) if p.code == code}) == count


# ---- timer texts


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("PT90S", NOW + timedelta(seconds=90)),
        ("P1DT2H", NOW + timedelta(hours=26)),
        ("P1M", datetime(2026, 2, 15, tzinfo=UTC)),
        ("P1W", NOW + timedelta(days=7)),
        ("2026-03-01T08:00:00+08:00", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_timer_text_is_a_calendar_duration_or_a_moment(text: str, due: datetime) -> None:
    assert durations.is_literal(text)
    assert durations.due(text, NOW) == due


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "PT0S",
        "-PT1H",
        "P-1D",
        "P11Y",
        "P122M",
        "PPT1H",
        "P1H",
        "PT1S1H",
        "P²D",
        "P99999999999Y",
        "soon",
        "2026-03-01",
        "2026-13-01T00:00Z",
    ],
)
def test_any_other_timer_text_is_refused(text: str) -> None:
    with pytest.raises(durations.BadTimer):
        durations.due(text, NOW)


def test_a_date_without_a_time_of_day_is_no_moment() -> None:
    d = Driver(
        executable(start(), element("intermediateCatchEvent", "t", DATE), end(), flows("s t e")),
        {"day": date(2026, 1, 1)},
    )
    assert list(d.incidents) == ["t"]


def test_a_diagram_that_was_accepted_once_is_built_again_even_if_a_rule_is_new() -> None:
    today_refused = SMALL.xml.replace(b' kaitong:role="FC"', b"")
    assert [p.code for p in problems_of(today_refused) if p.severity == "error"] == ["ROLE_MISSING"]
    assert list(rebuild(today_refused)["broadband"].nodes) == list(
        parse(SMALL.xml).processes["broadband"].nodes
    )
