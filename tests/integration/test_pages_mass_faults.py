"""The pages of mass faults: opening one, deciding on a proposal, taking a ticket out, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store
from tests.tickets import EVERYBODY, Reports, running_reports

PAGE = "/mass-faults"


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Iterator[Reports]:
    with running_reports(store, tmp_path) as found:
        yield found


def test_a_person_opens_one_and_sees_its_tickets(reports: Reports) -> None:
    ticket = reports.report(reports.neighbours(1)[0])
    browser = reports.site.browser(EVERYBODY)
    assert "No mass fault is going on." in browser.read(PAGE)

    answer = browser.post(PAGE, {"node": "OLT-N01", "pon": "1/5", "description": "多户断网"})
    page = browser.follow(answer)

    assert "is open" in page
    assert "OLT-N01 1/5" in page
    reports.site.work()
    page = browser.read(answer.location)
    assert ticket in page
    assert "1 waiting, 0 good, 0 bad" in page
    assert "Locate and word" in page
    assert answer.location.rsplit("/", 1)[1] in browser.read(PAGE)


def test_mistakes_are_told_on_the_page(reports: Reports) -> None:
    browser = reports.site.browser(EVERYBODY, "zh_CN")
    browser.read(PAGE)
    for values, said in (
        ({"node": "OLT-N01", "pon": "1/99", "description": "x"}, "没有此 PON 口"),
        ({"node": "OLT-N01", "pon": "", "description": " "}, "说明已知情况"),
    ):
        assert said in browser.follow(browser.post(PAGE, values))
    assert reports.faults() == []


def test_a_proposal_is_confirmed_or_dismissed(reports: Reports) -> None:
    for name, place in (("A-1", "OLT-N01 1/6"), ("A-2", "OLT-N01 1/7")):
        reports.alarm(name, place)
    reports.later(minutes=3)
    first, second = (f["id"] for f in reports.faults())
    browser = reports.site.browser(EVERYBODY)
    assert "proposed" in browser.read(f"{PAGE}/{first}")

    assert "reports of its lines join it" in browser.follow(browser.post(f"{PAGE}/{first}/confirm"))
    assert "was dismissed" in browser.follow(browser.post(f"{PAGE}/{second}/dismiss"))
    assert "no longer possible" in browser.follow(browser.post(f"{PAGE}/{second}/confirm"))
    assert "was withdrawn" in browser.follow(browser.post(f"{PAGE}/{first}/withdraw"))
    assert second in browser.read(f"{PAGE}?tab=all")
    assert browser.post(f"{PAGE}/GF-1/confirm").status_code == 404


def test_the_network_centre_is_told_of_a_proposal(reports: Reports) -> None:
    reports.alarm()
    reports.later(minutes=3)
    (fault,) = reports.faults()

    page = reports.site.browser(EVERYBODY).read("/inbox")

    assert f"OLT-N01 1/5 may be a mass fault, {fault['id']}: confirm or dismiss it" in page
    assert f"/mass-faults/{fault['id']}" in page
    assert fault["id"] not in reports.site.browser("service").read("/inbox")


def test_a_ticket_is_taken_out(reports: Reports) -> None:
    ticket = reports.report(reports.neighbours(1)[0])
    browser = reports.site.browser(EVERYBODY)
    browser.read(PAGE)
    made = browser.post(PAGE, {"node": "OLT-N01", "pon": "1/5", "description": "断网"}).location
    reports.site.work()
    browser.read(made)

    page = browser.follow(browser.post(f"{made}/tickets/{ticket}/leave"))

    assert "leaves the mass fault" in page
    reports.site.work()
    assert "taken out" in browser.read(made)
    timeline = browser.read(f"/orders/{ticket}")
    assert "Joined a mass fault" in timeline
    assert "Left the mass fault" in timeline


def test_the_page_of_a_report_names_its_line_and_what_it_belongs_to(reports: Reports) -> None:
    line = reports.neighbours(1)[0]
    browser = reports.site.browser(EVERYBODY)
    browser.read(PAGE)
    fault = browser.post(PAGE, {"node": "OLT-N01", "pon": "1/5", "description": "断网"}).location
    reports.site.work()

    page = browser.read(f"/orders/{reports.report(line)}")

    assert line in page
    assert "OLT-N01 1/5/1" in page
    assert "/amend" not in page
    assert f'href="{fault}"' in page
    assert "Belongs to a mass fault or planned work" in page


def test_who_only_looks_has_no_buttons(reports: Reports) -> None:
    reports.alarm()
    reports.later(minutes=3)
    (fault,) = reports.faults()
    browser = reports.site.browser("service")

    assert "Open a mass fault" not in browser.read(PAGE)
    assert "Confirm" not in browser.read(f"{PAGE}/{fault['id']}")
    assert browser.post(f"{PAGE}/{fault['id']}/confirm").status_code == 403
    assert reports.site.browser("crew-e1").get(PAGE).status_code == 403
    assert reports.site.browser("dispatcher").get(f"{PAGE}/{fault['id']}").status_code == 404
