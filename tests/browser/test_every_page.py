"""Every page in every look: no trouble in the browser, accessible, within its width, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser import checks
from tests.browser.diagrams import BROKEN, as_file
from tests.browser.installation import Installation
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NAMES = ("云汀", "CRM", "林", "何", "孙", "陈", "周", "吴", "钱", "系统管理员", "东汀区", "汀兰路", "北岭")
"""Names of people and places stay as they are in every language."""
OUTSIDE = re.compile("HTTP 503 UNAVAILABLE|docs/reference|端口 OLT-E|^[a-z]+(_[a-z]+)+$|YT-E, YT-N")
"""What a system outside answered, addresses of documents, names of devices, keys and codes stay as they are too."""
PHONE: ViewportSize = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Orders:
    """One order in each state that looks different."""

    on_site: str
    claimed: str
    completed: str
    failed: str
    incident: str
    late: str
    fault: str


@pytest.fixture(scope="module")
def orders(installation: Installation) -> Orders:
    failed = installation.place_order(building="没有覆盖的楼", address="没有覆盖的楼1单元101")
    made = Orders(
        on_site=installation.order_on_site(),
        claimed=installation.order_on_site(),
        completed=installation.completed_order(),
        failed=failed,
        incident=installation.order_with_incident(),
        late=installation.order_on_site(),
        fault=installation.mass_fault(),
    )
    installation.claim(made.claimed)
    installation.let_pass(made.claimed, hours=20)
    installation.let_pass(made.late, hours=50)
    installation.wait_for_warning(made.claimed, "supervisor")
    installation.wait_for_warning(made.late, "supervisor")
    installation.wait_for_state(made.failed, "failed")
    return made


def nothing_more(_page: Page) -> None:
    """The page is there when it is loaded."""


def diagram_drawn(page: Page) -> None:
    expect(page.locator(".diagram .djs-element").first).to_be_visible()
    if page.locator("[data-state-url]").count():
        expect(page.locator(".diagram-badge").first).to_be_visible()


def account_menu(page: Page) -> None:
    page.locator("details.account summary").click()
    expect(page.locator(".account .menu")).to_be_visible()


def keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()


def wrong_form(page: Page) -> None:
    page.locator("#f-onu_serial").fill("abc")
    page.locator("#f-rx_power_dbm").fill("-35")
    page.locator(".submit-bar .btn-primary").click()
    expect(page.locator("#form-errors")).to_be_visible()


def wrong_password(page: Page) -> None:
    page.locator("#f-current").fill("not my password")
    page.locator("#f-new").fill("something quite new")
    page.locator("#f-repeat").fill("something quite new")
    page.locator("main button.btn-primary").click()
    expect(page.locator(".is-invalid").first).to_be_visible()


def new_token(page: Page) -> None:
    page.locator("#f-name").fill("report")
    page.locator("form[action$='/account/tokens'] button").click()
    expect(page.locator("#new-token")).to_be_visible()


def broken_upload(page: Page) -> None:
    page.locator("#file").set_input_files(as_file(BROKEN))
    page.locator("form[enctype] button").click()
    expect(page.locator("[data-problem]").first).to_be_visible()


@dataclass(frozen=True)
class Visit:
    """A page, who looks at it, and what he does before it is judged."""

    name: str
    login: str | None
    path: str
    then: Callable[[Page], None] = nothing_more


VISITS = (
    Visit("login", None, "/login"),
    Visit("password", "crew-e1", "/password"),
    Visit("password-wrong", "crew-e1", "/password", wrong_password),
    Visit("worklist", "crew-e1", "/tasks"),
    Visit("worklist-empty", "crew-n1", "/tasks"),
    Visit("account-menu", "crew-e1", "/tasks", account_menu),
    Visit("keys", "dispatcher", "/tasks?view=open", keys),
    Visit("task-open", "crew-e1", "/tasks/{on_site}-W03"),
    Visit("task-form", "crew-e1", "/tasks/{claimed}-W03"),
    Visit("task-form-wrong", "crew-e1", "/tasks/{claimed}-W03", wrong_form),
    Visit("task-completed", "crew-e1", "/tasks/{completed}-W03"),
    Visit("orders", "dispatcher", "/orders"),
    Visit("orders-none", "dispatcher", "/orders?q=nothing"),
    Visit("order-on-site", "dispatcher", "/orders/{on_site}", diagram_drawn),
    Visit("order-completed", "service", "/orders/{completed}", diagram_drawn),
    Visit("order-failed", "dispatcher", "/orders/{failed}", diagram_drawn),
    Visit("order-incident", "operator", "/orders/{incident}", diagram_drawn),
    Visit("incidents", "operator", "/incidents"),
    Visit("mass-faults", "network", "/mass-faults"),
    Visit("mass-fault", "network", "/mass-faults/{fault}"),
    Visit("master-data", "admin", "/master-data"),
    Visit("master-table", "admin", "/master-data/crew"),
    Visit("master-row", "admin", "/master-data/crew/row?id=E1"),
    Visit("time-limits", "supervisor", "/time-limits"),
    Visit("time-limits-overdue", "supervisor", "/time-limits?tab=breached"),
    Visit("processes", "designer", "/definitions"),
    Visit("process", "designer", "/definitions/1", diagram_drawn),
    Visit("process-refused", "designer", "/definitions", broken_upload),
    Visit("messages", "supervisor", "/inbox"),
    Visit("messages-none", "designer", "/inbox"),
    Visit("account", "admin", "/account"),
    Visit("account-token", "service", "/account", new_token),
    Visit("not-found", "crew-e1", "/tasks/BB-20261122-999999-W01"),
    Visit("not-allowed", "crew-e1", "/incidents"),
)


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.name)
def test_a_page_is_whole_in_chinese(visit: Visit, screens: Screens, orders: Orders) -> None:
    page = _open(visit, screens, orders, "zh_CN")
    faults = _faults(page, visit, "desktop-light-zh")
    _switch(page, "dark")
    faults += _faults(page, visit, "desktop-dark-zh")
    _switch(page, "light")
    page.set_viewport_size(PHONE)
    faults += _faults(page, visit, "phone-light-zh")
    faults += [line for line in checks.english_lines(page) if not OUTSIDE.search(line)]
    assert faults == []


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.name)
def test_a_page_is_whole_in_english(visit: Visit, screens: Screens, orders: Orders) -> None:
    page = _open(visit, screens, orders, "en")
    faults = _faults(page, visit, "desktop-light-en")
    faults += [line for line in checks.chinese_lines(page) if not any(name in line for name in NAMES)]
    assert faults == []


def _open(visit: Visit, screens: Screens, orders: Orders, locale: str) -> Page:
    screens.may_be_refused(400, 403, 404)
    page = screens.open(visit.path.format(**vars(orders)), visit.login, locale=locale)
    visit.then(page)
    return page


def _switch(page: Page, theme: Literal["light", "dark"]) -> None:
    """The system's theme changes while the page is open."""
    page.emulate_media(color_scheme=theme)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)


def _faults(page: Page, visit: Visit, look: str) -> list[str]:
    """What is wrong in this look; a picture of it is kept."""
    checks.screenshot(page, f"{visit.name}-{look}")
    found = [f"{look}: {fault}" for fault in checks.accessibility(page)]
    if pixels := checks.overflow(page):
        found.append(f"{look}: {pixels} px too wide")
    return found


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("path", ["/orders/{on_site}", "/definitions/1"])
def test_the_mark_of_bpmn_io_is_seen(path: str, device: str, screens: Screens, orders: Orders) -> None:
    page = screens.open(path.format(**vars(orders)), "operator", device=device)
    diagram_drawn(page)
    assert checks.mark_is_hidden_by(page) == ""
