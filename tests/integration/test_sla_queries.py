"""The three lists of the SLA page and their sizes: what is in them, for whom, page by page, without a table scan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from engine.errors import BadInput
from engine.identity.actor import Actor
from engine.orders.model import ServiceOrder
from engine.store import Store
from sla.clocks import Clocks
from sla.queries import ClockPage, Totals, at_risk, breached, late_closed, totals
from sla.sweep import Sweep
from tests.actors import an_actor
from tests.integration.sla_parts import START, Duty, an_order, hire, hours, promise

Listing = Callable[[Session, Actor, datetime, str | None, int], ClockPage]
EVERYWHERE = an_actor("SV", person_id=9)
EAST = an_actor("SV", person_id=8, areas=frozenset({"YT-E"}))
CREW = an_actor("FC", person_id=1, login="fc")


def place(
    store: Store,
    number: int,
    placed: timedelta = timedelta(0),
    *,
    area: str = "YT-E",
    ended: timedelta | None = None,
) -> None:
    with store.write() as session:
        order: ServiceOrder = an_order(session, number, area=area)
        Clocks().on_order_placed(session, order, START + placed)
        if ended is not None:
            order.state = "completed"
            Clocks().on_order_ended(session, order, START + ended)


@pytest.fixture
def city(store: Store) -> Store:
    """At 50 h: 1 and 2 overdue, 3 at risk, 4 young, 5 closed late, 6 closed in time; 2 and 8 in the north, 8 at risk."""
    with store.write() as session:
        hire(session)
        promise(session, order_type="BB")
    place(store, 1)
    place(store, 2, hours(1), area="YT-N")
    place(store, 3, hours(20))
    place(store, 4, hours(30))
    place(store, 5, ended=hours(49))
    place(store, 6, ended=hours(47))
    place(store, 8, hours(26), area="YT-N")
    return store


NOW = START + hours(50)


def numbers(page: ClockPage) -> list[int]:
    return [int(row.order[-6:]) for row in page.items]


def test_each_list_holds_what_its_name_says_in_order_of_urgency(city: Store) -> None:
    with city.read() as session:
        assert numbers(at_risk(session, EVERYWHERE, NOW, None, 10)) == [3, 8]
        assert numbers(breached(session, EVERYWHERE, NOW, None, 10)) == [1, 2]
        assert numbers(late_closed(session, EVERYWHERE, NOW, None, 10)) == [5]
        assert totals(session, EVERYWHERE, NOW) == Totals(at_risk=2, breached=2, late_closed=1)


def test_a_clock_is_at_risk_from_half_of_its_time_until_its_limit(city: Store) -> None:
    def found(at: timedelta) -> tuple[bool, bool]:
        with city.read() as session:
            return (
                4 in numbers(at_risk(session, EVERYWHERE, START + at, None, 10)),
                4 in numbers(breached(session, EVERYWHERE, START + at, None, 10)),
            )

    moment = timedelta(milliseconds=1)
    assert [found(at) for at in (hours(54) - moment, hours(54), hours(78) - moment, hours(78))] == [
        (False, False),
        (True, False),
        (True, False),
        (False, True),
    ]


def test_a_row_says_how_much_time_is_used_and_which_rung_has_fired(city: Store) -> None:
    with city.write() as session:
        Sweep(Duty()).sweep(session, NOW)
    with city.read() as session:
        row = at_risk(session, EVERYWHERE, NOW, None, 1).items[0]
        late = late_closed(session, EVERYWHERE, NOW, None, 1).items[0]
    assert (row.order, row.subject, row.area, row.element) == ("BB-20261122-000003", "order", "YT-E", None)
    assert (row.label, row.label_en) == ("承诺 HOME48", "Promise HOME48")
    assert (row.due_at, row.percent_used, row.level) == (START + hours(68), 62, 50)
    assert (late.ended_at, late.percent_used) == (START + hours(49), 102)


def test_a_supervisor_sees_the_clocks_of_the_own_areas_only(city: Store) -> None:
    with city.read() as session:
        assert numbers(at_risk(session, EAST, NOW, None, 10)) == [3]
        assert numbers(breached(session, EAST, NOW, None, 10)) == [1]
        assert totals(session, EAST, NOW) == Totals(at_risk=1, breached=1, late_closed=1)


def test_without_the_right_to_see_promises_the_lists_are_empty(city: Store) -> None:
    with city.read() as session:
        assert numbers(breached(session, CREW, NOW, None, 10)) == []
        assert totals(session, CREW, NOW) == Totals(0, 0, 0)


@pytest.mark.parametrize(("listing", "forward"), [(breached, True), (late_closed, False)])
def test_pages_follow_each_other_without_gap_or_repeat_even_with_equal_limits(
    store: Store, listing: Listing, forward: bool
) -> None:
    with store.write() as session:
        promise(session, order_type="BB")
    for number in range(7):
        place(store, number, hours(number // 3), ended=None if forward else hours(60))
    seen: list[int] = []
    cursor: str | None = None
    with store.read() as session:
        for _ in range(4):
            page = listing(session, EVERYWHERE, START + hours(60), cursor, 2)
            seen += numbers(page)
            cursor = page.next
    assert cursor is None
    assert seen == (list(range(7)) if forward else list(reversed(range(7))))


@pytest.mark.parametrize("cursor", ["", "x", "1", "1.2.3", "1.x", "9" * 40 + ".1", "1." + "9" * 19, "-1.1"])
def test_a_foreign_cursor_is_refused(city: Store, cursor: str) -> None:
    with city.read() as session, pytest.raises(BadInput):
        breached(session, EVERYWHERE, NOW, cursor, 10)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("listing", [at_risk, breached, late_closed])
@pytest.mark.parametrize("actor", [EVERYWHERE, EAST])
@pytest.mark.parametrize("cursor", [None, "1764000000000.5"])
def test_a_page_is_read_from_the_index_without_sorting(
    city: Store, listing: Listing, actor: Actor, cursor: str | None
) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(city.engine, "before_cursor_execute", note)
    with city.read() as session:
        listing(session, actor, NOW, cursor, 10)
        event.remove(city.engine, "before_cursor_execute", note)
        statement, parameters = next(entry for entry in asked if "ORDER BY sla_clock.due_at" in entry[0])
        plan = session.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters).all()
    (step,) = [row[-1] for row in plan]
    assert "ix_sla_clock_state_due_at_id (state=?" in step
