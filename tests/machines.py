"""Machines that call the interfaces: the whole product in one process, and a bearer token for everybody."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from engine.identity.people import create_person
from engine.identity.tokens import create_token
from engine.store import Base, Store
from tests.site import Site, running_site

ORDERS = "/tmf-api/serviceOrdering/v4/serviceOrder"
CANCEL = "/tmf-api/serviceOrdering/v4/cancelServiceOrder"
HUB = "/tmf-api/serviceOrdering/v4/hub"
V1 = "/api/v1"
SAMPLES = Path(__file__).resolve().parents[1] / "docs/samples"


def sample(name: str) -> Any:
    """A body of docs/samples."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def an_order(external_id: str | None = "CRM-1", **characteristics: Any) -> Any:
    """The sample order under another number; a characteristic of None is left out."""
    body = copy.deepcopy(sample("broadband-order"))
    body["externalId"] = external_id
    if external_id is None:
        del body["externalId"]
    listed = body["serviceOrderItem"][0]["service"]["serviceCharacteristic"]
    for name, value in characteristics.items():
        listed[:] = [c for c in listed if c["name"] != name]
        if value is not None:
            listed.append({"name": name, "value": value})
    return body


@dataclass
class Machines:
    """Sends requests as somebody; answers are in English."""

    site: Site
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, who: str | None = "crm", **more: Any) -> TestResponse:
        """One request."""
        headers = {"Accept-Language": "en"} | more.pop("headers", {})
        if who is not None:
            headers["Authorization"] = f"Bearer {self.token(who)}"
        return self.site.app.test_client().open(path, method=method, headers=headers, **more)

    def get(self, path: str, who: str | None = "crm", **more: Any) -> Any:
        """What a GET that must go well says."""
        answer = self.ask("GET", path, who, **more)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any, who: str = "crm", **headers: str) -> TestResponse:
        """Sends JSON."""
        return self.ask("POST", path, who, json=body, headers=headers)

    def place(self, body: Any = None, who: str = "crm") -> Any:
        """An order that must be taken."""
        answer = self.post(ORDERS, body or an_order(), who)
        assert answer.status_code == 201, answer.text
        return answer.json

    def task(self, order: str, who: str = "crew-e1") -> Any:
        """The open task of an order."""
        (found,) = self.get(f"{V1}/tasks?order={order}", who)["items"]
        return found

    def complete(self, task: str, who: str = "crew-e1", **body: Any) -> TestResponse:
        """A construction report."""
        return self.post(f"{V1}/tasks/{task}/complete", sample("complete-task") | body, who)

    def deliver(self, body: Any = None) -> str:
        """An order from its arrival to its end."""
        order = self.place(body)["id"]
        self.site.work()
        assert self.complete(self.task(order)["id"]).status_code == 200
        self.site.work()
        return str(order)

    def token(self, login: str) -> str:
        """A token of somebody, always the same."""
        if login not in self.tokens:
            with self.site.store.write() as db:
                person = self.site.people[login]
                self.tokens[login] = create_token(db, person, "test", 30, at=self.site.clock.now())
        return self.tokens[login]

    def add_person(self, login: str, *roles: str, areas: tuple[str, ...] = ()) -> None:
        """Somebody else."""
        with self.site.store.write() as db:
            made = create_person(
                db, login=login, name=login, roles=roles, areas=areas, at=self.site.clock.now()
            )
            self.site.people[login] = made.id

    def rows(self) -> dict[str, int]:
        """How many rows each table holds."""
        with self.site.store.read() as db:
            return {
                table.name: db.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
            }


@contextmanager
def running_machines(store: Store, folder: Path, **settings: Any) -> Iterator[Machines]:
    """The demo operator's site, with a second ordering system beside the first."""
    with running_site(store, folder, **settings) as site:
        machines = Machines(site)
        machines.add_person("crm2", "CRM")
        yield machines
