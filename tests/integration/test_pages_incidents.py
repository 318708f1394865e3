"""Incidents: who sees them, who re-runs them, and what the page says about it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import html

from engine.store import Store
from tests.site import DONE, Browser, Site, running_site
from tests.small_broadband import SMALL

SHIPPED = SMALL


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with running_site(store, tmp_path, max_attempts=1) as running:
        yield running


def stuck_order(site: Site) -> str:
    """An order whose activation was tried in vain, while the AAA is still away."""
    order = site.order_on_site()
    crew = site.browser("crew-e1")
    crew.post(f"/tasks/{order}-W01/claim")
    site.simulators.aaa.fault("unavailable", times=-1)
    crew.post(f"/tasks/{order}-W01", DONE)
    site.work()
    return order


def retry_action(browser: Browser) -> str:
    [action] = html.fromstring(browser.read("/incidents")).xpath(
        "//form[contains(@action, '/retry')]/@action"
    )
    return str(action)


def notice(page: str) -> str:
    return " ".join(html.fromstring(page).xpath("string(//*[@id='retried'])").split())


def test_an_incident_is_shown_with_its_order_step_and_cause(site: Site) -> None:
    order = stuck_order(site)
    page = site.browser("operator").read("/incidents")
    for words in (
        order,
        "Activate",
        "adapter.retryable",
        "aaa:AAA-1 is not available; nothing has happened there.",
    ):
        assert words in page


def test_the_cause_is_told_in_chinese_and_the_other_systems_words_are_quoted(site: Site) -> None:
    order = stuck_order(site)
    operator = site.browser("operator", "zh_CN")
    for path in ("/incidents", f"/orders/{order}"):
        page = html.fromstring(operator.read(path))
        assert "aaa:AAA-1 暂不可用，对方未执行任何操作。" in page.text_content()
        assert page.xpath("//code[contains(., 'HTTP 503')]")
        for quotation in page.xpath("//code"):
            quotation.drop_tree()
        assert "HTTP 503" not in page.text_content()


def test_the_order_shows_where_it_is_held_up(site: Site) -> None:
    order = stuck_order(site)
    operator = site.browser("operator")
    page = operator.read(f"/orders/{order}")
    assert "held up" in page
    assert "Incident: Activate" in page
    state = operator.get(f"/orders/{order}/diagram-state").get_json()
    assert state["failed"] == ["BB_12"]
    assert state["current"] == []
    assert "BB_12" not in state["done"]
    assert html.fromstring(operator.read("/orders")).xpath("//*[contains(@class, 'pill-late')]")


def test_a_re_run_says_that_it_is_queued_and_then_that_it_is_done(site: Site) -> None:
    order = stuck_order(site)
    operator = site.browser("operator")
    action = retry_action(operator)
    site.simulators.aaa.clear_faults()
    answer = operator.post(action)
    assert notice(operator.follow(answer)).startswith(f"{order}, Activate: queued for re-run")
    site.work()
    assert notice(operator.read(answer.location)) == f"{order}, Activate: done: the order goes on"
    assert "completed" in operator.read(f"/orders/{order}")
    assert "Queued for re-run: Activate" in operator.page


def test_a_re_run_that_fails_again_comes_back_to_the_list(site: Site) -> None:
    order = stuck_order(site)
    operator = site.browser("operator")
    answer = operator.post(retry_action(operator))
    site.work()
    assert notice(operator.read(answer.location)) == f"{order}, Activate: failed again"
    assert retry_action(operator)


def test_a_re_run_from_the_order_leads_back_to_the_order(site: Site) -> None:
    order = stuck_order(site)
    operator = site.browser("operator")
    action = retry_action(operator)
    page = operator.follow(operator.post(action, next=f"/orders/{order}"))
    assert "Re-run: queued for re-run." in page
    assert order in page


def test_an_incident_that_waits_is_not_called_re_run(site: Site) -> None:
    stuck_order(site)
    operator = site.browser("operator")
    number = retry_action(operator).split("/")[2]
    assert notice(operator.read(f"/incidents?retried={number}")) == ""


def test_an_incident_is_re_run_once(site: Site) -> None:
    stuck_order(site)
    operator = site.browser("operator")
    action = retry_action(operator)
    operator.post(action)
    assert "no longer waiting" in operator.follow(operator.post(action))


def test_a_crew_member_may_neither_see_nor_re_run_incidents(site: Site) -> None:
    stuck_order(site)
    action = retry_action(site.browser("operator"))
    crew = site.browser("crew-e1")
    assert crew.get("/incidents").status_code == 403
    assert crew.post(action).status_code == 403
    assert retry_action(site.browser("operator")) == action


def test_a_dispatcher_sees_the_incident_but_not_the_button(site: Site) -> None:
    order = stuck_order(site)
    dispatcher = site.browser("dispatcher")
    page = dispatcher.read("/incidents")
    assert order in page
    assert "/retry" not in page
    assert "/retry" not in dispatcher.read(f"/orders/{order}")


def test_incidents_of_one_cause_can_be_looked_at_alone(site: Site) -> None:
    one = stuck_order(site)
    two = stuck_order(site)
    operator = site.browser("operator")
    page = html.fromstring(operator.read("/incidents"))
    [cause] = page.xpath("//ul[@class='group-list']//a/@href")
    assert page.xpath("//ul[@class='group-list']//*[@class='group-count']/text()") == ["2"]
    filtered = operator.read(cause)
    assert one in filtered
    assert two in filtered
    assert one not in operator.read("/incidents?cause=another")


def test_a_script_that_fails_again_stays_an_incident(site: Site) -> None:
    designer, operator = site.browser("designer"), site.browser("operator")
    broken = SHIPPED.xml.replace(b"speed_mbps * 9 // 10", b"speed_mbps // (speed_mbps - 1000)")
    designer.read("/definitions")
    draft = designer.post("/definitions", file=(io.BytesIO(broken), "broadband.bpmn")).location
    designer.post(f"{draft}/deploy")
    order = site.place_order()
    site.work()
    assert "held up" in operator.read(f"/orders/{order}")
    answer = operator.post(retry_action(operator))
    assert notice(operator.follow(answer)) == f"{order}, Decompose the order: failed again"
    assert retry_action(operator)
    assert "held up" in operator.read(f"/orders/{order}")
