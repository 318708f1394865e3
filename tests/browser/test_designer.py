"""A designer brings in diagrams: a broken one is refused with its place, a changed one runs for new orders only."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.diagrams import BROKEN, as_file, line_of, with_step_named
from tests.browser.installation import Installation
from tests.browser.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def _upload(page: Page, diagram: str) -> None:
    page.get_by_label("流程图（.bpmn）").set_input_files(as_file(diagram))
    page.get_by_role("button", name="检查并上传").click()


def test_a_broken_diagram_is_refused_with_code_element_and_line(screens: Screens) -> None:
    screens.may_be_refused(400)
    page = screens.open("/definitions", "designer")
    row = page.locator("main table tbody tr")
    before = row.all_inner_texts()
    _upload(page, BROKEN)
    expect(page.locator("h1")).to_have_text("流程图被拒绝")
    problem = page.locator("[data-problem]")
    expect(problem).to_have_count(1)
    expect(problem).to_contain_text("__import__")
    expect(problem).to_contain_text("CODE")
    expect(problem).to_contain_text("BB_02")
    expect(problem.locator("td").last).to_have_text(str(line_of(BROKEN, "__import__")))
    page.goto("/definitions")
    assert row.all_inner_texts() == before


def test_a_changed_diagram_runs_for_new_orders_and_leaves_old_ones_alone(
    screens: Screens, installation: Installation
) -> None:
    before = installation.order_on_site()
    page = screens.open("/definitions", "designer")
    version = _newest_version(page) + 1
    name = f"上门施工 第{version}版"
    _upload(page, with_step_named(name, "Work in the home"))
    expect(page.locator("h1")).to_have_text(f"宽带开通 v{version}")
    expect(page.locator(".task-head")).to_contain_text("草稿")
    expect(page.locator("g.djs-element[data-element-id=BB_11]")).to_contain_text("第")
    page.get_by_role("button", name=f"部署版本 {version}").click()
    expect(page.locator(".task-head")).to_contain_text("已启用")

    after = installation.order_on_site()
    desk = screens.open(f"/orders/{before}", "dispatcher")
    expect(desk.locator("#diagram-title")).not_to_contain_text(f"v{version}")
    expect(desk.locator(".steps")).not_to_contain_text(name)
    desk.goto(f"/orders/{after}")
    expect(desk.locator("#diagram-title")).to_contain_text(f"v{version}")
    expect(desk.locator(".steps")).to_contain_text(name)
    phone = screens.open(f"/tasks/{after}-W03", "crew-e1", device="phone")
    expect(phone.locator("h1")).to_have_text(name)
    phone.goto(f"/tasks/{before}-W03")
    expect(phone.locator("h1")).not_to_have_text(name)


def _newest_version(page: Page) -> int:
    text = page.locator("main table tbody tr").first.inner_text()
    found = re.search(r"\bv(\d+)\b", text)
    assert found is not None, text
    return int(found[1])
