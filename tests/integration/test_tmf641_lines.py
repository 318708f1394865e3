"""Orders for a line that works, as a CRM sends them: the line is named, its customer need not be told again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bpmn.catalog import packaged
from engine.resources.model import Resource
from engine.store import Store
from tests.machines import ORDERS, Machines, running_machines


@pytest.fixture
def crm(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path, bundles=packaged()) as machines:
        yield machines


@pytest.fixture
def line(crm: Machines) -> str:
    """The account of a line that somebody ordered once."""
    number = crm.site.place_order(product="BB-500")
    with crm.site.store.write() as db:
        now = crm.site.clock.now()
        db.add(Resource(kind="account", name="yt1", state="in_use", holder=number, changed_at=now))
    return "yt1"


def _order(action: str, product: str = "BB-500", **characteristics: str) -> Any:
    listed = [{"name": name, "value": value} for name, value in characteristics.items()]
    service = {"serviceSpecification": {"id": product}, "serviceCharacteristic": listed}
    return {"externalId": "CRM-9", "serviceOrderItem": [{"id": "1", "action": action, "service": service}]}


def test_a_suspension_names_its_line_and_nothing_of_the_customer(crm: Machines, line: str) -> None:
    placed = crm.place(_order("modify", orderType="SP", line=line, suspendReason="arrears"))
    assert placed["id"].startswith("SP-")
    seen = crm.get(f"/api/v1/orders/{placed['id']}", "admin")
    assert (seen["customer"], seen["area"], seen["tier"]) == ("林女士", "YT-E", "normal")


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (_order("modify", "BB-1000", line="yt1"), "CH-"),
        (_order("delete", line="yt1", effectiveDate="2026-12-01T00:00:00+08:00"), "TM-"),
        (_order("modify", orderType="RS", line="yt1", requestedAt="2026-11-22T09:00:00Z"), "RS-"),
    ],
)
def test_action_and_type_say_what_is_to_be_done(crm: Machines, line: str, body: Any, number: str) -> None:
    assert crm.place(body)["id"].startswith(number)


def test_an_unknown_line_says_nothing_of_its_customer(crm: Machines) -> None:
    answer = crm.post(ORDERS, _order("modify", orderType="SP", line="yt404"))
    assert answer.status_code == 400
    assert "[customerName]" in answer.text


@pytest.mark.parametrize(
    "odd", [{"effectiveDate": "tomorrow"}, {"suspendReason": "bored"}, {"repairs": "that one"}]
)
def test_a_characteristic_that_cannot_be_read_is_refused_by_name(
    crm: Machines, line: str, odd: dict[str, str]
) -> None:
    answer = crm.post(ORDERS, _order("modify", line=line, **odd))
    assert answer.status_code == 400
    assert next(iter(odd)) in answer.text
