"""A small language for diagrams in tests: elements as functions, sequence flows as text."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from bpmn.parse import Executable, parse

_HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:kaitong="urn:kaitong:bpmn:1" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="definitions" targetNamespace="urn:test">'
)
_ROOTS = "".join(
    [
        '<message id="M_go" name="go" /><message id="M_note" name="note" /><message id="M_cancel" name="order.cancel" />',
        *(f'<error id="X_{code}" name="{code}" errorCode="{code}" />' for code in ("E1", "E2", "E3")),
        *(f'<signal id="S_{name}" name="{name}" />' for name in ("alarm", "clear")),
        *(f'<escalation id="Y_{code}" name="{code}" escalationCode="{code}" />' for code in ("L1", "L2")),
    ]
)


def process(*body: str, roots: str = _ROOTS, attributes: str = 'isExecutable="true"') -> bytes:
    """A file with one process `p`; the first line of the body is line 2 of the file."""
    text = "".join(body).strip("\n")
    return f'{_HEAD}{roots}<process id="p" {attributes}>\n{text}\n</process></definitions>'.encode()


def processes(main: tuple[str, ...], **others: tuple[str, ...]) -> Executable:
    """Process `p`, in one file with others that it may call."""
    text = process(*main).decode()
    more = "".join(
        f'<process id="{name}" isExecutable="true">{"".join(body)}</process>' for name, body in others.items()
    )
    return parse(text.replace("</definitions>", more + "</definitions>").encode()).processes["p"]


def executable(*body: str, roots: str = _ROOTS) -> Executable:
    """The process, ready to run."""
    return parse(process(*body, roots=roots)).processes["p"]


def flows(*chains: str) -> str:
    """`"a b c"` joins a to b and b to c; `"a b if x > 1"` has a condition. The flow from a to b has the id a_b."""
    found, seen = [], Counter[str]()
    for chain in chains:
        path, _, condition = chain.partition(" if ")
        names = path.split()
        for source, target in pairwise(names):
            ident = f"{source}_{target}"
            seen[ident] += 1
            ident += f"_{seen[ident]}" if seen[ident] > 1 else ""
            text = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
            found.append(
                f'<sequenceFlow id="{ident}" sourceRef="{source}" targetRef="{target}">{text}</sequenceFlow>\n'
            )
    return "".join(found)


def element(tag: str, ident: str, inner: str = "", **attributes: str) -> str:
    """Any element; attributes of ours are written with a leading underscore."""
    named = {f"kaitong:{k[1:]}" if k.startswith("_") else k: v for k, v in attributes.items()}
    written = "".join(f" {k}={quoteattr(v)}" for k, v in named.items())
    return f'<{tag} id="{ident}"{written}>{inner}</{tag}>\n'


def start(ident: str = "s") -> str:
    return element("startEvent", ident)


def end(*idents: str, **attributes: str) -> str:
    return "".join(element("endEvent", i, **attributes) for i in idents or ("e",))


def end_error(ident: str, code: str) -> str:
    return element("endEvent", ident, f'<errorEventDefinition errorRef="X_{code}" />')


def end_all(ident: str) -> str:
    return element("endEvent", ident, "<terminateEventDefinition />")


def user(*idents: str, **attributes: str) -> str:
    return "".join(element("userTask", i, **{"_role": "FC"} | attributes) for i in idents)


def service(ident: str, *mappings: str, operation: str = "t.do") -> str:
    """Mappings are written `input name = expression` or `output name = expression`."""
    return element("serviceTask", ident, mapped(*mappings), _operation=operation)


def mapped(*mappings: str) -> str:
    """The extension elements of mappings, written as for `service`."""
    inner = ""
    for mapping in mappings:
        left, _, text = mapping.partition(" = ")
        tag, name = left.split()
        inner += f'<kaitong:{tag} name="{name}">{escape(text)}</kaitong:{tag}>'
    return f"<extensionElements>{inner}</extensionElements>" if inner else ""


def script(ident: str, text: str) -> str:
    return element("scriptTask", ident, f"<script>{escape(text)}</script>")


def xor(ident: str, default: str = "") -> str:
    return element("exclusiveGateway", ident, **({"default": default} if default else {}))


def ior(ident: str, default: str = "") -> str:
    return element("inclusiveGateway", ident, **({"default": default} if default else {}))


def par(*idents: str) -> str:
    return "".join(element("parallelGateway", i) for i in idents)


def sub(ident: str, *body: str, **attributes: str) -> str:
    return element("subProcess", ident, "\n" + "".join(body), **attributes)


def again(condition: str = "", **attributes: str) -> str:
    """A standard loop, to be given to `repeated`."""
    inner = f"<loopCondition>{escape(condition)}</loopCondition>" if condition else ""
    return element("standardLoopCharacteristics", "", inner, **attributes).replace(' id=""', "")


def each(items: str = "", *, often: str = "", enough: str = "", sequence: bool = False, **ours: str) -> str:
    """Several instances, to be given to `repeated`: one for each of `items`, or as many as `often` says."""
    inner = f"<loopCardinality>{escape(often)}</loopCardinality>" if often else ""
    inner += f"<completionCondition>{escape(enough)}</completionCondition>" if enough else ""
    given = {f"_{name}": text for name, text in ours.items()} | ({"_collection": items} if items else {})
    given["isSequential"] = str(sequence).lower()
    return element("multiInstanceLoopCharacteristics", "", inner, **given).replace(' id=""', "")


def repeated(activity: str, loop: str) -> str:
    """The activity with loop characteristics."""
    head, closing, _ = activity.rstrip().rpartition("</")
    return f"{head}{loop}{closing}{activity.rstrip()[len(head) + 2 :]}\n"


def timer_definition(text: str) -> str:
    tag = "timeDate" if text[:4].isdigit() or text.startswith("at ") else "timeDuration"
    tag = "timeCycle" if text[:1] == "R" else tag
    return f"<timerEventDefinition><{tag}>{escape(text.removeprefix('at '))}</{tag}></timerEventDefinition>"


def timer(ident: str, text: str) -> str:
    return element("intermediateCatchEvent", ident, timer_definition(text))


def catch(ident: str, message: str, **attributes: str) -> str:
    inner = f'<messageEventDefinition messageRef="M_{message}" />'
    return element("intermediateCatchEvent", ident, inner, **attributes)


def _boundary(ident: str, host: str, inner: str, interrupts: bool, **attributes: str) -> str:
    how = {"attachedToRef": host, "cancelActivity": "true" if interrupts else "false"}
    return element("boundaryEvent", ident, inner, **how, **attributes)


def on_timer(ident: str, host: str, text: str, interrupts: bool = True) -> str:
    return _boundary(ident, host, timer_definition(text), interrupts)


def on_message(ident: str, host: str, message: str, interrupts: bool = True, **attributes: str) -> str:
    inner = f'<messageEventDefinition messageRef="M_{message}" />'
    return _boundary(ident, host, inner, interrupts, **attributes)


def on_error(ident: str, host: str, code: str = "") -> str:
    reference = f' errorRef="X_{code}"' if code else ""
    return _boundary(ident, host, f"<errorEventDefinition{reference} />", True)


def definition(kind: str, what: str = "") -> str:
    """An event definition: `timer PT1H`, `message go`, `error E1`, `conditional x > 1`, `compensate a`, and so on."""
    if kind == "timer":
        return timer_definition(what)
    if kind == "conditional":
        return (
            f"<conditionalEventDefinition><condition>{escape(what)}</condition></conditionalEventDefinition>"
        )
    if kind in ("compensate", "cancel"):
        return f"<{kind}EventDefinition{f' activityRef={quoteattr(what)}' if what else ''} />"
    prefix = {"message": "M", "error": "X", "escalation": "Y", "signal": "S"}[kind]
    reference = f' {kind}Ref="{prefix}_{what}"' if what else ""
    return f"<{kind}EventDefinition{reference} />"


def escalate(ident: str, code: str, tag: str = "intermediateThrowEvent") -> str:
    return element(tag, ident, definition("escalation", code))


def on_escalation(ident: str, host: str, code: str = "", interrupts: bool = True) -> str:
    return _boundary(ident, host, definition("escalation", code), interrupts)


def event_sub(ident: str, trigger: str, *body: str, interrupts: bool = True) -> str:
    """An event sub-process whose start event is `<ident>_s`."""
    first = element("startEvent", f"{ident}_s", trigger, isInterrupting=str(interrupts).lower())
    return sub(ident, first, *body, triggeredByEvent="true")


def receive(ident: str, message: str, **attributes: str) -> str:
    return element("receiveTask", ident, messageRef=f"M_{message}", **attributes)


def whichever(ident: str) -> str:
    return element("eventBasedGateway", ident)


def link(tag: str, ident: str, name: str) -> str:
    """`throw` or `catch`."""
    kind = {"throw": "intermediateThrowEvent", "catch": "intermediateCatchEvent"}[tag]
    return element(kind, ident, f'<linkEventDefinition name="{name}" />')


def on_condition(ident: str, host: str, condition: str, interrupts: bool = True) -> str:
    return _boundary(ident, host, definition("conditional", condition), interrupts)


def until(ident: str, condition: str) -> str:
    """An intermediate event that waits for a condition."""
    return element("intermediateCatchEvent", ident, definition("conditional", condition))


def throws(
    ident: str, kind: str, what: str, *mappings: str, tag: str = "intermediateThrowEvent", **attributes: str
) -> str:
    """An event that throws a message or signal, with mappings as for `service`."""
    return element(tag, ident, mapped(*mappings) + definition(kind, what), **attributes)


def send(ident: str, message: str, *mappings: str, **attributes: str) -> str:
    return element("sendTask", ident, mapped(*mappings), messageRef=f"M_{message}", **attributes)


def on_signal(ident: str, host: str, name: str, interrupts: bool = True) -> str:
    return _boundary(ident, host, definition("signal", name), interrupts)


def await_signal(ident: str, name: str) -> str:
    return element("intermediateCatchEvent", ident, definition("signal", name))


def call(ident: str, process: str, *mappings: str, **attributes: str) -> str:
    """A call activity, with mappings as for `service`."""
    return element("callActivity", ident, mapped(*mappings), calledElement=process, **attributes)


def undone_by(host: str, handler: str, script_text: str = "") -> str:
    """The host is compensated by a script; without a text, by a person."""
    ident = f"{host}_comp"
    work = script(handler, script_text) if script_text else user(handler)
    work = work.replace(f'id="{handler}"', f'id="{handler}" isForCompensation="true"', 1)
    line = f'<association id="{ident}_line" sourceRef="{ident}" targetRef="{handler}" />\n'
    return element("boundaryEvent", ident, definition("compensate"), attachedToRef=host) + work + line


def transaction(ident: str, *body: str) -> str:
    return element("transaction", ident, "\n" + "".join(body))


def on_cancel(ident: str, host: str) -> str:
    return _boundary(ident, host, definition("cancel"), True)
