"""Diagrams through the pages: refused with line and element, uploaded as a draft, put into service."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from werkzeug.test import TestResponse

from engine.store import Store
from tests.site import DONE, Browser, Site, running_site
from tests.small_broadband import SMALL

SHIPPED = SMALL
CHANGED = SHIPPED.xml.replace("上门施工".encode(), "入户施工".encode()).replace(
    b"Construction on site", b"Installation at home"
)


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with running_site(store, tmp_path) as running:
        yield running


def upload(browser: Browser, xml: bytes, forms: Mapping[str, bytes] | None = None) -> TestResponse:
    browser.read("/definitions")
    files: dict[str, Any] = {
        "file": (io.BytesIO(xml), "broadband.bpmn"),
        "forms": [(io.BytesIO(text), name) for name, text in (forms or {}).items()],
    }
    return browser.post("/definitions", files)


def versions(page: str) -> list[str]:
    return [text.strip() for text in html.fromstring(page).xpath("//tbody/tr/td[1]/text()")]


def test_a_diagram_that_cannot_run_is_refused_with_line_and_element(site: Site) -> None:
    designer = site.browser("designer")
    broken = SHIPPED.xml.replace(b'kaitong:operation="aaa.login.test"', b'kaitong:operation="no.such"')
    line = next(n for n, text in enumerate(broken.splitlines(), 1) if b"no.such" in text)
    answer = upload(designer, broken)
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    [row] = page.xpath("//tr[@data-severity='error']")
    assert row.get("data-element") == "BB_13"
    assert row.xpath("td[@data-label='Line']/text()") == [str(line)]
    assert "no.such" in row.get("data-message")
    assert versions(designer.read("/definitions")) == ["v1"]


def test_a_refusal_is_told_in_the_readers_language(site: Site) -> None:
    answer = upload(site.browser("designer", "zh_CN"), b"<nonsense")
    assert answer.status_code == 400
    assert "文件不是合法的 XML" in answer.text


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"<a/>", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", b"[" * 5000]
)
def test_any_file_gets_an_answer(site: Site, content: bytes) -> None:
    assert upload(site.browser("designer"), content).status_code == 400


def test_a_form_that_cannot_be_read_is_named(site: Site) -> None:
    designer = site.browser("designer")
    for text in (b"{", b"\xff\xfe\x00", b"[1]", b"[" * 100_000):
        answer = upload(designer, CHANGED, {"construction.form": text})
        assert answer.status_code == 400
        assert "construction.form" in answer.text
    unusable = upload(designer, CHANGED, {"construction.form": json.dumps({"components": 5}).encode()})
    assert unusable.status_code == 400
    assert "BB_11" in unusable.text
    assert versions(designer.read("/definitions")) == ["v1"]


def test_nothing_chosen_is_told(site: Site) -> None:
    designer = site.browser("designer")
    designer.read("/definitions")
    answer = designer.post("/definitions")
    assert answer.status_code == 400
    assert "Choose a .bpmn file first." in answer.text


def test_the_same_diagram_again_is_no_new_version(site: Site) -> None:
    designer = site.browser("designer")
    answer = upload(designer, SHIPPED.xml)
    assert answer.status_code == 409
    assert "exactly this diagram" in answer.text


def test_new_orders_run_on_the_deployed_version_and_open_ones_stay(site: Site) -> None:
    before = site.order_on_site()
    designer, reader, crew = (site.browser(who) for who in ("designer", "dispatcher", "crew-e1"))
    answer = upload(designer, CHANGED)
    page = designer.follow(answer)
    assert "Forms taken over from the version before: construction." in page
    assert "no order runs on it before it is deployed" in page
    assert "broadband v1" in reader.read(f"/orders/{site.order_on_site()}")
    assert "is in service" in designer.follow(designer.post(f"{answer.location}/deploy"))
    after = site.order_on_site()
    assert "broadband v2" in reader.read(f"/orders/{after}")
    assert "Installation at home" in reader.page
    assert "broadband v1" in reader.read(f"/orders/{before}")
    assert "Construction on site" in reader.page
    assert versions(designer.read("/definitions")) == ["v2", "v1"]
    crew.post(f"/tasks/{before}-W01/claim")
    crew.post(f"/tasks/{before}-W01", DONE)
    site.work()
    assert "6 / 6" in crew.read(f"/orders/{before}")


def test_an_older_version_can_be_put_back_into_service(site: Site) -> None:
    designer = site.browser("designer")
    first = html.fromstring(designer.read("/definitions")).xpath("//tbody//a/@href")[0]
    second = upload(designer, CHANGED).location
    designer.post(f"{second}/deploy")
    designer.post(f"{first}/deploy")
    assert "broadband v1" in site.browser("dispatcher").read(f"/orders/{site.order_on_site()}")


def test_only_designers_upload_and_deploy(site: Site) -> None:
    draft = upload(site.browser("designer"), CHANGED).location
    for login in ("operator", "dispatcher"):
        browser = site.browser(login)
        assert "Check and upload" not in browser.read("/definitions")
        assert "/deploy" not in browser.read(draft)
        assert upload(browser, SHIPPED.xml).status_code == 403
        assert browser.post(f"{draft}/deploy").status_code == 403


def test_warnings_of_a_version_stay_readable_in_both_languages(site: Site) -> None:
    not_drawn = CHANGED.replace(b'bpmnElement="BB_15"', b'bpmnElement="BB_15x"')
    draft = upload(site.browser("designer"), not_drawn).location
    assert "BB_15 is not drawn" in site.browser("designer", "en").read(draft)
    assert "BB_15 没有图形" in site.browser("designer", "zh_CN").read(draft)
