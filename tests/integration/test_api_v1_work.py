"""/api/v1: tasks, orders, instances and incidents, as scripts and the crews' application use them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.store import Store
from tests.machines import ORDERS, V1, Machines, an_order, running_machines, sample


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


# ---- tasks


def test_a_task_tells_all_that_a_crew_needs(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()

    task = machines.task(order)

    assert task == {
        "id": f"{order}-W01",
        "name": "上门施工",
        "name_en": "Construction on site",
        "element": "BB_11",
        "order": order,
        "instance": task["instance"],
        "state": "open",
        "role": "FC",
        "area": "YT-E",
        "customer": "林女士",
        "crew": {"id": "E1", "name": "东汀一班", "name_en": "East crew 1"},
        "assignee": None,
        "due_at": "2026-11-23T01:12:00.000Z",
        "created_at": "2026-11-22T01:12:00.000Z",
        "closed_at": None,
        "form_key": "construction",
        "form": None,
    }
    with_form = machines.get(f"{V1}/tasks/{task['id']}?expand=form", "crew-e1")
    assert with_form["form"]["components"][0]["key"] == "result"


def test_a_task_is_claimed_released_and_completed(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    url = f"{V1}/tasks/{machines.task(order)['id']}"

    claimed = machines.post(f"{url}/claim", None, "crew-e1").json
    assert claimed is not None
    assert (claimed["state"], claimed["assignee"]["name"]) == ("claimed", "林师傅")
    taken = machines.post(f"{url}/claim", None, "crew-e1b")
    assert (taken.status_code, taken.mimetype) == (409, "application/problem+json")
    assert taken.json is not None
    assert taken.json["code"] == "task.already_claimed"
    released = machines.post(f"{url}/release", None, "crew-e1").json
    assert released is not None
    assert (released["state"], released["assignee"]) == ("open", None)

    done = machines.post(f"{url}/complete", sample("complete-task"), "crew-e1b").json
    assert done is not None
    assert (done["task"]["state"], done["task"]["assignee"]["name"]) == ("completed", "何师傅")
    assert done["next_tasks"] == []


def test_a_form_that_does_not_pass_names_each_field_and_changes_nothing(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    task = machines.task(order)["id"]
    before = machines.rows()

    answer = machines.complete(
        task, values={"result": "done", "onu_serial": "x", "rx_power_dbm": -40, "surprise": 1}
    )

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["code"] == "form.invalid"
    assert {k: v["code"] for k, v in answer.json["errors"].items()} == {
        "onu_serial": "pattern",
        "rx_power_dbm": "minimum",
        "identity_checked": "required",
        "surprise": "unknown_field",
    }
    assert all(v["message"] for v in answer.json["errors"].values())
    assert machines.rows() == before
    assert machines.task(order)["state"] == "open"


def test_a_repeated_completion_gets_the_same_answer(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    task = machines.task(order)["id"]

    first = machines.complete(task)
    before = machines.rows()
    again = machines.complete(task)
    other = machines.complete(task, request_id="another")

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert again.json == first.json
    assert machines.rows() == before


def test_a_crew_does_not_find_the_tasks_of_others(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    task = machines.task(order)["id"]

    assert machines.get(f"{V1}/tasks", "crew-n1")["items"] == []
    assert machines.ask("GET", f"{V1}/tasks/{task}", "crew-n1").status_code == 404
    assert machines.complete(task, "crew-n1").status_code == 404
    assert machines.ask("GET", f"{V1}/tasks", "crm").status_code == 403


def test_tasks_are_filtered_and_read_in_pages(machines: Machines) -> None:
    orders = [machines.place(an_order(f"P-{n}", customerName=f"客户{n}"))["id"] for n in range(5)]
    machines.site.work()

    seen: list[str] = []
    after = ""
    while True:
        page = machines.get(f"{V1}/tasks?limit=2{after}", "dispatcher")
        seen += [t["order"] for t in page["items"]]
        if page["next"] is None:
            break
        after = "&after=" + page["next"].replace("+", "%2B")
    assert sorted(seen) == orders
    assert [t["order"] for t in machines.get(f"{V1}/tasks?q=客户3", "dispatcher")["items"]] == [orders[3]]
    machines.post(f"{V1}/tasks/{orders[0]}-W01/claim", None, "crew-e1")
    assert [t["order"] for t in machines.get(f"{V1}/tasks?view=mine", "crew-e1")["items"]] == [orders[0]]
    assert machines.get(f"{V1}/tasks?view=late", "dispatcher")["items"] == []


def test_a_parameter_that_is_not_known_is_refused_by_name(machines: Machines) -> None:
    for who, path, named in (
        ("crew-e1", "tasks?view=none", "view"),
        ("crew-e1", "tasks?colour=red", "colour"),
        ("crew-e1", "tasks?after=nonsense", "after"),
        ("crew-e1", "tasks?after=2026-11-22T00:00:00,x", "after"),
        ("crew-e1", "tasks?limit=0", "limit"),
        ("crm", "orders?after=x,y", "after"),
        ("operator", "incidents?state=none", "state"),
        ("operator", "incidents?after=99999999999999999999", "after"),
        ("operator", "definitions?state=none", "state"),
    ):
        answer = machines.ask("GET", f"{V1}/{path}", who)

        assert answer.status_code == 400, path
        assert answer.json is not None
        assert (answer.json["code"], answer.mimetype) == ("input.query", "application/problem+json")
        assert named in answer.json["detail"]


def test_a_body_that_is_not_known_is_refused_by_name(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()
    task = machines.task(order)["id"]
    for who in ("operator", "crm"):
        machines.token(who)
    before = machines.rows()
    for who, path, body, field in (
        ("crew-e1", f"tasks/{task}/complete", {"values": []}, "values"),
        ("crew-e1", f"tasks/{task}/complete", {"valeus": {}}, "valeus"),
        ("crew-e1", f"tasks/{task}/complete", {"request_id": "x" * 101}, "request_id"),
        ("operator", "instances", {}, "process"),
        ("operator", "instances", {"process": "broadband", "variables": 1}, "variables"),
        ("crm", f"orders/{order}/note", {}, "text"),
        ("crm", f"orders/{order}/note", {"text": ""}, "text"),
        ("crm", f"orders/{order}/cancel", {"why": "x"}, "why"),
        ("crm", "tokens", {"name": "x", "days": "many"}, "days"),
        ("crm", "tokens", {"name": "x", "days": 366}, "days"),
    ):
        answer = machines.post(f"{V1}/{path}", body, who)

        assert answer.status_code == 400, (path, body)
        assert answer.json is not None
        assert field in answer.json["errors"]
    assert machines.rows() == before


# ---- orders


def test_an_order_tells_its_items_and_remarks(machines: Machines) -> None:
    order = machines.place()["id"]
    note = machines.post(f"{V1}/orders/{order}/note", {"text": "请提前联系"}, "service")
    assert note.status_code == 201

    shown = machines.get(f"{V1}/orders/{order}", "service")

    assert (shown["source"], shown["external_id"], shown["phone"]) == ("crm", "CRM-1", "13800004021")
    assert shown["items"][0] | {"instance": 0} == {
        "id": "1",
        "action": "add",
        "product": "BB-1000",
        "state": "acknowledged",
        "instance": 0,
    }
    assert [(n["author"], n["text"]) for n in shown["notes"]][1:] == [("service", "请提前联系")]


def test_customer_data_is_masked_for_those_who_need_it_not(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()

    shown = machines.get(f"{V1}/orders/{order}", "operator")

    assert (shown["customer"], shown["phone"], shown["address"]) == ("林**", "138****4021", "东汀区汀兰路***")
    assert machines.get(f"{V1}/tasks", "operator")["items"][0]["customer"] == "林**"


def test_the_timeline_tells_what_happened_and_to_a_crm_only_its_own_part(machines: Machines) -> None:
    order = machines.deliver()

    ours = machines.get(f"{V1}/orders/{order}/timeline", "service")["items"]
    theirs = machines.get(f"{V1}/orders/{order}/timeline")["items"]

    assert {"TaskOpened", "TaskCompleted", "OrderStateChanged"} <= {e["kind"] for e in ours}
    assert [e["id"] for e in ours] == sorted((e["id"] for e in ours), reverse=True)
    assert {e["kind"] for e in theirs} == {
        "OrderPlaced",
        "OrderNoted",
        "OrderStateChanged",
        "MilestoneReached",
    }
    assert {e["actor"] for e in theirs} == {None}


def test_orders_are_filtered_and_read_in_pages(machines: Machines) -> None:
    made = [machines.place(an_order(f"P-{n}"))["id"] for n in range(3)]

    first = machines.get(f"{V1}/orders?limit=2", "service")
    rest = machines.get(f"{V1}/orders?limit=2&after={first['next'].replace('+', '%2B')}", "service")

    assert [o["id"] for o in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    assert [o["id"] for o in machines.get(f"{V1}/orders?external_id=P-1", "service")["items"]] == [made[1]]
    assert machines.get(f"{V1}/orders?state=completed", "service")["items"] == []


def test_an_order_is_cancelled_with_a_reason(machines: Machines) -> None:
    order = machines.place()["id"]
    machines.site.work()

    answer = machines.post(f"{V1}/orders/{order}/cancel", {"reason": "搬家"}, "service").json

    assert answer is not None
    assert answer["order"]["state"] == "pendingCancellation"
    assert (answer["cancel_request"]["state"], answer["cancel_request"]["reason"]) == ("inProgress", "搬家")
    machines.site.work()
    assert machines.get(f"{V1}/orders/{order}", "service")["state"] == "cancelled"


# ---- instances


def test_a_process_is_started_without_an_order(machines: Machines) -> None:
    answer = machines.post(f"{V1}/instances", sample("start-instance"), "operator")

    assert answer.status_code == 201
    started = answer.json
    assert started is not None
    assert started["business_key"] == "PI-20261122-000001"
    machines.site.work()
    shown = machines.get(answer.headers["Location"], "operator")
    assert (shown["process"], shown["version"], shown["state"]) == ("broadband", 1, "active")
    assert {"element": "BB_11", "state": "ready"} in shown["tokens"]
    assert shown["variables"]["acceptance_mbps"] == 270
    assert machines.get(f"{V1}/instances/{started['id']}", "dispatcher")["variables"] is None
    assert machines.task(started["business_key"])["customer"] == "林女士"


def test_an_instance_that_has_ended_rests_nowhere(machines: Machines) -> None:
    order = machines.deliver()
    instance = machines.get(f"{V1}/orders/{order}")["items"][0]["instance"]

    shown = machines.get(f"{V1}/instances/{instance}", "operator")

    assert (shown["state"], shown["tokens"]) == ("completed", [])
    assert shown["variables"]["onu_serial"] == "YTGP1A2B3C4D"


def test_what_is_not_there_is_not_found(machines: Machines) -> None:
    machines.token("operator")
    before = machines.rows()

    answers = [
        machines.post(f"{V1}/instances", {"process": "nothing"}, "operator"),
        machines.ask("GET", f"{V1}/instances/99", "operator"),
        machines.ask("GET", f"{V1}/instances/99999999999999999999", "operator"),
        machines.ask("GET", f"{V1}/incidents/99", "operator"),
        machines.ask("GET", f"{V1}/definitions/99", "operator"),
        machines.ask("GET", f"{V1}/orders/none", "operator"),
        machines.ask("GET", f"{V1}/nothing", "operator"),
    ]

    assert {a.status_code for a in answers} == {404}
    assert machines.rows() == before


# ---- incidents


def test_an_incident_is_listed_and_its_step_run_again(machines: Machines) -> None:
    aaa = machines.site.simulators.aaa
    aaa.fault("unavailable", times=-1, operation="aaa.subscriber.open")
    order = machines.place()["id"]
    machines.site.work()
    machines.complete(machines.task(order)["id"])
    for _ in range(6):
        machines.site.work()
        machines.site.clock.advance(timedelta(minutes=5))
    assert machines.get(f"{ORDERS}/{order}")["state"] == "held"

    (incident,) = machines.get(f"{V1}/incidents?order={order}", "operator")["items"]
    assert (incident["element"], incident["state"], incident["area"]) == ("BB_12", "open", "YT-E")
    aaa.clear_faults()
    assert machines.post(f"{V1}/incidents/{incident['id']}/retry", None, "dispatcher").status_code == 403
    again = machines.post(f"{V1}/incidents/{incident['id']}/retry", None, "operator")
    assert again.json is not None
    assert again.json["state"] == "resolved"

    machines.site.work()
    assert machines.get(f"{ORDERS}/{order}")["state"] == "completed"
    assert machines.post(f"{V1}/incidents/{incident['id']}/retry", None, "operator").status_code == 409
    assert len(aaa.effects()) == 1
    assert machines.get(f"{V1}/incidents", "operator")["items"] == []
    (resolved,) = machines.get(f"{V1}/incidents?state=resolved", "operator")["items"]
    assert resolved["resolved_by"] == "operator"
