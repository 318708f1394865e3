"""A person's own account: language, tokens, password."""

from __future__ import annotations

import itertools
import re

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.installation import Installation
from tests.browser.screens import Screens, log_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FIRST, SECOND = "马到成功 correct 2026", "万事如意 battery 2027"
_numbers = itertools.count(1)


def _new_colleague(installation: Installation) -> tuple[str, str]:
    """Login and first password of somebody who has just been hired; the first password has to be changed."""
    login = f"new-{next(_numbers)}"
    told = installation.product.run("user", "add", login, "--role", "FC", "--area", "YT-E", "--crew", "E2")
    return login, told.rpartition(" ")[2]


def _change_password(page: Page, old: str, new: str) -> None:
    page.locator("#f-current").fill(old)
    page.locator("#f-new").fill(new)
    page.locator("#f-repeat").fill(new)
    page.locator("main button.btn-primary").click()
    page.wait_for_url("**/tasks")


def test_a_chosen_language_stays_also_in_another_browser(screens: Screens) -> None:
    page = screens.open("/account", "crew-e2")
    page.locator("main").get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Account")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto("/tasks")
    expect(page.locator("h1")).to_have_text("Worklist")
    elsewhere = screens.logins.chromium.new_context(
        base_url=screens.installation.product.url,
        locale="zh-CN",
        storage_state=screens.logins.state("crew-e2"),
    )
    other = elsewhere.new_page()
    other.goto("/tasks")
    expect(other.locator("h1")).to_have_text("Worklist")
    elsewhere.close()


def test_a_token_is_shown_once_works_and_ends_when_it_is_ended(
    screens: Screens, installation: Installation
) -> None:
    page = screens.open("/account", "dispatcher")
    expect(page.locator("tr").filter(has_text="当前")).to_contain_text("Chrome · Linux")
    page.get_by_label("新令牌名称").fill("晨报")
    page.get_by_role("button", name="创建令牌").click()
    token = page.locator("#new-token").inner_text()
    headers = {"Authorization": f"Bearer {token}"}

    def status() -> int:
        return requests.get(
            f"{installation.product.url}/api/v1/tasks", headers=headers, timeout=10
        ).status_code

    assert status() == 200
    page.goto("/account")
    row = page.locator("tr").filter(has_text="晨报")
    expect(row).to_be_visible()
    expect(page.get_by_text(token)).to_have_count(0)
    row.get_by_role("button", name="停用").click()
    expect(row).to_have_count(0)
    assert status() == 401


def test_a_new_password_ends_all_other_logins(screens: Screens, installation: Installation) -> None:
    screens.may_be_refused(400, 401)
    login, first = _new_colleague(installation)
    here = log_in(screens.context(), login, first)
    expect(here).to_have_url(re.compile("/password$"))
    expect(here.locator(".notice")).to_be_visible()
    here.goto("/tasks")
    expect(here).to_have_url(re.compile("/password$"))
    _change_password(here, first, FIRST)

    there = log_in(screens.context(), login, FIRST)
    expect(there.locator("h1")).to_have_text("待办")
    here.goto("/password")
    _change_password(here, FIRST, SECOND)
    expect(here.locator("h1")).to_have_text("待办")
    there.reload()
    expect(there).to_have_url(re.compile("/login"))
    there.locator("#f-login").fill(login)
    there.locator("#f-password").fill(FIRST)
    there.locator("main button.btn-primary").click()
    expect(there.locator(".notice-error")).to_be_visible()


def test_a_login_leads_back_to_the_page_that_was_asked_for(
    screens: Screens, installation: Installation
) -> None:
    installation.speak("dispatcher", "zh_CN")  # the language of a person outlives the test that chose it
    page = screens.open("/orders?state=completed")
    expect(page).to_have_url(re.compile("/login"))
    page.locator("#f-login").fill("dispatcher")
    page.locator("#f-password").fill(installation.product.password("dispatcher"))
    page.locator("main button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/orders\?state=completed$"))
    expect(page.locator("h1")).to_have_text("定单")
    page.locator("details.account summary").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page).to_have_url(re.compile("/login"))
    page.goto("/orders")
    expect(page).to_have_url(re.compile("/login"))
