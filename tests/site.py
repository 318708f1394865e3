"""The whole product in one process: the demo operator's data, the application, a worker that is driven by hand, simulators.

Time stands still unless a test moves it, and nothing runs in the background except the simulators.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapters.sim.server import RunningSimulators, running_simulators
from bpmn.catalog import Packaged
from engine.config import Settings
from engine.identity import passwords, sessions
from engine.identity.model import Person
from engine.jobs.worker import Worker
from engine.orders.intake import NewItem, PlaceOrder, place
from engine.store import Store
from engine.testing import FakeClock
from sla.sweep import Sweep
from tasks.worklist import Holders
from tests.small_broadband import SMALL
from web import bootstrap, demo_data
from web.auth.gate import SESSION_ID
from web.services import Services

PASSWORD = "correct horse 电池"
DONE = {
    "result": "done",
    "onu_serial": "YTGP1A2B3C4D",
    "rx_power_dbm": "-21.5",
    "identity_checked": "true",
    "reason": "",
    "remark": "",
}
"""A construction report as a crew sends it."""
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')
_MORE_PEOPLE = (
    demo_data.Employee("partner", "合作单位", ["PT"], ["YT-W"], None, "P-HJ"),
    demo_data.Employee("monitor", "网管员", ["NC"], ["YT-E"], None, None),
)


_OF_ORDER = frozenset({"external_id", "customer", "phone", "area", "address", "tier", "product"})


@dataclass
class Site:
    """A running installation."""

    app: Flask
    services: Services
    clock: FakeClock
    worker: Worker
    simulators: RunningSimulators
    people: dict[str, int] = field(default_factory=dict)
    placed: int = 0

    @property
    def store(self) -> Store:
        return self.services.store

    def browser(self, login: str | None = None, locale: str = "en") -> Browser:
        """A browser, logged in without the slow password check."""
        browser = Browser(self.app.test_client())
        if login is not None:
            with self.store.write() as db:
                person = db.get_one(Person, self.people[login])
                person.locale = locale
                secret = sessions.open_session(db, person.id, "Test browser", self.clock.now())
            with browser.client.session_transaction() as cookie:
                cookie[SESSION_ID] = secret
        return browser

    def place_order(self, **given: Any) -> str:
        """An order, a broadband one in East Ting unless told otherwise, received; `work` moves it on.

        `order_type` and `action` are its item's; what an order does not know is a characteristic of the item.
        """
        self.placed += 1
        values = {
            "external_id": f"CRM-{self.placed:04}",
            "customer": "林女士",
            "phone": "13800004021",
            "area": "YT-E",
            "address": "东汀区汀兰路18号3栋2单元501",
            "building": "汀兰路18号3栋",
            "tier": "normal",
            "product": "BB-1000",
        } | given
        action, order_type = values.pop("action", "add"), values.pop("order_type", None)
        of_item = {name: values.pop(name) for name in set(values) - _OF_ORDER}
        item = NewItem("1", action, values.pop("product"), order_type, of_item)
        command = PlaceOrder(source="crm", items=[item], document={}, **values)
        me = self.services
        with self.store.write() as db:
            placed = place(
                db,
                command,
                me.kernel,
                me.order_listeners,
                at=self.clock.now(),
                zone=me.settings.zone,
                actor="crm",
            )
            return placed.id

    def work(self) -> int:
        """Does every job that is due now; says how many that were."""
        count = 0
        while self.worker.run_once():
            count += 1
            assert count < 500, "the worker does not come to rest"
        return count

    def sweep(self) -> int:
        """Fires the warnings that are due now."""
        with self.store.write() as db:
            return Sweep(Holders()).sweep(db, self.clock.now())

    def order_on_site(self, **given: Any) -> str:
        """An order whose construction task is open."""
        order = self.place_order(**given)
        self.work()
        return order


@dataclass
class Browser:
    """Keeps its cookies and the last page, and sends forms as that page would."""

    client: FlaskClient
    page: str = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        answer = self.client.get(path, headers=headers)
        if answer.mimetype == "text/html":
            self.page = answer.text
        return answer

    def read(self, path: str) -> str:
        """The text of a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-2000:])
        return unescape(answer.text)

    def post(
        self, path: str, values: Mapping[str, Any] | None = None, *, htmx: bool = False, **more: Any
    ) -> TestResponse:
        """Sends a form with the CSRF token of the last page, or of the reader's account."""
        token = _CSRF.search(self.page) or _CSRF.search(self.client.get("/account").text)
        assert token is not None
        headers = {"HX-Request": "true"} if htmx else {}
        data = {"csrf_token": token[1]} | dict(values or {}) | more
        answer = self.client.post(path, data=data, headers=headers)
        if answer.mimetype == "text/html":
            self.page = answer.text
        return answer

    def follow(self, answer: TestResponse) -> str:
        """The page that a form leads to."""
        assert answer.status_code in (302, 303), (answer.status_code, answer.text[-2000:])
        return self.read(answer.location)


@contextmanager
def running_site(
    store: Store, folder: Path, bundles: Sequence[Packaged] = (SMALL,), **settings: Any
) -> Iterator[Site]:
    """The demo operator on a database of its own; every login has the password `PASSWORD`.

    Its process is a small one with a single task, unless `bundles` says otherwise: most tests are about something else.
    """
    with running_simulators(folder / "sim") as simulators:
        chosen = simulators.applied_to(Settings(data_dir=folder, **settings))
        clock = FakeClock()
        services = bootstrap.assemble(chosen, store, clock)
        try:
            with store.write() as db:
                people = _seed(db, services, bundles)
            yield Site(
                bootstrap.web_app(services),
                services,
                clock,
                bootstrap.worker(services),
                simulators,
                people,
            )
        finally:
            services.registry.close()


def _seed(db: Any, services: Services, bundles: Sequence[Packaged]) -> dict[str, int]:
    at = services.clock.now()
    demo_data.seed_company(db, at)
    demo_data.seed_base(db, services, at, bundles)
    rows = []
    for one in (*demo_data.people(), *_MORE_PEOPLE):
        rows.append(
            Person(
                login=one.login,
                name=one.name,
                roles=one.roles,
                areas=one.areas,
                crew_id=one.crew,
                employer=one.employer,
                password_hash=_hash(),
                created_at=at,
            )
        )
    rows.append(Person(login=demo_data.CRM_LOGIN, name="CRM", roles=["CRM"], areas=[], created_at=at))
    for login, name, partner in demo_data.PARTNER_LOGINS:
        rows.append(Person(login=login, name=name, roles=["PTS"], areas=[], employer=partner, created_at=at))
    db.add_all(rows)
    db.flush()
    return {row.login: row.id for row in rows}


@cache
def _hash() -> str:
    """One hash for everybody: making it is slow on purpose."""
    return passwords.hash_password(PASSWORD)
