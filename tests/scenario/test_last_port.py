"""Two orders want the last free port at the same moment: exactly one gets it, the other is told why."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engine.orders.model import ServiceOrder
from engine.resources.model import Resource
from engine.store import Store
from tests.site import Site, running_site
from web import bootstrap


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with running_site(store, tmp_path) as running:
        yield running


def test_exactly_one_of_two_racing_orders_gets_the_last_port(site: Site) -> None:
    _leave_ports(site, 1)
    orders = [site.place_order(), site.place_order()]
    _work_with_two_workers(site)

    with site.store.read() as session:
        found = {o: session.get_one(ServiceOrder, o) for o in orders}
        held = session.scalars(
            select(Resource.holder).where(Resource.kind == "port", Resource.holder.in_(orders))
        ).all()
    states = sorted(o.state for o in found.values())
    assert states == ["failed", "inProgress"]
    winner = next(o for o in orders if found[o].state == "inProgress")
    loser = next(found[o] for o in orders if o != winner)
    assert list(held) == [winner]
    assert loser.error_code == "R04"
    assert "no free port" in (loser.error_message or "") or "another order" in (loser.error_message or "")
    reports = [e for e in site.simulators.crm.effects() if e["operation"] == "crm.order.report"]
    assert [r["key"].split(":")[0] for r in reports] == [loser.id]
    assert site.simulators.aaa.effects() == []


def test_a_port_given_back_serves_the_next_order(site: Site) -> None:
    _leave_ports(site, 1)
    first = site.order_on_site()
    _complete_as_impossible(site, first)
    second = site.order_on_site()
    with site.store.read() as session:
        assert session.get_one(ServiceOrder, first).error_code == "R05"
        assert (
            session.scalar(select(Resource.holder).where(Resource.kind == "port", Resource.holder == second))
            == second
        )


def _leave_ports(site: Site, count: int) -> None:
    with site.store.write() as session:
        ports = session.scalars(
            select(Resource.id).where(Resource.kind == "port", Resource.place == "OLT-E01")
        ).all()
        session.execute(update(Resource).where(Resource.id.in_(ports[count:])).values(state="faulty"))


def _work_with_two_workers(site: Site) -> None:
    """Two workers on the same database, as two processes would be."""
    gate, faults = threading.Barrier(2), list[BaseException]()

    def run() -> None:
        worker = bootstrap.worker(site.services)
        gate.wait()
        idle = 0
        try:
            while idle < 20:
                idle = 0 if worker.run_once() else idle + 1
        except BaseException as e:  # shown by the test, not lost in the thread
            faults.append(e)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    site.work()


def _complete_as_impossible(site: Site, order: str) -> None:
    crew = site.browser("crew-e1")
    crew.read(f"/tasks/{order}-W01")
    answer = crew.post(
        f"/tasks/{order}-W01", {"result": "cannot_build", "reason": "楼内管道不通", "request_id": "r1"}
    )
    assert answer.status_code in (302, 303), answer.text[-1500:]
    site.work()
