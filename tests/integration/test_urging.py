"""Urging an order: who is told, how it is counted, answered and watched over, by every interface."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bpmn.catalog import packaged
from engine.identity.model import InboxMessage, Person
from engine.identity.people import create_person
from engine.orders import urging
from engine.orders.model import ServiceOrder
from engine.partners.model import PartnerOrder
from engine.store import Store
from tests.machines import HUB, ORDERS, V1, Machines, an_order, running_machines
from web.bootstrap import urge_sweep


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def on_site(machines: Machines) -> str:
    """An order whose construction waits for the crew E1: its two people have the ball."""
    order = str(machines.place()["id"])
    machines.site.work()
    return order


def urge(machines: Machines, order: str, text: str | None = "客户着急", who: str = "service") -> Any:
    answer = machines.post(f"{V1}/orders/{order}/urge", {"text": text}, who)
    assert answer.status_code == 200, answer.text
    return answer.json["urge"]


def told(machines: Machines, kind: str) -> list[str]:
    """Who has a message of a kind, by login."""
    query = select(Person.login).join(InboxMessage, InboxMessage.person_id == Person.id)
    with machines.site.store.read() as db:
        return sorted(db.scalars(query.where(InboxMessage.kind == kind)))


def post(machines: Machines, role: str, area: str = "YT-E") -> list[str]:
    """Everybody who has a post in an area."""
    with machines.site.store.read() as db:
        people = db.scalars(select(Person).order_by(Person.login))
        return [p.login for p in people if role in p.roles and (not p.areas or area in p.areas)]


def later(machines: Machines, **length: float) -> None:
    machines.site.clock.advance(timedelta(**length))
    urge_sweep(machines.site.services).run()


def promise(machines: Machines, **length: float) -> str:
    return (machines.site.clock.now() + timedelta(**length)).isoformat()


# ---- who is told


def test_an_urge_is_told_to_the_whole_crew_while_nobody_has_claimed_the_task(machines: Machines) -> None:
    order = on_site(machines)

    made = urge(machines, order)

    assert told(machines, "urge.asked") == ["crew-e1", "crew-e1b"]
    assert (made["number"], made["times"], made["told"], made["tasks"]) == (1, 1, 2, [f"{order}-W01"])


def test_an_urge_is_told_to_the_holder_alone(machines: Machines) -> None:
    order = on_site(machines)
    machines.post(f"{V1}/tasks/{order}-W01/claim", None, "crew-e1")

    urge(machines, order)

    assert told(machines, "urge.asked") == ["crew-e1"]


def test_an_urge_is_told_to_the_dispatcher_when_machines_are_at_work(machines: Machines) -> None:
    order = str(machines.place()["id"])  # not moved yet: nobody holds anything

    urge(machines, order)

    assert told(machines, "urge.asked") == post(machines, "DP")


def test_an_urge_of_an_order_with_an_incident_is_told_to_the_operator(store: Store, tmp_path: Path) -> None:
    with running_machines(store, tmp_path, retry_seconds=0.0, max_attempts=1) as machines:
        _urge_with_incident(machines)


def _urge_with_incident(machines: Machines) -> None:
    machines.site.simulators.aaa.fault("unavailable", times=-1, operation="aaa.subscriber.open")
    order = on_site(machines)
    machines.complete(machines.task(order)["id"])
    machines.site.work()
    assert machines.get(f"{ORDERS}/{order}")["state"] == "held"

    urge(machines, order)

    assert told(machines, "urge.asked") == post(machines, "OP")


# ---- counted and merged


def test_an_urge_within_ten_minutes_is_merged(machines: Machines) -> None:
    order = on_site(machines)

    urge(machines, order)
    machines.site.clock.advance(timedelta(minutes=9, seconds=59))
    second = urge(machines, order, "又催")
    machines.site.clock.advance(timedelta(seconds=1))
    third = urge(machines, order)

    assert (second["number"], second["times"], second["text"]) == (1, 2, "又催")
    assert (third["number"], third["times"]) == (2, 1)
    assert machines.get(f"{V1}/orders/{order}", "service")["urges"] == 2
    listed = machines.get(f"{V1}/orders/{order}/urges", "service")["items"]
    assert [(u["number"], u["times"]) for u in listed] == [(2, 1), (1, 2)]
    assert told(machines, "urge.asked") == ["crew-e1", "crew-e1", "crew-e1b", "crew-e1b"]


def test_an_urged_task_goes_first_once_and_its_limit_stays(machines: Machines) -> None:
    first, second = on_site(machines), None
    machines.site.clock.advance(timedelta(hours=1))
    second = str(machines.place(_another())["id"])
    machines.site.work()
    before = _list(machines)
    assert [t["order"] for t in before] == [first, second]
    expected = machines.get(f"{V1}/orders/{second}", "service")["expected_at"]

    urge(machines, second)
    after = _list(machines)
    machines.site.clock.advance(timedelta(minutes=11))
    urge(machines, second)

    assert [t["order"] for t in after] == [second, first]
    assert {t["id"]: t["due_at"] for t in after} == {t["id"]: t["due_at"] for t in before}
    assert _list(machines) == after
    assert machines.get(f"{V1}/orders/{second}", "service")["expected_at"] == expected
    assert machines.get(f"{V1}/tasks?view=late", "dispatcher")["items"] == []


def test_tasks_that_an_urged_order_opens_later_go_first_too(store: Store, tmp_path: Path) -> None:
    with running_machines(store, tmp_path) as machines:
        other = on_site(machines)
        machines.site.clock.advance(timedelta(hours=1))
        order = str(machines.place(_another())["id"])
        urge(machines, order)  # before its first task
        machines.site.work()

        assert [t["order"] for t in _list(machines)] == [order, other]


def _another() -> Any:
    return an_order("CRM-2")


def _list(machines: Machines) -> list[Any]:
    found: list[Any] = machines.get(f"{V1}/tasks", "dispatcher")["items"]
    return found


def test_an_order_that_has_ended_is_not_urged(machines: Machines) -> None:
    order = machines.deliver()

    answer = machines.post(f"{V1}/orders/{order}/urge", {}, "service")

    assert (answer.status_code, answer.json["code"]) == (409, "order.ended")


def test_only_those_who_speak_for_the_customer_urge(machines: Machines) -> None:
    order = on_site(machines)

    for who, status in (("crew-e1", 403), ("operator", 403), ("dispatcher", 200), ("crm", 200)):
        assert machines.post(f"{V1}/orders/{order}/urge", {}, who).status_code == status, who
    assert machines.post(f"{V1}/orders/{order}/urge", {}, "crm2").status_code == 404


# ---- answered


def test_the_holder_answers_with_a_promised_time_and_the_asker_and_the_crm_are_told(
    machines: Machines,
) -> None:
    machines.post(
        HUB,
        {
            "callback": f"{machines.site.simulators.crm_url}/listener",
            "query": "eventType=ServiceOrderAttributeValueChangeEvent",
        },
    )
    order = on_site(machines)
    urge(machines, order)

    at = promise(machines, hours=2)
    answer = machines.post(
        f"{V1}/orders/{order}/urges/1/answer", {"promised_at": at, "text": "在路上"}, "crew-e1"
    )

    assert answer.status_code == 200, answer.text
    shown = answer.json["urge"]
    assert (shown["answered_by"], shown["answer"], shown["promised_at"]) == (
        "crew-e1",
        "在路上",
        "2026-11-22T03:12:00.000Z",
    )
    assert told(machines, "urge.answered") == ["service"]
    notes = [n["text"] for n in machines.get(f"{ORDERS}/{order}")["note"]]
    assert any("2026-11-22 11:12 在路上" in text for text in notes)
    machines.site.work()
    (event,) = [e["body"] for e in machines.site.simulators.crm.events()]
    assert event["fieldPath"] == "note"
    later(machines, minutes=31)
    assert told(machines, "urge.unanswered") == []


def test_an_answer_is_given_once_by_who_has_the_order_and_for_a_time_to_come(machines: Machines) -> None:
    order = on_site(machines)
    urge(machines, order)
    url, good = f"{V1}/orders/{order}/urges/1/answer", {"promised_at": promise(machines, hours=1)}

    assert machines.post(url, good, "resource").json["code"] == "urge.not_yours"
    assert (
        machines.post(url, {"promised_at": promise(machines, hours=-1)}, "crew-e1").json["code"]
        == "urge.promise"
    )
    assert machines.post(url, {"promised_at": "soon"}, "crew-e1").status_code == 400
    assert machines.post(f"{V1}/orders/{order}/urges/2/answer", good, "crew-e1").status_code == 404
    assert machines.post(url, good, "crew-n1").status_code == 404
    assert machines.post(url, good, "crew-e1b").status_code == 200
    assert machines.post(url, good, "crew-e1b").status_code == 200
    refused = machines.post(url, {"promised_at": promise(machines, hours=3)}, "crew-e1")
    assert (refused.status_code, refused.json["code"]) == (409, "urge.answered")


# ---- watched over


def test_without_an_answer_the_supervisor_is_told_once(machines: Machines) -> None:
    order = on_site(machines)
    urge(machines, order)

    later(machines, minutes=29)
    assert told(machines, "urge.unanswered") == []
    later(machines, minutes=1)
    later(machines, minutes=1)
    later(machines, hours=5)

    assert told(machines, "urge.unanswered") == post(machines, "SV")
    url = f"{V1}/orders/{order}/urges/1/answer"
    assert machines.post(url, {"promised_at": promise(machines, hours=1)}, "crew-e1").status_code == 200


def test_the_third_urge_is_told_to_the_supervisor_at_once(machines: Machines) -> None:
    order = on_site(machines)
    for _ in range(2):
        urge(machines, order)
        machines.site.clock.advance(timedelta(minutes=11))
    assert told(machines, "urge.third") == []

    urge(machines, order)

    assert told(machines, "urge.third") == post(machines, "SV")
    later(machines, minutes=31)
    assert told(machines, "urge.unanswered") == sorted(
        post(machines, "SV") * 2
    )  # of the first two, not of the third


def test_a_promise_that_is_broken_is_told_to_the_supervisor(machines: Machines) -> None:
    order = on_site(machines)
    urge(machines, order)
    body = {"promised_at": promise(machines, hours=2)}
    machines.post(f"{V1}/orders/{order}/urges/1/answer", body, "crew-e1")

    later(machines, hours=1, minutes=59)
    assert told(machines, "urge.broken") == []
    later(machines, minutes=1)
    later(machines, minutes=1)

    assert told(machines, "urge.broken") == post(machines, "SV")


def test_a_promise_that_was_kept_is_no_news(machines: Machines) -> None:
    order = on_site(machines)
    urge(machines, order)
    body = {"promised_at": promise(machines, hours=2)}
    machines.post(f"{V1}/orders/{order}/urges/1/answer", body, "crew-e1")
    machines.complete(machines.task(order)["id"])
    machines.site.work()

    later(machines, hours=3)

    assert told(machines, "urge.broken") == told(machines, "urge.unanswered") == []


def test_two_tickers_tell_the_supervisor_once(machines: Machines) -> None:
    order = on_site(machines)
    urge(machines, order)
    machines.site.clock.advance(timedelta(minutes=30))
    me = machines.site.services

    with me.store.write() as db:
        assert urging.sweep(db, me.clock.now(), 10, me.desk) == 1
    with me.store.write() as db:
        assert urging.sweep(db, me.clock.now(), 10, me.desk) == 0

    assert told(machines, "urge.unanswered") == post(machines, "SV")


# ---- TMF641


def test_a_note_of_the_type_urge_note_urges(machines: Machines) -> None:
    order = on_site(machines)
    body = {"note": [{"text": "客户又来电催单", "@type": "UrgeNote", "author": "营业厅 07"}]}

    answer = machines.ask("PATCH", f"{ORDERS}/{order}", json=body)

    assert answer.status_code == 200, answer.text
    assert answer.json["note"][-1]["text"] == "客户又来电催单"
    (shown,) = machines.get(f"{V1}/orders/{order}/urges")["items"]
    assert (shown["text"], shown["urged_by"], shown["tasks"]) == ("客户又来电催单", "crm", [])
    assert told(machines, "urge.asked") == ["crew-e1", "crew-e1b"]
    kinds = [e["kind"] for e in machines.get(f"{V1}/orders/{order}/timeline")["items"]]
    assert "OrderUrged" in kinds


def test_who_may_only_write_remarks_does_not_urge_by_a_note(machines: Machines) -> None:
    order = on_site(machines)
    body = {"note": [{"text": "催", "@type": "UrgeNote"}]}

    assert machines.ask("PATCH", f"{ORDERS}/{order}", "operator", json=body).status_code == 403
    with machines.site.store.read() as db:
        assert db.get_one(ServiceOrder, order).urges == 0
    assert len(machines.get(f"{ORDERS}/{order}")["note"]) == 1


# ---- a partner


def test_an_urge_while_a_partner_builds_reaches_its_people_and_our_dispatcher(
    store: Store, tmp_path: Path
) -> None:
    with running_machines(store, tmp_path, bundles=packaged()) as machines:
        at = machines.site.clock.now()
        with machines.site.store.write() as db:
            create_person(db, "yq", "张工", ["PT"], employer="P-YQ", at=at)
        order = machines.site.place_order(area="YT-W", address="西渡区西渡口路5号301", building="西渡口路5号")
        machines.site.work()
        with machines.site.store.read() as db:
            partner = db.scalars(select(PartnerOrder.partner)).one()

        urge(machines, order)

        assert told(machines, "urge.asked") == sorted(
            [*post(machines, "DP", "YT-W"), *(["yq"] if partner == "P-YQ" else [])]
        )
