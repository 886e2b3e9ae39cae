"""Measures against scipy, and against what Evidently's documentation defines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from taxiway.bootstrap.data.comparing import statistics
from taxiway.data.compare.columns import binned
from taxiway.data.compare.measures import kolmogorov_smirnov, mean_shift, wasserstein
from taxiway.data.survey.counting import Column
from taxiway.data.survey.rows import rows_of_frame
from taxiway.data.survey.survey import survey


def columns(training: Any, production: Any) -> tuple[Column, Column]:
    first = survey(rows_of_frame(pl.DataFrame({"x": training})))
    bins = {"x": first.columns["x"].bins}
    return first.columns["x"], survey(rows_of_frame(pl.DataFrame({"x": production})), bins).columns[
        "x"
    ]


@pytest.fixture(params=["normal", "ties", "skewed"])
def sides(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    random = np.random.default_rng(3)
    return {
        "normal": (random.normal(0, 1, 3_000), random.normal(0.3, 1.5, 1_200)),
        "ties": (random.integers(0, 40, 3_000) * 1.0, random.integers(5, 45, 900) * 1.0),
        "skewed": (random.lognormal(0, 1, 2_000), random.lognormal(0.2, 1, 2_500)),
    }[request.param]


def test_kolmogorov_smirnov_is_scipys(sides: tuple[Any, Any]) -> None:
    expected = stats.ks_2samp(*sides).statistic
    assert kolmogorov_smirnov(*sides) == pytest.approx(expected, abs=1e-12)


def test_wasserstein_is_scipys_over_the_deviation(sides: tuple[Any, Any]) -> None:
    # Evidently's "Wasserstein distance (normed)": scipy's distance over the reference's deviation.
    expected = stats.wasserstein_distance(*sides) / np.std(sides[0])
    assert wasserstein(*sides) == pytest.approx(expected, rel=1e-9)


def test_mean_shift_is_glasss_delta_with_welchs_test(sides: tuple[Any, Any]) -> None:
    a, b = sides
    shift, p_value = mean_shift(*columns(a, b))
    assert shift == pytest.approx((b.mean() - a.mean()) / a.std(ddof=1), rel=1e-9)
    # At so many rows Student's distribution is the normal one, but for the far tail.
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(expected.statistic)), rel=1e-6)


def test_stability_index_of_quantile_bins(sides: tuple[Any, Any]) -> None:
    # Evidently's PSI is sum((c - r) ln(c / r)) over the shares in bins of the reference.
    column, other = columns(*sides)
    a, b = sides
    edges = [-np.inf, *column.bins.edges, np.inf]
    shares = [np.histogram(-s, -np.array(edges)[::-1])[0][::-1] / len(s) for s in (a, b)]
    kept = [(max(r, 1e-4), max(c, 1e-4)) for r, c in zip(*shares, strict=True)]
    expected = sum((c - r) * math.log(c / r) for r, c in kept)
    stability = statistics().population_stability
    assert stability is not None
    assert stability(*binned(column, other)) == pytest.approx(expected, rel=1e-9)


def test_chi_square_and_cramers_v_of_categories() -> None:
    first = {"a": 500, "b": 300, "c": 200}
    second = {"a": 200, "b": 250, "c": 50}
    column, other = columns(
        *([k for k, n in side.items() for _ in range(n)] for side in (first, second))
    )
    counts, others = binned(column, other)
    table = np.array([list(first.values()), list(second.values())])
    expected = stats.chi2_contingency(table, correction=False)
    known = statistics()
    assert known.cramers_v is not None
    assert known.compare(counts, others)[1] == pytest.approx(expected.pvalue, rel=1e-9)
    v = math.sqrt(expected.statistic / table.sum())  # scipy.stats.contingency.association
    assert known.cramers_v(counts, others) == pytest.approx(v, rel=1e-9)
    assert stats.contingency.association(table, method="cramer") == pytest.approx(v, rel=1e-9)


def test_no_spread_says_nothing() -> None:
    assert mean_shift(*columns([1.0, 1.0], [2.0, 2.0])) == (None, 1.0)
    assert wasserstein(np.ones(3), np.zeros(3)) is None
    assert mean_shift(*columns([1.0, 2.0], [None, 2.0])) == (None, 1.0)
    assert kolmogorov_smirnov(np.ones(3), np.empty(0)) == 0


def test_numbers_beyond_bounds() -> None:
    column, other = columns([1e308, -1e308, 0.0] * 10, [float("inf"), float("nan"), 1.0] * 10)
    assert (other.not_finite, other.mean) == (20, 1.0)
    assert mean_shift(column, other)[1] == 1.0
