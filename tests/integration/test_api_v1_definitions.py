"""/api/v1: definitions, tokens, and the caller himself."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from engine.store import Store
from tests.machines import V1, Machines, running_machines
from tests.small_broadband import SMALL

BROADBAND = SMALL
NEWER = BROADBAND.xml.replace("上门施工".encode(), "上门安装".encode())


@pytest.fixture
def machines(store: Store, tmp_path: Path) -> Iterator[Machines]:
    with running_machines(store, tmp_path) as found:
        yield found


def _upload(machines: Machines, data: object, kind: str | None = "application/xml") -> TestResponse:
    headers = {} if kind is None else {"Content-Type": kind}
    return machines.ask("POST", f"{V1}/definitions", "designer", data=data, headers=headers)


def test_a_version_is_read_with_its_report_and_its_diagram(machines: Machines) -> None:
    (listed,) = machines.get(f"{V1}/definitions?process=broadband", "designer")["items"]

    shown = machines.get(f"{V1}/definitions/{listed['id']}", "designer")
    diagram = machines.ask("GET", f"{V1}/definitions/{listed['id']}/xml", "designer")

    assert (shown["state"], shown["version"], shown["forms"]) == ("active", 1, ["construction"])
    assert [p for p in shown["problems"] if p["severity"] == "error"] == []
    assert diagram.data == BROADBAND.xml
    assert diagram.mimetype == "application/xml"
    assert "broadband-1.bpmn" in diagram.headers["Content-Disposition"]


def test_a_new_version_is_a_draft_until_it_is_deployed(machines: Machines) -> None:
    running = machines.place()["id"]
    answer = _upload(machines, NEWER)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    (made,) = answer.json["items"]
    assert (made["version"], made["state"]) == (2, "draft")

    deployed = machines.post(f"{V1}/definitions/{made['id']}/deploy", None, "designer").json

    assert deployed is not None
    assert (deployed["state"], deployed["deployed_by"]) == ("active", "designer")
    states = {d["version"]: d["state"] for d in machines.get(f"{V1}/definitions", "designer")["items"]}
    assert states == {2: "active", 1: "retired"}
    machines.site.work()
    assert machines.task(running)["name"] == "上门施工"
    second = machines.post(f"{V1}/instances", {"process": "broadband"}, "operator").json
    assert second is not None
    assert second["version"] == 2


def test_a_diagram_may_come_with_its_forms(machines: Machines) -> None:
    form = json.loads(json.dumps(BROADBAND.forms["construction"]))
    form["components"][5]["label"] = "说明"
    parts = {
        "file": (io.BytesIO(BROADBAND.xml), "broadband.bpmn"),
        "forms": (io.BytesIO(json.dumps(form).encode()), "construction.form"),
    }

    answer = _upload(machines, parts, None)

    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    assert answer.json["items"][0]["version"] == 2


def test_a_bad_diagram_is_refused_with_every_problem_and_leaves_nothing(machines: Machines) -> None:
    machines.token("designer")
    before = machines.rows()
    unknown = BROADBAND.xml.replace(b"aaa.subscriber.open", b"aaa.subscriber.explode")
    for xml in (unknown, b"", b"<a/>", b"no xml", BROADBAND.xml[:500], b"<!DOCTYPE a><a/>"):
        answer = _upload(machines, xml, "text/xml")

        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json"), xml[:20]
        assert answer.json is not None
        assert answer.json["code"] == "definition.refused"
        assert answer.json["problems"]
        assert set(answer.json["problems"][0]) >= {"code", "severity", "line", "element", "message"}
    assert machines.rows() == before


def test_an_upload_that_is_no_diagram_at_all_is_refused(machines: Machines) -> None:
    for login in ("designer", "operator"):
        machines.token(login)
    before = machines.rows()
    no_form = {
        "file": (io.BytesIO(BROADBAND.xml), "b.bpmn"),
        "forms": (io.BytesIO(b"{"), "construction.form"),
    }

    statuses = [
        _upload(machines, b"{}", "application/json").status_code,
        _upload(machines, {"other": "x"}, "multipart/form-data").status_code,
        _upload(machines, no_form, None).status_code,
        _upload(machines, b"x" * 3_000_000).status_code,
        machines.ask("POST", f"{V1}/definitions", "operator", data=NEWER).status_code,
    ]

    assert statuses == [415, 400, 400, 413, 403]
    assert machines.rows() == before


def test_the_same_diagram_twice_is_a_conflict(machines: Machines) -> None:
    answer = _upload(machines, BROADBAND.xml)

    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["code"] == "definition.unchanged"


# ---- who is calling


def test_a_token_is_made_used_and_revoked(machines: Machines) -> None:
    answer = machines.post(f"{V1}/tokens", {"name": "night job", "days": 7}, "operator")
    assert answer.status_code == 201
    made = answer.json
    assert made is not None
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert machines.get(f"{V1}/me", None, headers=headers)["login"] == "operator"
    listed = machines.get(f"{V1}/tokens", "operator")["items"]
    assert listed[0]["name"] == "night job"
    assert made["token"] not in json.dumps(listed)
    url = f"{V1}/tokens/{made['item']['id']}"

    assert machines.ask("DELETE", url, "crm").status_code == 404
    assert machines.ask("DELETE", url, "operator").status_code == 204

    assert machines.ask("GET", f"{V1}/me", None, headers=headers).status_code == 401
    assert machines.get(f"{V1}/tokens", "operator")["items"][0]["revoked_at"] is not None


def test_the_caller_learns_who_he_is_and_what_he_may(machines: Machines) -> None:
    me = machines.get(f"{V1}/me", "crew-e1")

    assert (me["login"], me["roles"], me["areas"], me["crew"]) == ("crew-e1", ["FC"], ["YT-E"], "E1")
    assert "complete_task" in me["rights"]
    assert "retry_incident" not in me["rights"]


def test_a_browser_needs_its_token_against_forgery_for_a_change(machines: Machines) -> None:
    browser = machines.site.browser("operator")

    assert browser.client.get(f"{V1}/me").status_code == 200
    assert browser.client.post(f"{V1}/tokens", json={"name": "x"}).status_code == 400
