"""Nobody sees what is not his, and the page says so in his language."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.installation import Installation
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("locale", "title"), [("zh_CN", "未找到"), ("en", "Not found")])
def test_a_task_of_another_area_is_not_there(
    locale: str, title: str, screens: Screens, installation: Installation
) -> None:
    screens.may_be_refused(404)
    order = installation.order_on_site()
    for path in (f"/tasks/{order}-W03", f"/orders/{order}"):
        page = screens.open(path, "crew-n1", locale=locale)
        expect(page.locator("h1")).to_have_text(title)
        expect(page.locator("main")).not_to_contain_text("林女士")


@pytest.mark.parametrize(("locale", "title"), [("zh_CN", "无权限"), ("en", "Not allowed")])
def test_a_crew_has_no_way_to_the_incidents(locale: str, title: str, screens: Screens) -> None:
    screens.may_be_refused(403)
    page = screens.open("/incidents", "crew-e1", locale=locale)
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator("a[data-go=incidents]")).to_have_count(0)
    page.locator("main a.btn-primary").click()
    expect(page.locator("a[data-go=worklist]")).to_have_attribute("aria-current", "page")


def test_an_operator_reads_an_order_without_the_customer(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_on_site()
    page = screens.open(f"/orders/{order}", "operator")
    expect(page.locator(".order-strip")).to_contain_text("林**")
    expect(page.locator(".order-strip")).to_contain_text("138****4021")
    for secret in ("林女士", "13800134021", "18号3栋"):  # of the address only the street is left
        expect(page.locator("main")).not_to_contain_text(secret)
