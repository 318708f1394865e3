"""The pattern that TM Forum's test kits follow, on serviceOrder and cancelServiceOrder, told in our own words.

A client posts the least that the standard asks for, and nothing that only we know; it must get every mandatory
attribute, and everything that it wrote, back: at once, alone, in lists, chosen by `fields`, and found by filters.
What our processes need besides comes from the product (`product.defaults`), as it would at an operator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from engine.deploy.model import ProcessBinding
from engine.orders.model import Product
from engine.store import Store
from engine.store.migrate import upgrade
from tests.machines import CANCEL, ORDERS, Machines, running_machines

DEFAULTS = {
    "customerName": "-",
    "contactPhone": "00000",
    "area": "YT-E",
    "address": "-",
    "building": "汀兰路18号3栋",
}
WRITTEN = {
    "externalId": "OSS-748",
    "priority": "1",
    "description": "A virtual router",
    "category": "cloud",
    "requestedStartDate": "2026-11-25T09:37:40.508Z",
    "requestedCompletionDate": "2026-11-27T09:37:40.508Z",
    "notificationContact": "noc@example.org",
}
OTHER = {
    "externalId": "OSS-954",
    "priority": "2",
    "description": "Another one",
    "category": "cloud",
}
MANDATORY = ("id", "href", "state", "orderDate", "serviceOrderItem")
SIMPLE = (*WRITTEN, "id", "href", "state", "orderDate", "@type")
FOUND_BY = ("id", "href", "state", "orderDate", "externalId", "priority", "category")
CANCEL_MANDATORY = ("id", "href", "state", "serviceOrder")


def least(written: dict[str, str]) -> dict[str, Any]:
    """An order of a client that knows the standard, and nothing of us."""
    service = {
        "serviceState": "active",
        "serviceSpecification": {"id": "12", "name": "vRouter", "version": "1"},
        "serviceCharacteristic": [{"name": "ip", "valueType": "object", "value": {"v4": "192.0.2.21"}}],
    }
    item = {"id": "1", "action": "add", "@type": "standard", "service": service}
    return {**written, "@type": "standard", "state": "active", "serviceOrderItem": [item]}


@dataclass
class Client:
    """A system that has posted two orders."""

    machines: Machines
    made: dict[str, Any]
    other: dict[str, Any]

    def one(self, query: str = "") -> Any:
        return self.machines.get(f"{ORDERS}/{self.made['id']}{query}")

    def found(self, query: str) -> list[Any]:
        listed: list[Any] = self.machines.get(f"{ORDERS}?{query}")
        return listed


def sell(machines: Machines, **more: Any) -> None:
    """A product that is bound to a process, and has a value for whatever its orders do not say."""
    with machines.site.store.write() as db:
        row = {"code": "12", "name": "虚拟路由器", "name_en": "vRouter", "order_type": "VR", "speed_mbps": 0}
        db.add(Product(**({**row, "defaults": DEFAULTS} | more)))
        at = machines.site.clock.now()
        db.add(ProcessBinding(order_type="VR", process_key="broadband", valid_from=at))


@pytest.fixture
def empty(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as machines:
        yield machines


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One installation for all tests that only look; what they look at, they leave as it is."""
    folder = tmp_path_factory.mktemp("pattern")
    address = f"sqlite:///{folder / 'kaitong.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        address = server.url(server.create())
    store = Store(address)
    upgrade(store)
    with running_machines(store, folder) as machines:
        sell(machines)
        yield Client(machines, machines.place(least(WRITTEN)), machines.place(least(OTHER)))
    store.close()


# ---- creating


def test_the_least_order_is_taken_and_named_in_the_location_header(empty: Machines) -> None:
    sell(empty)

    answer = empty.post(ORDERS, least(WRITTEN))

    assert (answer.status_code, answer.mimetype) == (201, "application/json")
    assert answer.headers["Location"] == answer.json["href"]


@pytest.mark.parametrize("attribute", MANDATORY)
def test_every_mandatory_attribute_is_in_each_answer(client: Client, attribute: str) -> None:
    (listed,) = client.found("externalId=OSS-748")

    assert attribute in client.made
    assert client.one()[attribute] == listed[attribute] == client.made[attribute]


@pytest.mark.parametrize("attribute", SIMPLE)
def test_simple_attributes_are_texts(client: Client, attribute: str) -> None:
    assert isinstance(client.one()[attribute], str)


@pytest.mark.parametrize("attribute", WRITTEN)
def test_what_was_written_is_echoed(client: Client, attribute: str) -> None:
    (listed,) = client.found("externalId=OSS-748")

    for shown in (client.made, client.one(), listed):
        assert shown[attribute] == WRITTEN[attribute]


def test_a_service_that_we_know_nothing_of_is_echoed(client: Client) -> None:
    written = least(WRITTEN)["serviceOrderItem"][0]

    (item,) = client.one()["serviceOrderItem"]

    assert item["service"] == written["service"]
    assert (item["id"], item["action"]) == ("1", "add")


def test_state_and_dates_are_the_servers_own(client: Client) -> None:
    shown = client.one()

    assert (shown["state"], shown["serviceOrderItem"][0]["state"]) == ("acknowledged", "acknowledged")
    assert datetime.fromisoformat(shown["orderDate"]).utcoffset() is not None


# ---- looking


def test_lists_hold_every_order_newest_first(client: Client) -> None:
    assert [o["id"] for o in client.found("category=cloud")] == [client.other["id"], client.made["id"]]


@pytest.mark.parametrize("attribute", FOUND_BY)
def test_an_order_is_found_by_each_of_its_attributes(client: Client, attribute: str) -> None:
    value = client.made[attribute]

    for written in (quote(value), f'"{quote(value)}"'):
        found = {o["id"]: o for o in client.found(f"{attribute}={written}")}
        assert found[client.made["id"]] == client.one()
        assert {o[attribute] for o in found.values()} == {value}


@pytest.mark.parametrize("attribute", sorted(set(FOUND_BY) - {"id", "href"}))
def test_a_filter_that_fits_nothing_finds_nothing(client: Client, attribute: str) -> None:
    other = "2001-01-01T00:00:00Z" if attribute == "orderDate" else "none-such"

    assert client.found(f"{attribute}={other}") == []


def test_filters_apply_together(client: Client) -> None:
    assert [o["id"] for o in client.found('priority="1"&category=cloud')] == [client.made["id"]]
    assert client.found(f"id={client.made['id']}&href={client.other['href']}") == []


@pytest.mark.parametrize("attribute", [*WRITTEN, *MANDATORY])
def test_one_attribute_is_chosen_by_its_name(client: Client, attribute: str) -> None:
    wanted = {"id"} if attribute == "id" else {"id", "href", attribute}

    shown = client.one(f"?fields={attribute}")
    (listed,) = client.found(f"externalId=OSS-748&fields={attribute}")

    assert set(shown) == wanted
    assert listed == shown
    assert shown[attribute] == client.made[attribute]


def test_several_attributes_are_chosen_and_no_more(client: Client) -> None:
    assert set(client.one("?fields=id,href,externalId,priority,state")) == {
        "id",
        "href",
        "externalId",
        "priority",
        "state",
    }
    (shown,) = client.found("externalId=OSS-748&fields=id,state,category,description")
    assert set(shown) == {"id", "state", "category", "description"}


def test_attributes_of_items_are_chosen_with_a_point(client: Client) -> None:
    names = "id,%20state,serviceOrderItem.id,serviceOrderItem.state,serviceOrderItem.action"

    shown = client.one(f"?fields={names}")

    assert set(shown) == {"id", "state", "serviceOrderItem"}
    assert [set(item) for item in shown["serviceOrderItem"]] == [{"id", "state", "action"}]


@pytest.mark.parametrize("path", [f"{ORDERS}/none-such", f"{CANCEL}/none-such", f"{ORDERS[:-12]}none-such"])
def test_what_is_not_there_is_a_404_in_the_words_of_the_standard(client: Client, path: str) -> None:
    answer = client.machines.ask("GET", path)

    assert answer.status_code == 404
    assert {"code", "reason", "status"} <= set(answer.json)
    assert answer.json["status"] == "404"


# ---- cancelling


@pytest.mark.parametrize("attribute", CANCEL_MANDATORY)
def test_a_cancellation_shows_its_mandatory_attributes_wherever_it_is_read(
    client: Client, attribute: str
) -> None:
    order = client.machines.place(least({"category": "to be cancelled"}))["id"]
    wish = {"serviceOrder": {"id": order}, "cancellationReason": "No longer needed"}

    answer = client.machines.post(CANCEL, wish)

    assert answer.status_code == 201
    made = answer.json
    assert made["cancellationReason"] == "No longer needed"
    alone = client.machines.get(made["href"])
    (listed,) = client.machines.get(f"{CANCEL}?serviceOrder.id={order}")
    assert alone[attribute] == listed[attribute] == made[attribute]
    assert set(client.machines.get(f"{made['href']}?fields={attribute}")) <= {"id", "href", attribute}


# ---- what a product may say, and what it may not


def test_a_product_without_defaults_still_needs_every_characteristic(empty: Machines) -> None:
    sell(empty, defaults=None)

    answer = empty.post(ORDERS, least(WRITTEN))

    assert answer.status_code == 400
    assert "serviceCharacteristic[customerName]: it is missing" in answer.json["message"]


def test_defaults_of_one_product_do_not_help_another(empty: Machines) -> None:
    sell(empty)
    body = json.loads(json.dumps(least(WRITTEN)).replace('"12"', '"BB-1000"'))

    answer = empty.post(ORDERS, body)

    assert answer.status_code == 400
    assert re.search(r"serviceCharacteristic\[\w+\]: it is missing", answer.json["message"])


def test_what_an_order_says_itself_goes_before_the_default(empty: Machines) -> None:
    sell(empty)
    body = least(WRITTEN)
    body["serviceOrderItem"][0]["service"]["serviceCharacteristic"].append({"name": "area", "value": "YT-W"})

    assert empty.get(f"/api/v1/orders/{empty.place(body)['id']}", "operator")["area"] == "YT-W"


def test_a_default_is_checked_like_a_value_that_came(empty: Machines) -> None:
    sell(empty, defaults=DEFAULTS | {"contactPhone": "no number"})

    answer = empty.post(ORDERS, least(WRITTEN))

    assert answer.status_code == 400
    assert "serviceCharacteristic[contactPhone]" in answer.json["message"]
    assert empty.get(ORDERS) == []


def test_a_product_without_a_process_is_refused_by_name(empty: Machines) -> None:
    sell(empty, order_type="XX")

    answer = empty.post(ORDERS, least(WRITTEN))

    assert (answer.status_code, answer.json["code"]) == (400, "order.no_process")
    assert "12" in answer.json["message"]
