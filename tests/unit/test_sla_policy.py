"""When deadlines fall: around the clock, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sla.model import SlaPolicy
from sla.policy import plan


def limited(minutes: int, rungs: list[int]) -> SlaPolicy:
    return SlaPolicy(limit_minutes=minutes, rungs=rungs)


def test_48_hours_have_rungs_at_24_and_38_4_hours() -> None:
    start = datetime(2026, 11, 22, 1, 12, tzinfo=UTC)
    due_at, rungs = plan(limited(48 * 60, [50, 80, 100]), start)
    assert due_at == datetime(2026, 11, 24, 1, 12, tzinfo=UTC)
    assert rungs == [
        (50, datetime(2026, 11, 23, 1, 12, tzinfo=UTC)),
        (80, datetime(2026, 11, 23, 15, 36, tzinfo=UTC)),
        (100, datetime(2026, 11, 24, 1, 12, tzinfo=UTC)),
    ]


def test_rungs_come_in_order_and_once_and_may_lie_beyond_the_limit() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    _, rungs = plan(limited(60, [150, 50, 50]), start)
    assert rungs == [(50, start + timedelta(minutes=30)), (150, start + timedelta(minutes=90))]


@pytest.mark.parametrize(
    ("zone", "evening_before_the_change"),
    [
        ("Europe/Helsinki", datetime(2026, 3, 28, 20)),  # noqa: DTZ001 - the zone is put on below
        ("Europe/Helsinki", datetime(2026, 10, 24, 20)),  # noqa: DTZ001
    ],
)
def test_a_change_to_or_from_summer_time_leaves_48_hours_48_hours(
    zone: str, evening_before_the_change: datetime
) -> None:
    start = evening_before_the_change.replace(tzinfo=ZoneInfo(zone))
    due_at, rungs = plan(limited(48 * 60, [50]), start)
    assert due_at - start.astimezone(UTC) == timedelta(hours=48)
    assert rungs[0][1] - start.astimezone(UTC) == timedelta(hours=24)
