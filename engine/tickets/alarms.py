"""Alarms of platforms: one ticket for each root alarm, after the time in which it may clear by itself.

The time to wait is a job that is due later. An alarm of a single line becomes a ticket; one of a device or a PON a
proposed mass fault. Its clearing is a message (`alarm.cleared`) to the process that it led to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.errors import BadInput, Conflict, NotFound
from engine.events import record
from engine.jobs import queue
from engine.jobs.queue import Claim
from engine.ports import OrderListener
from engine.resources.model import NetworkNode, Resource
from engine.runtime.kernel import Kernel
from engine.store import Store
from engine.tickets.children import send
from engine.tickets.intake import ReportFault, report_fault
from engine.tickets.lines import find_line, pon_of
from engine.tickets.mass_faults import place_of, propose
from engine.tickets.model import Alarm

KIND = "alarm"
CLEARED = "alarm.cleared"
PATIENCE = timedelta(minutes=3)
FLAPPING = 5
"""An alarm that has come so often is acted on at once: it would never last."""


class UnknownObject(BadInput):
    """object: {object} is neither a line nor a device of ours."""

    code = "alarm.object"


@dataclass(frozen=True, slots=True)
class AlarmReport:
    """What a platform says. `object`: a line, or a device with or without PON or port, `OLT-N01 1/5`."""

    source: str
    external_id: str
    object: str
    kind: str
    severity: str
    text: str | None = None
    root: str | None = None


def raise_alarm(session: Session, report: AlarmReport, at: datetime) -> Alarm:
    """Takes it in. What is up already stays as it is; what had cleared is counted. Raises `UnknownObject`."""
    if not _is_known(session, report.object):
        raise UnknownObject(object=report.object)
    alarm = _find(session, report.source, report.external_id)
    if alarm is not None and alarm.state != "cleared":
        alarm.severity, alarm.text = report.severity, report.text
        return alarm
    if alarm is None:
        alarm = Alarm(
            source=report.source,
            external_id=report.external_id,
            object=report.object,
            kind=report.kind,
            raises=0,
            state="waiting",
            severity=report.severity,
            raised_at=at,
        )
        session.add(alarm)
    alarm.severity, alarm.text, alarm.root_name = report.severity, report.text, report.root
    alarm.state, alarm.raises, alarm.raised_at, alarm.cleared_at = "waiting", alarm.raises + 1, at, None
    alarm.result_id = None
    alarm.due_at = at if alarm.raises >= FLAPPING else at + PATIENCE
    try:
        session.flush()
    except IntegrityError as e:  # the same alarm at the same moment, through another process
        raise Conflict() from e
    queue.enqueue(session, KIND, _key(alarm), {"alarm": alarm.id, "raise": alarm.raises}, alarm.due_at)
    record(
        session,
        "AlarmRaised",
        at=at,
        actor=report.source,
        alarm=alarm.id,
        object=alarm.object,
        alarm_kind=alarm.kind,
        raises=alarm.raises,
    )
    return alarm


def clear_alarm(session: Session, source: str, external_id: str, at: datetime) -> Alarm:
    """It is over; the process that it led to hears of it. Twice is once. Raises `NotFound`."""
    alarm = _find(session, source, external_id)
    if alarm is None:
        raise NotFound(what="alarm", id=external_id)
    if alarm.state == "cleared":
        return alarm
    alarm.state, alarm.cleared_at, alarm.due_at = "cleared", at, None
    record(session, "AlarmCleared", at=at, actor=source, alarm=alarm.id, result=alarm.result_id)
    if alarm.result_id is not None:
        send(session, CLEARED, alarm.result_id, {"alarm": alarm.id}, at)
    session.flush()
    return alarm


class AlarmJob:
    """Handler of the jobs that `raise_alarm` queues: the time to clear by itself has passed."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        kernel: Kernel,
        listeners: Sequence[OrderListener],
        zone: ZoneInfo,
    ) -> None:
        self.store, self.clock, self.kernel = store, clock, kernel
        self.listeners, self.zone = tuple(listeners), zone

    def __call__(self, claim: Claim) -> None:
        """Acts on an alarm that is still up; everything else has been settled already."""
        with self.store.write() as session:
            job = queue.held(session, claim)
            if job is None:
                return
            now = self.clock.now()
            queue.finish(job, now)
            query = select(Alarm).where(Alarm.id == claim.payload["alarm"]).with_for_update()
            alarm = session.scalars(query).one()
            if alarm.state == "waiting" and alarm.raises == claim.payload["raise"]:
                self._act(session, alarm, now)

    def _act(self, session: Session, alarm: Alarm, now: datetime) -> None:
        root = _find(session, alarm.source, alarm.root_name) if alarm.root_name else None
        if root is not None and root.id != alarm.id:
            alarm.state, alarm.root_id, alarm.result_id = "suppressed", root.id, root.result_id
            return
        alarm.state = "raised"
        line = line_of(session, alarm.object)
        alarm.result_id = (
            self._ticket(session, alarm, line, now) if line else self._fault(session, alarm, now)
        )

    def _ticket(self, session: Session, alarm: Alarm, line: str, now: datetime) -> str:
        report = ReportFault(
            source=alarm.source,
            external_id=None,
            line=line,
            ticket_type="alarm",
            severity=alarm.severity,
            description=alarm.text or alarm.kind,
            symptom=alarm.kind,
            origin="alarm",
            alarm_id=alarm.id,
            flaps=alarm.raises,
        )
        ticket = report_fault(
            session, report, self.kernel, self.listeners, at=now, zone=self.zone, actor=alarm.source
        )
        return ticket.id

    def _fault(self, session: Session, alarm: Alarm, now: datetime) -> str:
        node, _, port = alarm.object.partition(" ")
        place = place_of(session, node, pon_of(port) or port)
        text = f"{alarm.kind}: {alarm.text or alarm.object}"[:500]
        return propose(
            session,
            place,
            origin="alarm",
            description=text,
            at=now,
            zone=self.zone,
            actor=alarm.source,
            alarm_id=alarm.id,
        ).id


def line_of(session: Session, name: str) -> str | None:
    """The line that an alarm is about: by its name, or by the port that serves it; None for a device."""
    node, _, port = name.partition(" ")
    if port and pon_of(port):
        held = select(Resource.holder).where(
            Resource.kind == "port", Resource.place == node, Resource.name == port, Resource.state == "in_use"
        )
        holder = session.scalars(held).first()
        accounts = select(Resource.name).where(Resource.kind == "account", Resource.holder == holder)
        return session.scalars(accounts).first() or holder if holder else None
    return name if session.get(NetworkNode, node) is None and find_line(session, name) else None


def _is_known(session: Session, name: str) -> bool:
    node, _, port = name.partition(" ")
    if session.get(NetworkNode, node) is None:
        return find_line(session, name) is not None
    try:
        place_of(session, node, pon_of(port) or port)
    except BadInput:
        return False
    return True


def _find(session: Session, source: str, external_id: str) -> Alarm | None:
    query = select(Alarm).where(Alarm.source == source, Alarm.external_id == external_id)
    return session.scalars(
        query.with_for_update(), execution_options={"populate_existing": True}
    ).one_or_none()


def _key(alarm: Alarm) -> str:
    return f"{KIND}:{alarm.id}:{alarm.raises}"


def alarms(session: Session, *, state: str | None, before: int | None, limit: int) -> list[Alarm]:
    """The newest first."""
    query = select(Alarm)
    if state:
        query = query.where(Alarm.state == state)
    if before is not None:
        query = query.where(Alarm.id < before)
    return list(session.scalars(query.order_by(Alarm.id.desc()).limit(limit)))
