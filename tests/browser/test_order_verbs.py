"""Urging, amending and cancelling an order from its page, answering on a phone: by mouse, finger and keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import checks
from tests.browser.installation import Installation
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def fine(page: Page, name: str) -> None:
    """Accessible, within its width; a picture is kept."""
    assert checks.accessibility(page) == []
    assert checks.overflow(page) == 0
    checks.screenshot(page, name)


def test_customer_service_urges_with_the_keyboard_and_the_crew_promises_a_time_on_a_phone(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_on_site()
    desk = screens.open(f"/orders/{order}", "service")

    link = desk.get_by_role("link", name="催单")
    link.focus()
    desk.keyboard.press("Enter")
    dialog = desk.get_by_role("dialog", name="催单")
    expect(dialog).to_be_visible()
    fine(desk, "urge-dialog-zh-light")
    desk.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    desk.keyboard.press("Enter")
    dialog.get_by_label("客户诉求").fill("客户要求今天装好")
    dialog.get_by_role("button", name="催单").press("Enter")
    expect(desk.locator(".notice-success")).to_contain_text("已通知当前处理人")
    expect(desk.locator(".notice-warning")).to_contain_text("客户要求今天装好")
    fine(desk, "urged-order-zh-light")

    phone = screens.open("/tasks", "crew-e1", device="phone")
    row = phone.locator(f"#row-{order}-W03")
    expect(row).to_contain_text("催")
    fine(phone, "urged-worklist-phone-zh")
    row.get_by_role("link").tap()
    card = phone.get_by_role("region", name="客户催单")
    expect(card).to_contain_text("客户要求今天装好")
    fine(phone, "urge-answer-phone-zh")
    _promise(phone)
    expect(phone.locator(".notice-success")).to_contain_text("催单已答复")
    expect(card).to_have_count(0)

    desk.reload()
    expect(desk.locator(".notice-info")).to_contain_text("林师傅 承诺")
    expect(desk.locator(".timeline-title").filter(has_text="催单已答复")).to_have_count(1)


def _promise(page: Page) -> None:
    """In three hours, as the site's clock has it."""
    later = page.evaluate(
        "() => new Date(Date.now() + 11 * 3600e3).toISOString().slice(0, 16)"
    )  # three hours from now in Shanghai, which is eight hours ahead
    page.locator("#promised").fill(later)
    page.locator("#promise-text").fill("在路上")
    page.locator("#promised").locator("xpath=ancestor::form").get_by_role("button").tap()


@pytest.mark.parametrize(("device", "theme"), [("desktop", "dark"), ("phone", "light"), ("phone", "dark")])
def test_the_dialogs_are_readable_in_english_on_every_device(
    screens: Screens, installation: Installation, device: str, theme: str
) -> None:
    order = installation.order_on_site()
    page = screens.open(f"/orders/{order}", "dispatcher", device=device, theme=theme, locale="en")
    for verb in ("Urge", "Amend", "Cancel the order"):
        page.get_by_role("link", name=verb).click()
        expect(page.get_by_role("dialog", name=verb)).to_be_visible()
        fine(page, f"{verb.split()[0].lower()}-dialog-{device}-en-{theme}")
        page.get_by_role("dialog").get_by_role("link", name="Back").click()
        expect(page.get_by_role("dialog", name=verb)).to_be_hidden()


def test_customer_service_amends_an_order_and_is_asked_before_something_is_undone(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_on_site()
    desk = screens.open(f"/orders/{order}", "service")

    desk.get_by_role("link", name="改单").click()
    dialog = desk.get_by_role("dialog", name="改单")
    dialog.get_by_label("联系电话").fill("13900001111")
    fine(desk, "amend-dialog-zh-light")
    dialog.get_by_role("button", name="改单").click()
    expect(desk.locator(".notice-success")).to_contain_text("定单已改")
    expect(desk.locator(".order-strip")).to_contain_text("13900001111")

    phone = screens.open("/inbox", "crew-e1", device="phone")
    expect(phone.locator(".message-list")).to_contain_text(f"{order} 已改单")
    fine(phone, "amended-inbox-phone-zh")

    desk.get_by_role("link", name="改单").click()
    dialog.get_by_label("地址").fill("东汀区汀兰路18号3栋1单元808")
    dialog.get_by_role("button", name="改单").press("Enter")
    expect(desk.locator("h1")).to_have_text("改单")
    expect(desk.locator(".notice-warning")).to_contain_text("地址")
    fine(desk, "amend-asked-zh-light")
    desk.get_by_label("确认撤回重做").check()
    desk.get_by_role("button", name="改单").click()
    expect(desk.locator(".notice-success")).to_contain_text("正在撤回")
    expect(desk.locator(".order-strip")).to_contain_text("1单元808")
    expect(desk.locator(".timeline-title").filter(has_text="撤回重做")).to_have_count(1)


def test_an_order_is_cancelled_from_its_page_without_scripts(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_on_site()
    page = screens.open(f"/orders/{order}", "dispatcher", scripts=False)

    page.get_by_role("link", name="撤单").click()
    expect(page.locator("h1")).to_have_text("撤单")
    page.get_by_label("原因").select_option("C01")
    page.get_by_role("button", name="撤单").click()

    expect(page.locator(".notice-success")).to_contain_text("正在撤单")
    installation.wait_for_state(order, "assessingCancellation")  # its crew has the material: it is asked
