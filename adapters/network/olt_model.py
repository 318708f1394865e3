"""What we know about an OLT: PON ports with their service ports and ONUs, between Python values and XML.

The model is our own, in the shape of YANG; `docs/reference/adapters.md` shows it as a tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from lxml import etree

from adapters.network import netconf

OLT = "urn:kaitong:olt:1"
ONUS_PER_PON = 64
Change = Literal["create", "delete", "merge"]


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A customer's place at a PON port, with the VLAN of its traffic."""

    element: ClassVar[str] = "service-port"
    key: ClassVar[str] = "name"

    name: str
    vlan: int
    reference: str = ""
    """The key of the call that made it."""


@dataclass(frozen=True, slots=True)
class Onu:
    """A terminal that is bound to a PON port."""

    element: ClassVar[str] = "onu"
    key: ClassVar[str] = "serial"

    serial: str
    onu_id: int
    port: str
    vlan: int
    line_profile: str
    reference: str = ""
    last_reset: str = field(default="", compare=False)
    """The key of the call that restarted it last: state, not configuration."""


@dataclass(frozen=True, slots=True)
class MulticastMember:
    """A customer's place that gets the channels of a multicast profile."""

    element: ClassVar[str] = "multicast-member"
    key: ClassVar[str] = "name"

    name: str
    profile: str
    reference: str = ""


Entry = ServicePort | Onu | MulticastMember


@dataclass(frozen=True, slots=True)
class Line:
    """What the OLT measures at a terminal. Without sync there is nothing to measure."""

    sync: bool = False
    rx_power_dbm: float | None = None
    distance_m: int | None = None


@dataclass(frozen=True, slots=True)
class Pon:
    """One PON port as it is now."""

    name: str
    is_up: bool
    faulty_ports: tuple[str, ...] = ()
    service_ports: tuple[ServicePort, ...] = ()
    onus: tuple[Onu, ...] = ()
    members: tuple[MulticastMember, ...] = ()

    def service_port(self, name: str) -> ServicePort | None:
        """The one of that name."""
        return next((p for p in self.service_ports if p.name == name), None)

    def onu(self, serial: str) -> Onu | None:
        """The one with that serial number."""
        return next((o for o in self.onus if o.serial == serial), None)

    def member(self, name: str) -> MulticastMember | None:
        """The one of that place."""
        return next((m for m in self.members if m.name == name), None)

    def free_onu_id(self) -> int | None:
        """The lowest number that no terminal has."""
        taken = {o.onu_id for o in self.onus}
        return next((n for n in range(1, ONUS_PER_PON + 1) if n not in taken), None)


def pon_of(port: str) -> str:
    """`1/3` for the customer's port `1/3/7`."""
    return "/".join(port.split("/")[:2])


def line_profile(speed_mbps: int) -> str:
    """The name of the profile of a speed."""
    return f"line-{speed_mbps}m"


# ---- to XML


def _tree(pon: str) -> tuple[etree._Element, etree._Element]:
    """An empty tree down to a PON port: its root, and the port."""
    root = etree.Element(f"{{{OLT}}}olt", nsmap={None: OLT})  # type: ignore[dict-item]
    port = etree.SubElement(root, f"{{{OLT}}}pon-port")
    etree.SubElement(port, f"{{{OLT}}}name").text = pon
    return root, port


def pon_filter(pon: str) -> etree._Element:
    """Asks for the state and the configuration of a PON port, without measuring anything."""
    root, port = _tree(pon)
    for name in ("oper-state", "faulty-port", "service-port", "onu", "multicast-member"):
        etree.SubElement(port, f"{{{OLT}}}{name}")
    return root


def line_filter(place: str, serial: str) -> etree._Element:
    """Asks what a PON port sees of one terminal, and which channels its place gets."""
    root, port = _tree(pon_of(place))
    for name in ("oper-state", "faulty-port"):
        etree.SubElement(port, f"{{{OLT}}}{name}")
    for name in ("onu", "seen-onu"):
        onu = etree.SubElement(port, f"{{{OLT}}}{name}")
        etree.SubElement(onu, f"{{{OLT}}}serial").text = serial
    member = etree.SubElement(port, f"{{{OLT}}}multicast-member")
    etree.SubElement(member, f"{{{OLT}}}name").text = place
    return root


def edit(pon: str, kind: type[Entry], values: Mapping[str, Any], change: Change) -> etree._Element:
    """The `edit-config` that creates, deletes or merges one entry; values are named as in our classes."""
    root, port = _tree(pon)
    entry = etree.SubElement(
        port,
        f"{{{OLT}}}{kind.element}",
        {f"{{{netconf.BASE}}}operation": str(change)},
        nsmap={"nc": netconf.BASE},
    )
    for name, value in values.items():
        etree.SubElement(entry, f"{{{OLT}}}{name.replace('_', '-')}").text = str(value)
    return netconf.edit_config(root)


def creation(pon: str, entry: Entry) -> etree._Element:
    """The `edit-config` that makes an entry which must not be there yet."""
    values = {name: value for name, value in asdict(entry).items() if name != "last_reset"}
    return edit(pon, type(entry), values, "create")


def reset(pon: str, serial: str, reference: str) -> etree._Element:
    """Restarts a terminal; one that was restarted last for the same reference is left alone."""
    rpc = etree.Element(f"{{{OLT}}}reset-onu", nsmap={None: OLT})  # type: ignore[dict-item]
    for name, value in (("pon-port", pon), ("serial", serial), ("reference", reference)):
        etree.SubElement(rpc, f"{{{OLT}}}{name}").text = value
    return rpc


# ---- from XML; raises ValueError for what does not fit the model


def read_pon(data: etree._Element, name: str) -> Pon | None:
    """The PON port of that name, or None where the OLT has none."""
    for port in data.iterfind(f"{{{OLT}}}olt/{{{OLT}}}pon-port"):
        if _text(port, "name") == name:
            return Pon(
                name,
                _text(port, "oper-state") == "up",
                tuple((e.text or "").strip() for e in port.iterfind(f"{{{OLT}}}faulty-port")),
                tuple(_service_port(e) for e in port.iterfind(f"{{{OLT}}}service-port")),
                tuple(_onu(e) for e in port.iterfind(f"{{{OLT}}}onu")),
                tuple(_member(e) for e in port.iterfind(f"{{{OLT}}}multicast-member")),
            )
    return None


def read_line(data: etree._Element, serial: str) -> Line:
    """What is measured at a terminal."""
    for seen in data.iterfind(f"{{{OLT}}}olt/{{{OLT}}}pon-port/{{{OLT}}}seen-onu"):
        if _text(seen, "serial") == serial and _text(seen, "sync") == "true":
            return Line(True, float(_text(seen, "rx-power-dbm")), int(_text(seen, "distance-m")))
    return Line()


def _service_port(e: etree._Element) -> ServicePort:
    return ServicePort(_text(e, "name"), int(_text(e, "vlan")), _reference(e))


def _member(e: etree._Element) -> MulticastMember:
    return MulticastMember(_text(e, "name"), _text(e, "profile"), _reference(e))


def _onu(e: etree._Element) -> Onu:
    return Onu(
        _text(e, "serial"),
        int(_text(e, "onu-id")),
        _text(e, "port"),
        int(_text(e, "vlan")),
        _text(e, "line-profile"),
        _reference(e),
        _reference(e, "last-reset"),
    )


def _reference(e: etree._Element, name: str = "reference") -> str:
    return (e.findtext(f"{{{OLT}}}{name}") or "").strip()


def _text(parent: etree._Element, name: str) -> str:
    text = parent.findtext(f"{{{OLT}}}{name}")
    if text is None:
        raise ValueError(f"{name} is missing")
    return text.strip()
