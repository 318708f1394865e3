"""Every answer that a system may give, and the error that the contract wants for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from adapters.json_http import MAX_ANSWER_BYTES, Ask, JsonHttp, wire_key
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable

from .kit import CANARY, seconds_of
from .scripted import Scripted, scripted_server

NO = b'{"code": "NO", "message": "because"}'


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def http() -> Iterator[JsonHttp]:
    client = JsonHttp("target-1")
    yield client
    client.close()


def _ask(server: Scripted, method: str, wait_s: float = 3.0) -> Ask:
    return Ask(method, server.url, time.monotonic() + wait_s, key="key", body={"a": 1}, secrets=(CANARY,))


@pytest.mark.parametrize(
    ("status", "body", "write", "read"),
    [
        (200, b"<html>", OutcomeUnknown, Retryable),
        (200, b"[1]", OutcomeUnknown, Retryable),
        (200, b"", OutcomeUnknown, Retryable),
        (200, b"[" * 100_000, OutcomeUnknown, Retryable),
        (204, b"", OutcomeUnknown, Retryable),
        (302, b"{}", NeedsHuman, NeedsHuman),
        (400, NO, Permanent, Permanent),
        (400, b"{}", NeedsHuman, NeedsHuman),
        (400, b'{"code": 7}', NeedsHuman, NeedsHuman),
        (400, b'{"code": "a b"}', NeedsHuman, NeedsHuman),
        (401, NO, NeedsHuman, NeedsHuman),
        (403, b"<html>", NeedsHuman, NeedsHuman),
        (404, b"<html>", OutcomeUnknown, Retryable),
        (408, NO, OutcomeUnknown, Retryable),
        (409, NO, Permanent, Permanent),
        (422, NO, Permanent, Permanent),
        (429, b"", Retryable, Retryable),
        (500, NO, OutcomeUnknown, Retryable),
        (502, b"<html>", OutcomeUnknown, Retryable),
        (503, b"<html>", Retryable, Retryable),
        (504, NO, OutcomeUnknown, Retryable),
    ],
)
def test_an_answer_decides_the_error(
    server: Scripted, http: JsonHttp, status: int, body: bytes, write: type[Exception], read: type[Exception]
) -> None:
    server.answers(status, body)

    for method, error in (("PUT", write), ("GET", read)):
        with pytest.raises(AdapterError) as raised:
            http.send(_ask(server, method))
        assert type(raised.value) is error
        assert raised.value.facts["target"] == "target-1"


def test_a_refusal_keeps_its_code_and_tells_why(server: Scripted, http: JsonHttp) -> None:
    server.answers(409, NO)

    with pytest.raises(Permanent, match="HTTP 409 NO because") as refused:
        http.send(_ask(server, "POST"))

    assert refused.value.bpmn_code == "NO"


def test_a_secret_that_the_target_repeats_is_taken_out(server: Scripted, http: JsonHttp) -> None:
    server.answers(409, f'{{"code": "NO", "message": "{CANARY} is weak"}}'.encode())

    with pytest.raises(Permanent, match=r"\*\*\* is weak") as refused:
        http.send(_ask(server, "POST"))

    assert CANARY not in repr(refused.value.facts)


def test_the_pause_that_a_target_asks_for_is_passed_on(server: Scripted, http: JsonHttp) -> None:
    server.answers(503, b"", Retry_After="7")

    with pytest.raises(Retryable) as refused:
        http.send(_ask(server, "POST"))

    assert refused.value.facts["retry_after"] == 7.0


def test_an_expected_status_is_an_answer(server: Scripted, http: JsonHttp) -> None:
    server.answers(404, NO)
    ask = Ask("GET", server.url, time.monotonic() + 3, expected=(404,))

    assert http.send(ask).status == 404


def test_an_endless_answer_is_cut_off(server: Scripted, http: JsonHttp) -> None:
    server.answers(200, b" " * (MAX_ANSWER_BYTES + 100_000))

    with pytest.raises(OutcomeUnknown, match="too long"):
        http.send(_ask(server, "PUT"))


def test_an_answer_in_drops_ends_at_the_deadline(server: Scripted, http: JsonHttp) -> None:
    server.answers(200, b" " * 1000)
    server.drip = True

    def drops() -> None:
        with pytest.raises(OutcomeUnknown):
            http.send(_ask(server, "PUT", wait_s=0.3))

    assert seconds_of(drops) < 3


def test_an_answer_that_breaks_off_is_unknown(server: Scripted, http: JsonHttp) -> None:
    server.answers(200, b'{"a"', Content_Length="100")

    with pytest.raises(OutcomeUnknown, match="broke off"):
        http.send(_ask(server, "PUT"))


def test_without_time_left_nothing_is_sent(server: Scripted, http: JsonHttp) -> None:
    with pytest.raises(Retryable, match="no time"):
        http.send(_ask(server, "PUT", wait_s=-1))

    assert server.requests == 0


@pytest.mark.parametrize("url", ["no address", "http://", "gopher://127.0.0.1/", "http://127.0.0.1:x/"])
def test_an_address_that_makes_no_sense_asks_for_a_person(http: JsonHttp, url: str) -> None:
    with pytest.raises(NeedsHuman):
        http.send(Ask("PUT", url, time.monotonic() + 3))


def test_a_plain_server_behind_https_asks_for_a_person(server: Scripted, http: JsonHttp) -> None:
    with pytest.raises(NeedsHuman, match="certificate"):
        http.send(Ask("PUT", server.url.replace("http:", "https:"), time.monotonic() + 3))


def test_threads_do_not_share_a_connection(server: Scripted, http: JsonHttp) -> None:
    found: list[int] = []

    def ask() -> None:
        found.append(http.send(_ask(server, "GET")).status)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [200] * 4


def test_a_closed_client_can_be_used_again(server: Scripted, http: JsonHttp) -> None:
    http.send(_ask(server, "GET"))
    http.close()

    assert http.send(_ask(server, "GET")).status == 200


@pytest.mark.parametrize("key", ["任务 1", "a\r\nX: y", "50%", "plain:1/2"])
def test_a_key_travels_as_visible_ascii(key: str) -> None:
    assert wire_key(key).isascii()
    assert wire_key(key).isprintable()
    assert " " not in wire_key(key)


def test_two_keys_never_become_one() -> None:
    assert len({wire_key(key) for key in ("50%", "50%25", "a b", "a%20b")}) == 4
