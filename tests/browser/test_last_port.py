"""Two customers of one street want the last free port."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.installation import Installation, wait_until
from tests.browser.screens import Screens
from web.commands.demo import ORDERS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NORTH = {"area": "YT-N", "building": "北岭大道6号", "address": "北岭区北岭大道6号1202"}


def test_of_two_orders_for_the_last_port_one_wins_and_the_other_says_why(
    screens: Screens, installation: Installation
) -> None:
    installation.leave_free("OLT-N01", 1)
    orders = [installation.place_order(**NORTH), installation.place_order(**NORTH)]
    crm = installation.client("crm")

    def losers() -> list[str]:
        found = [crm.call("GET", f"{ORDERS}/{order}").json() for order in orders]
        return [one["id"] for one in found if one["state"] == "failed"]

    [loser] = wait_until(losers, "one of the two orders to be returned")
    [winner] = set(orders) - {loser}
    page = screens.open(f"/orders/{loser}", "service")
    expect(page.locator(".task-head")).to_contain_text("已退单")
    expect(page.locator(".notice-error")).to_contain_text("R04")
    expect(page.locator(".notice-error")).to_contain_text("OLT-N01")
    expect(page.locator(".notice-error")).to_contain_text("端口")
    expect(page.locator("g.djs-element.is-failed[data-element-id=BB_X04]")).to_have_count(1)
    crew = screens.open("/tasks", "crew-n1", device="phone")
    expect(crew.locator(f"#row-{winner}-W01")).to_be_visible()
    expect(crew.locator(f"#row-{loser}-W01")).to_have_count(0)
    assert len(installation.effects("crm", "crm.order.report", loser)) == 1
