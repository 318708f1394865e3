"""People who never touch a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.installation import Installation
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FAR = 80


def _tab_to(page: Page, selector: str) -> None:
    """Goes on from field to field until this one has the focus, which must be seen."""
    for _ in range(FAR):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement);"
                " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; }"
            )
            assert outline, f"the focus on {selector} is not seen"
            return
    raise AssertionError(f"{FAR} tabs did not reach {selector}")


def test_the_first_tab_offers_to_skip_to_the_content(screens: Screens) -> None:
    page = screens.open("/tasks", "crew-e1")
    page.keyboard.press("Tab")
    skip = page.locator(".skip-link")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_task_is_claimed_and_reported_with_the_keyboard_alone(
    screens: Screens, installation: Installation
) -> None:
    order = installation.order_on_site()
    page = screens.open(f"/tasks/{order}-W03", "crew-e1")
    _tab_to(page, "form[action$='/claim'] button")
    page.keyboard.press("Enter")
    expect(page.locator("#f-onu_serial")).to_be_visible()
    _tab_to(page, "#f-onu_serial")
    page.keyboard.type("YTGP0E0F0A0B")
    _tab_to(page, "#f-rx_power_dbm")
    page.keyboard.type("-19.8")
    _tab_to(page, "#f-identity_checked")
    page.keyboard.press("Space")
    _tab_to(page, ".submit-bar button.btn-primary")
    page.keyboard.press("Enter")
    expect(page.locator(".notice-success")).to_contain_text(f"{order}-W03")


def test_a_mass_fault_is_opened_and_withdrawn_with_the_keyboard_alone(screens: Screens) -> None:
    page = screens.open("/mass-faults", "network")
    _tab_to(page, "#f-node")
    page.keyboard.type("OLT-E02")
    _tab_to(page, "#f-pon")
    page.keyboard.type("1/4")
    _tab_to(page, "#f-description")
    page.keyboard.type("多户断网")
    _tab_to(page, "form[action$='/mass-faults'] button")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("GF-")
    expect(page.locator("main")).to_contain_text("OLT-E02 1/4")
    _tab_to(page, "form[action$='/withdraw'] button")
    page.keyboard.press("Enter")
    expect(page.locator(".notice-success")).to_be_visible()


def test_keys_lead_to_the_search_the_rows_the_list_of_keys_and_other_pages(
    screens: Screens, installation: Installation
) -> None:
    installation.order_on_site()
    page = screens.open("/tasks?view=open", "dispatcher")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("?g")
    expect(page.locator("#q")).to_have_value("?g")
    page.goto("/tasks?view=open")
    page.keyboard.press("j")
    expect(page.locator("a[data-row]").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#keys")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.locator("h1")).to_have_text("定单")


def test_escape_closes_the_account_menu_and_gives_the_focus_back(screens: Screens) -> None:
    page = screens.open("/tasks", "crew-e1")
    summary = page.locator("details.account summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".account .menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".account .menu")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_chosen_theme_stays(screens: Screens) -> None:
    page = screens.open("/tasks", "crew-e1")
    page.locator("details.account summary").click()
    page.get_by_role("button", name="深色").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/inbox")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
