"""The pages as their readers meet them: who sees what, in both languages, without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import html

from engine.store import Store
from tests.site import DONE, Site, running_site

ALL_PAGES = (
    "/tasks",
    "/tasks?view=mine",
    "/tasks?view=late",
    "/orders",
    "/incidents",
    "/mass-faults",
    "/time-limits",
    "/time-limits?tab=breached",
    "/definitions",
    "/inbox",
    "/account",
)


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with running_site(store, tmp_path) as running:
        yield running


@pytest.mark.parametrize(("locale", "lang"), [("zh_CN", "zh-CN"), ("en", "en")])
def test_every_page_renders_in_both_languages(site: Site, locale: str, lang: str) -> None:
    order = site.order_on_site()
    site.clock.advance(timedelta(hours=30))
    site.sweep()
    admin = site.browser("admin", locale)
    version = html.fromstring(admin.read("/definitions")).xpath("//table//a/@href")[0]
    for path in (*ALL_PAGES, f"/tasks/{order}-W01", f"/orders/{order}", version):
        page = admin.read(path)
        assert f'<html lang="{lang}">' in page, path
        assert "<script>" not in page, path
        assert html.fromstring(page).xpath("//h1"), path


def test_pages_speak_chinese_to_a_chinese_reader(site: Site) -> None:
    order = site.order_on_site()
    page = site.browser("dispatcher", "zh_CN").read(f"/orders/{order}")
    for words in (
        "处理中",
        "上门施工",
        "资源核查：完成",
        "宽带 1000M",
        "东汀区",
        "工单派给东汀一班",
        "里程碑：已受理",
    ):
        assert words in page


def test_pages_speak_english_to_an_english_reader(site: Site) -> None:
    order = site.order_on_site()
    page = site.browser("dispatcher", "en").read(f"/orders/{order}")
    for words in (
        "in progress",
        "Construction on site",
        "Check resources: done",
        "Broadband 1000M",
        "East Ting",
    ):
        assert words in page


def test_the_start_page_leads_each_reader_to_his_own_list(site: Site) -> None:
    assert site.browser("crew-e1").get("/").location == "/tasks"
    assert site.browser("designer").get("/").location == "/definitions"
    assert site.browser("crm").get("/").location == "/orders"
    assert site.browser().get("/").location.startswith("/login")


def test_a_reader_chooses_his_language_and_comes_back_to_his_page(site: Site) -> None:
    browser = site.browser("crew-e1", "en")
    browser.read("/tasks?view=mine")
    answer = browser.post("/locale", locale="zh_CN", next="/tasks?view=mine")
    assert answer.location == "/tasks?view=mine"
    assert '<html lang="zh-CN">' in browser.follow(answer)
    assert browser.post("/locale", locale="xx", next="/").status_code == 400


def test_the_language_form_never_leads_to_another_site(site: Site) -> None:
    browser = site.browser("crew-e1")
    assert browser.post("/locale", locale="en", next="https://evil.example/").location == "/"


def test_the_navigation_counts_what_waits_for_the_reader(site: Site) -> None:
    site.order_on_site()
    page = html.fromstring(site.browser("crew-e1").read("/inbox"))
    assert page.xpath("//a[@data-go='worklist']//*[contains(@class, 'count')]/text()") == ["1"]
    assert page.xpath("//a[@data-go='incidents']") == []


def test_unknown_numbers_are_not_found(site: Site) -> None:
    admin = site.browser("admin")
    for path in (
        "/tasks/BB-20261122-000009-W01",
        "/orders/BB-20261122-000009",
        "/orders/BB-20261122-000009/timeline",
        "/orders/BB-20261122-000009/diagram-state",
        "/definitions/999",
        "/definitions/999/diagram.bpmn",
        "/incidents?retried=999",
    ):
        assert admin.get(path).status_code == 404, path
    for path in (
        "/tasks/none/claim",
        "/tasks/none",
        "/tasks/none/release",
        "/orders/none/notes",
        "/incidents/999/retry",
        "/definitions/999/deploy",
        "/account/tokens/999/revoke",
    ):
        assert admin.post(path, text="x").status_code == 404, path


def test_a_broken_cursor_is_refused(site: Site) -> None:
    admin = site.browser("admin")
    for path in ("/tasks", "/orders", "/incidents", "/time-limits", "/inbox"):
        assert admin.get(f"{path}?after=nonsense").status_code == 400, path


def test_a_form_without_its_token_changes_nothing(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    browser.read("/tasks")
    assert browser.client.post(f"/tasks/{order}-W01/claim").status_code == 400
    assert "Nobody holds this task yet" in browser.read(f"/tasks/{order}-W01")


def test_customer_data_is_masked_for_those_who_need_not_know_it(site: Site) -> None:
    order = site.order_on_site()
    crew, operator = site.browser("crew-e1"), site.browser("operator")
    for path in (f"/orders/{order}", f"/tasks/{order}-W01"):
        assert "13800004021" in crew.read(path)
        page = operator.read(path)
        assert "138****4021" in page
        for secret in ("13800004021", "林女士", "18号"):
            assert secret not in page, (path, secret)
    for path in ("/orders", "/tasks"):
        assert "林女士" not in operator.read(path)


def test_lists_are_read_page_by_page(site: Site) -> None:
    orders = []
    for _ in range(52):
        orders.append(site.place_order())
        site.clock.advance(timedelta(seconds=1))
    browser = site.browser("dispatcher")
    first = html.fromstring(browser.read("/orders"))
    [link] = first.xpath("//a[@rel='next']/@href")
    second = html.fromstring(browser.read(link))
    rows = [page.xpath("//a[@data-row]/text()") for page in (first, second)]
    assert rows[0] + rows[1] == orders[::-1]
    assert second.xpath("//a[@rel='next']") == []


def test_orders_are_found_by_state_number_and_customer(site: Site) -> None:
    one, two = site.order_on_site(customer="王先生"), site.place_order()
    browser = site.browser("dispatcher")
    for query, found in (
        ("state=inProgress", [one]),
        ("state=acknowledged", [two]),
        ("state=nothing", []),
        (f"q={two}", [two]),
        ("q=CRM-0001", [one]),
        ("q=王", [one]),
        ("q=%25", []),
    ):
        page = html.fromstring(browser.read(f"/orders?{query}"))
        assert page.xpath("//a[@data-row]/text()") == found, query


def test_a_message_about_a_limit_is_told_and_marked_as_read(site: Site) -> None:
    order = site.order_on_site()
    site.clock.advance(timedelta(hours=13))
    site.sweep()
    browser = site.browser("crew-e1")
    page = browser.read("/inbox")
    assert f"{order}: 50 % of the time is used: Construction on site" in page
    assert "due 2026-11-23 09:12 · East Ting" in page
    action = html.fromstring(page).xpath("//form[contains(@action, '/read')]/@action")[0]
    other = site.browser("crew-e1b")
    other.post(action)  # a colleague cannot mark it
    assert action in browser.read("/inbox")
    assert "Mark as read" not in browser.follow(browser.post(action))


def test_time_limits_show_what_is_at_risk_and_what_is_overdue(site: Site) -> None:
    order = site.order_on_site()
    assert order not in site.browser("dispatcher").read("/time-limits")
    site.clock.advance(timedelta(hours=13))
    page = site.browser("dispatcher").read("/time-limits")
    assert "Construction on site" in page
    assert "East crew 1" in page
    assert "54 %" in page
    site.clock.advance(timedelta(hours=40))
    page = site.browser("dispatcher").read("/time-limits?tab=breached")
    assert "Home broadband 48 h" in page
    assert order not in site.browser("supervisor").read("/time-limits")


def test_a_token_is_shown_once_works_and_can_be_ended(site: Site) -> None:
    browser = site.browser("operator")
    browser.read("/account")
    made = browser.post("/account/tokens", name="report", days="30")
    [token] = html.fromstring(made.text).xpath("//*[@id='new-token']/text()")
    with_token = {"Authorization": f"Bearer {token}"}
    assert site.browser().get("/orders", **with_token).status_code == 200
    page = browser.read("/account")
    assert "report" in page
    assert token not in page
    [action] = html.fromstring(page).xpath("//form[contains(@action, '/revoke')]/@action")
    assert site.browser("crew-e1").post(action).status_code == 404
    browser.follow(browser.post(action))
    assert site.browser().get("/orders", **with_token).status_code != 200


def test_a_token_with_impossible_days_is_refused_and_nothing_typed_is_lost(site: Site) -> None:
    browser = site.browser("operator")
    for days in ("", "0", "99999", "-1"):
        answer = browser.post("/account/tokens", name="my report", days=days)
        assert answer.status_code == 400
        assert "my report" in answer.text
    assert browser.post("/account/tokens", name=" ", days="3").status_code == 400


def test_only_who_manages_tokens_makes_one_for_somebody_else(site: Site) -> None:
    refused = site.browser("operator").post("/account/tokens", name="x", days="3", login="crm")
    assert refused.status_code == 403
    made = site.browser("admin").post("/account/tokens", name="x", days="3", login="crm")
    [token] = html.fromstring(made.text).xpath("//*[@id='new-token']/text()")
    assert site.browser().get("/orders", Authorization=f"Bearer {token}").status_code == 200
    assert (
        site.browser("admin").post("/account/tokens", name="x", days="3", login="nobody").status_code == 404
    )


def test_ending_other_logins_leaves_this_one(site: Site) -> None:
    here, there = site.browser("crew-e1"), site.browser("crew-e1")
    here.follow(here.post("/account/logins/end-others"))
    assert there.get("/tasks").location.startswith("/login")
    assert here.get("/tasks").status_code == 200


def test_a_login_leads_to_the_worklist(site: Site) -> None:
    browser = site.browser()
    browser.read("/login")
    answer = browser.post("/login", login="crew-e1", password="correct horse 电池")
    assert "待办" in browser.follow(browser.get(answer.location))


def test_completing_the_work_ends_the_order(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    browser.post(f"/tasks/{order}-W01/claim")
    browser.post(f"/tasks/{order}-W01", DONE)
    site.work()
    page = browser.read(f"/orders/{order}")
    assert "completed" in page
    assert "6 / 6" in page
