"""The stored form of an instance: exact, compact, and honest about what it does not know."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from engine.errors import BadInput
from engine.runtime import codec
from engine.runtime.variables import plain, same
from engine.testing import Driver, RoundTripLost
from tests.bpmn_xml import end, executable, flows, start, sub, user

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters()), st.decimals(allow_nan=False, allow_infinity=False), st.dates(), st.timedeltas(),
    st.datetimes(), st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["$t", "$d", "$o", "$n", "$s", "a", ""]) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@hypothesis.given(VALUES)
@hypothesis.settings(max_examples=300, deadline=None)
def test_any_plain_value_comes_back_exactly_as_it_was(value: Any) -> None:
    assert same(codec.unpack(codec.pack(value)), plain(value, "x"))


@pytest.mark.parametrize(
    "value",
    [{"$t": "x"}, {"$o": {"$t": 1}}, {"$s": [1], "a": 2}, "\ud800", Decimal("0.10"), timedelta(microseconds=-1),
     date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8))), 10**40, True, 1, 1.0],
)  # fmt: skip
def test_values_that_look_like_our_own_marks_come_back_too(value: Any) -> None:
    assert same(codec.unpack(codec.pack(value)), value)


def test_a_tuple_becomes_a_list_when_it_is_stored_and_before() -> None:
    assert codec.unpack(codec.pack((1, (2,)))) == plain((1, (2,)), "x") == [1, [2]]


def test_repetition_is_packed_away() -> None:
    assert len(codec.pack(["construction on site"] * 1000)) < 200


def test_a_format_of_a_later_version_is_refused_with_its_number() -> None:
    with pytest.raises(ValueError, match="newer version"):
        codec.unpack(b"\x07{}")


def test_variables_that_are_nested_without_end_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(BadInput, match="deep"):
        plain(deep, "variables")


def test_an_open_sub_process_is_stored_with_its_variables() -> None:
    inside = start("is"), user("u"), end("ie"), flows("is u ie")
    diagram = executable(start(), sub("S", *inside), end(), flows("s S e"))
    d = Driver(diagram, {"x": 1}, round_trip=True)
    (scope,) = d.top.subprocesses.values()
    scope.data["mine"] = [1]
    restored = codec.decode(
        codec.encode_tokens(d.top), codec.encode_variables(d.top), diagram, "T-1", d.clock.now()
    )
    assert [s.data for s in restored.subprocesses.values()] == [{"mine": [1]}]
    d.complete("u", mine=[2])
    assert d.variables == {"x": 1}
    assert d.end is not None


def test_the_comparison_of_live_and_restored_finds_what_is_lost() -> None:
    d = Driver(executable(start(), user("u"), end(), flows("s u e")), round_trip=True)
    d.top.arrivals[99] = None  # an index that no token accounts for
    with pytest.raises(RoundTripLost, match="arrivals"):
        d._between()
