"""TMF641 serviceOrder: from the wire to completion, looking, filters, notes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store
from tests.machines import ORDERS, V1, Machines, an_order, running_machines, sample


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def test_the_sample_order_is_delivered_with_one_effect_at_each_system(machines: Machines) -> None:
    order = machines.deliver(sample("broadband-order"))

    shown = machines.get(f"{ORDERS}/{order}")
    assert (shown["state"], shown["serviceOrderItem"][0]["state"]) == ("completed", "completed")
    assert shown["completionDate"] == "2026-11-22T01:12:00.000Z"
    aaa, crm = machines.site.simulators.aaa, machines.site.simulators.crm
    assert [e["operation"] for e in aaa.effects()] == ["aaa.subscriber.open"]
    assert [e["operation"] for e in crm.effects()] == ["crm.order.report"]
    assert (aaa.repeats(), crm.repeats()) == (0, 0)


def test_a_new_order_is_acknowledged_and_its_location_is_its_href(machines: Machines) -> None:
    answer = machines.post(ORDERS, an_order())

    made = answer.json
    assert answer.status_code == 201
    assert made["href"] == answer.headers["Location"] == f"{ORDERS}/{made['id']}"
    assert (made["state"], made["serviceOrderItem"][0]["state"]) == ("acknowledged", "acknowledged")
    assert (made["orderDate"], made["expectedCompletionDate"]) == (
        "2026-11-22T01:12:00.000Z",
        "2026-11-24T01:12:00.000Z",
    )
    assert machines.get(made["href"]) == made


def test_attributes_that_we_do_not_know_survive_and_ours_win(machines: Machines) -> None:
    body = an_order() | {"x-campaign": {"code": "双11"}, "state": "completed", "id": "mine", "@type": "X"}
    body["milestone"] = [{"name": "invented"}]
    body["serviceOrderItem"][0] |= {"x-gift": True, "state": "completed"}

    made = machines.place(body)

    shown = machines.get(made["href"])
    assert shown["x-campaign"] == {"code": "双11"}
    assert shown["serviceOrderItem"][0]["x-gift"] is True
    assert (shown["state"], shown["serviceOrderItem"][0]["state"]) == ("acknowledged", "acknowledged")
    assert (shown["@type"], shown["id"] == "mine", "milestone" in shown) == ("ServiceOrder", False, False)


def test_identifiers_may_be_numbers_and_parties_without_a_type_get_one(machines: Machines) -> None:
    body = an_order() | {"relatedParty": [{"id": 7, "name": "林女士"}]}
    body["serviceOrderItem"][0]["id"] = 1

    made = machines.place(body)

    assert made["serviceOrderItem"][0]["id"] == "1"
    assert made["relatedParty"] == [
        {"@type": "RelatedParty", "@referredType": "Party", "id": "7", "name": "林女士"}
    ]


def test_the_process_reads_the_building_and_the_wished_window(machines: Machines) -> None:
    order = machines.place(an_order(wishedWindow="周六上午"))["id"]
    instance = machines.get(f"{V1}/orders/{order}", "operator")["items"][0]["instance"]

    variables = machines.get(f"{V1}/instances/{instance}", "operator")["variables"]

    assert variables["building"] == "汀兰路18号3栋"
    assert variables["wished_window"] == "周六上午"
    assert (variables["phone"], variables["tier"]) == ("13800004021", "normal")


def test_an_order_of_two_lines_completes_when_both_have(machines: Machines) -> None:
    body = an_order()
    body["serviceOrderItem"].append(body["serviceOrderItem"][0] | {"id": "2"})
    order = machines.place(body)["id"]
    machines.site.work()

    machines.complete(machines.task(order)["id"])  # the second line went to the crew with less to do
    machines.site.work()
    states = [i["state"] for i in machines.get(f"{ORDERS}/{order}")["serviceOrderItem"]]
    assert sorted(states) == ["completed", "inProgress"]
    assert machines.get(f"{ORDERS}/{order}")["state"] == "inProgress"

    machines.complete(machines.task(order, "crew-e2")["id"], "crew-e2", request_id="another")
    machines.site.work()
    assert machines.get(f"{ORDERS}/{order}")["state"] == "completed"


def test_an_order_that_cannot_be_built_fails_and_says_why(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    values = {"result": "cannot_build", "reason": "管道堵塞, 无法穿缆"}
    assert machines.complete(machines.task(order)["id"], values=values).status_code == 200
    machines.site.work()

    shown = machines.get(f"{ORDERS}/{order}")

    assert shown["state"] == "failed"
    assert shown["errorMessage"][0]["code"] == "R05"
    assert "completionDate" not in shown


# ---- looking


def test_fields_chooses_the_attributes(machines: Machines) -> None:
    made = machines.place()

    def keys(fields: str) -> set[str]:
        return set(machines.get(f"{made['href']}?fields={fields}"))

    assert keys("id,state,category,description") == {"id", "state", "category", "description"}
    assert keys("state") == {"id", "href", "state"}
    assert keys("id,nothing.of.this") == {"id"}
    assert keys("") == set(made)
    assert keys("a." * 900 + "id") == {"id", "href"}


def test_fields_reaches_into_lists(machines: Machines) -> None:
    made = machines.place()

    (shown,) = machines.get(
        f"{ORDERS}?fields=id,serviceOrderItem.state,serviceOrderItem.service.serviceSpecification.id"
    )

    item = {"state": "acknowledged", "service": {"serviceSpecification": {"id": "BB-1000"}}}
    assert shown == {"id": made["id"], "serviceOrderItem": [item]}


def test_a_list_is_read_in_pages_newest_first(machines: Machines) -> None:
    made = [machines.place(an_order(f"N-{n}"))["id"] for n in range(5)]

    answer = machines.ask("GET", f"{ORDERS}?offset=1&limit=2&fields=id")

    assert [one["id"] for one in answer.json] == [made[3], made[2]]
    assert (answer.headers["X-Total-Count"], answer.headers["X-Result-Count"]) == ("5", "2")
    beyond = machines.ask("GET", f"{ORDERS}?offset=99&limit=1000")
    assert (beyond.json, beyond.headers["X-Total-Count"]) == ([], "5")


def test_a_list_is_filtered_by_state_numbers_and_category(machines: Machines) -> None:
    first = machines.place(an_order("A-1"))["id"]
    second = machines.place(an_order("A-2") | {"category": "business"})["id"]
    machines.site.work()

    def found(query: str) -> list[str]:
        return [one["id"] for one in machines.get(f"{ORDERS}?{query}")]

    assert found("externalId=A-2") == [second]
    assert found('externalId="A-1"') == [first]
    assert found(f"id={first}&state=inProgress") == [first]
    assert found("state=completed") == []
    assert found("category=business") == [second]


def test_a_query_that_we_do_not_understand_is_refused_by_name(machines: Machines) -> None:
    for query, named in {
        "description=x": "description",
        "orderDate=yesterday": "orderDate",
        "orderDate=2026-11-22T01:12:00": "orderDate",
        "offset=-1": "offset",
        "limit=many": "limit",
        "offset=99999999999999999999999999": "offset",
        "externalId=%00": "cannot be stored",
    }.items():
        answer = machines.ask("GET", f"{ORDERS}?{query}")

        assert answer.status_code == 400, query
        assert named in answer.json["message"]
        assert (answer.json["status"], answer.json["@type"]) == ("400", "Error")


def test_an_order_that_is_not_there_is_a_404_of_the_standard(machines: Machines) -> None:
    answer = machines.ask("GET", f"{ORDERS}/BB-20261122-999999")

    assert answer.status_code == 404
    assert set(answer.json) >= {"code", "reason", "message", "status", "@type"}


def test_a_reader_who_may_not_see_customers_sees_no_word_of_the_sender(machines: Machines) -> None:
    made = machines.place()

    shown = machines.ask("GET", made["href"], "operator")

    assert shown.json["serviceOrderItem"][0]["service"] == {"serviceSpecification": {"id": "BB-1000"}}
    assert not {"林女士", "13800004021", "501"} & set(shown.text.split('"'))
    assert "relatedParty" not in shown.json
