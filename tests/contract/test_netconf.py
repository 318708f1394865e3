"""The exact XML of requests, and what every reply of a device means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from lxml import etree

from adapters.network import netconf, olt_model
from adapters.network.netconf import Netconf, Said
from adapters.network.olt_entries import Olts
from adapters.network.olt_model import MulticastMember, Onu
from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable

from .kit import Bench

KEY = "BB-20261122-000123:任务/1:1"
BIND = """\
<?xml version='1.0' encoding='UTF-8'?>
<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:call="urn:kaitong:call:1" message-id="7" \
call:key="BB-20261122-000123:%E4%BB%BB%E5%8A%A1/1:1">
  <edit-config>
    <target>
      <running/>
    </target>
    <default-operation>none</default-operation>
    <test-option>test-then-set</test-option>
    <error-option>rollback-on-error</error-option>
    <config>
      <olt xmlns="urn:kaitong:olt:1">
        <pon-port>
          <name>1/3</name>
          <onu xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="create">
            <serial>YTGP1A2B3C4D</serial>
            <onu-id>7</onu-id>
            <port>1/3/7</port>
            <vlan>1203</vlan>
            <line-profile>line-1000m</line-profile>
            <reference>a &amp; b</reference>
          </onu>
        </pon-port>
      </olt>
    </config>
  </edit-config>
</rpc>"""
JOIN = """\
<?xml version='1.0' encoding='UTF-8'?>
<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:call="urn:kaitong:call:1" message-id="7" \
call:key="BB-20261122-000123:%E4%BB%BB%E5%8A%A1/1:1">
  <edit-config>
    <target>
      <running/>
    </target>
    <default-operation>none</default-operation>
    <test-option>test-then-set</test-option>
    <error-option>rollback-on-error</error-option>
    <config>
      <olt xmlns="urn:kaitong:olt:1">
        <pon-port>
          <name>1/3</name>
          <multicast-member xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="create">
            <name>1/3/7</name>
            <profile>IPTV-4K</profile>
            <reference>a &amp; b</reference>
          </multicast-member>
        </pon-port>
      </olt>
    </config>
  </edit-config>
</rpc>"""
READ = """\
<?xml version='1.0' encoding='UTF-8'?>
<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">
  <get>
    <filter type="subtree">
      <olt xmlns="urn:kaitong:olt:1">
        <pon-port>
          <name>1/3</name>
          <oper-state/>
          <faulty-port/>
          <onu>
            <serial>YTGP1A2B3C4D</serial>
          </onu>
          <seen-onu>
            <serial>YTGP1A2B3C4D</serial>
          </seen-onu>
          <multicast-member>
            <name>1/3/7</name>
          </multicast-member>
        </pon-port>
      </olt>
    </filter>
  </get>
</rpc>"""
REPLY = '<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="{id}">{content}</rpc-reply>'


class Told:
    """A transport that answers what a test tells it."""

    def __init__(self, reply: str) -> None:
        self.reply, self.asked = reply, b""

    def exchange(self, device: str, request: bytes, deadline: float, reads: bool) -> bytes:
        self.asked = request
        return self.reply.encode()

    def reachable(self, deadline: float) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


def _problem(tag: str, app_tag: str = "") -> str:
    app = f"<error-app-tag>{app_tag}</error-app-tag>" if app_tag else ""
    text = f"<error-type>application</error-type><error-tag>{tag}</error-tag>{app}<error-message>why</error-message>"
    return f"<rpc-error>{text}</rpc-error>"


def _change(reply: str) -> Said:
    edit = olt_model.edit("1/3", Onu, {"serial": "YTGP1A2B3C4D"}, "delete")
    return Netconf("olt", Told(reply)).change("OLT-E01", edit, KEY, time.monotonic() + 1)


def _read(reply: str) -> etree._Element:
    return Netconf("olt", Told(reply)).read("OLT-E01", olt_model.pon_filter("1/3"), time.monotonic() + 1)


def test_the_text_of_a_change() -> None:
    onu = Onu("YTGP1A2B3C4D", 7, "1/3/7", 1203, "line-1000m", "a & b", "not configuration")

    assert netconf.request_text(olt_model.creation("1/3", onu), "7", KEY).decode() == BIND


def test_the_text_that_gives_a_place_its_channels() -> None:
    member = MulticastMember("1/3/7", "IPTV-4K", "a & b")

    assert netconf.request_text(olt_model.creation("1/3", member), "7", KEY).decode() == JOIN


def test_the_text_of_a_measurement() -> None:
    assert (
        netconf.request_text(netconf.get(olt_model.line_filter("1/3/7", "YTGP1A2B3C4D")), "1").decode()
        == READ
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<ok/>", Said()),
        (_problem("data-exists"), Said("data-exists")),
        (_problem("data-missing"), Said("data-missing")),
        (_problem("operation-failed", "data-not-unique"), Said("data-not-unique")),
    ],
)
def test_what_the_caller_has_to_judge_comes_back(content: str, said: Said) -> None:
    assert _change(REPLY.format(id=1, content=content)) == said


@pytest.mark.parametrize(
    ("content", "change", "read"),
    [
        (_problem("operation-failed", "PORT_FAULTY"), Permanent, Permanent),
        (_problem("in-use"), Retryable, Retryable),
        (_problem("lock-denied"), Retryable, Retryable),
        (_problem("resource-denied"), Retryable, Retryable),
        (_problem("partial-operation"), OutcomeUnknown, Retryable),
        (_problem("rollback-failed"), OutcomeUnknown, Retryable),
        (_problem("access-denied"), NeedsHuman, NeedsHuman),
        (_problem("invalid-value"), NeedsHuman, NeedsHuman),
        (_problem("operation-failed"), NeedsHuman, NeedsHuman),
        ("", OutcomeUnknown, Retryable),
        ("<surprise/>", OutcomeUnknown, Retryable),
    ],
)
def test_what_an_rpc_error_means(content: str, change: type[AdapterError], read: type[AdapterError]) -> None:
    for ask, error in ((_change, change), (_read, read)):
        with pytest.raises(error) as failed:
            ask(REPLY.format(id=1, content=content))
        assert failed.type is error
        assert failed.value.facts["target"] == "olt:OLT-E01"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "<html><body>502 Bad Gateway</body></html>",
        "<rpc-reply",
        REPLY.format(id=2, content="<ok/>"),
        '<!DOCTYPE x [<!ENTITY a "b">]>' + REPLY.format(id=1, content="<ok/>"),
        "<!DOCTYPE x>" + REPLY.format(id=1, content="<ok/>"),
        REPLY.format(id=1, content="<ok/>" * 20_001),
    ],
    ids=["nothing", "a page", "half", "another's", "an entity", "a DTD", "endless"],
)
def test_an_answer_that_cannot_be_trusted_is_unknown(reply: str) -> None:
    with pytest.raises(OutcomeUnknown):
        _change(reply)
    with pytest.raises(Retryable):
        _read(reply)


@pytest.mark.parametrize(
    "port",
    [
        "<name>1/3</name>",
        "<name>1/3</name><oper-state>up</oper-state><onu><serial>YTGP1A2B3C4D</serial></onu>",
        "<name>1/3</name><oper-state>up</oper-state><service-port><name>1/3/7</name><vlan>x</vlan></service-port>",
    ],
)
def test_data_that_does_not_fit_the_model_is_only_retried(port: str) -> None:
    data = f'<data><olt xmlns="urn:kaitong:olt:1"><pon-port>{port}</pon-port></olt></data>'
    olts = Olts(Netconf("olt", Told(REPLY.format(id=1, content=data))))

    with pytest.raises(Retryable, match="does not fit"):
        olts.pon({"node": "OLT-E01", "port": "1/3/7"}, time.monotonic() + 1)


# ---- the simulator, as another program sees it


def _post(bench: Bench, text: str, media: str = "application/xml") -> Any:
    headers = {"Content-Type": media}
    return requests.post(f"{bench.sims.http_url}/olt/OLT-E01", data=text.encode(), headers=headers, timeout=5)


def test_a_reply_brings_back_the_attributes_of_its_request(bench: Bench) -> None:
    first, second = (etree.fromstring(_post(bench, BIND).content) for _ in range(2))

    for reply in (first, second):
        assert reply.get("message-id") == "7"
        assert reply.get("{urn:kaitong:call:1}key") == netconf.wire_key(KEY)
    assert first[0].tag.endswith("}ok")
    assert second.findtext(".//{*}error-tag") == "data-exists"
    assert bench.sims.olt.effects()[0]["repeats"] == 1


def test_a_subtree_filter_selects_and_matches(bench: Bench) -> None:
    _post(bench, BIND)
    _post(bench, BIND.replace("YTGP1A2B3C4D", "YTGP00000002").replace("<onu-id>7", "<onu-id>8"))

    reply = etree.fromstring(_post(bench, READ).content)

    assert [e.text for e in reply.iterfind(".//{*}onu/{*}serial")] == ["YTGP1A2B3C4D"]
    assert reply.findtext(".//{*}seen-onu/{*}rx-power-dbm") == "-19.8"
    assert reply.find(".//{*}service-port") is None


@pytest.mark.parametrize(
    ("change", "tag"),
    [
        ({"<vlan>1203</vlan>": ""}, "missing-element"),
        ({"<vlan>1203": "<vlan>many"}, "invalid-value"),
        ({'operation="create"': 'operation="replace"'}, "operation-not-supported"),
        ({' nc:operation="create"': ""}, "bad-element"),
        ({"edit-config>": "kill-session>"}, "operation-not-supported"),
        ({'operation="create"': 'operation="delete"'}, "data-missing"),
    ],
)
def test_a_change_that_makes_no_sense_is_an_rpc_error(
    bench: Bench, change: Mapping[str, str], tag: str
) -> None:
    text = BIND
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)

    assert etree.fromstring(_post(bench, text).content).findtext(".//{*}error-tag") == tag
    assert bench.sims.olt.effects() == []


@pytest.mark.parametrize("text", ["", "x", "<a/>", "<!DOCTYPE x>" + BIND.partition("\n")[2]])
def test_what_is_no_request_is_refused(bench: Bench, text: str) -> None:
    assert _post(bench, text).json()["code"] == "OLT_BAD_REQUEST"


def test_a_form_of_a_web_page_is_refused(bench: Bench) -> None:
    assert _post(bench, BIND, "text/plain").status_code == 415
    assert bench.sims.olt.effects() == []
