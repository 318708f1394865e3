"""Fault reports for tests: the lines of the demo operator, a report of one, and the small fault process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from bpmn.catalog import packaged
from engine.deploy.definitions import Upload
from engine.deploy.model import ProcessBinding
from engine.orders.model import ServiceOrder
from engine.resources.model import Resource
from engine.store import Store
from engine.tickets.children import attach
from engine.tickets.model import MassFault, TroubleTicket
from tasks.model import Task
from tests.machines import V1, Machines, running_machines
from tests.site import Site
from tests.small_broadband import SMALL
from tests.small_fault import SMALL_FAULT

BASE = "/tmf-api/troubleTicket/v4"
TICKETS, TICKET_HUB = f"{BASE}/troubleTicket", f"{BASE}/hub"
EVERYBODY, PLATFORM = "everybody", "alarms"
NO_LINE = {"product": "BB-1000", "area": "YT-E", "address": "汀兰路 1 号", "customerName": "陈先生"}
"""What a sender says of a line that none of our orders built."""


def a_report(line: str = "yt10230123", external_id: str | None = "CRM-F-1", **more: Any) -> dict[str, Any]:
    """A report as a CRM sends it."""
    body = {
        "ticketType": "fault",
        "severity": "major",
        "description": "上不了网",
        "symptom": "no_internet",
        "relatedEntity": [{"id": line, "role": "line", "@referredType": "Service"}],
    }
    return body | ({"externalId": external_id} if external_id else {}) | more


class Reports:
    """Machines that report faults, on lines that have been made for them."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines
        self.site = machines.site

    def line(self, account: str, node: str = "OLT-N01", port: str = "1/5/1", **order: Any) -> str:
        """A line that works: the order that built it, its port and its account."""
        at = self.site.clock.now()
        number = f"BB-20261101-{account[-6:]}"
        facts = {
            "tier": "normal",
            "product": "BB-1000",
            "area": "YT-N",
            "customer": "林女士",
            "phone": "13800004021",
            "address": "北岭区松风路 1 号",
        } | order
        with self.site.store.write() as db:
            db.add(
                ServiceOrder(
                    id=number,
                    source="crm",
                    order_type="BB",
                    state="completed",
                    document={},
                    placed_at=at,
                    ended_at=at,
                    **facts,
                )
            )
            found = db.scalars(
                select(Resource).where(Resource.kind == "port", Resource.place == node, Resource.name == port)
            ).one()
            found.state, found.holder, found.changed_at = "in_use", number, at
            db.add(Resource(kind="account", name=account, state="in_use", holder=number, changed_at=at))
        return account

    def report(self, line: str = "yt10230123", **more: Any) -> str:
        """A report that must be taken, as far as machines move it."""
        answer = self.machines.post(TICKETS, a_report(line, None, **more))
        assert answer.status_code == 201, answer.text
        self.site.work()
        return str(answer.json["id"])  # type: ignore[index]

    def status(self, ticket: str) -> str:
        """Its status, as its sender sees it."""
        return str(self.machines.get(f"{TICKETS}/{ticket}")["status"])

    def row(self, ticket: str) -> TroubleTicket:
        """The row as it is."""
        with self.site.store.read() as db:
            found = db.get_one(TroubleTicket, ticket)
            db.expunge(found)
            return found

    def open(self, key: str) -> list[str]:
        """Elements with an open task."""
        query = select(Task.element).where(Task.business_key == key, Task.closed_at.is_(None))
        with self.site.store.read() as db:
            return list(db.scalars(query.order_by(Task.id)))

    def do(self, key: str, element: str, **values: Any) -> None:
        """The open task of an element is completed; machines go on."""
        query = select(Task.id).where(
            Task.business_key == key, Task.element == element, Task.closed_at.is_(None)
        )
        with self.site.store.read() as db:
            task = db.scalars(query).one()
        told = values or {"answer": "yes"}
        answer = self.machines.post(f"{V1}/tasks/{task}/complete", {"values": told}, EVERYBODY)
        assert answer.status_code == 200, answer.text
        self.site.work()

    def neighbours(self, count: int, node: str = "OLT-N01", pon: str = "1/5", first: int = 1) -> list[str]:
        """Lines of one PON that work."""
        made = range(first, first + count)
        return [self.line(f"yt2{pon.replace('/', '')}{n:05}", node, f"{pon}/{n}") for n in made]

    def alarm(self, name: str = "A-1", what: str = "OLT-N01 1/5", **more: Any) -> Any:
        """A platform raises or clears an alarm."""
        body = {"id": name, "object": what, "kind": "LOS", "severity": "critical"} | more
        answer = self.machines.post(f"{V1}/alarms", body, PLATFORM)
        assert answer.status_code == 200, answer.text
        self.site.work()
        return answer.json

    def later(self, **length: float) -> None:
        """Time passes, and what is due happens."""
        self.site.clock.advance(timedelta(**length))
        self.site.work()

    def faults(self, state: str = "current") -> list[Any]:
        """Mass faults, newest first."""
        return list(self.machines.get(f"{V1}/mass-faults?state={state}", EVERYBODY)["items"])

    def decide(self, fault: str, what: str) -> Any:
        """confirm, dismiss or withdraw."""
        answer = self.machines.ask("POST", f"{V1}/mass-faults/{fault}/{what}", EVERYBODY)
        self.site.work()
        return answer

    def patch(self, ticket: str, who: str = "crm", **body: Any) -> Any:
        """A merge patch."""
        answer = self.machines.ask("PATCH", f"{TICKETS}/{ticket}", who, json=body)
        self.site.work()
        return answer


def deploy_mass_faults(site: Site) -> None:
    """The shipped process of mass faults, on a site that began without it."""
    (bundle,) = (b for b in packaged() if b.name == "mass_fault")
    at, definitions = site.clock.now(), site.services.definitions
    with site.store.write() as db:
        upload = Upload(bundle.filename, bundle.xml, bundle.forms)
        for version in definitions.upload(db, upload, at=at, actor="test"):
            definitions.deploy(db, version.id, at=at, actor="test")


def a_child(site: Site, fault: str) -> str:
    """A ticket that belongs to a mass fault, as if its process had brought it there."""
    at = site.clock.now()
    number = "TT-20261122-000901"
    facts = {"tier": "normal", "product": "BB-1000", "area": "YT-E", "customer": "林女士"}
    with site.store.write() as db:
        db.add(
            ServiceOrder(
                id=number,
                source="crm",
                order_type="TT",
                state="inProgress",
                document={},
                placed_at=at,
                phone="",
                address="",
                **facts,
            )
        )
        db.flush()
        ticket = TroubleTicket(
            id=number,
            ticket_type="fault",
            severity="major",
            description="断网",
            origin="crm",
            line="yt1",
            status="inProgress",
            status_at=at,
            changes=[],
            document={},
            created_at=at,
            updated_at=at,
        )
        db.add(ticket)
        db.flush()
        attach(db, db.get_one(MassFault, fault), ticket, at, "test")
    return number


@contextmanager
def running_reports(store: Store, folder: Path) -> Iterator[Reports]:
    """The demo operator with two small processes, and that of mass faults."""
    bundles = (SMALL, SMALL_FAULT, *(b for b in packaged() if b.name == "mass_fault"))
    with running_machines(store, folder, bundles=bundles) as machines:
        site = machines.site
        machines.add_person(EVERYBODY, "NC", "CS", "DP", "FC")
        machines.add_person(PLATFORM, "ALM")
        with site.store.write() as db:
            db.execute(delete(ProcessBinding).where(ProcessBinding.order_type == "TT"))
            db.add(ProcessBinding(order_type="TT", process_key="fault", valid_from=site.clock.now()))
        reports = Reports(machines)
        reports.line("yt10230123", port="1/3/7")
        yield reports
