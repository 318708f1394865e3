"""Events to hub listeners: only where the operator allows it, and harmless when repeated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapters.crm import CallbackSender
from engine.errors import NeedsHuman, Permanent, Retryable

from .kit import Bench
from .scripted import Scripted, scripted_server

EVENT = {"eventType": "ServiceOrderStateChangeEvent", "event": {"serviceOrder": {"id": "SO-1"}}}


@pytest.fixture
def sender(bench: Bench) -> Iterator[CallbackSender]:
    sender = CallbackSender(replace(bench.settings, adapter_timeout_seconds=1.0))
    yield sender
    sender.close()


@pytest.fixture
def listener() -> Iterator[Scripted]:
    with scripted_server() as server:
        yield server


def test_an_event_arrives_with_its_id(bench: Bench, sender: CallbackSender) -> None:
    sender.send(bench.sims.crm_url + "/listener", EVENT, "EV-1")

    (heard,) = bench.sims.crm.events()
    assert heard["eventType"] == "ServiceOrderStateChangeEvent"
    assert heard["body"] == {**EVENT, "eventId": "EV-1"}


def test_the_listener_counts_a_repeated_event_once(bench: Bench, sender: CallbackSender) -> None:
    for _ in range(3):
        sender.send(bench.sims.crm_url + "/listener", EVENT, "EV-1")

    assert [(e["eventId"], e["repeats"]) for e in bench.sims.crm.events()] == [("EV-1", 2)]
    assert len(bench.sims.crm.effects()) == 1


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request", "unavailable", "delay"])
def test_an_event_whose_answer_is_missing_is_sent_again(
    bench: Bench, sender: CallbackSender, fault: str
) -> None:
    bench.sims.crm.fault(fault, operation="crm.event", seconds=60)

    with pytest.raises(Retryable):
        sender.send(bench.sims.crm_url + "/listener", EVENT, "EV-1")
    sender.send(bench.sims.crm_url + "/listener", EVENT, "EV-1")

    assert len(bench.sims.crm.events()) == 1


def test_a_listener_that_is_away_is_retryable(bench: Bench, sender: CallbackSender) -> None:
    bench.stop()

    with pytest.raises(Retryable):
        sender.send(bench.sims.crm_url + "/listener", EVENT, "EV-1")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://example.org/listener",
        "http://127.0.0.1@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http://127.0.0.1.example.org/",
        " http://127.0.0.1/",
        "http://127.0.0.1\r\nX: y/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "//127.0.0.1/",
        "127.0.0.1:8420/listener",
        "http://",
        "http://[::1/",
        "",
    ],
)
def test_other_hosts_are_never_called(sender: CallbackSender, url: str) -> None:
    assert not sender.allowed(url)
    with pytest.raises(Permanent) as refused:
        sender.send(url, EVENT, "EV-1")

    assert refused.value.bpmn_code == "CALLBACK_HOST"


def test_host_names_are_compared_without_case(sender: CallbackSender) -> None:
    assert sender.allowed("http://LocalHost:1/listener")
    assert sender.allowed("https://127.0.0.1/x?a=b")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_success(sender: CallbackSender, listener: Scripted, status: int) -> None:
    listener.answers(status, b"not even JSON")

    sender.send(listener.url, EVENT, "EV-1")


def test_a_redirect_is_not_followed(sender: CallbackSender, listener: Scripted) -> None:
    listener.answers(302, b"", Location="http://169.254.169.254/")

    with pytest.raises(Permanent) as refused:
        sender.send(listener.url, EVENT, "EV-1")

    assert refused.value.bpmn_code == "CALLBACK_REFUSED"
    assert listener.requests == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Permanent), (404, Permanent), (410, Permanent), (401, NeedsHuman), (403, NeedsHuman)]
    + [(status, Retryable) for status in (408, 429, 500, 502, 503)],
)
def test_what_a_listener_answers_decides_what_follows(
    sender: CallbackSender, listener: Scripted, status: int, error: type[Exception]
) -> None:
    listener.answers(status, b"")

    with pytest.raises(error):
        sender.send(listener.url, EVENT, "EV-1")
