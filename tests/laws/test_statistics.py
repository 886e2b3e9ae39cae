"""Laws that every registered statistic obeys, whatever the counts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.monitoring.statistics import STATISTICS, Statistic, adjusted

counts = st.integers(min_value=0, max_value=50_000)
pairs = st.lists(st.tuples(counts, counts), max_size=60)
every = pytest.mark.parametrize("statistic", STATISTICS.values(), ids=STATISTICS)


def sides(bins: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [a for a, _ in bins], [b for _, b in bins]


@every
@given(bins=pairs)
def test_never_raises_and_stays_in_its_bounds(
    statistic: Statistic, bins: list[tuple[int, int]]
) -> None:
    value = statistic.measure(*sides(bins))
    assert math.isfinite(value)
    assert statistic.lowest <= value <= statistic.highest


@every
@given(sample=st.lists(counts, max_size=60), times=st.integers(1, 5))
def test_equal_shares_differ_by_nothing(
    statistic: Statistic, sample: list[int], times: int
) -> None:
    value = statistic.measure(sample, [count * times for count in sample])
    assert value == pytest.approx(statistic.at_equal, abs=1e-6)


@every
@given(bins=pairs)
def test_what_claims_symmetry_has_it(statistic: Statistic, bins: list[tuple[int, int]]) -> None:
    reference, current = sides(bins)
    there, back = statistic.measure(reference, current), statistic.measure(current, reference)
    assert not statistic.symmetric or there == pytest.approx(back, abs=1e-9, rel=1e-9)


@every
@given(data=st.data(), bins=pairs)
def test_the_order_of_bins_does_not_matter(
    statistic: Statistic, data: st.DataObject, bins: list[tuple[int, int]]
) -> None:
    mixed = data.draw(st.permutations(bins))
    value = statistic.measure(*sides(bins))
    assert statistic.measure(*sides(mixed)) == pytest.approx(value, abs=1e-9, rel=1e-9)


@every
@given(bins=pairs, empty=st.integers(1, 5))
def test_bins_that_nobody_fell_into_change_nothing_much(
    statistic: Statistic, bins: list[tuple[int, int]], empty: int
) -> None:
    value = statistic.measure(*sides(bins))
    assert statistic.measure(*sides([*bins, *[(0, 0)] * empty])) == pytest.approx(value, abs=1e-9)


@given(p_values=st.lists(st.floats(0, 1), max_size=40))
def test_adjusting_never_makes_a_p_value_smaller_and_keeps_their_order(
    p_values: list[float],
) -> None:
    raised = adjusted(p_values)
    assert all(before <= after <= 1 for before, after in zip(p_values, raised, strict=True))
    in_order = [raised[i] for i in sorted(range(len(p_values)), key=p_values.__getitem__)]
    assert in_order == sorted(in_order)
