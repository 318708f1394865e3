"""Our own attributes of BPMN elements: one namespace, listed per element. Whatever else a diagram carries is kept."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from bpmn.xml import line_of

NAMESPACE = "urn:kaitong:bpmn:1"

_WAITS = {"orderState": "held: what the order is while the process waits here"}
_COMMON = {
    "nameEn": "English name",
    "milestone": "progress that the customer is told when the element is done",
}
ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "process": {"nameEn": "English name"},
    "userTask": {
        **_COMMON,
        "role": "who may do it",
        "skill": "what the crew must be able to do",
        "formKey": "the form to fill in",
        "asks": "attribute of the order that only its sender can say: until the task is done, the order is pending",
        "otherThan": "another user task: who has done that one last must not do this one",
    },
    "serviceTask": {**_COMMON, "operation": "what the adapter shall do"},
    "scriptTask": _COMMON,
    "sendTask": {**_COMMON, "key": "expression of the key that the message carries"},
    "receiveTask": {**_COMMON, "key": "expression of the key that a message must carry"},
    "task": _COMMON,
    "manualTask": _COMMON,
    "subProcess": _COMMON,
    "transaction": _COMMON,
    "callActivity": _COMMON,
    "startEvent": {**_COMMON, "key": "expression of the key that a message must carry"},
    "endEvent": {
        **_COMMON,
        "key": "expression of the key that the message carries",
        "outcome": "completed, partial, cancelled, failed or rejected: how the process ended when this is its last event",
    },
    "intermediateCatchEvent": {
        **_COMMON,
        "key": "expression of the key that a message must carry",
        **_WAITS,
    },
    "intermediateThrowEvent": {**_COMMON, "key": "expression of the key that the message carries"},
    "boundaryEvent": {**_COMMON, "key": "expression of the key that a message must carry"},
    "exclusiveGateway": {"nameEn": "English name"},
    "parallelGateway": {"nameEn": "English name"},
    "inclusiveGateway": {"nameEn": "English name"},
    "eventBasedGateway": {"nameEn": "English name"},
    "sequenceFlow": {"nameEn": "English name"},
    "multiInstanceLoopCharacteristics": {
        "collection": "expression that gives the list of items",
        "elementVariable": "name of the variable that holds the item",
        "outputCollection": "name of the variable that becomes the list of results",
        "outputElement": "expression of one result, worked out when an instance is done",
    },
}

VALUES: Mapping[str, frozenset[str]] = {
    "outcome": frozenset({"completed", "partial", "cancelled", "failed", "rejected"}),
    "orderState": frozenset({"held"}),
}
"""Attributes that know only these values."""


def attributes(element: etree._Element) -> Mapping[str, str]:
    """Our attributes of an element, without the namespace."""
    prefix = f"{{{NAMESPACE}}}"
    found = {
        str(k).removeprefix(prefix): str(v) for k, v in element.attrib.items() if str(k).startswith(prefix)
    }
    return MappingProxyType(found)


def mappings(element: etree._Element, tag: str) -> list[tuple[str, str, int]]:
    """(name, expression text, line) of `<kaitong:input>` or `<kaitong:output>` in the element's extensionElements."""
    found = []
    for holder in element:
        if isinstance(holder.tag, str) and etree.QName(holder).localname == "extensionElements":
            for item in holder.iter(f"{{{NAMESPACE}}}{tag}"):
                found.append((str(item.get("name") or ""), (item.text or "").strip(), line_of(item)))
    return found
