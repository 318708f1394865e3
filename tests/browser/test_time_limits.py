"""Limits come nearer: the supervisor is told and finds the orders in his lists."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.installation import Installation
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_supervisor_sees_what_is_at_risk_and_what_is_overdue(
    screens: Screens, installation: Installation
) -> None:
    near, past = installation.order_on_site(), installation.order_on_site()
    installation.let_pass(near, hours=20)
    installation.let_pass(past, hours=50)
    page = screens.open("/time-limits", "supervisor")
    row = page.locator("tbody tr")
    expect(row.filter(has_text=near).first).to_contain_text("83 %")
    expect(row.filter(has_text=past)).to_have_count(0)
    page.get_by_role("link", name="已超时").click()
    late = row.filter(has_text=past).filter(has_text="家庭宽带 48 小时")
    expect(late).to_contain_text("超时 2 小时")
    expect(late).to_contain_text("东汀一班")
    expect(row.filter(has_text=near)).to_have_count(0)
    late.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text(past)


def test_a_warning_arrives_in_the_inbox_leads_to_the_order_and_is_marked_as_read(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_on_site()
    installation.let_pass(order, hours=20)
    installation.wait_for_warning(order, "supervisor")
    page = screens.open("/inbox", "supervisor")
    message = page.locator(".message-list > li").filter(has_text=order)
    expect(message).to_contain_text("80 %")
    expect(page.locator("a[data-go=inbox] .count")).to_be_visible()
    message.get_by_role("button", name="标为已读").click()
    expect(message).to_have_count(1)
    expect(message.get_by_role("button")).to_have_count(0)
    message.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text(order)
    expect(page.locator(".timeline")).to_contain_text("80 %")
