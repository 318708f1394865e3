"""What happened to the resources of an order, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext

Words = tuple[str, str, str, str]  # kind, level, title, detail


def _port(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "ok", gettext("Port reserved"), f"{data.get('node')} {data.get('port')}"


def _held(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "ok", gettext("Port held"), f"{data.get('node')} {data.get('port')}"


def _faulty(data: Mapping[str, Any], _step: str) -> Words:
    where = f"{data.get('node')} {data.get('port')} {data.get('reason') or ''}"
    return "step", "warn", gettext("Port is faulty"), where.strip()


def _no_core(data: Mapping[str, Any], _step: str) -> Words:
    where = f"{data.get('cable')} {data.get('fibre')} {data.get('reason') or ''}"
    return "step", "warn", gettext("Fibre is faulty"), where.strip()


def _circuit(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "ok", gettext("Circuit reserved"), f"{data.get('circuit')}: {_all(data)}"


def _in_service(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "ok", gettext("Circuit in service"), f"{data.get('circuit')}: {_all(data)}"


def _taken(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "ok", gettext("Resource taken"), _all(data)


def _allocated(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "ok", gettext("Resources in use"), _all(data)


def _released(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("Resources given back"), _all(data)


def _prolonged(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("Reservations prolonged"), _all(data)


def _expired(data: Mapping[str, Any], _step: str) -> Words:
    return "clock", "warn", gettext("Reservation has run out"), _all(data)


def _cooled(data: Mapping[str, Any], _step: str) -> Words:
    return "clock", "info", gettext("Cooling has ended"), _all(data)


def _demand(data: Mapping[str, Any], _step: str) -> Words:
    return "note", "warn", gettext("Demand noted: no line there yet"), str(data.get("building", ""))


def _met(data: Mapping[str, Any], _step: str) -> Words:
    return "note", "ok", gettext("A network reaches the building now"), str(data.get("building", ""))


def _line_changed(data: Mapping[str, Any], _step: str) -> Words:
    return (
        "step",
        "ok",
        gettext("The line has another product"),
        f"{data.get('before')} → {data.get('after')}",
    )


def _line_ended(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("The line has been given up"), _all(data)


def _line_reduced(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "info", gettext("A service of the line has been given up"), _all(data)


def _suspended(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "warn", gettext("The line is to be off"), _reason(data)


def _resumed(data: Mapping[str, Any], _step: str) -> Words:
    return "step", "ok", gettext("A reason to keep the line off is gone"), _reason(data)


def _reason(data: Mapping[str, Any]) -> str:
    known = {
        "arrears": gettext("arrears"),
        "customer": gettext("customer's wish"),
        "legal": gettext("by law"),
    }
    reason = str(data.get("reason", ""))
    return known.get(reason, reason)


def _all(data: Mapping[str, Any]) -> str:
    return ", ".join(_named(str(one)) for one in data.get("resources", ()))


def _named(text: str) -> str:
    """`port OLT-E01 1/3/7` with the kind in words; kinds of an operator's own stay as they are."""
    kind, _, name = text.partition(" ")
    kinds = {
        "port": gettext("Port"),
        "onu": gettext("ONU"),
        "account": gettext("Account"),
        "number": gettext("Telephone number"),
        "vlan": gettext("VLAN"),
        "ip": gettext("IP address"),
        "circuit": gettext("Circuit code"),
        "fibre": gettext("Fibre"),
        "vrf": gettext("VRF"),
    }
    return f"{kinds.get(kind, kind)} {name}"


TELLERS: Mapping[str, Callable[[Mapping[str, Any], str], Words]] = {
    "PortReserved": _port,
    "PortHeld": _held,
    "PortFaulty": _faulty,
    "FibreFaulty": _no_core,
    "CircuitReserved": _circuit,
    "CircuitInService": _in_service,
    "ResourceTaken": _taken,
    "ResourcesAllocated": _allocated,
    "ResourcesReleased": _released,
    "ReservationsProlonged": _prolonged,
    "ReservationExpired": _expired,
    "CoolingEnded": _cooled,
    "LineChanged": _line_changed,
    "LineEnded": _line_ended,
    "LineReduced": _line_reduced,
    "LineSuspended": _suspended,
    "LineResumed": _resumed,
    "DemandRecorded": _demand,
    "DemandMet": _met,
}
