"""The ledger of outside calls: what is recorded before, what is believed after, and what is never sent twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.jobs.ledger import Ledger, Place
from engine.jobs.model import AdapterCall
from engine.jobs.queue import ClaimLost
from engine.ports import Call
from engine.store import Store
from engine.testing import FakeClock, FakeNetwork
from tests.bpmn_xml import end, flows, service, start
from tests.command_parts import Site


class Crash(BaseException):
    """The process dies here: nothing after this runs."""


class Desk:
    """A ledger, a network, and one call."""

    def __init__(self, store: Store) -> None:
        self.store, self.network = store, FakeNetwork()
        self.ledger = Ledger(store, FakeClock())

    def perform(
        self,
        key: str = "k",
        value: object = 5,
        operation: str = "fake.set",
        guard: Callable[[Session], None] | None = None,
    ) -> object:
        call = Call(operation, key, {"name": "n", "value": value})
        return self.ledger.perform(self.network, call, Place(None, "v"), guard or (lambda session: None))

    def undo(self, key: str = "k") -> None:
        self.ledger.undo(self.network, key)

    def row(self, key: str = "k") -> AdapterCall | None:
        with self.store.read() as session:
            return session.scalars(select(AdapterCall).where(AdapterCall.key == key)).one_or_none()

    def state(self) -> str | None:
        row = self.row()
        return row.state if row is not None else None

    def sent(self) -> int:
        return len([e for e in self.network.effects if e[0] == "apply"])


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def test_a_call_is_recorded_with_its_plan_and_its_result(desk: Desk) -> None:
    assert desk.perform() == {"value": 5}
    row = desk.row()
    assert row is not None
    assert (row.state, row.result, row.attempts, row.target, row.element) == (
        "DONE",
        {"value": 5},
        1,
        "fake:n",
        "v",
    )
    assert row.plan is not None
    assert row.plan["undo"] == {"value": None}


def test_sent_is_in_the_database_before_the_effect(desk: Desk) -> None:
    seen = []

    class Watched(FakeNetwork):
        def apply(self, call, plan):  # type: ignore[no-untyped-def]
            seen.append(desk.state())
            return super().apply(call, plan)

    desk.network = Watched()
    desk.perform()
    assert seen == ["SENT"]


def test_a_repeat_gives_the_recorded_result_without_asking(desk: Desk) -> None:
    desk.perform()
    desk.network.away = Retryable(target="n", detail="down")
    assert desk.perform() == {"value": 5}
    assert desk.sent() == 1


# ---- the process dies


def test_a_crash_after_the_effect_is_found_out_by_looking(desk: Desk) -> None:
    desk.network.after = Crash()
    with pytest.raises(Crash):
        desk.perform()
    assert desk.state() == "SENT"
    assert desk.perform() == {"value": 5}
    assert (desk.state(), desk.sent()) == ("DONE", 1)


def test_a_crash_before_the_effect_is_sent_again(desk: Desk) -> None:
    desk.network.before = Crash()
    with pytest.raises(Crash):
        desk.perform()
    assert desk.perform() == {"value": 5}
    row = desk.row()
    assert row is not None
    assert (row.state, row.attempts, desk.sent()) == ("DONE", 2, 1)


def test_after_a_crash_something_else_at_the_target_is_for_a_person(desk: Desk) -> None:
    desk.network.before = Crash()
    with pytest.raises(Crash):
        desk.perform()
    desk.network.numbers["n"] = 99  # somebody else was there
    with pytest.raises(NeedsHuman, match="different"):
        desk.perform()
    assert (desk.state(), desk.sent(), desk.network.numbers) == ("HUMAN", 0, {"n": 99})


def test_after_a_crash_a_target_that_cannot_tell_is_for_a_person(desk: Desk) -> None:
    desk.network.before, desk.network.looked_away = Crash(), True
    with pytest.raises(Crash):
        desk.perform()
    with pytest.raises(NeedsHuman, match="unknown"):
        desk.perform()
    assert desk.sent() == 0


def test_a_re_run_that_finds_the_effect_there_keeps_what_it_takes_to_undo_it(desk: Desk) -> None:
    desk.network.after = Crash()
    with pytest.raises(Crash):
        desk.perform()
    desk.network.looked_away = True
    with pytest.raises(NeedsHuman):
        desk.perform()
    desk.network.looked_away = False
    assert desk.perform() == {"value": 5}  # a person has looked, and re-runs it

    desk.undo()

    assert desk.network.numbers == {}


def test_what_is_never_repeated_is_not_sent_again_even_if_nothing_is_seen(desk: Desk) -> None:
    desk.network.before = Crash()
    with pytest.raises(Crash):
        desk.perform(operation="fake.once")
    with pytest.raises(NeedsHuman, match="absent"):
        desk.perform(operation="fake.once")
    assert (desk.state(), desk.sent()) == ("HUMAN", 0)


# ---- answers


def test_a_lost_answer_is_looked_up_not_sent_again(desk: Desk) -> None:
    desk.network.after = OutcomeUnknown(target="n", detail="timeout")
    with pytest.raises(OutcomeUnknown):
        desk.perform()
    assert desk.state() == "UNKNOWN"
    assert desk.perform() == {"value": 5}
    assert (desk.state(), desk.sent()) == ("DONE", 1)


def test_while_a_lost_answer_cannot_be_looked_up_nothing_is_sent(desk: Desk) -> None:
    desk.network.before = OutcomeUnknown(target="n", detail="timeout")
    with pytest.raises(OutcomeUnknown):
        desk.perform()
    desk.network.away = Retryable(target="n", detail="down")
    with pytest.raises(OutcomeUnknown, match="down"):
        desk.perform()
    assert (desk.state(), desk.sent()) == ("UNKNOWN", 0)
    desk.network.away = None
    desk.perform()
    assert (desk.state(), desk.sent()) == ("DONE", 1)


def test_a_refusal_is_recorded_with_the_code_of_the_other_side(desk: Desk) -> None:
    desk.network.before = Permanent("F01", target="n", detail="no such number")
    with pytest.raises(Permanent):
        desk.perform()
    row = desk.row()
    assert row is not None
    assert (row.state, row.error_code) == ("FAILED", "F01")
    assert "no such number" in (row.error or "")
    assert desk.perform() == {"value": 5}  # a person has mended the cause and retried


def test_what_certainly_did_not_happen_is_sent_again_without_a_look(desk: Desk) -> None:
    desk.network.before = Retryable(target="n", detail="refused connection")
    with pytest.raises(Retryable):
        desk.perform()
    assert desk.state() == "RETRY"
    desk.network.looked_away = True
    assert desk.perform() == {"value": 5}


def test_an_input_that_does_not_fit_is_never_sent(desk: Desk) -> None:
    with pytest.raises(NeedsHuman, match="input"):
        desk.perform(value="many")
    assert (desk.row(), desk.sent()) == (None, 0)


def test_an_answer_that_does_not_fit_is_not_believed(desk: Desk) -> None:
    class Garbled(FakeNetwork):
        def apply(self, call, plan):  # type: ignore[no-untyped-def]
            return type(super().apply(call, plan))("done", {"price": "?"})

    desk.network = Garbled()
    with pytest.raises(OutcomeUnknown, match="answer"):
        desk.perform()
    assert desk.perform() == {"value": 5}
    assert desk.sent() == 1


def test_a_guard_stops_the_call_before_anything_is_recorded_or_sent(desk: Desk) -> None:
    def lost(session: Session) -> None:
        raise ClaimLost()

    with pytest.raises(ClaimLost):
        desk.perform(guard=lost)
    assert (desk.row(), desk.sent()) == (None, 0)


# ---- undo


def test_an_effect_is_taken_back_to_what_was_there_before(desk: Desk) -> None:
    desk.network.numbers["n"] = 3
    desk.perform()
    desk.undo()
    assert (desk.state(), desk.network.numbers) == ("UNDONE", {"n": 3})
    desk.undo()
    assert [e[0] for e in desk.network.effects] == ["apply", "undo"]


def test_a_call_whose_answer_was_lost_is_undone_if_it_happened(desk: Desk) -> None:
    desk.network.after = OutcomeUnknown(target="n", detail="timeout")
    with pytest.raises(OutcomeUnknown):
        desk.perform()
    desk.undo()
    assert (desk.state(), desk.network.numbers) == ("UNDONE", {})


def test_a_call_that_never_happened_is_not_undone_at_the_target(desk: Desk) -> None:
    desk.network.before = OutcomeUnknown(target="n", detail="timeout")
    with pytest.raises(OutcomeUnknown):
        desk.perform()
    desk.undo()
    assert (desk.state(), desk.network.effects) == ("UNDONE", [])


@pytest.mark.parametrize("error", [Retryable, NeedsHuman])
def test_a_call_that_failed_before_it_was_planned_needs_no_look_to_be_undone(
    desk: Desk, error: type[Retryable]
) -> None:
    desk.network.away = error(target="n", detail="down")
    with pytest.raises(error):
        desk.perform()
    desk.undo()
    assert (desk.state(), desk.network.effects) == ("UNDONE", [])


def test_a_refused_call_and_an_unknown_one_need_no_undo(desk: Desk) -> None:
    desk.network.before = Permanent("F01", target="n", detail="no")
    with pytest.raises(Permanent):
        desk.perform()
    desk.undo()
    desk.undo("never")
    assert (desk.state(), desk.network.effects) == ("FAILED", [])


def test_an_undo_that_breaks_off_is_repeated_whole(desk: Desk) -> None:
    desk.perform()
    desk.network.after = Crash()
    with pytest.raises(Crash):
        desk.undo()
    assert desk.state() == "UNDOING"
    desk.undo()
    assert (desk.state(), desk.network.numbers) == ("UNDONE", {})


def test_calls_of_an_instance_are_listed_last_first(desk: Desk) -> None:
    site = Site(desk.store, start(), service("v"), end(), flows("s v e"))
    place = Place(site.start(), "v")
    for n, key in enumerate(("a", "b", "c")):
        desk.ledger.perform(
            desk.network, Call("fake.set", key, {"name": key, "value": n}), place, lambda s: None
        )
    assert [c.key for c in desk.ledger.calls_of(site.instance_id)] == ["c", "b", "a"]
