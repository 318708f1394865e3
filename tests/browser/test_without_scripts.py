"""Old phones and careful companies: with scripts off everything can be read, and a task can be done."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.installation import Installation
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_task_is_found_claimed_reported_and_its_order_read_without_scripts(
    screens: Screens, installation: Installation
) -> None:
    screens.may_be_refused(400)
    order = installation.order_on_site()
    page = screens.open("/tasks", "crew-e1", device="phone", scripts=False)
    page.get_by_label("搜索工单").fill(order)
    page.get_by_role("button", name="搜索").click()
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="领取").click()
    expect(page.locator("h1")).to_contain_text("上门施工")
    expect(page.locator(".notice-success")).to_be_visible()

    page.get_by_label("收光功率").fill("-35")
    page.get_by_role("button", name="回单").click()
    expect(page.locator("#f-rx_power_dbm-error")).to_be_visible()
    expect(page.get_by_label("收光功率")).to_have_value("-35")
    page.get_by_label("光猫序列号").fill("YTGP0A0B0C0D")
    page.get_by_label("收光功率").fill("-19.8")
    page.get_by_label("已核对客户身份").check()
    page.get_by_role("button", name="回单").click()
    expect(page.locator(".notice-success")).to_contain_text(f"{order}-W03")
    installation.accept(order)

    page.goto(f"/orders/{order}")
    expect(page.locator(".task-head")).to_contain_text("已竣工")
    expect(page.locator(".steps li").filter(has_text="登录测试")).to_contain_text("完成")
    expect(page.locator(".timeline-title").filter(has_text="林师傅 完成工单")).to_have_count(4)
    expect(page.locator(".diagram")).to_be_hidden()


@pytest.mark.parametrize(
    ("login", "path", "text"),
    [
        ("operator", "/incidents", "异常单"),
        ("supervisor", "/time-limits?tab=breached", "时限"),
        ("designer", "/definitions", "检查并上传"),
        ("designer", "/definitions/1", "宽带开通 v1"),
        ("dispatcher", "/orders", "定单"),
        ("crew-e1", "/inbox", "消息"),
        ("crew-e1", "/account", "账号"),
    ],
)
def test_a_page_is_read_without_scripts(login: str, path: str, text: str, screens: Screens) -> None:
    page = screens.open(path, login, scripts=False)
    expect(page.locator("main")).to_contain_text(text)
    expect(page.locator(".js-only:visible")).to_have_count(0)


def test_the_language_is_changed_and_one_logs_out_without_scripts(screens: Screens) -> None:
    page = screens.open("/account", "crew-n1", scripts=False)
    page.locator("main").get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_have_text("Account")
    page.locator("details.account summary").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
