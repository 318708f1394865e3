"""An order from the CRM's request to the last step: the crew on a phone, the dispatcher on a desktop, the world outside."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.installation import Installation, wait_until
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DRAWN_WITHIN_MS = 20_000
"""The page asks for the states every five seconds."""


def test_an_order_is_built_by_a_crew_on_a_phone_while_the_dispatcher_watches(
    screens: Screens, installation: Installation
) -> None:
    screens.may_be_refused(400)
    order = installation.order_on_site()
    desk = screens.open(f"/orders/{order}", "dispatcher")
    expect(_element(desk, "BB_11", "current")).to_have_count(1)
    expect(_element(desk, "BB_05", "done")).to_have_count(1)
    expect(desk.locator(".steps li").filter(has_text="登录测试")).to_contain_text("未到")

    phone = screens.open("/tasks", "crew-e1", device="phone")
    _claim(phone, order)
    _send_a_wrong_form(phone)
    _send_the_right_form(phone)
    installation.accept(order)

    for element in ("BB_11", "BB_12", "BB_13", "BB_14", "BB_15", "BB_99"):
        expect(_element(desk, element, "done")).to_have_count(1, timeout=DRAWN_WITHIN_MS)
    expect(_element(desk, "BB_11", "current")).to_have_count(0)
    expect(desk.locator(".timeline-title").filter(has_text="林师傅 完成工单")).to_have_count(
        4, timeout=DRAWN_WITHIN_MS
    )
    desk.reload()
    expect(desk.locator(".task-head")).to_contain_text("已竣工")
    expect(desk.locator(".steps li").filter(has_text="登录测试")).to_contain_text("完成")
    _check_the_world_outside(installation, order)


def _element(page: Page, element: str, state: str) -> Locator:
    """An element of the drawing that is marked with a state."""
    return page.locator(f"g.djs-element.is-{state}[data-element-id={element}]")


def _claim(phone: Page, order: str) -> None:
    row = phone.locator(f"#row-{order}-W03")
    expect(row).to_contain_text("东汀一班")
    row.get_by_role("button", name="领取").tap()
    expect(row).to_contain_text("我")
    row.get_by_role("link").tap()
    expect(phone.locator("h1")).to_contain_text("上门施工")
    expect(phone.get_by_role("link", name="拨打电话")).to_have_attribute("href", "tel:13800134021")


def _send_a_wrong_form(phone: Page) -> None:
    phone.get_by_label("光猫序列号").fill("ytgp-12")
    phone.get_by_label("收光功率").fill("-35.5")
    phone.get_by_label("备注").fill("弱电箱在门后")
    phone.get_by_role("button", name="回单").tap()
    expect(phone.locator("#form-errors")).to_be_focused()
    expect(phone.locator("#f-onu_serial-error")).to_contain_text("格式不正确")
    expect(phone.locator("#f-rx_power_dbm-error")).to_contain_text("不能小于")
    expect(phone.locator("#f-identity_checked-error")).to_contain_text("必填")
    expect(phone.get_by_label("光猫序列号")).to_have_value("ytgp-12")
    expect(phone.get_by_label("收光功率")).to_have_value("-35.5")
    expect(phone.get_by_label("备注")).to_have_value("弱电箱在门后")


def _send_the_right_form(phone: Page) -> None:
    phone.get_by_label("光猫序列号").fill("YTGP1A2B3C4D")
    phone.get_by_label("收光功率").fill("-19.8")
    phone.get_by_label("已核对客户身份").check()
    phone.get_by_role("button", name="回单").tap()
    expect(phone.locator(".notice-success")).to_be_visible()


def _check_the_world_outside(installation: Installation, order: str) -> None:
    """One effect in each system, and the CRM heard of every change."""
    assert len(installation.effects("aaa", "aaa.subscriber.open", order)) == 1
    assert len(installation.effects("crm", "crm.order.report", order)) == 1

    def states() -> list[str]:
        events = installation.simulator("GET", "/crm/events")["events"]
        orders = [e["body"]["event"].get("serviceOrder", {}) for e in events]
        return [one.get("state") for one in orders if one.get("id") == order]

    wait_until(lambda: "completed" in states(), "the CRM to hear of the completion")
