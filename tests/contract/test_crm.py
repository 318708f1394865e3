"""What is special to the CRM: the number it knows an order by, and what it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.crm import CrmAdapter
from engine.errors import NeedsHuman
from engine.ports import Call, Observed

from .kit import Bench

REPORT: dict[str, Any] = {"order": "BB-20261122-000123", "state": "completed"}


def test_the_crm_hears_its_own_number_and_all_that_happened(bench: Bench) -> None:
    bench.do(
        "crm.order.report",
        {**REPORT, "external_id": "CRM-88120031/1", "state": "failed", "code": "R04", "message": "无资源"},
    )

    (report,) = bench.sims.crm.state()["reports"]
    assert report["subject"] == "CRM-88120031/1"
    assert report["body"] == {
        "order": "BB-20261122-000123",
        "externalId": "CRM-88120031/1",
        "state": "failed",
        "code": "R04",
        "message": "无资源",
        "facts": {},
    }


def test_an_order_without_a_crm_number_is_reported_by_ours(bench: Bench) -> None:
    assert bench.do("crm.order.report", REPORT).output["receipt"].startswith("R-")
    assert bench.sims.crm.effects()[0]["subject"] == "BB-20261122-000123"


def test_two_reports_with_two_keys_are_two_effects(bench: Bench) -> None:
    first = bench.do("crm.order.report", {**REPORT, "state": "failed"}, key="1")
    second = bench.do("crm.order.report", REPORT, key="2")

    assert first.output != second.output
    assert len(bench.sims.crm.effects()) == 2


def test_a_known_key_with_another_content_is_different(bench: Bench) -> None:
    bench.do("crm.order.report", {**REPORT, "state": "failed"})
    call = Call("crm.order.report", "first", REPORT)
    adapter = bench.adapter(call.operation)

    assert adapter.observe(call, adapter.plan(call))[0] is Observed.DIFFERENT
    assert not adapter.plan(call).already


@pytest.mark.parametrize(
    "wrong", [{"state": "done"}, {"order": ".."}, {"external_id": "a\nb"}, {"facts": ["no mapping"]}]
)
def test_bad_arguments_never_leave_the_house(bench: Bench, wrong: dict[str, Any]) -> None:
    with pytest.raises(NeedsHuman):
        bench.do("crm.order.report", {**REPORT, **wrong})

    assert bench.sims.crm.effects() == []


def test_a_wrong_base_address_is_not_taken_for_an_unknown_report(bench: Bench) -> None:
    adapter = CrmAdapter(replace(bench.settings, crm_url=bench.sims.http_url + "/nobody/"))

    with pytest.raises(NeedsHuman):
        adapter.plan(Call("crm.order.report", "first", REPORT))

    adapter.close()


def test_without_simulators_an_empty_address_is_a_failed_probe(bench: Bench) -> None:
    adapter = CrmAdapter(replace(bench.settings, simulators=False))

    assert "KAITONG_CRM_URL" in adapter.probe()["detail"]
