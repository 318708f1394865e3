"""Orders that are refused: each says what is wrong and where, and leaves no row behind."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.store import Store
from tests.machines import CANCEL, HUB, ORDERS, Machines, an_order, running_machines

CHARACTERISTIC = "serviceOrderItem[0].service.serviceCharacteristic"


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        found.token("crm")
        yield found


def _item(body: Any) -> Any:
    return body["serviceOrderItem"][0]


def _changed(change: Callable[[Any], object]) -> Any:
    body = an_order()
    change(body)
    return body


def _without(*path: str | int) -> Any:
    body = an_order()
    inner: Any = body
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return body


def _second(**characteristics: str) -> Any:
    body = an_order()
    other = copy.deepcopy(an_order(**characteristics)["serviceOrderItem"][0])
    body["serviceOrderItem"].append(other | {"id": "2"})
    return body


BAD = {
    "no items": (_without("serviceOrderItem"), "serviceOrderItem"),
    "empty items": (_changed(lambda b: b.update(serviceOrderItem=[])), "serviceOrderItem"),
    "21 items": (
        _changed(lambda b: b.update(serviceOrderItem=[_item(b) | {"id": str(n)} for n in range(21)])),
        "serviceOrderItem",
    ),
    "two items with one id": (
        _changed(lambda b: b["serviceOrderItem"].append(_item(b))),
        "serviceOrderItem[1].id",
    ),
    "no action": (_without("serviceOrderItem", 0, "action"), "serviceOrderItem[0].action"),
    "unknown action": (
        _changed(lambda b: _item(b).update(action="explode")),
        "serviceOrderItem[0].action",
    ),
    "no service": (_without("serviceOrderItem", 0, "service"), "serviceOrderItem[0].service"),
    "no product": (
        _without("serviceOrderItem", 0, "service", "serviceSpecification"),
        "serviceOrderItem[0].service.serviceSpecification",
    ),
    "unknown product": (
        _changed(lambda b: _item(b)["service"]["serviceSpecification"].update(id="BB-9")),
        "serviceOrderItem[0].service.serviceSpecification.id",
    ),
    "no phone": (an_order(contactPhone=None), f"{CHARACTERISTIC}[contactPhone]"),
    "no customer": (an_order(customerName=None), f"{CHARACTERISTIC}[customerName]"),
    "no area": (an_order(area=None), f"{CHARACTERISTIC}[area]"),
    "no address": (an_order(address=None), f"{CHARACTERISTIC}[address]"),
    "no building": (an_order(building=None), f"{CHARACTERISTIC}[building]"),
    "empty customer": (an_order(customerName="  "), f"{CHARACTERISTIC}[customerName]"),
    "phone that is a number": (an_order(contactPhone=13800004021), f"{CHARACTERISTIC}[contactPhone]"),
    "phone that is a word": (an_order(contactPhone="call me"), f"{CHARACTERISTIC}[contactPhone]"),
    "address too long": (an_order(address="路" * 301), f"{CHARACTERISTIC}[address]"),
    "window that is a list": (an_order(wishedWindow=["a"]), f"{CHARACTERISTIC}[wishedWindow]"),
    "unknown area": (an_order(area="XX-1"), f"{CHARACTERISTIC}[area]"),
    "characteristic twice": (
        _changed(
            lambda b: _item(b)["service"]["serviceCharacteristic"].append({"name": "area", "value": "YT-N"})
        ),
        f"{CHARACTERISTIC}[area]",
    ),
    "characteristic without value": (
        _changed(lambda b: _item(b)["service"]["serviceCharacteristic"].append({"name": "x"})),
        f"{CHARACTERISTIC}[7].value",
    ),
    "items of two addresses": (
        _second(address="北岭大道6号"),
        "serviceOrderItem[1].service.serviceCharacteristic[address]",
    ),
    "items of two customers": (
        _second(customerName="王先生"),
        "serviceOrderItem[1].service.serviceCharacteristic[customerName]",
    ),
    "unbound modify": (_changed(lambda b: _item(b).update(action="modify")), "serviceOrderItem[0].action"),
    "unbound delete": (_changed(lambda b: _item(b).update(action="delete")), "serviceOrderItem[0].action"),
    "unbound type": (an_order(orderType="XX"), "serviceOrderItem[0].action"),
    "type that is no code": (an_order(orderType="move it"), f"{CHARACTERISTIC}[orderType]"),
    "@type that is an object": (_changed(lambda b: b.update({"@type": {}})), "@type"),
    "external id that is a number": (_changed(lambda b: b.update(externalId=5)), "externalId"),
    "external id too long": (_changed(lambda b: b.update(externalId="x" * 101)), "externalId"),
    "date that is none": (
        _changed(lambda b: b.update(requestedCompletionDate="soon")),
        "requestedCompletionDate",
    ),
    "date without a zone": (
        _changed(lambda b: b.update(requestedCompletionDate="2026-11-26T10:00:00")),
        "requestedCompletionDate",
    ),
    "two lines at once": (_changed(lambda b: _item(b).update(quantity=2)), "serviceOrderItem[0].quantity"),
    "note without text": (_changed(lambda b: b.update(note=[{"author": "x"}])), "note[0].text"),
    "items that are an object": (_changed(lambda b: b.update(serviceOrderItem={})), "serviceOrderItem"),
    "party without id": (_changed(lambda b: b.update(relatedParty=[{"name": "x"}])), "relatedParty[0].id"),
}


def test_a_bad_order_is_refused_with_the_place_of_the_mistake(machines: Machines) -> None:
    before = machines.rows()
    for case, (body, place) in BAD.items():
        answer = machines.post(ORDERS, body)

        assert answer.status_code == 400, (case, answer.text)
        assert answer.json is not None
        assert place in answer.json["message"], case
        assert (answer.json["status"], answer.json["@type"]) == ("400", "Error")
        assert machines.rows() == before, case


RAW = {
    "bad JSON": (b'{"externalId": }', "application/json", 400, "line 1, column 16"),
    "no JSON": (b"", "application/json", 400, "line 1"),
    "a list": (b"[]", "application/json", 400, "object"),
    "a bomb of brackets": (b"[" * 500_000, "application/json", 400, "nested"),
    "a deep body": (b'{"x":' * 200 + b"1" + b"}" * 200, "application/json", 400, "nested"),
    "a huge number": (b'{"x":1' + b"0" * 5000 + b"}", "application/json", 400, "number"),
    "infinity": (b'{"x":1e999}', "application/json", 400, "number"),
    "not a number": (b'{"x":NaN}', "application/json", 400, "NaN"),
    "a NUL": (b'{"x":"\\u0000"}', "application/json", 400, "cannot be stored"),
    "half a character": (b'{"x":"\\ud83d"}', "application/json", 400, "cannot be stored"),
    "not UTF-8": (b'{"x":"\xff"}', "application/json", 400, "UTF-8"),
    "text": (b"{}", "text/plain", 415, "text/plain"),
    "a form": (b"a=b", "application/x-www-form-urlencoded", 415, "form"),
    "another character set": (b"{}", "application/json; charset=gbk", 415, "json"),
    "3 MB": (b'{"x":"' + b"x" * 3_000_000 + b'"}', "application/json", 413, "larger"),
}


def test_a_body_that_cannot_be_read_is_refused(machines: Machines) -> None:
    before = machines.rows()
    for case, (data, kind, status, words) in RAW.items():
        answer = machines.ask("POST", ORDERS, data=data, headers={"Content-Type": kind})

        assert answer.status_code == status, (case, answer.text)
        assert answer.json is not None
        assert words in answer.json["message"], case
        assert machines.rows() == before, case


def test_json_may_name_its_character_set_and_hold_any_character(machines: Machines) -> None:
    body = json.dumps(an_order() | {"x": "家里😀 \\u0000"}).encode()

    answer = machines.ask(
        "POST", ORDERS, data=body, headers={"Content-Type": "application/json;charset=utf-8"}
    )

    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    assert answer.json["x"] == "家里😀 \\u0000"


def test_a_number_of_the_crm_is_taken_once_for_each_crm(machines: Machines) -> None:
    first = machines.place(an_order("CRM-7"))
    machines.token("crm2")
    before = machines.rows()

    again = machines.post(ORDERS, an_order("CRM-7"))

    assert again.status_code == 409
    assert again.json is not None
    assert first["id"] in again.json["message"]
    assert machines.rows() == before
    assert machines.place(an_order("CRM-7"), "crm2")["id"] != first["id"]


def test_of_many_at_the_same_moment_one_is_taken(machines: Machines) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda n: machines.post(ORDERS, an_order("CRM-7")), range(8)))

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    (taken,) = machines.get(ORDERS)
    assert {taken["id"] in answer.text for answer in answers} == {True}


def test_of_many_with_one_key_all_get_the_same_answer(machines: Machines) -> None:
    body, headers = an_order("CRM-7"), {"Idempotency-Key": "k-1"}
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda n: machines.ask("POST", ORDERS, json=body, headers=headers), range(8))
        )

    assert {answer.status_code for answer in answers} == {201}
    (taken,) = machines.get(ORDERS)
    assert {answer.json["id"] for answer in answers if answer.json} == {taken["id"]}


def test_orders_without_a_number_of_the_crm_are_all_new(machines: Machines) -> None:
    first, second = (machines.place(an_order(None)) for _ in range(2))

    assert first["id"] != second["id"]
    assert "externalId" not in first


def test_the_same_key_and_body_get_the_first_answer_again(machines: Machines) -> None:
    body = an_order("CRM-8")
    first = machines.ask("POST", ORDERS, json=body, headers={"Idempotency-Key": "k-1"})
    machines.site.work()
    before = machines.rows()

    again = machines.ask("POST", ORDERS, json=body, headers={"Idempotency-Key": "k-1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replay"] == "true"
    assert machines.rows() == before


def test_the_same_key_with_another_body_is_a_conflict(machines: Machines) -> None:
    machines.ask("POST", ORDERS, json=an_order("CRM-8"), headers={"Idempotency-Key": "k-1"})
    before = machines.rows()

    other = machines.ask("POST", ORDERS, json=an_order("CRM-9"), headers={"Idempotency-Key": "k-1"})

    assert other.status_code == 409
    assert other.json is not None
    assert "k-1" in other.json["message"]
    assert machines.rows() == before


def test_a_refused_request_leaves_its_key_free(machines: Machines) -> None:
    bad = machines.ask("POST", ORDERS, json=an_order(area="XX"), headers={"Idempotency-Key": "k-1"})
    good = machines.ask("POST", ORDERS, json=an_order(), headers={"Idempotency-Key": "k-1"})

    assert (bad.status_code, good.status_code) == (400, 201)


def test_two_crms_may_use_the_same_key(machines: Machines) -> None:
    first = machines.ask("POST", ORDERS, json=an_order(), headers={"Idempotency-Key": "k-1"})
    second = machines.ask("POST", ORDERS, "crm2", json=an_order(), headers={"Idempotency-Key": "k-1"})

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json is not None
    assert second.json is not None
    assert first.json["id"] != second.json["id"]


def test_a_crew_may_do_nothing_of_this(machines: Machines) -> None:
    asked = [("POST", ORDERS), ("POST", CANCEL), ("POST", HUB), ("DELETE", f"{HUB}/hub-1")]

    answers = [machines.ask(method, path, "crew-e1", json={}) for method, path in asked]

    assert {answer.status_code for answer in answers} == {403}


def test_nobody_reads_without_a_token(machines: Machines) -> None:
    for path in (ORDERS, CANCEL, f"{ORDERS}/BB-1", f"{CANCEL}/CX-1"):
        answer = machines.ask("GET", path, None)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_error_speaks_chinese_to_those_who_ask_for_it(machines: Machines) -> None:
    answer = machines.ask(
        "POST", ORDERS, json=an_order(contactPhone=None), headers={"Accept-Language": "zh-CN"}
    )

    assert answer.json is not None
    assert answer.json["message"] == f"{CHARACTERISTIC}[contactPhone]：缺少此项。"
    long = machines.ask(
        "POST", ORDERS, json=an_order() | {"category": "x" * 201}, headers={"Accept-Language": "zh-CN"}
    )
    assert long.json is not None
    assert long.json["message"] == "category：最长为 200。"
