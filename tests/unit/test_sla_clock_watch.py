"""Telling a wall clock that was set from time that passes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.testing import FakeClock
from sla.ticker import ClockWatch


def test_time_that_passes_is_no_jump() -> None:
    clock = FakeClock()
    watch = ClockWatch(clock)
    clock.advance(timedelta(days=2))
    assert watch.jump() == timedelta(0)


@pytest.mark.parametrize("by", [timedelta(hours=-1), timedelta(hours=48), timedelta(seconds=-3)])
def test_a_wall_clock_that_is_set_is_found_once(by: timedelta) -> None:
    clock = FakeClock()
    watch = ClockWatch(clock)
    clock.advance(timedelta(seconds=1))
    clock.set(clock.now() + by)
    assert watch.jump() == by
    clock.advance(timedelta(seconds=1))
    assert watch.jump() == timedelta(0)
