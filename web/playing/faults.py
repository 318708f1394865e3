"""Lines that fail: which one, what is wrong with it at the simulators, the customer's report, and that it is mended."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from adapters.sim.server import RunningSimulators
from engine.identity.actor import SYSTEM
from engine.orders.queries import orders
from engine.resources.holdings import held_by
from tasks.columns import TASK_COLUMNS
from web.playing.script import Complaint

TICKETS = "/tmf-api/troubleTicket/v4/troubleTicket"
_WEAK_DBM, _GOOD_DBM = -31, -19.8


@dataclass(frozen=True, slots=True)
class Line:
    """A line at home."""

    account: str
    onu: str
    phone: str


def working_line(session: Any, chance: Random, taken: set[str]) -> Line | None:
    """One of the lines that our orders have built and nobody has complained about."""
    found, _ = orders(session, SYSTEM, TASK_COLUMNS, state="completed", limit=200)
    lines = []
    for order in found:
        held = {row.kind: str(row.name) for row in held_by(session, order.id) if row.state == "in_use"}
        if {"account", "onu"} <= held.keys() and held["account"] not in taken:
            lines.append(Line(held["account"], held["onu"], order.phone))
    return chance.choice(lines) if lines else None


def report_of(complaint: Complaint, line: Line, number: str) -> dict[str, Any]:
    """What the CRM sends."""
    return {
        "externalId": number,
        "ticketType": "fault",
        "severity": "major",
        "description": complaint.description,
        "symptom": complaint.symptom,
        "contactPhone": line.phone,
        "relatedEntity": [{"id": line.account, "role": "line", "@referredType": "Service"}],
    }


def spoil(simulators: RunningSimulators, line: Line, wrong: str) -> None:
    """From now on this is wrong with the line."""
    if wrong == "weak":
        simulators.olt.set_line(onu_serial=line.onu, rx_power_dbm=_WEAK_DBM)
    elif wrong == "stuck":
        simulators.aaa.set_session(account=line.account, stuck=True)


def mend(simulators: RunningSimulators, line: Line) -> None:
    """Nothing is wrong with it any more."""
    simulators.olt.set_line(onu_serial=line.onu, rx_power_dbm=_GOOD_DBM)
    simulators.aaa.set_session(account=line.account, stuck=False)
