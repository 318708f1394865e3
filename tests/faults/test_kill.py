"""SIGKILL of the whole process group at random moments, with orders in flight; the effects are counted outside."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from adapters.sim.server import RunningSimulators, running_simulators
from tests.broadband_parts import told
from tests.product import Client, Product
from web.commands.demo import ORDERS, sample_order

BUILDINGS = ("汀兰路18号3栋", "汀兰路20号1栋")
ORDERS_AT_LEAST = 5
ORDERS_AT_MOST = 100
PATIENCE_S = 120
"""How long nothing may move, however slow the machine is."""


@pytest.fixture
def product(tmp_path: Path, database_url: str) -> Product:
    return Product(
        tmp_path / "data",
        {
            "database_url": database_url,
            "simulators": "0",
            "lease_seconds": "2",
            "adapter_timeout_seconds": "1",
            "retry_seconds": "0.2",
            "max_attempts": "12",
        },
    )


def test_no_order_is_lost_and_nothing_happens_twice_when_all_is_killed(
    product: Product, tmp_path: Path
) -> None:
    _kill_and_count(product, tmp_path, kills=3, seed=11)


@pytest.mark.long
def test_thirty_kills(product: Product, tmp_path: Path) -> None:
    _kill_and_count(product, tmp_path, kills=30, seed=30)


def _kill_and_count(product: Product, folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    with running_simulators(folder) as simulators:
        product.settings = {
            **product.settings,
            "aaa_url": simulators.aaa_url,
            "aaa_radius": simulators.radius,
            "crm_url": simulators.crm_url,
            "olt_url": simulators.addresses.olt_url,
        }
        product.start()
        try:
            crm, crew = Crm(product.client("crm")), Crew(product.client("crew-e1"), product.client("crew-e2"))
            workers = [threading.Thread(target=w.run, daemon=True) for w in (crm, crew)]
            for worker in workers:
                worker.start()
            for _ in range(kills):
                crm.wait_for_one_more()
                _trouble(simulators, chance)
                threading.Event().wait(chance.uniform(0.1, 2.5))
                product.kill()
                product.start()
            crm.stop.set()
            simulators.aaa.clear_faults()
            simulators.crm.clear_faults()
            crm.wait_for(ORDERS_AT_LEAST)
            workers[0].join(PATIENCE_S)
            _wait_for_end(crm, product)
            crew.stop.set()
            workers[1].join(PATIENCE_S)
            assert not crew.trouble
        finally:
            product.kill()
        _count(crm, simulators)


def _trouble(simulators: RunningSimulators, chance: random.Random) -> None:
    """The outside world is not perfect either: answers are lost after the effect, or refused for a moment."""
    target = chance.choice((simulators.aaa, simulators.crm))
    target.fault(chance.choice(("lost_answer", "lost_request", "unavailable")), times=1)


def _wait_for_end(crm: Crm, product: Product) -> None:
    """All orders end by themselves; an order that does not is a lost one."""
    until, before = time.monotonic() + PATIENCE_S, list[str]()
    while unfinished := crm.unfinished():
        if unfinished != before:
            until, before = time.monotonic() + PATIENCE_S, unfinished
        assert time.monotonic() < until, f"not finished: {unfinished}\n{product.logs()}"
        threading.Event().wait(0.2)


def _count(crm: Crm, simulators: RunningSimulators) -> None:
    assert len(crm.orders) >= ORDERS_AT_LEAST
    opened = Counter(
        e["key"].split(":")[0] for e in simulators.aaa.effects() if e["operation"] == "aaa.subscriber.open"
    )
    told = Counter(
        e["key"].split(":")[0] for e in simulators.crm.effects() if e["operation"] == "crm.order.report"
    )
    expected = dict.fromkeys(crm.orders.values(), 1)
    assert dict(opened) == expected
    assert dict(told) == expected


class Crm:
    """Places orders, one after the other, each until it is acknowledged."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.orders: dict[str, str] = {}
        self.stop = threading.Event()
        self._placed = threading.Condition()

    def wait_for_one_more(self) -> None:
        """Until an order has come in that was not there yet."""
        self.wait_for(min(len(self.orders) + 1, ORDERS_AT_MOST))

    def wait_for(self, count: int) -> None:
        """Until so many orders have come in, as long as they do come."""
        with self._placed:
            while len(self.orders) < count:
                assert self._placed.wait(PATIENCE_S), f"{len(self.orders)} orders, then no more"

    def run(self) -> None:
        """Until it is told to stop, but not before there are enough."""
        while len(self.orders) < (ORDERS_AT_LEAST if self.stop.is_set() else ORDERS_AT_MOST):
            external = f"CRM-{len(self.orders):06d}"
            answer = self.client.patient(
                "POST", ORDERS, sample_order(external, BUILDINGS[len(self.orders) % 2])
            )
            if answer.status_code == 201:
                number = answer.json()["id"]
            elif answer.status_code == 409:  # the first answer was lost, the order is there
                number = self.client.patient("GET", f"{ORDERS}?externalId={external}").json()[0]["id"]
            else:
                raise AssertionError(answer.text)
            with self._placed:
                self.orders[external] = number
                self._placed.notify_all()
            self.stop.wait(0.3)

    def unfinished(self) -> list[str]:
        found = [self.client.patient("GET", f"{ORDERS}/{order}").json() for order in self.orders.values()]
        return [f"{o['id']} {o['state']}" for o in found if o["state"] != "completed"]


class Crew:
    """Completes whatever task appears."""

    def __init__(self, *clients: Client) -> None:
        self.clients = clients
        self.stop = threading.Event()
        self.trouble: list[str] = []

    def run(self) -> None:
        while not self.stop.is_set():
            for client in self.clients:
                for task in client.patient("GET", "/api/v1/tasks?view=crew").json()["items"]:
                    values = told(task["element"], task["order"])
                    body = {"values": values, "request_id": f"done-{task['id']}"}
                    answer = client.patient("POST", f"/api/v1/tasks/{task['id']}/complete", body)
                    if answer.status_code != 200:
                        self.trouble.append(f"{task['id']}: {answer.text}")
            self.stop.wait(0.2)
