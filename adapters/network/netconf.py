"""NETCONF (RFC 6241) as text: requests are built, replies are read, and what a reply says becomes the contract's errors.

There is no session, so every request stands alone: one `edit-config` of the running configuration, tested first and
rolled back on an error, is one effect.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from lxml import etree

from adapters.json_http import wire_key
from adapters.network.transport import Transport
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
CALL = "urn:kaitong:call:1"
"""Attributes of a request that its reply must bring back (RFC 6241, 4.1): `key`, and in the reply `replayed`."""
MEDIA = "application/xml"
MAX_ELEMENTS = 20_000
DATA_EXISTS, DATA_MISSING, NOT_UNIQUE = "data-exists", "data-missing", "data-not-unique"
_LATER = ("in-use", "lock-denied", "resource-denied")
_PERHAPS = ("partial-operation", "rollback-failed")


@dataclass(frozen=True, slots=True)
class Said:
    """The reply to a change: `tag` is empty for ok, else what stood in the way, which is for the caller to judge."""

    tag: str = ""
    replayed: bool = False
    """The device recognised the request and did nothing new."""


def request_text(operation: etree._Element, message_id: str, key: str | None = None) -> bytes:
    """The whole request."""
    spaces = {None: BASE} if key is None else {None: BASE, "call": CALL}
    rpc = etree.Element(f"{{{BASE}}}rpc", {"message-id": message_id}, nsmap=spaces)  # type: ignore[arg-type]
    if key is not None:
        rpc.set(f"{{{CALL}}}key", wire_key(key))
    rpc.append(operation)
    etree.cleanup_namespaces(rpc, keep_ns_prefixes=["call"] if key is not None else [])
    etree.indent(rpc)
    return etree.tostring(rpc, xml_declaration=True, encoding="UTF-8")


def get(subtree: etree._Element) -> etree._Element:
    """`get` with a subtree filter."""
    operation = etree.Element(f"{{{BASE}}}get", nsmap={None: BASE})  # type: ignore[dict-item]
    wanted = etree.SubElement(operation, f"{{{BASE}}}filter", {"type": "subtree"})
    wanted.append(subtree)
    return operation


def edit_config(content: etree._Element) -> etree._Element:
    """`edit-config`: nothing is touched but what says so itself, and all of it or nothing."""
    operation = etree.Element(f"{{{BASE}}}edit-config", nsmap={None: BASE})  # type: ignore[dict-item]
    target = etree.SubElement(operation, f"{{{BASE}}}target")
    etree.SubElement(target, f"{{{BASE}}}running")
    for name, value in (
        ("default-operation", "none"),
        ("test-option", "test-then-set"),
        ("error-option", "rollback-on-error"),
    ):
        etree.SubElement(operation, f"{{{BASE}}}{name}").text = value
    etree.SubElement(operation, f"{{{BASE}}}config").append(content)
    return operation


def parse(raw: bytes) -> etree._Element:
    """A document that nobody has to be trusted for: no DTD, no entities, no network, not endless. Raises `ValueError`."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as e:
        raise ValueError("no XML") from e
    if root.getroottree().docinfo.internalDTD is not None:
        raise ValueError("a DTD is not taken")
    if sum(1 for _ in itertools.islice(root.iter(), MAX_ELEMENTS + 1)) > MAX_ELEMENTS:
        raise ValueError("too many elements")
    return root


class Netconf:
    """Asks and changes devices over a transport."""

    def __init__(self, kind: str, transport: Transport) -> None:
        self._kind, self.transport = kind, transport
        self._numbers = itertools.count(1)

    def read(self, device: str, subtree: etree._Element, deadline: float) -> etree._Element:
        """What the device shows of `subtree`: the element `data`. Whatever is no usable answer is `Retryable`."""
        reply = self._exchange(device, get(subtree), None, deadline)
        problem = reply.find(f"{{{BASE}}}rpc-error")
        data = reply.find(f"{{{BASE}}}data")
        if problem is not None or data is None:
            raise self._error(device, problem, Retryable)
        return data

    def change(self, device: str, operation: etree._Element, key: str, deadline: float) -> Said:
        """Sends one change. Data that exists, is missing or is not unique comes back; everything else is raised."""
        reply = self._exchange(device, operation, key, deadline)
        replayed = reply.get(f"{{{CALL}}}replayed") == "true"
        if reply.find(f"{{{BASE}}}ok") is not None:
            return Said(replayed=replayed)
        problem = reply.find(f"{{{BASE}}}rpc-error")
        for tag in (_leaf(problem, "error-tag"), _leaf(problem, "error-app-tag")):
            if tag in (DATA_EXISTS, DATA_MISSING, NOT_UNIQUE):
                return Said(tag, replayed)
        raise self._error(device, problem, OutcomeUnknown)

    def _exchange(
        self, device: str, operation: etree._Element, key: str | None, deadline: float
    ) -> etree._Element:
        number = str(next(self._numbers))
        raw = self.transport.exchange(device, request_text(operation, number, key), deadline, key is None)
        uncertain = Retryable if key is None else OutcomeUnknown
        try:
            reply = parse(raw)
        except ValueError as e:
            raise uncertain(target=self._target(device), detail=f"the answer cannot be read: {e}") from e
        if reply.tag != f"{{{BASE}}}rpc-reply" or reply.get("message-id") != number:
            raise uncertain(target=self._target(device), detail="the answer belongs to no request of ours")
        return reply

    def _error(
        self, device: str, problem: etree._Element | None, uncertain: type[AdapterError]
    ) -> AdapterError:
        """What an `rpc-error` means for us. A code of the device's own model is a business no."""
        target = self._target(device)
        tag, code = _leaf(problem, "error-tag"), _leaf(problem, "error-app-tag")
        detail = f"{tag} {code} {_leaf(problem, 'error-message')}".strip()[:200]
        if problem is None or tag in _PERHAPS:
            return uncertain(target=target, detail=detail or "the answer says neither yes nor no")
        if tag in _LATER:
            return Retryable(target=target, detail=detail)
        if code and tag == "operation-failed":
            return Permanent(code, target=target, detail=detail)
        return NeedsHuman(target=target, detail=f"it did not take our request, {detail}")

    def _target(self, device: str) -> str:
        return f"{self._kind}:{device}"


def _leaf(parent: etree._Element | None, name: str) -> str:
    return "" if parent is None else (parent.findtext(f"{{{BASE}}}{name}") or "").strip()
