"""Every problem that a diagram can have: its code, its line, its element, and words in both languages."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from bpmn.catalog import packaged
from bpmn.lint import Catalogue
from bpmn.parse import parse, problems_of
from bpmn.problems import CATALOGUE, DiagramRefused, Problem
from tests.bpmn_xml import (
    again,
    await_signal,
    call,
    catch,
    definition,
    each,
    element,
    end,
    end_error,
    escalate,
    event_sub,
    flows,
    link,
    on_cancel,
    on_error,
    on_message,
    on_timer,
    par,
    process,
    receive,
    repeated,
    script,
    send,
    service,
    start,
    sub,
    throws,
    timer,
    transaction,
    undone_by,
    until,
    user,
    whichever,
    xor,
)

KNOWN = Catalogue(
    {"t.do": frozenset({"E1"})},
    frozenset({"FC"}),
    {"ok": {"type": "default", "id": "ok", "components": []}},
)
BAD_FORM = Catalogue(forms={"bad": {"type": "default", "id": "bad", "components": [{"type": "iframe"}]}})
BARE = process("", roots="")


class Case(NamedTuple):
    """A file, and the problem that it must have: at the element, on the first line that contains `where`."""

    code: str
    element: str | None
    where: str
    file: bytes


def _line(path: str, *body: str) -> bytes:
    """A straight process: start, the named elements, end."""
    return process(start(), *body, end(), flows(path))


def _looping(loop: str) -> bytes:
    return _line("s u e", repeated(user("u"), loop))


def _bare(ident: str, host: str) -> str:
    """A compensation boundary event that leads nowhere."""
    return element("boundaryEvent", ident, definition("compensate"), attachedToRef=host)


TIMER = definition("timer", "PT1H")
TWO_IN_ONE = on_error("b", "u").replace("<error", "<errorEventDefinition /><error")
MAPPING = '<extensionElements><kaitong:input name="a">1</kaitong:input></extensionElements>'
CASES = [
    Case("NO_PROCESS", "definitions", "<definitions", process(start(), end(), flows("s e"), attributes="")),
    Case("ID_MISSING", None, "<userTask", _line("s e", '<userTask kaitong:role="FC" />\n')),
    Case("ID_MISSING", None, "<process", process(start(), end(), flows("s e")).replace(b'id="p" ', b"")),
    Case("ID_DUPLICATE", "u", "second", _line("s u e", user("u"), user("u", name="second"))),
    Case("ID_SHAPE", "1u", 'userTask id="1u"', _line("s 1u e", user("1u"))),
    Case("ID_SHAPE", "u\n", 'userTask id="u&#10;"', _line("s u&#10; e", user("u&#10;"))),
    Case("ID_SHAPE", "x" * 65, 'userTask id="x', _line("s " + "x" * 65 + " e", user("x" * 65))),
    Case("ELEMENT", "g", "<complexGateway", _line("s g e", element("complexGateway", "g"))),
    Case("ELEMENT", "w", "<globalUserTask", process(start(), end(), flows("s e"), roots='<globalUserTask id="w" />')),
    Case("EVENT_KIND", "s", "<startEvent",
         process(element("startEvent", "s", "<messageEventDefinition />"), end(), flows("s e"))),
    Case("EVENT_KIND", "t", 'id="t"', _line("s t e", element("intermediateCatchEvent", "t"))),
    Case("EVENT_SEVERAL", "b", 'id="b"',
         _line("s u e", user("u"), TWO_IN_ONE, end("x"), flows("b x"))),
    Case("EVENT_SUBPROCESS_FLOW", "H", 'id="H"', _line("s H e", event_sub("H", TIMER, end("x"), flows("H_s x")))),
    Case("EVENT_KIND", "H_s", 'id="H_s"', _line("s e", event_sub("H", "", end("x"), flows("H_s x")))),
    Case("NO_START", "H", 'id="H"', _line("s e", sub("H", end("x"), triggeredByEvent="true"))),
    Case("ERROR_NOT_INTERRUPTING", "H_s", 'id="H_s"',
         _line("s e", event_sub("H", definition("error"), end("x"), flows("H_s x"), interrupts=False))),
    Case("FEATURE", "H", 'id="H"',
         _line("s e", repeated(event_sub("H", TIMER, end("x"), flows("H_s x")), again("x")))),
    Case("BOUNDARY_HOST", "b", 'id="b"',
         _line("s e", event_sub("H", TIMER, end("x"), flows("H_s x")), on_timer("b", "H", "PT1H"), flows("b e"))),
    Case("EVENT_GATEWAY_TARGET", "g", 'id="g"', _line("s g u e", whichever("g"), user("u"))),
    Case("EVENT_GATEWAY_TARGET", "g", 'id="g"', _line("s g r e", whichever("g"), receive("r", "go"), flows("s r"))),
    Case("EVENT_GATEWAY_TARGET", "g", 'id="g"',
         _line("s g r e", whichever("g"), receive("r", "go"), on_timer("b", "r", "PT1H"), flows("b e"))),
    Case("FEATURE", "g", 'id="g"',
         _line("s g t e", whichever("g").replace('id="g"', 'id="g" eventGatewayType="Parallel"'), timer("t", "PT1H"))),
    Case("REFERENCE", "r", 'id="r"', _line("s r e", receive("r", "nowhere"))),
    Case("REFERENCE", "t", 'id="t"', _line("s t e", send("t", "nowhere"))),
    Case("REFERENCE", "w", 'id="w"', _line("s w e", await_signal("w", "nowhere"))),
    Case("EXPRESSION", "t", 'id="t"', _line("s t e", send("t", "go", "input x = 1 +"))),
    Case("FEATURE", "t", 'id="t"', _line("s t e", send("t", "go", "output x = 1"))),
    Case("REFERENCE", "x", 'id="x"', process(start(), escalate("x", "L9", "endEvent"), flows("s x"))),
    Case("CALLED_PROCESS", "a", 'id="a"', _line("s a e", call("a", "q"))),
    Case("CALLED_PROCESS", "a", 'id="a"', _line("s a e", element("callActivity", "a"))),
    Case("CALL_CYCLE", "a", 'id="a"', _line("s a e", call("a", "p"))),
    Case("COMPENSATION_HANDLER", "b", 'id="b"', _line("s u e", user("u"), _bare("b", "u"))),
    Case("COMPENSATION_HANDLER", "h", 'id="h"', _line("s e", user("h", isForCompensation="true"))),
    Case("COMPENSATION_HANDLER", "u_comp", 'id="u_comp"',
         _line("s u e", user("u"), undone_by("u", "h").replace("isForCompensation", "isForNothing"))),
    Case("COMPENSATION_HANDLER", "c", 'id="c"',
         _line("s u e", user("u"), undone_by("u", "h"), undone_by("u", "k").replace("u_comp", "c"))),
    Case("COMPENSATION_FLOW", "h", 'id="h"', _line("s u e", user("u"), undone_by("u", "h"), flows("h e"))),
    Case("COMPENSATION_FLOW", "u_comp", 'id="u_comp"',
         _line("s u e", user("u"), undone_by("u", "h"), flows("u_comp e"))),
    Case("COMPENSATION_TARGET", "t", 'id="t"', _line("s t e", throws("t", "compensate", "nobody"))),
    Case("COMPENSATION_START", "H_s", 'id="H_s"',
         _line("s e", event_sub("H", definition("compensate"), end("x"), flows("H_s x")))),
    Case("CANCEL_OUTSIDE", "x", 'id="x"', process(start(), element("endEvent", "x", definition("cancel")), flows("s x"))),
    Case("CANCEL_OUTSIDE", "k", 'id="k"', _line("s u e", user("u"), on_cancel("k", "u"), flows("k e"))),
    Case("CANCEL_UNCAUGHT", "x", 'id="x"',
         _line("s T e", transaction("T", start("i"), element("endEvent", "x", definition("cancel")), flows("i x")))),
    Case("FEATURE", "k", 'id="k"',
         _line("s T e", repeated(transaction("T", start("i"), end("x"), flows("i x")), again("y")), on_cancel("k", "T"),
               flows("k e"))),
    Case("LINK_TARGET", "t", 'id="t"', process(start(), link("throw", "t", "x"), end(), flows("s t"))),
    Case("LINK_TARGET", "t", 'id="t"',
         process(start(), link("throw", "t", "x"), link("catch", "c", "x"), link("catch", "d", "x"), end(),
                 flows("s t", "c e", "d e"))),
    Case("LINK_SOURCE", "c", 'id="c"', process(start(), link("catch", "c", "x"), end(), flows("s e", "c e"))),
    Case("FLOW_END", "t_e", 'id="t_e"',
         process(start(), link("throw", "t", "x"), link("catch", "c", "x"), end(), flows("s t e", "c e"))),
    Case("REFERENCE", "m", 'id="m"', _line("s m e", catch("m", "nowhere"))),
    Case("REFERENCE", "x", 'id="x"', process(start(), end_error("x", "E9"), flows("s x"))),
    Case("REFERENCE", "m", 'id="m"',
         process(start(), catch("m", "go"), end(), flows("s m e"), roots='<message id="M_go" />')),
    Case("REFERENCE", "x", 'id="x"',
         process(start(), end_error("x", "E1"), flows("s x"), roots='<error id="X_E1" />')),
    Case("REFERENCE", "x", 'id="x"',
         process(start(), element("endEvent", "x", "<errorEventDefinition />"), flows("s x"))),
    Case("FLOW_END", "s_zz", 'id="s_zz"', _line("s e", flows("s zz"))),
    Case("FLOW_END", "u_s", 'id="u_s"', _line("s u e", user("u"), flows("u s"))),
    Case("FLOW_END", "e_u", 'id="e_u"', _line("s u e", user("u"), flows("e u"))),
    Case("FLOW_END", "u_i", 'id="u_i"',
         _line("s u e", user("u"), sub("S", start("is"), script("i", "x = 1"), flows("is i")), flows("u i"))),
    Case("FLOW_CONDITION", "g_b", 'id="g_b"',
         process(start(), xor("g"), end("a", "b"), flows("s g", "g a if x", "g b"))),
    Case("FLOW_CONDITION_EVENT", "t_e", 'id="t_e"',
         process(start(), timer("t", "PT1H"), end(), flows("s t", "t e if x"))),
    Case("FLOW_CONDITION_IGNORED", "f_a", 'id="f_a"',
         process(start(), par("f"), end("a", "b"), flows("s f", "f a if x", "f b"))),
    Case("FLOW_CONDITION_EVENT", "s_e", 'id="s_e"',
         _line("s e").replace(b'<startEvent id="s"', b'<startEvent id="s" default="s_e"')),
    Case("DEFAULT_FLOW", "g", 'id="g"',
         process(start(), xor("g", "s_g"), end("a", "b"), flows("s g", "g a if x", "g b if y"))),
    Case("DEFAULT_MISSING", "g", 'id="g"',
         process(start(), xor("g"), end("a", "b"), flows("s g", "g a if x", "g b if y"))),
    Case("DEFAULT_MISSING", "u", 'id="u"',
         process(start(), user("u"), end("a", "b"), flows("s u", "u a if x", "u b if y"))),
    Case("QUANTITY", "u", 'id="u"', _line("s u e", user("u", startQuantity="0"))),
    Case("QUANTITY", "u", 'id="u"', _line("s u e", user("u", completionQuantity="1001"))),
    Case("QUANTITY", "u", 'id="u"', _line("s u e", user("u", completionQuantity="two"))),
    Case("NO_START", "p", "<process", process(end())),
    Case("NO_START", "S", 'id="S"', _line("s S e", sub("S", end("ie")))),
    Case("SEVERAL_STARTS", "s2", 'id="s2"', process(start(), start("s2"), end(), flows("s e", "s2 e"))),
    Case("UNREACHABLE", "u", 'id="u"', _line("s e", user("u"), flows("u e"))),
    Case("DEAD_END", "u", 'id="u"', process(start(), user("u"), flows("s u"))),
    Case("BOUNDARY_HOST", "b", 'id="b"', _line("s e", on_timer("b", "nobody", "PT1H"), flows("b e"))),
    Case("BOUNDARY_HOST", "b", 'id="b"', _line("s g e", xor("g"), on_timer("b", "g", "PT1H"), flows("b e"))),
    Case("ERROR_NOT_INTERRUPTING", "b", 'id="b"',
         _line("s v e", service("v"), on_error("b", "v", "E1").replace("true", "0"), flows("b e"))),
    Case("EXPRESSION", "g_a", 'id="g_a"',
         process(start(), xor("g", "g_b"), end("a", "b"), flows("s g", "g a if x >", "g b"))),
    Case("EXPRESSION", "c", 'id="c"', _line("s c e", script("c", ""))),
    Case("EXPRESSION", "c", 'id="c"', _line("s c e", element("scriptTask", "c"))),
    Case("EXPRESSION", "v", 'id="v"', _line("s v e", service("v", "output two-words = result"))),
    Case("EXPRESSION", "v", 'id="v"', _line("s v e", service("v", "input a = "))),
    Case("EXPRESSION", "m", 'id="m"', _line("s m e", catch("m", "go", _key="("))),
    Case("CODE", "c", "__class__", _line("s c e", script("c", "x = 1\ny = 2\nz = x.__class__"))),
    Case("TIMER", "t", 'id="t"', _line("s t e", timer("t", "PT0S"))),
    Case("TIMER", "t", 'id="t"', _line("s t e", timer("t", ""))),
    Case("TIMER", "t", 'id="t"', _line("s t e", timer("t", "2026-01-01T00:00:00"))),
    Case("TIMER", "t", 'id="t"', _line("s t e", timer("t", "R0/PT10H"))),
    Case("TIMER", "t", 'id="t"', _line("s t e", timer("t", "at PT1H"))),
    Case("TIMER", "t", 'id="t"', _line("s t e", element("intermediateCatchEvent", "t", "<timerEventDefinition />"))),
    Case("TIMER", "t", 'id="t"', _line("s t e", timer("t", "PT1H").replace("timeDuration", "timeCycle"))),
    Case("TIMER", "t", 'id="t"', _line("s t e", timer("t", "R3/PT1H").replace("timeCycle", "timeDuration"))),
    Case("EXPRESSION", "w", 'id="w"', _line("s w e", until("w", "x >"))),
    Case("EXPRESSION", "w", 'id="w"', _line("s w e", until("w", ""))),
    Case("TEXTS_TOO_LONG", "definitions", "<definitions", _line("s c e", script("c", "x = 1\n" * 50_000))),
    Case("LOOP_SEVERAL", "u", ">y<", _looping(again("x") + again("y"))),
    Case("LOOP_END", "u", 'id="u"', _looping(again())),
    Case("LOOP_MAXIMUM", "u", 'id="u"', _looping(again("x", loopMaximum="-1"))),
    Case("LOOP_MAXIMUM", "u", 'id="u"', _looping(again("x", loopMaximum="100001"))),
    Case("LOOP_CARDINALITY", "u", 'id="u"', _looping(each())),
    Case("LOOP_CARDINALITY", "u", 'id="u"', _looping(each("x", often="2"))),
    Case("LOOP_NUMBER", "u", 'id="u"', _looping(each(often="-1"))),
    Case("LOOP_NUMBER", "u", 'id="u"', _looping(each(often="5001"))),
    Case("LOOP_NAMES", "u", 'id="u"', _looping(each(often="2", elementVariable="x"))),
    Case("LOOP_NAMES", "u", 'id="u"', _looping(each("x", outputCollection="y"))),
    Case("LOOP_NAMES", "u", 'id="u"', _looping(each("x", outputElement="y"))),
    Case("EXPRESSION", "u", 'id="u"', _looping(each("x", elementVariable="two words"))),
    Case("EXPRESSION", "u", 'id="u"', _looping(each("x +"))),
    Case("EXPRESSION", "u", 'id="u"', _looping(each("x", enough="x >"))),
    Case("CODE", "u", 'id="u"', _looping(again("x.__class__"))),
    Case("ATTRIBUTE", "u", 'id="u"', _looping(each("x", role="FC"))),
    Case("ATTRIBUTE", "u", 'id="u"', _looping(again("x", _collection="y"))),
    Case("OPERATION_MISSING", "v", 'id="v"', _line("s v e", element("serviceTask", "v"))),
    Case("OPERATION_UNKNOWN", "v", 'id="v"', _line("s v e", service("v", operation="t.other"))),
    Case("ERROR_UNKNOWN", "b", 'id="b"', _line("s v e", service("v"), on_error("b", "v", "E2"), flows("b e"))),
    Case("ROLE_MISSING", "u", 'id="u"', _line("s u e", element("userTask", "u"))),
    Case("ROLE_UNKNOWN", "u", 'id="u"', _line("s u e", user("u", _role="XX"))),
    Case("REFERENCE", "u", 'id="u"', _line("s u e", user("u", _otherThan="x"))),
    Case("FORM_UNKNOWN", "u", 'id="u"', _line("s u e", user("u", _formKey="lost"))),
    Case("FORM_MISSING", "u", 'id="u"', _line("s u e", user("u"))),
    Case("FORM", "u", 'id="u"', _line("s u e", user("u", _formKey="bad"))),
    Case("FORM", "definitions", "<definitions", _line("s e")),
    Case("ATTRIBUTE", "u", 'id="u"', _line("s u e", user("u", _operation="t.do"))),
    Case("ATTRIBUTE", "s_e", 'id="s_e"',
         process(start(), end(), element("sequenceFlow", "s_e", sourceRef="s", targetRef="e", _role="FC"))),
    Case("ATTRIBUTE", "p", "<process",
         process(start(), end(), flows("s e"), attributes='isExecutable="true" kaitong:role="FC"')),
    Case("FEATURE", "u", 'id="u"',
         _line("s u e", element("userTask", "u", MAPPING, _role="FC"))),
    Case("FEATURE", "v", 'id="v"', _line("s v e", service("v", "inptu a = 1"))),
    Case("FEATURE", "c", 'id="c"',
         _line("s c e", script("c", "x = 1").replace("<scriptTask", '<scriptTask scriptFormat="JavaScript"'))),
    Case("NOT_DRAWN", "definitions", "<definitions", _line("s e")),
    Case("XML_TOO_LARGE", None, "", b"<" * 2_000_001),
    Case("XML_SYNTAX", None, "<oops", b"<definitions>\n<oops"),
    Case("XML_SYNTAX", None, "", b""),
    Case("XML_SYNTAX", None, "", b"\x00\xff\xfe garbage"),
    Case("XML_DOCTYPE", None, "<!DOCTYPE", b"<!DOCTYPE definitions>" + BARE),
    Case("XML_TOO_DEEP", None, "", process("<subProcess>" * 70 + "</subProcess>" * 70)),
    Case("XML_TOO_MANY", None, "", process("<group />" * 50_001)),
    Case("NOT_BPMN", None, "<html", b"<html />"),
]  # fmt: skip


def _problems(case: Case) -> tuple[Problem, ...]:
    return problems_of(case.file, BAD_FORM if case.code == "FORM" else KNOWN)


def _where(case: Case) -> int:
    if not case.where:
        return 0
    lines = case.file.decode().split("\n")
    return next(n for n, text in enumerate(lines, 1) if case.where in text)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.code}-{c.where[:20]}")
def test_each_problem_is_found_with_line_and_element(case: Case) -> None:
    found = [p for p in _problems(case) if p.code == case.code]
    places = {(p.element, p.line) for p in found}
    if case.where:
        assert (case.element, _where(case)) in places
    else:
        assert case.element in {p.element for p in found}


def test_every_problem_has_a_case() -> None:
    assert {c.code for c in CASES} == set(CATALOGUE)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.code}-{c.where[:20]}")
def test_each_problem_speaks_both_languages_and_says_what_to_do(case: Case) -> None:
    for problem in _problems(case):
        said = [
            problem.message("en"), problem.message("zh"), problem.remedy("en"), problem.remedy("zh")
        ]  # fmt: skip
        assert all(said)
        assert not any("{" in text.replace("{'", "") for text in said)
        assert problem.message("zh_CN") == problem.message("zh-CN") == said[1]
        assert any("\u4e00" <= letter <= "\u9fff" for letter in said[3])
        assert problem.as_dict("en")["message"] == said[0]


def test_a_refusal_tells_the_first_error_and_keeps_all() -> None:
    with pytest.raises(DiagramRefused, match="ELEMENT line 3") as refused:
        parse(_line("s g u e", element("complexGateway", "g"), user("u", _role="XX")), KNOWN)
    assert {"ELEMENT", "ROLE_UNKNOWN", "NOT_DRAWN"} <= {p.code for p in refused.value.problems}


def test_warnings_do_not_stop_a_diagram() -> None:
    bundle = parse(process(start(), user("u"), flows("s u")), KNOWN)
    assert {p.code for p in bundle.problems} == {"NOT_DRAWN", "FORM_MISSING", "DEAD_END"}
    assert {p.severity for p in bundle.problems} == {"warning"}


def test_a_part_of_the_catalogue_that_is_not_known_is_not_checked() -> None:
    body = user("u", _role="XX", _formKey="lost"), service("v", operation="t.other")
    assert {p.code for p in problems_of(_line("s u v e", *body))} == {"NOT_DRAWN"}


def test_a_form_of_the_upload_is_accepted() -> None:
    assert {p.code for p in problems_of(_line("s u e", user("u", _formKey="ok")), KNOWN)} == {"NOT_DRAWN"}


def test_an_error_that_something_inside_may_throw_is_known() -> None:
    inside = start("is"), service("v"), end_error("x", "E3"), flows("is v x")
    for code, known in (("E1", True), ("E3", True), ("E2", False)):
        found = problems_of(_line("s S e", sub("S", *inside), on_error("b", "S", code), flows("b e")), KNOWN)
        assert ("ERROR_UNKNOWN" not in {p.code for p in found}) is known


def test_a_script_may_throw_any_error() -> None:
    inside = start("is"), script("c", "bpmn_error('E2')"), end("ie"), flows("is c ie")
    found = problems_of(_line("s S e", sub("S", *inside), on_error("b", "S", "E2"), flows("b e")), KNOWN)
    assert {p.code for p in found} == {"NOT_DRAWN"}


def test_only_the_shapes_that_are_missing_are_told() -> None:
    di = (
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"><bpmndi:BPMNPlane>'
        '<bpmndi:BPMNShape bpmnElement="s" /></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>'
    )
    file = _line("s e").replace(b"</definitions>", di.encode() + b"</definitions>")
    assert [(p.code, p.element) for p in problems_of(file)] == [("NOT_DRAWN", "e")]


def test_the_shipped_diagrams_have_no_problem() -> None:
    bundles = packaged()
    assert [b.name for b in bundles]
    for bundle in bundles:
        known = Catalogue(forms=bundle.forms)
        assert problems_of(bundle.xml, known) == ()
        assert parse(bundle.xml).processes


def test_a_message_may_be_written_for_any_boundary() -> None:
    file = _line("s u e", user("u", _formKey="ok"), on_message("b", "u", "go", _key="x"), flows("b e"))
    assert {p.code for p in problems_of(file, KNOWN)} == {"NOT_DRAWN"}


def test_a_problem_without_facts_is_a_plain_sentence() -> None:
    problem = Problem("NO_START", 3, "p")
    facts: dict[str, Any] = problem.as_dict("zh")
    assert (facts["line"], facts["element"], facts["severity"]) == (3, "p", "error")
    assert facts["message"] == "此范围没有开始事件"
