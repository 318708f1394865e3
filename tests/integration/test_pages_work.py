"""A task from the list to its completion, and the order page beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import html

from engine.store import Store
from tests.site import DONE, Site, running_site
from tests.small_broadband import SMALL

WRONG = DONE | {"onu_serial": "nonsense", "rx_power_dbm": "-35", "remark": "楼道 <b>左</b> 侧"}


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with running_site(store, tmp_path) as running:
        yield running


def rows(page: str) -> list[str]:
    return html.fromstring(page).xpath("//tr[starts-with(@id, 'row-')]/@id")


def request_id(page: str) -> str:
    return str(html.fromstring(page).xpath("//input[@name='request_id']/@value")[0])


def test_a_crew_sees_its_own_tasks_and_nobody_elses(site: Site) -> None:
    order = site.order_on_site()
    other = site.order_on_site(area="YT-N", building="北岭大道6号", address="北岭大道6号")
    assert rows(site.browser("crew-e1").read("/tasks")) == [f"row-{order}-W01"]
    assert rows(site.browser("crew-n1").read("/tasks")) == [f"row-{other}-W01"]
    foreign = site.browser("crew-n1")
    for path in (f"/tasks/{order}-W01", f"/orders/{order}", f"/orders/{order}/diagram-state"):
        assert foreign.get(path).status_code == 404
    assert foreign.post(f"/tasks/{order}-W01/claim").status_code == 404


def test_views_and_search_narrow_the_worklist(site: Site) -> None:
    one, two = site.order_on_site(), site.order_on_site(customer="王先生")
    browser = site.browser("dispatcher")
    site.browser("crew-e1").post(f"/tasks/{one}-W01/claim")
    assert rows(browser.read("/tasks?view=open")) == [f"row-{two}-W01"]
    assert rows(browser.read("/tasks?view=crew")) == [f"row-{one}-W01", f"row-{two}-W01"]
    assert rows(browser.read("/tasks?view=mine")) == []
    assert rows(browser.read("/tasks?view=crew&q=王")) == [f"row-{two}-W01"]
    assert "No task matches" in browser.read("/tasks?view=crew&q=nobody")


def test_a_claim_by_script_gives_the_new_row(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    answer = browser.post(f"/tasks/{order}-W01/claim", htmx=True)
    assert rows(answer.text) == [f"row-{order}-W01"]
    assert "Me" in answer.text
    assert "<html" not in answer.text


def test_a_claim_without_script_leads_to_the_task(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    page = browser.follow(browser.post(f"/tasks/{order}-W01/claim"))
    assert "The task is yours now." in page
    assert "ONU serial number" in page


def test_a_colleague_who_comes_too_late_is_told_who_was_faster(site: Site) -> None:
    order = site.order_on_site()
    first, second = site.browser("crew-e1"), site.browser("crew-e1b")
    first.post(f"/tasks/{order}-W01/claim")
    assert "林师傅 has already claimed this task." in second.follow(second.post(f"/tasks/{order}-W01/claim"))
    refused = second.post(f"/tasks/{order}-W01/claim", htmx=True)
    assert refused.status_code == 409
    assert "林师傅" in refused.text
    assert "该" not in second.read("/tasks")


def test_a_task_is_completed_after_its_mistakes_are_corrected(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    page = browser.follow(browser.post(f"/tasks/{order}-W01/claim"))
    refused = browser.post(f"/tasks/{order}-W01", WRONG, request_id=request_id(page))
    assert refused.status_code == 400
    for words in (
        "4 capital letters and 8 capital letters or digits",
        "Must not be less than -27",
        'value="nonsense"',
        'value="-35"',
        "楼道 &lt;b&gt;左&lt;/b&gt; 侧",
    ):
        assert words in refused.text
    page = browser.follow(browser.post(f"/tasks/{order}-W01", DONE, request_id=request_id(refused.text)))
    assert f"Task {order}-W01 is completed." in page
    page = browser.read(f"/tasks/{order}-W01")
    assert "YTGP1A2B3C4D" in page
    assert "-21.5 dBm" in page
    assert "Task completed by 林师傅" in page
    assert "Complete task" not in page


def test_the_same_report_sent_twice_is_taken_once(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    page = browser.follow(browser.post(f"/tasks/{order}-W01/claim"))
    number = request_id(page)
    for _ in range(2):
        answer = browser.post(f"/tasks/{order}-W01", DONE, request_id=number)
        assert answer.status_code == 303
    site.work()
    assert browser.read(f"/orders/{order}").count("Task completed by") == 1


def test_a_report_for_a_closed_task_is_refused_and_shown_again(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    browser.post(f"/tasks/{order}-W01/claim")
    browser.post(f"/tasks/{order}-W01", DONE, request_id="one")
    again = browser.post(f"/tasks/{order}-W01", DONE | {"remark": "二次填写"}, request_id="two")
    assert again.status_code == 409
    assert "is already completed" in again.text
    assert "二次填写" in again.text


def test_a_colleagues_task_cannot_be_completed(site: Site) -> None:
    order = site.order_on_site()
    site.browser("crew-e1").post(f"/tasks/{order}-W01/claim")
    colleague = site.browser("crew-e1b")
    answer = colleague.post(f"/tasks/{order}-W01", DONE)
    assert answer.status_code == 409
    assert "belongs to another person" in answer.text
    assert "Complete task" not in colleague.read(f"/tasks/{order}-W01")


def test_a_task_that_was_given_back_can_be_claimed_by_a_colleague(site: Site) -> None:
    order = site.order_on_site()
    first, second = site.browser("crew-e1"), site.browser("crew-e1b")
    first.post(f"/tasks/{order}-W01/claim")
    refused = second.follow(second.post(f"/tasks/{order}-W01/release"))
    assert "belongs to another person" in refused
    assert "given back" in first.follow(first.post(f"/tasks/{order}-W01/release"))
    assert "The task is yours now." in second.follow(second.post(f"/tasks/{order}-W01/claim"))


def test_a_crew_finds_the_line_that_was_reserved_on_its_task(site: Site) -> None:
    order = site.order_on_site()
    page = site.browser("crew-e1").read(f"/tasks/{order}-W01")
    for words in ("OLT-E01", "1/1/1", "汀兰路18号", 'href="tel:13800004021"', "Broadband 1000M"):
        assert words in page


def test_the_diagram_follows_the_order(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    state = browser.get(f"/orders/{order}/diagram-state").get_json()
    assert state == {
        "done": ["BB_00", "BB_02", "BB_S0", "BB_03", "BB_05"],
        "current": ["BB_11"],
        "failed": [],
        "badges": {},
    }
    browser.post(f"/tasks/{order}-W01/claim")
    browser.post(f"/tasks/{order}-W01", DONE)
    site.work()
    state = browser.get(f"/orders/{order}/diagram-state").get_json()
    assert state["current"] == state["failed"] == []
    assert {"BB_11", "BB_G1", "BB_12", "BB_13", "BB_S9", "BB_S", "BB_15", "BB_99"} <= set(state["done"])


def test_an_unchanged_diagram_costs_no_answer(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    path = f"/orders/{order}/diagram-state"
    etag = browser.get(path).headers["ETag"]
    same = browser.get(path, **{"If-None-Match": etag})
    assert (same.status_code, same.text) == (304, "")
    browser.post(f"/tasks/{order}-W01/claim")
    browser.post(f"/tasks/{order}-W01", DONE)
    changed = browser.get(path, **{"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_a_line_that_cannot_be_built_returns_the_order_with_its_reason(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("crew-e1")
    browser.post(f"/tasks/{order}-W01/claim")
    browser.post(f"/tasks/{order}-W01", {"result": "cannot_build", "reason": "管道堵塞，无法穿缆"})
    site.work()
    page = browser.read(f"/orders/{order}")
    assert "returned" in page
    assert "The order cannot be delivered." in page
    assert html.fromstring(page).xpath("//code[starts-with(., 'R05')]")
    state = browser.get(f"/orders/{order}/diagram-state").get_json()
    assert state["failed"] == ["BB_X05"]
    assert {"BB_SE", "BB_E1", "BB_E2", "BB_E3", "BB_E9"} <= set(state["done"])
    steps = html.fromstring(page).xpath("//ol[@class='steps']/li/span[1]/text()")
    assert "Undo in the network" in steps
    assert "Close out with the CRM" not in steps


def test_the_timeline_fragment_is_no_whole_page(site: Site) -> None:
    order = site.order_on_site()
    fragment = site.browser("crew-e1").read(f"/orders/{order}/timeline")
    assert "<html" not in fragment
    for words in ("Order received", "Check resources: done", "Port reserved", "Task for crew East crew 1"):
        assert words in fragment


def test_a_note_is_kept_with_its_author(site: Site) -> None:
    order = site.order_on_site()
    browser = site.browser("dispatcher")
    page = browser.follow(browser.post(f"/orders/{order}/notes", text="客户 <i>周末</i> 在家"))
    assert "The note is saved." in page
    assert "陈调度" in page
    assert "客户 &lt;i&gt;周末&lt;/i&gt; 在家" in browser.page
    assert "nothing was saved" in browser.follow(browser.post(f"/orders/{order}/notes", text="  "))
    assert site.browser("crew-e1").post(f"/orders/{order}/notes", text="x").status_code == 403


def test_variables_are_shown_to_operators_only(site: Site) -> None:
    order = site.order_on_site()
    assert "acceptance_mbps" in site.browser("operator").read(f"/orders/{order}")
    assert "acceptance_mbps" not in site.browser("dispatcher").read(f"/orders/{order}")


def test_the_diagram_is_served_byte_by_byte_as_it_was_uploaded(site: Site) -> None:

    order = site.order_on_site()
    browser = site.browser("crew-e1")
    [path] = html.fromstring(browser.read(f"/orders/{order}")).xpath("//@data-xml-url")
    answer = browser.get(path)
    assert answer.data == SMALL.xml
    assert answer.mimetype == "application/xml"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.get(path, **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
