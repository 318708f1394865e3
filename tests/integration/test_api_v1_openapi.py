"""The OpenAPI document: every route is in it, and what the views answer is what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.test import TestResponse

from engine.store import Store
from tests.machines import V1, Machines, an_order, running_machines, sample
from tests.partner_parts import Partnered
from tests.small_broadband import SMALL
from tests.tickets import a_child, deploy_mass_faults


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


@dataclass
class Contract:
    """Holds every answer against the document, and remembers which operations it has seen."""

    machines: Machines
    document: dict[str, Any]
    seen: set[str] = field(default_factory=set)

    def ask(self, method: str, path: str, who: str | None, **more: Any) -> TestResponse:
        answer = self.machines.ask(method, V1 + path, who, **more)
        operation = self._operation(method, V1 + path.partition("?")[0])
        self.seen.add(operation["operationId"])
        described = operation["responses"].get(str(answer.status_code), operation["responses"]["default"])
        if answer.status_code == 204:
            assert "content" not in described
            return answer
        assert list(described["content"]) == [answer.mimetype], (path, answer.text)
        if "json" in answer.mimetype:
            self._check(described["content"][answer.mimetype]["schema"], answer.json)
        return answer

    def good(self, method: str, path: str, who: str | None, **more: Any) -> Any:
        answer = self.ask(method, path, who, **more)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json if "json" in (answer.mimetype or "") else answer.data

    def _operation(self, method: str, path: str) -> Any:
        rule, _ = self.machines.site.app.url_map.bind("").match(path, method)
        name = rule.removeprefix("v1.")
        operations = [o for item in self.document["paths"].values() for o in item.values()]
        (found,) = [o for o in operations if o["operationId"] == name]
        return found

    def _check(self, schema: Any, body: Any) -> None:
        whole = {**schema, "components": self.document["components"]}
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(body)


@pytest.fixture
def contract(machines: Machines) -> Contract:
    return Contract(machines, machines.get(f"{V1}/openapi.json", None))


def test_every_route_is_described_with_its_parameters(contract: Contract) -> None:
    app = contract.machines.site.app
    rules = [r for r in app.url_map.iter_rules() if r.rule.startswith(f"{V1}/")]

    for rule in rules:
        (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        path = rule.rule.removeprefix(V1).replace("<id:", "{").replace("<", "{").replace(">", "}")
        operation = contract.document["paths"][path][method.lower()]
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == rule.arguments
        assert operation["summary"].endswith(".")
    assert len(rules) == sum(len(item) for item in contract.document["paths"].values())


def test_the_document_is_openapi_3_1_and_needs_no_login(contract: Contract) -> None:
    assert contract.document["openapi"] == "3.1.0"
    assert contract.document["servers"] == [{"url": V1}]
    for schema in contract.document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_the_main_flows_answer_as_described(contract: Contract) -> None:
    machines = contract.machines
    _work_on_an_order(contract)
    _mend_an_incident(contract)
    _start_an_instance(contract)
    _release_a_diagram(contract)
    _hear_a_partner(contract)
    _keep_tokens(contract)
    _ask_before_the_sale(contract)
    _keep_master_data(contract)
    _watch_over_mass_faults(contract)
    contract.good("GET", "/openapi.json", None)

    views = {e.removeprefix("v1.") for e in machines.site.app.view_functions if e.startswith("v1.")}
    assert contract.seen == views


def test_errors_are_problem_reports_as_described(contract: Contract) -> None:
    statuses = [
        contract.ask("GET", "/tasks/none", "crew-e1").status_code,
        contract.ask("GET", "/tasks", "crm").status_code,
        contract.ask("GET", "/tasks", None).status_code,
        contract.ask("POST", "/instances", "operator", json={"variables": 1}).status_code,
        contract.ask("POST", "/instances", "operator", data=b"{").status_code,
        contract.ask("POST", "/definitions", "designer", data=b"<a/>", content_type="text/xml").status_code,
    ]

    assert statuses == [404, 403, 401, 400, 415, 400]


def _watch_over_mass_faults(contract: Contract) -> None:
    site = contract.machines.site
    deploy_mass_faults(site)
    alarm = {"id": "A-1", "object": "OLT-E01 1/3", "kind": "LOS", "severity": "critical"}
    contract.good("POST", "/alarms", "admin", json=alarm)
    contract.good("POST", "/alarms", "admin", json=alarm | {"id": "A-2", "object": "OLT-E02"})
    site.clock.advance(timedelta(minutes=3))
    site.work()
    contract.good("GET", "/alarms", "admin")
    first, second = (f["id"] for f in contract.good("GET", "/mass-faults?state=proposed", "admin")["items"])
    contract.good("POST", f"/mass-faults/{second}/dismiss", "admin")
    contract.good("POST", f"/mass-faults/{first}/confirm", "admin")
    contract.good("POST", f"/mass-faults/{first}/withdraw", "admin")
    place = {"node": "OLT-E01", "pon": "1/3", "description": "断网"}
    fault = contract.good("POST", "/mass-faults", "admin", json=place)["id"]
    ticket = a_child(site, fault)
    site.work()
    contract.good("GET", f"/mass-faults/{fault}", "admin")
    contract.good("DELETE", f"/mass-faults/{fault}/tickets/{ticket}", "admin")
    begins = site.clock.now() + timedelta(days=4)
    window = {"from": begins.isoformat(), "until": (begins + timedelta(hours=2)).isoformat()}
    work = contract.good("POST", "/planned-works", "admin", json=place | window)["id"]
    contract.good("GET", "/planned-works", "admin")
    contract.good("POST", f"/planned-works/{work}/withdraw", "admin")


def _work_on_an_order(contract: Contract) -> None:
    machines = contract.machines
    order = machines.place(an_order("O-1"))["id"]
    machines.site.work()
    (task,) = contract.good("GET", "/tasks?expand=form", "crew-e1")["items"]
    contract.good("POST", f"/tasks/{task['id']}/claim", "crew-e1")
    contract.good("POST", f"/tasks/{task['id']}/release", "crew-e1")
    contract.good("GET", f"/tasks/{task['id']}", "crew-e1")
    refused = contract.ask("POST", f"/tasks/{task['id']}/complete", "crew-e1", json={})
    assert refused.status_code == 400
    contract.good("POST", f"/tasks/{task['id']}/complete", "crew-e1", json=sample("complete-task"))
    machines.site.work()
    contract.good("POST", f"/orders/{order}/note", "crm", json={"text": "谢谢"})
    contract.good("GET", f"/orders/{order}", "crm")
    contract.good("GET", "/orders?limit=1", "operator")
    contract.good("GET", f"/orders/{order}/timeline", "service")
    contract.good("GET", f"/orders/{order}/timeline", "crm")
    other = machines.place(an_order("O-2"))["id"]
    machines.site.work()
    contract.good("POST", f"/orders/{other}/urge", "crm", json={"text": "客户着急"})
    contract.good("GET", f"/orders/{other}/urges", "crm")
    promise = {"promised_at": (machines.site.clock.now() + timedelta(hours=2)).isoformat(), "text": "在路上"}
    contract.good("POST", f"/orders/{other}/urges/1/answer", "dispatcher", json=promise)
    contract.good("GET", f"/orders/{other}/urges", "service")
    contract.good("POST", f"/orders/{other}/amend", "service", json=sample("amend-order"))
    wish = {"characteristics": {"contactPhone": "13900001111"}}
    contract.good("POST", f"/orders/{other}/amend", "service", json=wish)
    contract.good("GET", f"/orders/{other}/versions", "crm")
    contract.good("POST", f"/orders/{other}/cancel", "crm", json={"reason": "搬家"})
    machines.site.work()


def _mend_an_incident(contract: Contract) -> None:
    machines, aaa = contract.machines, contract.machines.site.simulators.aaa
    aaa.fault("unavailable", times=-1, operation="aaa.subscriber.open")
    order = machines.place(an_order("O-3"))["id"]
    machines.site.work()
    machines.complete(machines.task(order)["id"])
    for _ in range(6):
        machines.site.work()
        machines.site.clock.advance(timedelta(minutes=5))
    aaa.clear_faults()
    (incident,) = contract.good("GET", "/incidents", "operator")["items"]
    contract.good("GET", f"/incidents/{incident['id']}", "operator")
    contract.good("POST", f"/incidents/{incident['id']}/retry", "operator")
    machines.site.work()


def _start_an_instance(contract: Contract) -> None:
    started = contract.good("POST", "/instances", "operator", json=sample("start-instance"))
    contract.machines.site.work()
    contract.good("GET", f"/instances/{started['id']}", "operator")
    contract.good("GET", f"/instances/{started['id']}", "designer")


def _release_a_diagram(contract: Contract) -> None:
    bundle = SMALL
    newer = bundle.xml.replace("上门施工".encode(), "上门安装".encode())
    made = contract.good("POST", "/definitions", "designer", data=newer, content_type="application/xml")
    number = made["items"][0]["id"]
    contract.good("GET", "/definitions?state=draft", "designer")
    contract.good("GET", f"/definitions/{number}", "designer")
    contract.good("GET", f"/definitions/{number}/xml", "designer")
    contract.good("POST", f"/definitions/{number}/deploy", "designer")


def _hear_a_partner(contract: Contract) -> None:
    partnered = Partnered(contract.machines)
    partnered.start()
    order, at = f"{partnered.key}-P01", "2026-11-22T09:12:00+08:00"
    told = {"id": "1", "order": order, "state": "accepted", "at": at}
    contract.good("POST", "/partners/P-CAT/messages", "partner-cat", json=told)


def _keep_tokens(contract: Contract) -> None:
    made = contract.good("POST", "/tokens", "crew-e1", json={"name": "phone"})
    contract.good("GET", "/tokens", "crew-e1")
    contract.good("DELETE", f"/tokens/{made['item']['id']}", "crew-e1")
    contract.good("GET", "/me", "crew-e1")


def _ask_before_the_sale(contract: Contract) -> None:
    contract.good("GET", "/serviceability?address=东汀区汀兰路18号3栋1202&speed_mbps=500", "crm")
    contract.good("GET", "/serviceability?address=荒路1号", "crm")
    contract.good("POST", "/serviceability/holds", "crm", json={"address": "东汀区汀兰路18号3栋1202"})


def _keep_master_data(contract: Contract) -> None:
    rows = contract.good("GET", "/master-data/reason_code", "crew-e1")["items"]
    contract.good("PUT", "/master-data/reason_code", "admin", json={"row": rows[0]})
    file = b"serial,store\nYTGP00000077,WH-E\nbad,WH-E\n"
    contract.good("POST", "/imports/onus", "admin", data=file, content_type="text/csv")
