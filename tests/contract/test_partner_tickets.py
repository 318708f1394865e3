"""What is special to tickets at partners: found by our number, withdrawn when they are taken back, looked at."""

from __future__ import annotations

import pytest

from engine.errors import Permanent, Retryable
from engine.ports import Call, Observed

from .kit import PARTNER_TICKET, Bench

WHICH = {name: PARTNER_TICKET[name] for name in ("partner", "ticket")}


def test_a_ticket_is_told_as_tmf621_has_it(bench: Bench) -> None:
    made = bench.do("partner.ticket.create", {**PARTNER_TICKET, "severity": "critical"})

    assert made.output == {"partner_number": "CAT-T5001", "status": "acknowledged"}
    (ticket,) = bench.sims.partner.tickets().all()
    assert ticket["externalId"] == "TT-20261122-000045"
    assert (ticket["ticketType"], ticket["severity"]) == ("fault", "critical")
    assert ticket["relatedEntity"] == [{"id": "CAT-77120", "role": "line", "@referredType": "Service"}]


def test_the_partners_progress_is_seen(bench: Bench) -> None:
    bench.do("partner.ticket.create", PARTNER_TICKET)
    bench.sims.partner.tickets().move("TT-20261122-000045", "resolved")

    seen = bench.do("partner.ticket.state", WHICH)

    assert seen.output == {"partner_number": "CAT-T5001", "status": "resolved"}


def test_a_ticket_that_never_came_is_said_to_be_unknown(bench: Bench) -> None:
    with pytest.raises(Permanent) as refused:
        bench.do("partner.ticket.state", WHICH)
    assert refused.value.bpmn_code == "TICKET_UNKNOWN"

    bench.do("partner.ticket.create", PARTNER_TICKET)
    with pytest.raises(Permanent):
        bench.do("partner.ticket.state", {**WHICH, "partner": "P-YQ"})


@pytest.mark.parametrize(("status", "outcome"), [("inProgress", "done"), ("resolved", "already")])
def test_taking_it_back_withdraws_what_is_not_over(bench: Bench, status: str, outcome: str) -> None:
    call = Call("partner.ticket.create", "first", PARTNER_TICKET)
    adapter = bench.adapter(call.operation)
    plan = adapter.plan(call)
    adapter.apply(call, plan)
    bench.sims.partner.tickets().move("TT-20261122-000045", status)

    assert adapter.undo(call, plan).outcome == outcome
    assert adapter.undo(call, plan).outcome == "already"

    (ticket,) = bench.sims.partner.tickets().all()
    assert ticket["status"] == ("cancelled" if outcome == "done" else "resolved")


def test_another_report_under_the_same_number_is_different(bench: Bench) -> None:
    bench.do("partner.ticket.create", PARTNER_TICKET)
    call = Call("partner.ticket.create", "other", {**PARTNER_TICKET, "description": "别的"})
    adapter = bench.adapter(call.operation)

    assert adapter.observe(call, adapter.plan(call))[0] is Observed.DIFFERENT


def test_a_list_where_an_object_was_asked_for_is_no_answer(bench: Bench) -> None:
    bench.sims.partner.fault("garbage", times=1, operation="partner.ticket.get")

    with pytest.raises(Retryable):
        bench.do("partner.ticket.state", WHICH)
