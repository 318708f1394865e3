"""What this version does not execute is refused by name; what would run code is refused at upload."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn.parse import problems_of
from tests.bpmn_xml import (
    again,
    catch,
    each,
    element,
    end,
    event_sub,
    flows,
    process,
    repeated,
    script,
    service,
    start,
    sub,
    timer,
    transaction,
    user,
    xor,
)

ELEMENTS = [
    "businessRuleTask",
    "adHocSubProcess",
    "complexGateway",
    "implicitThrowEvent",
    "subConversation",
    "choreographyTask",
    "callChoreography",
]
EVENTS = [
    "cancel",
    "compensate",
    "conditional",
    "error",
    "escalation",
    "link",
    "message",
    "signal",
    "terminate",
    "timer",
]
ALLOWED = {
    "startEvent": set(),
    "endEvent": {"terminate", "error", "escalation", "message", "signal", "compensate", "cancel"},
    "intermediateCatchEvent": {"timer", "message", "signal", "link", "conditional"},
    "intermediateThrowEvent": {"escalation", "message", "signal", "link", "compensate"},
    "boundaryEvent": {"timer", "message", "signal", "error", "escalation", "conditional", "compensate", "cancel"},
}  # fmt: skip


def _errors(file: bytes) -> list[tuple[str, int, str | None]]:
    return [(p.code, p.line, p.element) for p in problems_of(file) if p.severity == "error"]


@pytest.mark.parametrize("tag", ELEMENTS)
def test_an_element_that_is_not_executed_is_refused_by_name(tag: str) -> None:
    file = process(start(), element(tag, "x"), end(), flows("s x e"))
    assert ("ELEMENT", 3, "x") in _errors(file)
    assert any(tag in p.message("en") and tag in p.message("zh") for p in problems_of(file))


@pytest.mark.parametrize("tag", ELEMENTS)
def test_it_is_refused_inside_a_sub_process_too(tag: str) -> None:
    inside = start("is"), element(tag, "x"), end("ie"), flows("is x ie")
    file = process(start(), sub("S", *inside), end(), flows("s S e"))
    assert ("ELEMENT", 5, "x") in _errors(file)


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("tag", list(ALLOWED))
def test_an_event_kind_is_refused_wherever_it_is_not_executed(tag: str, kind: str) -> None:
    attributes = {"attachedToRef": "u"} if tag == "boundaryEvent" else {}
    body = element(tag, "x", f"<{kind}EventDefinition />", **attributes)
    found = [
        p
        for p in problems_of(process(start(), user("u"), body, end(), flows("s u e")))
        if p.code == "EVENT_KIND"
    ]
    if kind in ALLOWED[tag]:
        assert found == []
    else:
        assert [(p.line, p.element) for p in found] == [(4, "x")]
        assert f"{kind}EventDefinition" in found[0].message("en")


@pytest.mark.parametrize("kind", ["", *EVENTS])
def test_an_event_sub_process_needs_a_trigger_that_is_executed(kind: str) -> None:
    trigger = f"<{kind}EventDefinition />" if kind else ""
    file = process(start(), end(), flows("s e"), event_sub("H", trigger, end("He"), flows("H_s He")))
    found = [(p.line, p.element) for p in problems_of(file) if p.code == "EVENT_KIND"]
    assert found == ([] if kind in ALLOWED["boundaryEvent"] - {"cancel"} else [(6, "H_s")])


@pytest.mark.parametrize("tag", list(ALLOWED))
def test_an_event_definition_by_reference_to_nothing_is_refused(tag: str) -> None:
    attributes = {"attachedToRef": "u"} if tag == "boundaryEvent" else {}
    body = element(tag, "x", "<eventDefinitionRef>T</eventDefinitionRef>", **attributes)
    assert ("EVENT_KIND", 4, "x") in _errors(process(start(), user("u"), body, end(), flows("s u e")))


def test_an_event_definition_at_a_task_is_refused() -> None:
    body = element("userTask", "u", '<timerEventDefinition id="t" />', _role="FC")
    assert ("FEATURE", 3, "t") in _errors(process(start(), body, end(), flows("s u e")))


@pytest.mark.parametrize(
    ("loop", "feature"),
    [
        (each(often="2", behavior="None").replace("kaitong:", ""), "behavior=None"),
        (each(often="2", oneBehaviorEventRef="x").replace("kaitong:", ""), "oneBehaviorEventRef"),
        (
            each(often="2").replace("</multi", "<complexBehaviorDefinition /></multi"),
            "complexBehaviorDefinition",
        ),
        (
            each(often="2").replace("</multi", "<loopDataInputRef>d</loopDataInputRef></multi"),
            "loopDataInputRef",
        ),
        ("<otherLoopCharacteristics />", "otherLoopCharacteristics"),
    ],
)
def test_what_a_loop_does_not_execute_is_refused(loop: str, feature: str) -> None:
    file = process(start(), repeated(user("u"), loop), end(), flows("s u e"))
    found = [p for p in problems_of(file) if p.code == "FEATURE"]
    assert [(p.line, p.element, feature in p.message("en")) for p in found] == [(3, "u", True)]


@pytest.mark.parametrize("host", ["exclusiveGateway", "startEvent", "endEvent", "process"])
def test_only_activities_are_repeated(host: str) -> None:
    inner = again("True")
    if host == "process":
        file = process(start(), end(), flows("s e"), inner)
    else:
        file = process(start(), element(host, "x", inner), end(), flows("s x e"))
    assert {"FEATURE", "ELEMENT"} & {code for code, *_ in _errors(file)}


def test_another_way_of_cancelling_a_transaction_is_refused() -> None:
    body = transaction("T", start("is"), end("ie"), flows("is ie")).replace(
        "<transaction", '<transaction method="##Store"'
    )
    assert ("FEATURE", 3, "T") in _errors(process(start(), body, end(), flows("s T e")))


def test_a_part_without_an_id_is_refused_at_the_element_around_it() -> None:
    body = element("userTask", "u", "\n<standardLoopCharacteristics loopMaximum='-1' />", _role="FC")
    found = problems_of(process(start(), body, end(), flows("s u e")))
    assert {p.element for p in found if p.severity == "error"} == {"u"}
    assert {p.line for p in found if p.severity == "error"} == {4}


def test_what_only_documents_is_accepted() -> None:
    data = (
        '<ioSpecification><dataInput id="di" /><dataOutput id="do" /><inputSet /><outputSet /></ioSpecification>'
        "<dataInputAssociation><sourceRef>it's not there</sourceRef><targetRef>di</targetRef></dataInputAssociation>"
        "<dataOutputAssociation><sourceRef>do</sourceRef><targetRef>store</targetRef></dataOutputAssociation>"
    )
    art = (
        '<laneSet id="ls"><lane id="l" name="现场"><flowNodeRef>u</flowNodeRef></lane></laneSet>'
        '<textAnnotation id="note"><text>x</text></textAnnotation><association id="as" sourceRef="u" targetRef="note" />'
        '<dataObject id="obj" /><dataObjectReference id="ref" dataObjectRef="obj" />'
        '<dataStoreReference id="store" dataStoreRef="ds" /><group id="gr" /><property id="pr" />'
    )
    roots = (
        '<dataStore id="ds" /><message /><error /><signal /><escalation /><dataStore />'
        '<collaboration><participant processRef="p" /><messageFlow id="mf" /></collaboration>'
        '<correlationProperty /><itemDefinition id="item" />'
    )
    shape = (
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" '
        'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"><bpmndi:BPMNPlane><bpmndi:BPMNShape bpmnElement="u">'
        '<dc:Bounds x="left" y="?" /></bpmndi:BPMNShape></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>'
    )
    body = art, start(), element("userTask", "u", data, _role="FC"), end(), flows("s u e")
    file = process(*body, roots=roots).replace(b"</definitions>", f"{shape}</definitions>".encode())
    assert _errors(file) == []


# ---- nothing of a diagram ever runs as Python

ATTACKS = [
    "__import__('os').system('touch {canary}')",
    "open('{canary}', 'w')",
    "eval(\"open('{canary}', 'w')\")",
    "exec(\"open('{canary}', 'w')\")",
    "().__class__.__base__.__subclasses__()",
    "(lambda: 0).__globals__",
    "getattr(x, '__class__')",
    "[c for c in ().__class__.__mro__]",
    "f'{{x.__class__}}'",
    "'{{0.__class__}}'.format(x)",
    "globals()['__builtins__']",
    "vars()",
    "compile('1', '', 'eval')",
    "(x := __builtins__)",
    "x.__globals__",
    "breakpoint()",
    "type(x).mro()",
]
PLACES = ["script", "condition", "timer", "key", "input", "output"]


def _attacked(place: str, text: str) -> tuple[bytes, str, int]:
    """A file with the text in one place, and the element and line at which it must be refused."""
    if place == "condition":
        body = start(), xor("g", "g_b"), end("a", "b"), flows("s g", f"g a if {text}", "g b")
        return process(*body), "g_a", 7
    one = {
        "script": script("x", f"y = {text}"),
        "timer": timer("x", text),
        "key": catch("x", "go", _key=text),
        "input": service("x", f"input a = {text}"),
        "output": service("x", f"output a = {text}"),
    }[place]
    return process(start(), one, end(), flows("s x e")), "x", 3


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_at_upload_with_line_and_element(
    place: str, attack: str, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    file, name, line = _attacked(place, attack.format(canary=canary))
    assert {(e, n) for code, n, e in _errors(file) if code in ("CODE", "EXPRESSION")} == {(name, line)}
    assert not canary.exists()


def test_a_script_that_imports_is_refused_on_its_own_line() -> None:
    file = process(start(), script("x", "a = 1\nb = 2\nimport os\nos.system('x')"), end(), flows("s x e"))
    assert ("x", 5) in {(e, n) for _, n, e in _errors(file)}


# ---- files that are no diagrams


def _bomb(inside: str) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<?xml version="1.0"?>\n<!DOCTYPE d [<!ENTITY l0 "ha">{entities}]>'
    return f"{head}<definitions {inside}</definitions>".encode()


@pytest.mark.parametrize("inside", [">&l11;", 'name="&l11;">'])
def test_an_entity_bomb_is_refused(inside: str) -> None:
    assert [c for c, _, _ in _errors(_bomb(inside))] == ["XML_DOCTYPE"]


def test_an_entity_that_names_a_file_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    file = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]><definitions>&x;</definitions>'
    (problem,) = problems_of(file.encode())
    assert problem.code == "XML_DOCTYPE"
    assert "hunter2" not in str(problem.as_dict("en"))


def test_a_doctype_in_another_encoding_is_seen() -> None:
    body = process(start(), end(), flows("s e")).decode()
    file = f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE d>{body}'.encode("utf-16")
    assert [c for c, _, _ in _errors(file)] == ["XML_DOCTYPE"]


@pytest.mark.parametrize("encoding", ["GB18030", "UTF-8", "UTF-16"])
def test_a_file_in_another_encoding_is_read(encoding: str) -> None:
    body = process(start(), user("u", name="上门施工"), end(), flows("s u e")).decode()
    file = f'<?xml version="1.0" encoding="{encoding}"?>\n{body}'.encode(encoding)
    assert _errors(file) == []


@pytest.mark.parametrize(
    "file",
    [b"", b" ", b"\x00" * 100, b"\xff\xfe", b"PK\x03\x04", b"{}", b"<", b"<a><b></a>", b"<a>&undefined;</a>",
     b'<?xml version="1.0" encoding="nonsense"?><a/>', b'<a xmlns:b="1" b:c="1" b:c="2"/>'],
)  # fmt: skip
def test_garbage_is_refused_as_garbage(file: bytes) -> None:
    assert [c for c, _, _ in _errors(file)] == ["XML_SYNTAX"]
