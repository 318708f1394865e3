"""Amending an order: what is changed in place, what is undone and begun again, and what is refused, by every interface."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.deploy.definitions import Upload
from engine.identity.model import InboxMessage, Person
from engine.jobs import queue
from engine.jobs.lease import LeaseClock
from engine.jobs.model import AdapterCall
from engine.orders.model import OrderItem, OrderVersion, ServiceOrder
from engine.resources.model import Resource
from engine.runtime import codec
from engine.runtime.model import InstanceHistory
from engine.runtime.progress import values_of
from engine.store import Store
from tests.machines import CANCEL, HUB, ORDERS, V1, Machines, an_order, running_machines
from tests.small_broadband import SMALL

CHANGE = "ServiceOrderAttributeValueChangeEvent"
ELSEWHERE = {"address": "东汀区汀兰路18号3栋2单元999"}


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path, retry_seconds=0.0) as found:
        yield found


def on_site(machines: Machines) -> str:
    order = str(machines.place()["id"])
    machines.site.work()
    return order


def amended(version: int = 2, product: str | None = None, **characteristics: Any) -> dict[str, Any]:
    """The sample order as its sender would send it again."""
    body: dict[str, Any] = an_order(**characteristics) | {"version": version}
    del body["note"]
    if product is not None:
        body["serviceOrderItem"][0]["service"]["serviceSpecification"] = {"id": product}
    return body


def patch(machines: Machines, order: str, body: Any, who: str = "crm") -> TestResponse:
    return machines.ask("PATCH", f"{ORDERS}/{order}", who, json=body)


def values(machines: Machines, order: str) -> dict[str, Any]:
    """Variables of the instance that works on the order now."""
    me = machines.site.services
    with me.store.read() as db:
        (instance,) = db.scalars(select(OrderItem.instance_id).where(OrderItem.order_id == order))
        assert instance is not None
        return values_of(db, me.kernel, instance, me.clock.now())


def told(machines: Machines) -> list[str]:
    query = select(Person.login).join(InboxMessage, InboxMessage.person_id == Person.id)
    with machines.site.store.read() as db:
        return sorted(db.scalars(query.where(InboxMessage.kind == "order.amended")))


def how(machines: Machines, order: str) -> list[tuple[str, list[str]]]:
    """What became of each amendment, oldest first."""
    events = machines.get(f"{V1}/orders/{order}/timeline")["items"]
    return [(e["data"]["how"], e["data"]["names"]) for e in reversed(events) if e["kind"] == "OrderAmended"]


def ports(machines: Machines) -> list[tuple[str, str]]:
    query = select(Resource.holder, Resource.place).where(
        Resource.kind == "port", Resource.holder.is_not(None)
    )
    with machines.site.store.read() as db:
        return [(str(row.holder), str(row.place)) for row in db.execute(query)]


# ---- in place


def test_contact_data_are_changed_in_place_and_the_holders_are_told(machines: Machines) -> None:
    order = on_site(machines)
    task = machines.task(order)
    before = machines.get(f"{ORDERS}/{order}")

    answer = patch(machines, order, amended(contactPhone="13900001111", customerName="林先生"))

    assert answer.status_code == 200, answer.text
    assert answer.json["version"] == 2
    assert (answer.json["state"], answer.json["expectedCompletionDate"]) == (
        before["state"],
        before["expectedCompletionDate"],
    )
    assert how(machines, order) == [("in_place", ["customer", "phone"])]
    shown = machines.get(f"{V1}/orders/{order}")
    assert (shown["customer"], shown["phone"]) == ("林先生", "13900001111")
    assert machines.task(order) == task | {"customer": "林先生"}
    assert {n: values(machines, order)[n] for n in ("customer", "phone")} == {
        "customer": "林先生",
        "phone": "13900001111",
    }
    assert told(machines) == ["crew-e1", "crew-e1b"]


def test_the_history_of_the_instance_says_who_changed_what_and_when(machines: Machines) -> None:
    order = on_site(machines)

    patch(machines, order, amended(contactPhone="13900001111"))

    with machines.site.store.read() as db:
        row = db.scalars(select(InstanceHistory).order_by(InstanceHistory.seq.desc())).first()
        assert row is not None
        assert (row.actor, row.at) == ("crm", machines.site.clock.now())
        assert [d[:3] for d in codec.unpack(row.body)["variables"]] == [
            ["phone", "13800004021", "13900001111"]
        ]


def test_a_product_is_changed_in_place_while_no_system_outside_knows_it(machines: Machines) -> None:
    order = on_site(machines)

    answer = patch(machines, order, amended(product="BB-500"))

    assert answer.status_code == 200, answer.text
    assert how(machines, order) == [("in_place", ["product"])]
    machines.complete(machines.task(order)["id"])
    machines.site.work()
    assert machines.get(f"{ORDERS}/{order}")["state"] == "completed"
    with machines.site.store.read() as db:
        query = select(AdapterCall.request).where(AdapterCall.operation == "aaa.subscriber.open")
        (request,) = db.scalars(query)
    assert (request["plan"], request["speed_mbps"]) == ("BB-500", 500)
    shown = machines.get(f"{V1}/orders/{order}")
    assert (shown["product"], shown["items"][0]["product"]) == ("BB-500", "BB-500")


# ---- undone and begun again


def test_another_address_is_undone_and_begun_again_under_the_same_number(machines: Machines) -> None:
    order = on_site(machines)
    first = machines.task(order)
    before = machines.get(f"{ORDERS}/{order}")

    answer = patch(machines, order, amended(**ELSEWHERE))

    assert answer.status_code == 200, answer.text
    assert answer.json["state"] == "inProgress"
    machines.site.work()
    assert how(machines, order) == [("redo", ["address"])]
    again = machines.task(order)
    assert (again["id"], again["order"]) == (f"{order}-W02", order)
    assert again["instance"] != first["instance"]
    assert machines.get(f"{V1}/tasks/{first['id']}", "crew-e1")["state"] == "cancelled"
    assert values(machines, order)["address"] == ELSEWHERE["address"]
    now = machines.get(f"{ORDERS}/{order}")
    assert (now["state"], now["expectedCompletionDate"]) == ("inProgress", before["expectedCompletionDate"])
    assert [holder for holder, _ in ports(machines)] == [order]
    assert machines.complete(again["id"]).status_code == 200
    machines.site.work()
    assert machines.get(f"{ORDERS}/{order}")["state"] == "completed"
    assert [e["operation"] for e in machines.site.simulators.aaa.effects()] == ["aaa.subscriber.open"]


def test_an_address_that_changes_again_before_it_has_begun_again_is_taken_too(machines: Machines) -> None:
    order = on_site(machines)
    patch(machines, order, amended(**ELSEWHERE))  # undone; the job that begins again is still waiting

    answer = patch(machines, order, amended(version=3, address="东汀区汀兰路18号3栋1单元101"))

    assert answer.status_code == 200, answer.text
    machines.site.work()
    assert [one for one, _ in how(machines, order)] == ["redo", "pending"]
    assert values(machines, order)["address"] == "东汀区汀兰路18号3栋1单元101"
    assert len(ports(machines)) == 1


def test_an_order_that_is_begun_again_can_be_cancelled_before_and_after(machines: Machines) -> None:
    for works_before in (False, True):
        order = str(machines.place(an_order(f"CRM-{works_before}"))["id"])
        machines.site.work()
        body = amended(**ELSEWHERE) | {"externalId": f"CRM-{works_before}"}
        assert patch(machines, order, body).status_code == 200
        if works_before:
            machines.site.work()

        answer = machines.post(CANCEL, {"serviceOrder": {"id": order}})

        assert answer.status_code == 201, answer.text
        machines.site.work()
        assert machines.get(f"{ORDERS}/{order}")["state"] == "cancelled"
        assert machines.get(f"{CANCEL}/{answer.json['id']}")["state"] == "done"
        assert ports(machines) == []
        assert machines.get(f"{V1}/tasks?order={order}", "dispatcher")["items"] == []


# ---- left to the process


def test_a_process_that_waits_for_it_decides_what_becomes_of_an_amendment(machines: Machines) -> None:
    _deploy_one_that_waits(machines)
    order = on_site(machines)
    task = machines.task(order)

    answer = patch(machines, order, amended(**ELSEWHERE))

    assert answer.status_code == 200, answer.text
    assert how(machines, order) == [("process", ["address"])]
    seen = values(machines, order)
    assert (seen["address"], seen["old_address"]) == (ELSEWHERE["address"], "东汀区汀兰路18号3栋2单元501")
    assert machines.task(order) == task
    assert (
        patch(machines, order, amended(version=3, **ELSEWHERE, contactPhone="13900001111")).status_code == 200
    )
    assert how(machines, order)[1] == ("in_place", ["phone"])


def _deploy_one_that_waits(machines: Machines) -> None:
    """The small process, with an event sub-process that hears of amendments and writes down what was before."""
    bundle = SMALL
    waits = """<bpmn:subProcess id="BB_A" name="改单" triggeredByEvent="true">
      <bpmn:startEvent id="BB_A1" isInterrupting="false"><bpmn:outgoing>f_a1</bpmn:outgoing>
        <bpmn:messageEventDefinition messageRef="M_amended"/></bpmn:startEvent>
      <bpmn:scriptTask id="BB_A2" name="记下" scriptFormat="python"><bpmn:incoming>f_a1</bpmn:incoming>
        <bpmn:outgoing>f_a2</bpmn:outgoing>
        <bpmn:script>old_address = difference['address']['before']</bpmn:script></bpmn:scriptTask>
      <bpmn:endEvent id="BB_A3"><bpmn:incoming>f_a2</bpmn:incoming></bpmn:endEvent>
      <bpmn:sequenceFlow id="f_a1" sourceRef="BB_A1" targetRef="BB_A2"/>
      <bpmn:sequenceFlow id="f_a2" sourceRef="BB_A2" targetRef="BB_A3"/>
    </bpmn:subProcess></bpmn:process>"""
    xml = bundle.xml.decode().replace("</bpmn:process>", waits, 1)
    xml = xml.replace(
        "<bpmn:process ", '<bpmn:message id="M_amended" name="order.amended"/><bpmn:process ', 1
    )
    me = machines.site.services
    with me.store.write() as db:
        at = me.clock.now()
        upload = Upload(bundle.filename, xml.encode(), bundle.forms)
        for version in me.definitions.upload(db, upload, at=at, actor="test"):
            me.definitions.deploy(db, version.id, at=at, actor="test")


def test_a_call_that_a_worker_has_in_hand_is_sent_with_the_new_data_only(machines: Machines) -> None:
    order = on_site(machines)
    machines.complete(machines.task(order)["id"])
    me = machines.site.services
    with me.store.write() as db:
        claim = queue.claim(db, "w", lease=LeaseClock(me.clock), now=me.clock.now(), lease_ms=60_000)
    assert claim is not None  # a worker has read what to send, and sends it in a moment

    assert patch(machines, order, amended(product="BB-500")).status_code == 200

    with me.store.write() as db, pytest.raises(queue.ClaimLost):
        queue.ensure_sendable(db, claim, LeaseClock(me.clock), 1)
    machines.site.work()
    with machines.site.store.read() as db:
        query = select(AdapterCall.request).where(AdapterCall.operation == "aaa.subscriber.open")
        (request,) = db.scalars(query)
    assert request["speed_mbps"] == 500
    assert machines.get(f"{ORDERS}/{order}")["state"] == "completed"


def test_two_items_are_amended_each_for_itself(machines: Machines) -> None:
    body = an_order("CRM-2")
    first = body["serviceOrderItem"][0]
    body["serviceOrderItem"] = [first, copy.deepcopy(first) | {"id": "2"}]
    order = str(machines.place(body)["id"])
    machines.site.work()
    again = copy.deepcopy(body) | {"version": 2}
    del again["note"]
    listed = again["serviceOrderItem"][1]["service"]["serviceCharacteristic"]
    listed[:] = [c for c in listed if c["name"] != "building"] + [
        {"name": "building", "value": "汀兰路20号1栋"}
    ]
    again["serviceOrderItem"].reverse()

    answer = patch(machines, order, again)

    assert answer.status_code == 200, answer.text
    assert how(machines, order) == [("redo", ["building"])]
    assert [i["id"] for i in answer.json["serviceOrderItem"]] == ["1", "2"]
    machines.site.work()
    tasks = machines.get(f"{V1}/tasks?order={order}", "dispatcher")["items"]
    assert sorted(t["id"] for t in tasks) == [f"{order}-W01", f"{order}.2-W02"]


# ---- versions


def test_the_same_version_again_changes_nothing(machines: Machines) -> None:
    order = on_site(machines)
    body = amended(contactPhone="13900001111")
    first = patch(machines, order, body)
    rows = machines.rows()

    again = patch(machines, order, body)

    assert (again.status_code, again.json) == (200, first.json)
    assert machines.rows() == rows


@pytest.mark.parametrize(
    ("version", "named"),
    [
        (1, "1 is not higher"),
        (2, "2 is not higher"),
        (None, "version"),
        ("x", "version"),
        (0, "version"),
        (True, "version"),
    ],
)
def test_a_version_that_is_not_higher_is_refused_by_name(
    machines: Machines, version: Any, named: str
) -> None:
    order = on_site(machines)
    assert patch(machines, order, amended(contactPhone="13900001111")).status_code == 200
    rows = machines.rows()

    answer = patch(machines, order, amended(version=version, contactPhone="13900002222"))

    assert answer.status_code == (409 if version in (1, 2) and version is not True else 400)
    assert "version" in answer.json["message"]
    assert named in answer.json["message"]
    assert machines.rows() == rows


def test_every_version_is_kept_with_what_became_of_it(machines: Machines) -> None:
    order = on_site(machines)
    patch(machines, order, amended(version=5, contactPhone="13900001111"))
    patch(machines, order, amended(version=7, contactPhone="13900002222"))

    listed = machines.get(f"{V1}/orders/{order}/versions", "service")["items"]

    assert [(v["version"], v["came_from"]) for v in listed] == [(7, "crm"), (5, "crm"), (1, "crm")]
    assert listed[0]["items"] == [{"item": "1", "how": "in_place", "names": ["phone"]}]
    assert "13900001111" in str(listed[1]["document"])
    assert "13800004021" in str(listed[2]["document"])


def test_the_first_version_may_be_named_when_the_order_is_placed(machines: Machines) -> None:
    order = str(machines.place(an_order() | {"version": "4"})["id"])

    assert patch(machines, order, amended(version=4, contactPhone="13900001111")).status_code == 409
    assert patch(machines, order, amended(version=5, contactPhone="13900001111")).status_code == 200


def test_the_sender_is_told_once_and_wishes_of_the_same_message_beside(machines: Machines) -> None:
    callback = {"callback": f"{machines.site.simulators.crm_url}/listener", "query": f"eventType={CHANGE}"}
    machines.post(HUB, callback)
    order = on_site(machines)

    body = amended(contactPhone="13900001111") | {"priority": "1", "note": [{"text": "换号码"}]}
    answer = patch(machines, order, body)
    machines.site.work()

    assert (answer.json["priority"], answer.json["note"][-1]["text"]) == ("1", "换号码")
    paths = [e["body"]["fieldPath"] for e in machines.site.simulators.crm.events()]
    assert sorted(paths) == ["priority", "serviceOrderItem"]


# ---- refused


def test_what_makes_another_order_of_it_is_refused_by_name(machines: Machines) -> None:
    order = on_site(machines)
    rows = machines.rows()
    second = amended()["serviceOrderItem"][0] | {"id": "2"}
    for body, named in (
        (amended() | {"serviceOrderItem": []}, "serviceOrderItem"),
        (amended() | {"serviceOrderItem": [second]}, "serviceOrderItem"),
        (amended() | {"serviceOrderItem": [*amended()["serviceOrderItem"], second]}, "serviceOrderItem"),
        (amended() | {"externalId": "CRM-9"}, "externalId"),
        (
            amended() | {"serviceOrderItem": [amended()["serviceOrderItem"][0] | {"action": "delete"}]},
            "action",
        ),
        (amended(orderType="MV"), "orderType"),
        (amended(area="XX"), "area"),
        (amended(product="NOPE"), "serviceSpecification"),
        (amended(contactPhone="?"), "contactPhone"),
        ({"version": 2}, "version"),
    ):
        answer = patch(machines, order, body)

        assert answer.status_code == 400, (body, answer.text)
        assert named in answer.json["message"]
        assert machines.rows() == rows


def test_an_order_that_has_ended_or_is_being_cancelled_is_not_amended(machines: Machines) -> None:
    ended = machines.deliver()
    refused = patch(machines, ended, amended(contactPhone="13900001111"))
    assert (refused.status_code, refused.json["code"]) == (409, "order.amend_ended")
    assert "CH" in refused.json["message"]

    order = str(machines.place(an_order("CRM-2"))["id"])
    machines.site.work()
    machines.post(CANCEL, {"serviceOrder": {"id": order}})
    body = amended(contactPhone="13900001111") | {"externalId": "CRM-2"}
    refused = patch(machines, order, body)
    assert (refused.status_code, refused.json["code"]) == (409, "order.being_cancelled")


def test_past_its_point_of_no_return_only_contact_data_change(machines: Machines) -> None:
    machines.site.simulators.crm.fault("unavailable", times=-1, operation="crm.order.report")
    order = on_site(machines)
    machines.complete(machines.task(order)["id"])
    machines.site.work()
    assert machines.get(f"{ORDERS}/{order}")["state"] in ("inProgress", "held")

    refused = patch(machines, order, amended(**ELSEWHERE))

    assert (refused.status_code, refused.json["code"]) == (409, "order.amend_late")
    assert "MV" in refused.json["message"]
    assert patch(machines, order, amended(contactPhone="13900001111")).status_code == 200


def test_only_those_who_speak_for_the_customer_amend(machines: Machines) -> None:
    order = on_site(machines)
    body = amended(contactPhone="13900001111")

    assert patch(machines, order, body, "operator").status_code == 403
    assert patch(machines, order, body, "crm2").status_code == 404
    assert patch(machines, order, body, "service").status_code == 200


# ---- our own interface


def test_single_wishes_are_tried_out_first_and_then_done(machines: Machines) -> None:
    order = on_site(machines)
    url, wish = f"{V1}/orders/{order}/amend", {"characteristics": ELSEWHERE}

    tried = machines.post(url, wish | {"dry_run": True}, "service").json

    assert tried["items"] == [{"item": "1", "how": "redo", "names": ["address"]}]
    assert machines.get(f"{V1}/orders/{order}")["address"] != ELSEWHERE["address"]
    done = machines.post(url, wish, "service").json
    assert (done["version"], done["items"]) == (2, tried["items"])
    machines.site.work()
    assert values(machines, order)["address"] == ELSEWHERE["address"]
    assert machines.post(url, wish | {"version": 2}, "service").status_code == 200
    assert machines.post(url, {"characteristics": {"wifi": "x"}}, "service").status_code == 400
    assert machines.post(url, {"item": "7", "characteristics": ELSEWHERE}, "service").status_code == 400


def test_an_order_that_came_without_a_document_is_amended_too(machines: Machines) -> None:
    order = machines.site.place_order()
    machines.site.work()

    answer = machines.post(
        f"{V1}/orders/{order}/amend", {"characteristics": {"contactPhone": "13900001111"}}, "service"
    )

    assert answer.status_code == 200, answer.text
    assert answer.json["items"] == [{"item": "1", "how": "in_place", "names": ["phone"]}]
    with machines.site.store.read() as db:
        assert db.get_one(ServiceOrder, order).phone == "13900001111"
        assert len(db.scalars(select(OrderVersion)).all()) == 2
