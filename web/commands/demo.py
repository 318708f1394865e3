"""`kaitong demo`: one order in time-lapse, with one failure that an operator re-runs.

The same worker, ticker, adapters and interfaces as in service, on a temporary database and a virtual clock.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from adapters.sim.server import RunningSimulators, running_simulators
from engine.config import Settings
from engine.errors import KaitongError
from engine.identity.people import find_person
from engine.identity.tokens import create_token
from engine.jobs.worker import Worker
from engine.store import Store, migrate
from engine.testing import FakeClock
from web import demo_data

ORDERS = "/tmf-api/serviceOrdering/v4/serviceOrder"
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "BB_07": {"appointment": "appointed", "window_date": "2026-11-23", "window": "18-20"},
    "BB_10": {"material": "drawn", "onu_serial": "YTGP1A2B3C4D"},
    "BB_11": {
        "result": "done",
        "onu_serial": "YTGP1A2B3C4D",
        "rx_power_dbm": -19.8,
        "identity_checked": True,
    },
    "BB_14": {
        "acceptance": "accepted",
        "speed_1": 941,
        "speed_2": 938,
        "speed_3": 944,
        "signed_by": "林女士",
        "rating": 5,
    },
}
"""What the crew writes into the forms of a broadband order, by element."""
BEGIN = datetime(2026, 11, 22, 1, 12, tzinfo=UTC)


class DemoWentWrong(KaitongError):
    """The demonstration went wrong at "{step}": {detail}."""

    code = "demo"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parser of this command."""
    demo = commands.add_parser("demo", help="play one order in time-lapse, on a temporary database")
    demo.set_defaults(run=run_demo)


def run_demo(_arguments: argparse.Namespace, _environment: Mapping[str, str]) -> int:
    """0 if everything happened as it should, checked at the simulators."""
    logging.getLogger("kaitong").setLevel(logging.ERROR)  # failures are part of the story
    with (
        tempfile.TemporaryDirectory(prefix="kaitong-demo-") as folder,
        running_simulators(Path(folder)) as simulators,
    ):
        settings = simulators.applied_to(replace(Settings(), data_dir=Path(folder)))
        Play.open(settings, simulators).perform()
    return 0


@dataclass
class Play:
    """Everything on the stage."""

    clock: FakeClock
    store: Store
    client: FlaskClient
    worker: Worker
    tick: Callable[[], object]
    simulators: RunningSimulators
    tokens: Mapping[str, str]
    settings: Settings

    @classmethod
    def open(cls, settings: Settings, simulators: RunningSimulators) -> Play:
        """A new demo operator in a new database."""
        from web.bootstrap import assemble, sla_sweep, web_app, worker

        clock = FakeClock(BEGIN)
        services = assemble(settings, clock=clock)
        migrate.upgrade(services.store)
        with services.store.write() as session:
            demo_data.seed(session, services, clock.now())
            demo_data.subscribe_crm(session, simulators.crm_url, clock.now())
            tokens = {}
            for login in ("crm", "crew-e1", "operator"):
                person = find_person(session, login)
                if person is not None:
                    tokens[login] = create_token(session, person.id, "demo", 1, at=clock.now())
        client = web_app(services).test_client()
        return cls(
            clock,
            services.store,
            client,
            worker(services),
            sla_sweep(services).run,
            simulators,
            tokens,
            settings,
        )

    def perform(self) -> None:
        """The story."""
        order = self._place()
        self._work()
        task = self._task(order)
        self.say(
            f"task {task['id']} {task['name']} is with {task['crew']['name']}, due {self._local(task['due_at'])}"
        )
        self._complete(task, "the crew calls the customer and agrees on a window")
        self._complete(self._task(order), "the crew draws an ONU from the store")
        self._work()
        self.pass_time(timedelta(hours=13))
        self.say("13 hours later: " + self._warnings())
        self.simulators.aaa.fault("unavailable", times=-1, operation="aaa.subscriber.open")
        self.say("the AAA server goes down")
        self._complete(self._task(order), "the crew has finished on site and sends the form")
        incident = self._until_incident()
        self.say(f"incident at {incident['element']}: {incident['message']}")
        self.simulators.aaa.clear_faults()
        self.say("the AAA server is back; the operator re-runs the step")
        self._post(f"/api/v1/incidents/{incident['id']}/retry", "operator", {})
        self._work()
        self._complete(self._task(order), "the customer accepts the line and signs")
        self._work()
        self._check_end(order)

    # ---- scenes

    def _place(self) -> str:
        answer = self._post(ORDERS, "crm", sample_order("CRM-88120031"))
        promise = self._local(answer["expectedCompletionDate"])
        self.say(f"the CRM places {answer['id']} ({answer['externalId']}), promised by {promise}")
        return str(answer["id"])

    def _task(self, order: str) -> Mapping[str, Any]:
        self._work()
        return self._one(f"/api/v1/tasks?order={order}", "crew-e1", "task of the crew")

    def _complete(self, task: Mapping[str, Any], what: str) -> None:
        values = ANSWERS[task["element"]]
        self._post(f"/api/v1/tasks/{task['id']}/complete", "crew-e1", {"values": values})
        self.say(what)

    def _until_incident(self) -> Mapping[str, Any]:
        for _ in range(12):
            self._work()
            found = self._get("/api/v1/incidents", "operator")["items"]
            if found:
                first: Mapping[str, Any] = found[0]
                return first
            self.pass_time(timedelta(seconds=30))
        raise DemoWentWrong(step="injected failure", detail="no incident opened")

    def _check_end(self, order: str) -> None:
        answer = self._get(f"{ORDERS}/{order}", "crm")
        if answer["state"] != "completed":
            raise DemoWentWrong(step="end", detail=f"{order} is {answer['state']}")
        opened = [e for e in self.simulators.aaa.effects() if e["operation"] == "aaa.subscriber.open"]
        reports = [e for e in self.simulators.crm.effects() if e["operation"] == "crm.order.report"]
        told = self.simulators.crm.events()
        if len(opened) != 1 or len(reports) != 1 or not told:
            detail = f"{len(opened)} accounts, {len(reports)} reports, {len(told)} events"
            raise DemoWentWrong(step="count at the simulators", detail=detail)
        self.say(
            f"{order} is completed: one account at the AAA server, one report and {len(told)} events at the CRM"
        )

    # ---- time, work, words

    def _work(self) -> None:
        while self.worker.run_once():
            pass

    def pass_time(self, length: timedelta) -> None:
        """The clock moves, then everybody looks at it."""
        self.clock.advance(length)
        self.tick()
        self._work()

    def say(self, text: str) -> None:
        """One line with the site's time."""
        print(f"{self.clock.now().astimezone(self.settings.zone):%m-%d %H:%M}  {text}", flush=True)

    def _local(self, text: str) -> str:
        return f"{datetime.fromisoformat(text).astimezone(self.settings.zone):%m-%d %H:%M}"

    def _warnings(self) -> str:
        from engine.identity import inbox

        with self.store.read() as session:
            person = find_person(session, "crew-e1")
            found = inbox.messages(session, person.id).items if person is not None else []
        return f"{len(found)} warning in the crew's inbox" if found else "nobody was warned"

    def _one(self, url: str, who: str, what: str) -> Mapping[str, Any]:
        items = self._get(url, who)["items"]
        if len(items) != 1:
            raise DemoWentWrong(step=what, detail=f"{len(items)} found")
        only: Mapping[str, Any] = items[0]
        return only

    def _get(self, url: str, who: str) -> Any:
        return self._answer(self.client.get(url, headers=self._as(who)), url)

    def _post(self, url: str, who: str, body: object) -> Any:
        return self._answer(self.client.post(url, json=body, headers=self._as(who)), url)

    def _as(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    @staticmethod
    def _answer(response: Any, url: str) -> Any:
        if response.status_code >= 400:
            raise DemoWentWrong(
                step=url, detail=f"{response.status_code} {response.get_data(as_text=True)[:300]}"
            )
        return response.get_json()


def sample_order(external_id: str, building: str = "汀兰路18号3栋") -> dict[str, Any]:
    """A broadband order as the demo CRM sends it."""
    values = {
        "customerName": "林女士",
        "contactPhone": "13800134021",
        "area": "YT-E",
        "address": f"东汀区{building}1202",
        "building": building,
    }
    return {
        "externalId": external_id,
        "category": "BB",
        "serviceOrderItem": [
            {
                "id": "1",
                "action": "add",
                "service": {
                    "serviceSpecification": {"id": "BB-1000"},
                    "serviceCharacteristic": [{"name": k, "value": v} for k, v in values.items()],
                },
            }
        ],
    }
