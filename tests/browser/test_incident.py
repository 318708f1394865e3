"""An outside system fails: the operator sees why, runs the step again, and is told the truth about it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.installation import Installation, wait_until
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_failed_activation_is_seen_run_again_and_the_order_goes_on(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_on_site()
    installation.fail_aaa()
    try:
        installation.complete(order)
        wait_until(lambda: installation.incidents_of(order), "an incident")
        page = screens.open("/incidents", "operator")
        row = page.locator("tr").filter(has_text=order)
        expect(row).to_contain_text("激活")
        expect(row).to_contain_text("503")
        group = page.locator(".group-list li").filter(has_text="aaa:AAA-1")
        expect(group).to_have_count(1)
        group.get_by_role("link").click()
        expect(group.get_by_role("link")).to_have_attribute("aria-current", "true")
        expect(row).to_have_count(1)

        row.get_by_role("button", name="重跑").click()
        expect(page.locator("#retried")).to_contain_text(f"{order}，激活")
        expect(page.locator("#retried")).to_contain_text("再次失败")
    finally:
        installation.heal_aaa()

    page.goto("/incidents")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="重跑").click()
    expect(page.locator("#retried")).to_contain_text("定单继续")
    installation.accept(order)
    expect(row).to_have_count(0)
    assert len(installation.effects("aaa", "aaa.subscriber.open", order)) == 1


def test_an_incident_is_run_again_from_the_page_of_its_order(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_with_incident()
    page = screens.open(f"/orders/{order}", "operator")
    expect(page.locator(".notice-error")).to_contain_text("异常单：激活")
    expect(page.locator("g.djs-element.is-failed[data-element-id=BB_12C]")).to_have_count(1)
    page.locator(".notice-error").get_by_role("button", name="重跑").click()
    expect(page).to_have_url(f"{installation.product.url}/orders/{order}")
    expect(page.locator(".notice-success")).to_contain_text("重跑")
    installation.accept(order)
    page.reload()
    expect(page.locator(".notice-error")).to_have_count(0)


def test_a_dispatcher_sees_incidents_but_cannot_run_them_again(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_with_incident()
    page = screens.open("/incidents", "dispatcher")
    row = page.locator("tr").filter(has_text=order)
    expect(row).to_have_count(1)
    expect(row.get_by_role("button")).to_have_count(0)
