"""TMF641 PATCH serviceOrder: notes, wishes that may change, states that may not, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from engine.orders.lifecycle import ORDER
from engine.orders.model import ServiceOrder
from engine.store import Store
from tests.machines import HUB, ORDERS, V1, Machines, an_order, running_machines, sample

CHANGE = "ServiceOrderAttributeValueChangeEvent"


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def patch(machines: Machines, order: Any, body: Any, who: str = "crm") -> TestResponse:
    return machines.ask("PATCH", order["href"], who, json=body)


# ---- notes


def test_notes_are_appended_and_never_removed(machines: Machines) -> None:
    made = machines.place()
    (first,) = made["note"]
    assert (first["author"], first["text"]) == ("营业厅 07", "客户希望周末上门")

    answer = machines.ask(
        "PATCH",
        made["href"],
        json={"note": [first, {"text": "又催", "@type": "UrgeNote"}]},
        headers={"Content-Type": "application/merge-patch+json"},
    )

    assert answer.status_code == 200, answer.text
    assert [n["text"] for n in answer.json["note"]] == ["客户希望周末上门", "又催"]
    assert [n["author"] for n in answer.json["note"]] == ["营业厅 07", "crm"]
    machines.ask("PATCH", made["href"], json=sample("add-note"))
    assert len(machines.get(made["href"])["note"]) == 3


def test_what_cannot_be_changed_is_refused_by_name(machines: Machines) -> None:
    made = machines.place()
    before = machines.rows()
    for body, status, named in (
        ({"state": "cancelled"}, 409, "cancelServiceOrder"),
        ({"description": "x"}, 400, "description: it cannot be changed yet"),
        ({"version": 2, "priority": "1", "serviceOrderItem": []}, 400, "serviceOrderItem"),
        ({"serviceOrderItem": []}, 400, "version"),
        ({"version": 2}, 400, "version"),
        ({"state": "finished"}, 400, "state: known are"),
        ({"state": 7}, 400, "state"),
        ({"id": "x"}, 400, "id: it cannot be changed"),
        ({"orderDate": "2026-11-22T01:12:00Z"}, 400, "orderDate: it cannot be changed"),
        ({}, 400, "note, requestedStartDate"),
        ({"note": []}, 400, "note"),
        ({"note": [{"author": "x"}]}, 400, "note[0].text"),
        ({"note": "text"}, 400, "note"),
        ({"priority": 1}, 400, "priority"),
        ({"priority": "1", "requestedStartDate": "tomorrow"}, 400, "requestedStartDate"),
        ({"requestedCompletionDate": "2026-11-22T01:12:00"}, 400, "requestedCompletionDate"),
    ):
        answer = patch(machines, made, body)

        assert answer.status_code == status, body
        assert named in answer.json["message"]
        assert (answer.json["@type"], answer.json["status"]) == ("Error", str(status))
        assert machines.rows() == before
    assert machines.get(made["href"]) == made


# ---- wishes


WISHES = {
    "priority": "1",
    "requestedStartDate": "2026-11-25T08:00:00+08:00",
    "requestedCompletionDate": "2026-11-25T18:00:00+08:00",
}


@pytest.mark.parametrize("name", WISHES)
def test_a_wish_is_changed_and_taken_away_again(machines: Machines, name: str) -> None:
    made = machines.place()

    answer = patch(machines, made, {name: WISHES[name]})

    assert answer.status_code == 200, answer.text
    assert answer.json == made | {name: WISHES[name]} == machines.get(made["href"])
    assert name not in patch(machines, made, {name: None}).json
    assert name not in machines.get(made["href"])


def test_each_changed_wish_is_told_and_in_the_timeline_once(machines: Machines) -> None:
    machines.post(
        HUB, {"callback": f"{machines.site.simulators.crm_url}/listener", "query": f"eventType={CHANGE}"}
    )
    made = machines.place()
    body = WISHES | {"state": "Acknowledged", "note": [{"text": "客户要求提前"}]}

    assert patch(machines, made, body).status_code == 200
    assert patch(machines, made, WISHES).status_code == 200
    machines.site.work()

    events = [e["body"] for e in machines.site.simulators.crm.events()]
    assert [e["fieldPath"] for e in events] == ["requestedStartDate", "requestedCompletionDate", "priority"]
    for event in events:
        told = event["event"]["serviceOrder"]
        assert (event["eventType"], told["id"]) == (CHANGE, made["id"])
        assert {name: told[name] for name in WISHES} == WISHES
    assert len({e["eventId"] for e in events}) == 3
    timeline = machines.get(f"{V1}/orders/{made['id']}/timeline")["items"]
    changes = [e["data"] for e in timeline if e["kind"] == "OrderChanged"]
    assert {"attribute": "priority", "before": None, "after": "1"} in changes
    assert len(changes) == 3


def test_an_order_that_has_ended_takes_notes_only(machines: Machines) -> None:
    order = machines.get(f"{ORDERS}/{machines.deliver(an_order() | WISHES)}")

    refused = patch(machines, order, {"priority": "2", "note": [{"text": "x"}]})
    assert (refused.status_code, refused.json["code"]) == (409, "order.ended")
    assert machines.get(order["href"]) == order
    assert patch(machines, order, {"priority": "1"}).status_code == 200
    assert patch(machines, order, {"note": [{"text": "x"}]}).status_code == 200


def test_who_may_only_write_remarks_changes_nothing_else(machines: Machines) -> None:
    made = machines.place()

    answer = patch(machines, made, {"priority": "1"}, "operator")

    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
    assert "priority" not in machines.get(made["href"])
    assert patch(machines, made, {"note": [{"text": "x"}]}, "operator").status_code == 200


# ---- states


@pytest.mark.parametrize("state", sorted(ORDER.states))
def test_no_state_is_set_from_outside(machines: Machines, state: str) -> None:
    made = machines.place()
    _put(machines, made["id"], state)

    for wanted in sorted(ORDER.states - {state}):
        answer = patch(machines, made, {"state": wanted, "note": [{"text": "never kept"}]})

        assert answer.status_code == 409, (state, wanted)
        assert (answer.json["@type"], answer.json["status"]) == ("Error", "409")
        can = ORDER.draws(state, wanted)
        code = answer.json["code"]
        assert code in ("order.use_cancel", "order.state_follows", "order.transition")
        assert not can or code != "order.transition"
        assert wanted in answer.json["message"]
    shown = machines.get(made["href"])
    assert (shown["state"], len(shown["note"])) == (state, 1)


def _put(machines: Machines, order: str, state: str) -> None:
    with machines.site.store.write() as db:
        db.get_one(ServiceOrder, order).state = state
