"""From bytes to an XML tree, without trusting the bytes: no DOCTYPE, no entities, no network, limits on size and depth."""

from __future__ import annotations

from lxml import etree

from bpmn.problems import DiagramRefused, Problem

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DI = "http://www.omg.org/spec/BPMN/20100524/DI"
MAX_BYTES = 2_000_000
MAX_DEPTH = 60
MAX_ELEMENTS = 50_000


def read(data: bytes) -> etree._Element:
    """The root element `definitions`. Raises `DiagramRefused`."""
    if len(data) > MAX_BYTES:
        raise _refused("XML_TOO_LARGE", size=len(data), limit=MAX_BYTES)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as e:
        if b"<!DOCTYPE" in data[:4096]:
            raise _refused("XML_DOCTYPE", line=1) from None
        line = getattr(e, "lineno", 0) or 0
        raise _refused("XML_SYNTAX", line=line, detail=str(getattr(e, "msg", e))[:200]) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refused("XML_DOCTYPE", line=1)
    _check_size(root)
    if root.tag != f"{{{BPMN}}}definitions":
        raise _refused("NOT_BPMN", line=line_of(root), root=str(root.tag)[:100])
    return root


def line_of(element: etree._Element) -> int:
    """The line of an element in its file; 0 where it is not known."""
    line = element.sourceline
    return line if isinstance(line, int) else 0


def is_true(element: etree._Element, attribute: str, default: bool = False) -> bool:
    """An attribute of type xsd:boolean, which may be written in two ways."""
    text = element.get(attribute)
    return default if text is None else text.strip() in ("true", "1")


def kind_of(element: etree._Element) -> str:
    """The local name; empty for foreign namespaces."""
    name = etree.QName(element)
    return name.localname if name.namespace == BPMN else ""


def _check_size(root: etree._Element) -> None:
    count = depth = deepest = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise _refused("XML_TOO_DEEP", depth=deepest, limit=MAX_DEPTH)
    if count > MAX_ELEMENTS:
        raise _refused("XML_TOO_MANY", count=count, limit=MAX_ELEMENTS)


def _refused(code: str, line: int = 0, **facts: object) -> DiagramRefused:
    return DiagramRefused([Problem(code, line, None, facts)])
