"""Cancelling an order, also while a call of it is still on its way: nothing may be left behind outside."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.jobs.model import AdapterCall
from engine.resources.model import Resource
from engine.store import Store
from tests.machines import CANCEL, ORDERS, Machines, running_machines
from web import bootstrap


@pytest.fixture
def crm(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path, retry_seconds=0.0, adapter_timeout_seconds=8.0) as running:
        yield running


def test_an_order_waiting_for_its_crew_is_cancelled_and_its_port_is_free_again(crm: Machines) -> None:
    order = crm.place()["id"]
    crm.site.work()
    request = _cancel(crm, order)
    assert request["state"] == "inProgress"
    assert crm.get(f"{ORDERS}/{order}")["state"] == "pendingCancellation"
    crm.site.work()
    assert crm.get(f"{ORDERS}/{order}")["state"] == "cancelled"
    assert crm.get(f"{CANCEL}/{request['id']}")["state"] == "done"
    assert _holders(crm) == []
    assert crm.site.simulators.aaa.effects() == []


def test_an_activation_whose_answer_was_lost_is_found_and_undone_when_the_order_is_cancelled(
    crm: Machines,
) -> None:
    crm.site.simulators.aaa.fault("lost_answer", times=1, operation="aaa.subscriber.open")
    order = crm.place()["id"]
    crm.site.work()
    crm.complete(crm.task(order)["id"])
    crm.site.worker.run_once()  # the call goes out, is performed, and its answer is lost
    assert [e["operation"] for e in crm.site.simulators.aaa.effects()] == ["aaa.subscriber.open"]
    _cancel(crm, order)
    crm.site.work()
    assert crm.get(f"{ORDERS}/{order}")["state"] == "cancelled"
    assert [e["operation"] for e in crm.site.simulators.aaa.effects()] == [
        "aaa.subscriber.open",
        "aaa.subscriber.close",
    ]
    with crm.site.store.read() as session:
        assert session.scalars(
            select(AdapterCall.state).where(AdapterCall.operation == "aaa.subscriber.open")
        ).all() == ["UNDONE"]
    assert _holders(crm) == []


def test_a_closed_order_refuses_to_be_cancelled(crm: Machines) -> None:
    order = crm.deliver()
    answer = crm.post(CANCEL, {"serviceOrder": {"id": order}})
    assert answer.status_code == 409
    assert crm.get(f"{ORDERS}/{order}")["state"] == "completed"


def _cancel(crm: Machines, order: str) -> dict[str, str]:
    answer = crm.post(CANCEL, {"serviceOrder": {"id": order}, "cancellationReason": "C01"})
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.get_json()
    return found


def _holders(crm: Machines) -> list[str]:
    with crm.site.store.read() as session:
        return list(
            session.scalars(
                select(Resource.holder).where(Resource.kind == "port", Resource.holder.is_not(None))
            )
        )


def test_a_cancelled_order_waits_for_the_call_that_is_still_out_and_undoes_it(crm: Machines) -> None:
    crm.site.simulators.aaa.fault("delay", times=1, operation="aaa.subscriber.open", seconds=5)
    order = crm.place()["id"]
    crm.site.work()
    crm.complete(crm.task(order)["id"])
    other = threading.Thread(target=bootstrap.worker(crm.site.services).run_once)
    other.start()
    _wait_until_sent(crm)
    _cancel(crm, order)
    crm.site.work()
    assert crm.get(f"{ORDERS}/{order}")["state"] == "pendingCancellation"
    other.join()
    crm.site.clock.advance(timedelta(seconds=2))
    crm.site.work()
    assert crm.get(f"{ORDERS}/{order}")["state"] == "cancelled"
    assert [e["operation"] for e in crm.site.simulators.aaa.effects()] == [
        "aaa.subscriber.open",
        "aaa.subscriber.close",
    ]
    assert _holders(crm) == []


def _wait_until_sent(crm: Machines) -> None:
    query = select(AdapterCall.state).where(AdapterCall.operation == "aaa.subscriber.open")
    for _ in range(3000):
        with crm.site.store.read() as session:
            if session.scalar(query) == "SENT":
                return
        threading.Event().wait(0.01)
    raise AssertionError("the call was not sent")
