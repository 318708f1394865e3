"""The installation that all browser tests share, seen from outside: orders, tasks, simulators, and its database."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from sqlalchemy import select, update

from engine.identity import inbox, people
from engine.identity.tokens import create_token
from engine.orders.model import ServiceOrder
from engine.resources.model import Resource
from engine.store import Store
from sla.model import SlaClock, SlaRung
from tasks.model import Task
from tests.broadband_parts import told
from tests.product import Client, Product
from web import demo_data
from web.commands.demo import ORDERS, sample_order

PATIENCE_S = 30
CREWS = {one.login: one.crew for one in demo_data.people() if one.crew is not None}


def wait_until(check: Callable[[], Any], what: str) -> Any:
    """Asks until the answer is true, and gives it."""
    until = time.monotonic() + PATIENCE_S
    while not (answer := check()):
        assert time.monotonic() < until, f"waited {PATIENCE_S} s in vain for {what}"
        threading.Event().wait(0.1)
    return answer


@dataclass
class Installation:
    """One running product. Orders are placed by the CRM's interface; tests look at them in the browser."""

    product: Product
    store: Store
    _clients: dict[str, Client] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def client(self, login: str) -> Client:
        """A machine that uses the interface with the rights of a login."""
        if login not in self._clients:
            with self.store.write() as session:
                token = create_token(session, self.person_id(login), "test", 1, at=datetime.now(UTC))
            self._clients[login] = Client(self.product.url, token)
        return self._clients[login]

    def person_id(self, login: str) -> int:
        """The number of a person."""
        with self.store.read() as session:
            person = people.find_person(session, login)
            assert person is not None, login
            return person.id

    def speak(self, login: str, locale: str) -> None:
        """The language in which this person wants to read."""
        with self.store.write() as session:
            people.set_locale(session, self.person_id(login), locale)

    def mass_fault(self) -> str:
        """An open mass fault of a PON."""
        body = {"node": "OLT-N01", "pon": "1/5", "description": "多户断网"}
        answer = self.client("network").call("POST", "/api/v1/mass-faults", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    # ---- orders

    def place_order(self, **values: str) -> str:
        """A broadband order of the CRM, received; in East Ting unless `area` and `building` say otherwise."""
        document = sample_order(f"CRM-{next(self._numbers):06d}")
        for characteristic in document["serviceOrderItem"][0]["service"]["serviceCharacteristic"]:
            characteristic["value"] = values.get(characteristic["name"], characteristic["value"])
        answer = self.client("crm").call("POST", ORDERS, document)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def order_on_site(self, crew: str = "crew-e1") -> str:
        """An order whose construction, `<order>-W03`, is open for this crew; others may come first, work is shared out."""
        for _ in range(6):
            order = self.place_order()
            if self._crew_of(order) == CREWS[crew]:
                for number in ("W01", "W02"):
                    self._do(order, number, crew)
                self._wait_for_task(order, "W03", crew)
                return order
        raise AssertionError(f"no order came to {crew}")

    def _crew_of(self, order: str) -> str:
        path = f"/api/v1/tasks?order={order}"
        [task] = wait_until(
            lambda: self.client("dispatcher").call("GET", path).json()["items"], f"a task of {order}"
        )
        return str(task["crew"]["id"])

    def _do(self, order: str, number: str, crew: str = "crew-e1") -> None:
        """The crew does one of its tasks, as when all goes well."""
        task = self._wait_for_task(order, number, crew)
        path, values = f"/api/v1/tasks/{task['id']}/complete", told(task["element"], order)
        answer = self.client(crew).call("POST", path, {"values": values})
        assert answer.status_code == 200, answer.text

    def _wait_for_task(self, order: str, number: str, crew: str) -> Any:
        """Until a task of an order is open."""
        path = f"/api/v1/tasks?order={order}"

        def found() -> Any:
            items = self.client(crew).call("GET", path).json()["items"]
            return next(
                (t for t in items if t["id"] == f"{order}-{number}" and t["state"] != "completed"), None
            )

        return wait_until(found, f"{order}-{number}")

    def claim(self, order: str) -> None:
        """林师傅 takes the construction task."""
        assert self.client("crew-e1").call("POST", f"/api/v1/tasks/{order}-W03/claim", {}).status_code == 200

    def complete(self, order: str) -> None:
        """林师傅 reports the construction as done."""
        self._do(order, "W03")

    def accept(self, order: str) -> None:
        """The customer accepts the line; the order is closed."""
        self._do(order, "W04")
        self.wait_for_state(order, "completed")

    def wait_for_state(self, order: str, state: str) -> None:
        """Until the CRM would be told this state."""

        def is_there() -> bool:
            return bool(self.client("crm").call("GET", f"{ORDERS}/{order}").json()["state"] == state)

        wait_until(is_there, f"{order} to be {state}")

    def completed_order(self) -> str:
        """An order from beginning to end."""
        order = self.order_on_site()
        self.complete(order)
        self.accept(order)
        return order

    def order_with_incident(self) -> str:
        """An order whose activation failed until the product gave up; the AAA server is well again."""
        order = self.order_on_site()
        self.fail_aaa()
        try:
            self.complete(order)
            wait_until(lambda: self.incidents_of(order), f"an incident of {order}")
        finally:
            self.heal_aaa()
        return order

    def incidents_of(self, order: str) -> list[Any]:
        """Open incidents of an order."""
        items = self.client("operator").call("GET", "/api/v1/incidents").json()["items"]
        return [incident for incident in items if incident["order"] == order]

    # ---- the world outside

    def simulator(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the simulators' own interface."""
        addresses = json.loads((self.product.data_dir / "simulators.json").read_text(encoding="utf-8"))
        answer = requests.request(method, addresses["http_url"] + path, json=body, timeout=10)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def fail_aaa(self) -> None:
        """The AAA server answers nobody until `heal_aaa`."""
        self.simulator("POST", "/sim/aaa/faults", {"fault": "unavailable", "times": -1})

    def heal_aaa(self) -> None:
        """The AAA server works again."""
        self.simulator("DELETE", "/sim/aaa/faults")

    def effects(self, simulator: str, operation: str, order: str) -> list[Any]:
        """What was really done there for an order."""
        found = self.simulator("GET", f"/sim/{simulator}/effects")["effects"]
        return [e for e in found if e["operation"] == operation and e["key"].startswith(order)]

    # ---- what only time, or many orders, would bring about

    def let_pass(self, order: str, hours: float) -> None:
        """As if the order had been placed so much earlier: its limits come nearer, the ticker sees it by itself."""
        shift = timedelta(hours=hours)
        with self.store.write() as session:
            clocks = list(session.scalars(select(SlaClock).where(SlaClock.business_key == order)))
            for clock in clocks:
                clock.started_at, clock.due_at = clock.started_at - shift, clock.due_at - shift
                for rung in session.scalars(select(SlaRung).where(SlaRung.clock_id == clock.id)):
                    rung.due_at -= shift
            for task in session.scalars(select(Task).where(Task.business_key == order)):
                task.created_at -= shift
                task.rank_at -= shift
                task.due_at = task.due_at and task.due_at - shift
            placed = session.get_one(ServiceOrder, order)
            placed.placed_at -= shift
            placed.expected_at = placed.expected_at and placed.expected_at - shift

    def wait_for_warning(self, order: str, login: str) -> None:
        """Until the ticker has told this person about the order."""

        def is_told() -> bool:
            with self.store.read() as session:
                told = inbox.messages(session, self.person_id(login)).items
                return any(message.facts.get("order") == order for message in told)

        wait_until(is_told, f"a message about {order} to {login}")

    def leave_free(self, node: str, count: int) -> None:
        """Other customers hold all ports of an access node but so many."""
        with self.store.write() as session:
            free = session.scalars(
                select(Resource.id).where(
                    Resource.kind == "port", Resource.place == node, Resource.state == "free"
                )
            )
            taken = list(free)[count:]
            session.execute(update(Resource).where(Resource.id.in_(taken)).values(state="in_use"))
