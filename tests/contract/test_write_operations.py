"""The contract of `engine.ports.Adapter`, once for every operation that changes something."""

from __future__ import annotations

import json
import logging
import traceback
from dataclasses import asdict, replace

import pytest

from engine.errors import AdapterError, NeedsHuman, OutcomeUnknown, Permanent, Retryable
from engine.ports import Observed, Undo

from .kit import Case, seconds_of


def test_planning_changes_nothing(case: Case) -> None:
    plan = case.plan()

    assert case.effects() == []
    assert not plan.already
    assert plan.steps
    assert case.observe() is Observed.ABSENT


def test_a_plan_can_be_stored_as_json(case: Case) -> None:
    assert json.loads(json.dumps(asdict(case.plan())))["before"] == dict(case.plan().before)


def test_what_was_applied_is_observed_as_equal(case: Case) -> None:
    result = case.apply()
    observed, output = case.adapter.observe(case.call, case.plan())

    assert result.outcome == "done"
    assert observed is Observed.EQUAL
    assert output == result.output
    assert case.adapter.operations()[case.what.name].response().validate(output) == {}
    assert case.plan().already


def test_the_same_key_twice_is_one_effect(case: Case) -> None:
    plan = case.plan()
    first = case.adapter.apply(case.call, plan)
    second = case.adapter.apply(replace(case.call, attempt=2), plan)

    assert second.outcome == "already"
    assert second.output == first.output
    assert [(e["operation"], e["repeats"]) for e in case.effects()] == [(case.at_simulator, 1)]


def test_a_refusal_carries_a_declared_code_and_changes_nothing(case: Case) -> None:
    case.fail("refuse")

    with pytest.raises(Permanent) as refused:
        case.apply()

    assert refused.value.bpmn_code == case.what.refusal
    assert refused.value.bpmn_code in case.adapter.operations()[case.what.name].errors
    assert case.effects() == []
    assert case.apply().outcome == "done", "after a refusal the same key may be tried again"


def test_a_refused_connection_is_retryable_within_the_deadline(case: Case) -> None:
    plan = case.plan()
    case.bench.stop()

    def all_three() -> None:
        with pytest.raises(Retryable):
            case.adapter.plan(case.call)
        with pytest.raises(Retryable):
            case.adapter.apply(case.call, plan)
        with pytest.raises(Retryable):
            case.adapter.observe(case.call, plan)

    assert seconds_of(all_three) < case.adapter.operations()[case.what.name].timeout_s
    case.bench.start()
    assert case.effects() == []
    assert case.apply().outcome == "done", "the simulator came back on another port and was found"


def test_a_slow_answer_is_unknown_at_the_time_out_and_then_found(case: Case) -> None:
    plan = case.plan()
    case.fail("delay", seconds=60)

    def slow() -> None:
        with pytest.raises(OutcomeUnknown):
            case.impatient.apply(case.call, plan)

    assert seconds_of(slow) < 3
    assert case.observe() is Observed.EQUAL
    assert len(case.effects()) == 1


def test_a_lost_answer_is_unknown_then_found_and_never_done_again(case: Case) -> None:
    plan = case.plan()
    case.fail("lost_answer")

    with pytest.raises(OutcomeUnknown):
        case.adapter.apply(case.call, plan)

    assert case.observe() is Observed.EQUAL
    assert case.adapter.apply(case.call, plan).outcome == "already"
    assert len(case.effects()) == 1


def test_a_lost_request_is_unknown_then_absent_and_can_be_sent_again(case: Case) -> None:
    plan = case.plan()
    case.fail("lost_request")

    with pytest.raises(OutcomeUnknown):
        case.adapter.apply(case.call, plan)

    assert case.observe() is Observed.ABSENT
    assert case.adapter.apply(case.call, plan).outcome == "done"
    assert len(case.effects()) == 1


def test_a_garbage_answer_is_unknown_and_then_found(case: Case) -> None:
    case.fail("garbage")

    with pytest.raises(OutcomeUnknown):
        case.apply()

    assert case.observe() is Observed.EQUAL
    assert len(case.effects()) == 1


def test_garbage_while_reading_is_only_retryable(case: Case) -> None:
    case.fail("garbage", operation=case.what.read)

    with pytest.raises(Retryable):
        case.plan()

    assert case.apply().outcome == "done"


def test_an_effect_that_cannot_be_read_back_is_unknown(case: Case) -> None:
    plan = case.plan()
    case.fail("unavailable", operation=case.what.read)

    with pytest.raises(OutcomeUnknown):
        case.adapter.apply(case.call, plan)

    assert case.observe() is Observed.EQUAL


def test_an_unavailable_target_is_retryable_and_did_nothing(case: Case) -> None:
    case.fail("unavailable", times=2)

    for _ in range(2):
        with pytest.raises(Retryable):
            case.apply()

    assert case.effects() == []
    assert case.apply().outcome == "done"


def test_undo_restores_and_is_harmless_when_repeated(case: Case) -> None:
    plan = case.plan()
    before = case.simulator.state()
    case.adapter.apply(case.call, plan)

    if case.adapter.operations()[case.what.name].undo is Undo.NONE:
        with pytest.raises(NeedsHuman):
            case.adapter.undo(case.call, plan)
        return

    assert case.adapter.undo(case.call, plan).outcome == "done"
    assert case.simulator.state() == before
    assert case.adapter.undo(case.call, plan).outcome == "already"
    assert len(case.effects()) == 2


def test_arguments_that_do_not_fit_ask_for_a_person_and_send_nothing(case: Case) -> None:
    wrong = replace(case.call, args={**case.call.args, "surplus": 1})

    with pytest.raises(NeedsHuman, match="surplus"):
        case.adapter.plan(wrong)
    with pytest.raises(NeedsHuman, match="surplus"):
        case.adapter.apply(wrong, case.plan())

    assert case.effects() == []


@pytest.mark.parametrize("fault", ["refuse", "lost_answer", "garbage", "unavailable"])
def test_secrets_are_never_shown(case: Case, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    case.fail(fault)

    with pytest.raises(AdapterError) as failed:
        case.apply()
    result = case.apply()

    shown = [
        repr(case.plan()),
        repr(result),
        repr(failed.value),
        repr(failed.value.facts),
        "".join(traceback.format_exception(failed.value)),
        caplog.text,
        json.dumps(case.simulator.effects()),
        json.dumps(case.simulator.state()),
        repr(case.adapter.operations()),
        repr(case.adapter.probe()),
    ]
    assert all(secret not in text for secret in case.what.secrets for text in shown)


def test_a_target_is_named_for_breakers(case: Case) -> None:
    assert case.adapter.target(case.call).partition(":")[0] == case.what.simulator


def test_a_healthy_target_answers_a_probe_and_a_stopped_one_does_not(case: Case) -> None:
    assert case.adapter.probe()["ok"] is True
    case.bench.stop()
    assert case.adapter.probe()["ok"] is False
