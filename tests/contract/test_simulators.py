"""The simulators as a user of the product sees them: switches by HTTP, counts that survive, and no way in from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from pyrad import packet

from adapters.addresses import SimulatorAddresses
from adapters.network import AaaAdapter
from adapters.network.radius import dictionary
from adapters.sim import RunningSimulators, running_simulators
from adapters.sim.aaa import AaaSimulator
from engine.config import Secret, Settings
from engine.errors import OutcomeUnknown, SettingError
from engine.ports import Call

ORDER = "BB-20261122-000123"
PERSON = {"plan": "BB-500", "speed_mbps": 500, "password": "secret-word"}
SERVE = (
    "import sys\n"
    "from pathlib import Path\n"
    "from adapters.sim.server import serve\n"
    "serve(Path(sys.argv[1]), '127.0.0.1', 0, 0, 'kaitong-demo',"
    " lambda a: print(a.http_url, a.radius, flush=True))\n"
)


@pytest.fixture
def sims(tmp_path: Path) -> Iterator[RunningSimulators]:
    with running_simulators(tmp_path) as running:
        yield running


def _call(method: str, url: str, body: Any = None, key: str | None = None, **headers: str) -> Any:
    if key:
        headers["Idempotency-Key"] = key
    return requests.request(method, url, json=body, headers=headers, timeout=5)


def _open(sims: RunningSimulators, account: str = "yt1", key: str | None = "k1", **more: Any) -> Any:
    return _call("PUT", f"{sims.aaa_url}/subscribers/{account}", {**PERSON, **more}, key)


# ---- effects and repeats


def test_effects_and_repeats_are_listed(sims: RunningSimulators) -> None:
    for _ in range(3):
        assert _open(sims).status_code == 201

    told = _call("GET", sims.http_url + "/sim/aaa/effects").json()

    (effect,) = told["effects"]
    assert {k: effect[k] for k in ("key", "operation", "subject", "repeats")} == {
        "key": "k1",
        "operation": "aaa.subscriber.open",
        "subject": "yt1",
        "repeats": 2,
    }
    assert datetime.fromisoformat(effect["at"]).utcoffset() is not None
    assert told["repeats"] == 2


def test_without_a_key_every_request_is_an_effect(sims: RunningSimulators) -> None:
    report = {"order": ORDER, "state": "completed"}
    for _ in range(2):
        assert _call("POST", f"{sims.crm_url}/orders/{ORDER}/report", report).status_code == 201

    assert [e["repeats"] for e in sims.crm.effects()] == [0, 0]


def test_a_key_of_another_request_is_refused(sims: RunningSimulators) -> None:
    _open(sims)

    assert _open(sims, account="yt2").json()["code"] == "KEY_REUSED"
    assert len(sims.aaa.effects()) == 1


def test_state_shows_no_password(sims: RunningSimulators) -> None:
    _open(sims)

    texts = [_call("GET", f"{sims.http_url}/sim/aaa/{what}").text for what in ("state", "effects")]
    assert "yt1" in texts[0]
    assert all("secret-word" not in text for text in texts)


def test_time_can_be_given(tmp_path: Path) -> None:
    simulator = AaaSimulator(tmp_path / "aaa.db", now=lambda: datetime(2026, 11, 22, 9, 12, tzinfo=UTC))

    assert simulator.stamp() == "2026-11-22T09:12:00.000+00:00"
    simulator.close()


# ---- faults


def test_a_fault_is_switched_on_shown_and_cleared_by_http(sims: RunningSimulators) -> None:
    url = sims.http_url + "/sim/crm/faults"
    assert _call("POST", url, {"fault": "refuse", "times": -1, "code": "R04"}).status_code == 201

    (shown,) = _call("GET", url).json()["faults"]
    assert (shown["fault"], shown["times"], shown["code"]) == ("refuse", -1, "R04")
    report = _call("POST", f"{sims.crm_url}/orders/1/report", {"order": ORDER, "state": "failed"})
    assert (report.status_code, report.json()["code"]) == (422, "R04")
    assert _call("DELETE", url).json() == {"faults": []}
    assert sims.crm.faults() == []


@pytest.mark.parametrize(
    "body",
    [
        {"fault": "explode"},
        {"fault": "refuse", "times": 0},
        {"fault": "refuse", "times": -2},
        {"fault": "delay", "seconds": -1},
        {"fault": "refuse", "code": "no code"},
        {"fault": "refuse", "surplus": 1},
        {"times": 1},
        {"self": 1},
        ["refuse"],
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(sims: RunningSimulators, body: Any) -> None:
    answer = _call("POST", sims.http_url + "/sim/aaa/faults", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_FAULT")
    assert sims.aaa.faults() == []


def test_a_fault_meets_only_as_many_requests_as_it_was_told(sims: RunningSimulators) -> None:
    sims.aaa.fault("unavailable", times=2)

    assert [_open(sims).status_code for _ in range(3)] == [503, 503, 201]
    assert sims.aaa.faults() == []


def test_an_endless_fault_stays_until_it_is_cleared(sims: RunningSimulators) -> None:
    sims.aaa.fault("unavailable", times=-1)
    assert [_open(sims).status_code for _ in range(3)] == [503] * 3

    sims.aaa.clear_faults()
    assert _open(sims).status_code == 201


def test_a_fault_can_be_meant_for_one_operation_and_one_subject(sims: RunningSimulators) -> None:
    sims.aaa.fault("unavailable", operation="aaa.subscriber.open", subject="yt2")

    assert _open(sims, "yt1", "k1").status_code == 201
    assert _open(sims, "yt2", "k2").status_code == 503


def test_reads_are_met_only_by_name_or_by_a_star(sims: RunningSimulators) -> None:
    _open(sims)
    url = sims.aaa_url + "/subscribers/yt1"

    sims.aaa.fault("unavailable")
    assert _call("GET", url).status_code == 200
    sims.aaa.clear_faults()
    for name in ("*", "aaa.subscriber.get"):
        sims.aaa.fault("unavailable", operation=name)
        assert [_call("GET", url).status_code for _ in range(2)] == [503, 200]


def test_faults_are_met_in_the_order_in_which_they_were_set(sims: RunningSimulators) -> None:
    sims.aaa.fault("unavailable")
    sims.aaa.fault("refuse")

    assert [_open(sims).status_code for _ in range(3)] == [503, 422, 201]


def test_a_short_delay_only_delays(sims: RunningSimulators) -> None:
    sims.aaa.fault("delay", seconds=0.01)

    assert _open(sims).status_code == 201


# ---- what survives


def test_state_counts_keys_and_faults_survive_a_restart(tmp_path: Path) -> None:
    with running_simulators(tmp_path) as first:
        _open(first)
        first.aaa.fault("refuse", times=2)
        _open(first, "yt2", "k2")
        before = (first.aaa.effects(), first.aaa.state(), first.aaa.faults())
    with running_simulators(tmp_path) as second:
        assert (second.aaa.effects(), second.aaa.state(), second.aaa.faults()) == before
        assert _open(second, "yt2", "k2").status_code == 422
        assert _open(second).headers["Idempotent-Replay"] == "true"
        assert second.aaa.effects()[0]["repeats"] == 1
        assert len(second.aaa.effects()) == 1


def test_a_kept_connection_ends_with_the_simulator(tmp_path: Path) -> None:
    with requests.Session() as session:
        with running_simulators(tmp_path) as first:
            port = int(first.http_url.rpartition(":")[2])
            assert session.get(first.http_url + "/sim/aaa/state", timeout=5).ok
        with running_simulators(tmp_path, http_port=port) as second:
            assert session.get(second.http_url + "/sim/aaa/state", timeout=5).ok


@contextmanager
def _process(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], SimulatorAddresses]]:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(data_dir)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            http_url, radius = process.stdout.readline().split()
            yield process, SimulatorAddresses(http_url, radius)
        finally:
            process.kill()


def test_an_effect_is_on_the_disk_before_its_answer_leaves(tmp_path: Path) -> None:
    """The simulator is killed while an answer is kept back: the effect is in its file all the same."""
    with _process(tmp_path) as (process, addresses):
        _call("POST", addresses.http_url + "/sim/aaa/faults", {"fault": "delay", "seconds": 60})
        adapter = AaaAdapter(Settings(data_dir=tmp_path, adapter_timeout_seconds=1.0))
        call = Call("aaa.subscriber.open", "k1", {"account": "yt1", "plan": "BB-500", "speed_mbps": 500})
        with pytest.raises(OutcomeUnknown):
            adapter.apply(call, adapter.plan(call))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        adapter.close()
    simulator = AaaSimulator(tmp_path / "aaa.db")
    assert [e["key"] for e in simulator.effects()] == ["k1"]
    assert simulator.state()["subscribers"][0]["account"] == "yt1"
    simulator.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_cleanly_although_an_answer_is_kept_back(tmp_path: Path, number: int) -> None:
    with _process(tmp_path) as (process, addresses):
        assert SimulatorAddresses.load(tmp_path) == addresses
        host, _, port = addresses.http_url.removeprefix("http://").partition(":")
        _call("POST", addresses.http_url + "/sim/aaa/faults", {"fault": "delay", "seconds": 60})
        body = json.dumps(PERSON)
        with socket.create_connection((host, int(port)), timeout=10) as waiting:
            waiting.sendall(
                f"PUT /aaa/subscribers/yt1 HTTP/1.1\r\nHost: {host}:{port}\r\nIdempotency-Key: k1\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            os.kill(process.pid, number)
            assert process.wait(10) == 0


def test_the_files_are_written_with_full_synchronisation(tmp_path: Path) -> None:
    simulator = AaaSimulator(tmp_path / "aaa.db")

    assert simulator.rows("PRAGMA synchronous")[0]["synchronous"] == 2
    with sqlite3.connect(tmp_path / "aaa.db") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()
    simulator.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    simulator = AaaSimulator(tmp_path / "aaa.db")

    def half_done() -> None:
        with simulator.write() as db:
            db.execute("INSERT INTO radusergroup VALUES ('yt1', 'g', 1)")
            db.execute("INSERT INTO effect(at) VALUES (NULL)")

    with pytest.raises(sqlite3.IntegrityError):
        half_done()

    assert simulator.rows("SELECT * FROM radusergroup") == []
    simulator.close()


# ---- what is not taken


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "", "::"])  # noqa: S104
def test_only_loopback_addresses_are_served(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingError), running_simulators(tmp_path, host):
        pass


def test_a_foreign_host_name_is_refused(sims: RunningSimulators) -> None:
    answer = _call("POST", sims.http_url + "/sim/aaa/faults", {"fault": "refuse"}, Host="example.org")

    assert answer.status_code == 403
    assert sims.aaa.faults() == []


def test_a_form_of_a_web_page_is_refused(sims: RunningSimulators) -> None:
    answer = requests.post(
        sims.http_url + "/sim/aaa/faults",
        data='{"fault": "refuse"}',
        headers={"Content-Type": "text/plain"},
        timeout=5,
    )

    assert answer.status_code == 415
    assert sims.aaa.faults() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nobody/health"),
        ("GET", "/sim/nobody/state"),
        ("PUT", "/sim/aaa/state"),
        ("GET", "/aaa/subscribers"),
        ("POST", "/crm/orders/1"),
    ],
)
def test_an_unknown_path_is_told_as_json(sims: RunningSimulators, method: str, path: str) -> None:
    answer = _call(method, sims.http_url + path)

    assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_PATH")


def test_health_of_both_is_answered(sims: RunningSimulators) -> None:
    assert _call("GET", sims.aaa_url + "/health").ok
    assert _call("GET", sims.crm_url + "/health").ok


@pytest.mark.parametrize(
    "body", [None, [], {"plan": "x"}, {**PERSON, "password": None}, {**PERSON, "speed_mbps": 2**70}]
)
def test_a_subscriber_that_makes_no_sense_is_refused(sims: RunningSimulators, body: Any) -> None:
    answer = _call("PUT", sims.aaa_url + "/subscribers/yt1", body, "k1")

    assert (answer.status_code, answer.json()["code"]) == (400, "AAA_BAD_REQUEST")
    assert sims.aaa.effects() == []


@pytest.mark.parametrize("body", [["x"], {"speed_mbps": 0}, {"active": "perhaps"}, {"surplus": 1}])
def test_a_change_that_makes_no_sense_is_refused(sims: RunningSimulators, body: Any) -> None:
    _open(sims)
    answer = _call("PATCH", sims.aaa_url + "/subscribers/yt1", body, "k2")

    assert (answer.status_code, answer.json()["code"]) == (400, "AAA_BAD_REQUEST")
    assert len(sims.aaa.effects()) == 1


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/orders/1/report", {"order": 1, "state": "completed"}, "CRM_BAD_REQUEST"),
        ("/orders/1/report", [], "CRM_BAD_REQUEST"),
        ("/listener", {"eventType": "x"}, "CRM_BAD_EVENT"),
        ("/listener", ["x"], "CRM_BAD_EVENT"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(
    sims: RunningSimulators, path: str, body: Any, code: str
) -> None:
    assert _call("POST", sims.crm_url + path, body).json()["code"] == code
    assert sims.crm.effects() == []


def test_broken_json_and_endless_bodies_are_refused(sims: RunningSimulators) -> None:
    url = sims.crm_url + "/listener"
    headers = {"Content-Type": "application/json"}
    assert requests.post(url, data="{", headers=headers, timeout=5).status_code == 400
    long = {**headers, "Content-Length": "99999999"}
    assert requests.post(url, data=b"", headers=long, timeout=5).status_code == 413


def test_the_listener_shows_its_events(sims: RunningSimulators) -> None:
    for _ in range(2):
        _call("POST", sims.crm_url + "/listener", {"eventId": "E1", "eventType": "T", "event": {}})

    (event,) = _call("GET", sims.crm_url + "/events").json()["events"]
    assert (event["eventId"], event["eventType"], event["repeats"]) == ("E1", "T", 1)


# ---- RADIUS datagrams


def _radius(sims: RunningSimulators, raw: bytes) -> bytes | None:
    host, _, port = sims.radius.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.3)
        udp.connect((host, int(port)))
        udp.send(raw)
        try:
            return udp.recv(4096)
        except TimeoutError:
            return None


def _access_request(**more: Any) -> Any:
    request = packet.AuthPacket(secret=b"kaitong-demo", dict=dictionary(), **more)
    request["User-Name"] = "yt1"
    return request


def test_a_login_without_message_authenticator_is_answered(sims: RunningSimulators) -> None:
    _open(sims)
    request = _access_request()
    request["User-Password"] = request.PwCrypt("secret-word")

    raw = _radius(sims, request.RequestPacket())

    assert raw is not None
    reply = request.CreateReply(packet=raw)
    assert request.VerifyReply(reply, raw, enforce_ma=True)
    assert reply.code == packet.AccessAccept
    assert reply["WISPr-Bandwidth-Max-Up"] == [50_000_000]


def test_a_login_without_password_is_rejected(sims: RunningSimulators) -> None:
    _open(sims)

    raw = _radius(sims, _access_request().RequestPacket())

    assert raw is not None
    assert raw[0] == packet.AccessReject


def test_broken_datagrams_and_other_packets_get_no_answer(sims: RunningSimulators) -> None:
    status = packet.AuthPacket(code=packet.StatusServer, secret=b"kaitong-demo", dict=dictionary())
    for raw in (b"", b"x", b"\x01\x02\x00\xff" + b"0" * 16, status.RequestPacket()):
        assert _radius(sims, raw) is None


# ---- addresses


def test_given_addresses_go_before_those_of_the_simulators(sims: RunningSimulators) -> None:
    settings = sims.applied_to(Settings(aaa_url="https://aaa.example/api", aaa_secret=Secret("x")))

    assert settings.aaa_url == "https://aaa.example/api"
    assert settings.crm_url == sims.crm_url
    assert settings.aaa_radius == sims.radius


def test_before_the_first_start_there_are_no_addresses(tmp_path: Path) -> None:
    adapter = AaaAdapter(replace(Settings(), data_dir=tmp_path))

    assert "not started" in adapter.probe()["detail"]
    (tmp_path / "simulators.json").write_text("broken")
    assert SimulatorAddresses.load(tmp_path) is None
