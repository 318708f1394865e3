"""The daily comparison of open orders: what differs is told, once a day, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.events import Event
from engine.jobs.model import Job
from engine.partners.comparison import Difference, differences
from engine.ports import Call
from engine.store import Store
from tests.partner_parts import Partnered, running_partners
from web import bootstrap

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def it(store: Store, tmp_path: Path) -> Iterator[Partnered]:
    with running_partners(store, tmp_path) as running:
        running.start()  # Sunday 09:12
        running.move(to="accepted")
        running.site.clock.advance(HOUR / 2)
        yield running


def compare(it: Partnered) -> list[dict[str, Any]]:
    """What a day's comparison tells."""
    bootstrap.partner_comparison(it.site.services).run()
    it.site.work()
    with it.site.store.read() as session:
        found = session.query(Event).filter(Event.kind == "PartnerOrderDiffers").order_by(Event.id)
        return [{"order": e.business_key, **e.data} for e in found]


def counts(it: Partnered) -> list[tuple[int, int, int]]:
    with it.site.store.read() as session:
        found = session.query(Event).filter(Event.kind == "PartnerOrdersCompared").order_by(Event.id)
        return [(e.data["ours"], e.data["theirs"], e.data["differences"]) for e in found]


def test_equal_sides_give_no_difference_and_one_comparison_a_day(it: Partnered) -> None:
    for _ in range(3):
        assert compare(it) == []
    assert counts(it) == [(1, 1, 0)]
    it.site.clock.advance(DAY)
    compare(it)
    assert len(counts(it)) == 2


def test_before_six_in_the_morning_nobody_is_asked(it: Partnered) -> None:
    it.site.clock.advance(19 * HOUR)  # 04:42 of the next day
    compare(it)
    assert counts(it) == []


def test_a_message_that_was_lost_shows_as_a_difference_of_states(it: Partnered) -> None:
    it.partners.behave(silent=True)
    it.partners.advance(f"{it.key}-P01", to="on_site")

    (found,) = compare(it)

    assert (found["order"], found["what"]) == (it.key, "state")
    assert (found["ours"], found["theirs"]) == ("accepted", "on_site")
    assert it.orders() == {"P01": "accepted"}


def test_an_order_that_has_just_changed_is_passed_over(it: Partnered) -> None:
    it.partners.behave(silent=True)
    it.tell({"id": "x", "order": f"{it.key}-P01", "state": "on_site", "at": "2026-11-22T09:30:00+08:00"})

    assert compare(it) == []


def test_an_order_that_nobody_gave_them_is_told(it: Partnered) -> None:
    adapter = it.site.services.registry.adapter_for("partner.order.send")
    args = {
        "partner": "P-CAT",
        "partner_order": "X-P01",
        "product": "P",
        "address": "A",
        "customer": "林",
        "phone": "1",
    }
    call = Call("partner.order.send", "k", args)
    adapter.apply(call, adapter.plan(call))

    (found,) = compare(it)
    assert (found["order"], found["partner_order"], found["what"]) == (None, "X-P01", "unknown_here")


def test_a_partner_that_is_away_is_asked_again(it: Partnered) -> None:
    it.partners.fault("unavailable", operation="partner.orders.list", times=2)
    compare(it)
    assert counts(it) == []
    for _ in range(3):
        it.site.clock.advance(HOUR / 60)
        it.site.work()
    assert counts(it) == [(1, 1, 0)]
    with it.site.store.read() as session:
        assert [j.state for j in session.query(Job).filter(Job.kind == "compare")] == ["done"]


@pytest.mark.parametrize(
    ("ours", "theirs", "what"),
    [
        ("accepted", None, "missing_there"),
        ("sent", "received", "state"),
        ("stopped", "on_site", "closed_here"),
        (None, "done", "unknown_here"),
        ("sent_back", "sent_back", None),
        ("opened", None, None),
        ("confirmed", None, None),
    ],
)
def test_kinds_of_differences(ours: str | None, theirs: str | None, what: str | None) -> None:
    found = differences({"P": ours} if ours else {}, {"P": theirs} if theirs else {})

    assert found == ([] if what is None else [Difference("P", what, ours, theirs)])  # type: ignore[arg-type]
