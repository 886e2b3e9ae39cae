"""Rows of other things that look as if they matched: other months, other years, counters; and what
rounding and spelling hide."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from taxiway.data.mapping import mapped
from taxiway.data.reconcile.laws import law_of

from .conftest import found_between, kinds


def hours(rows: int, *, begin: int = 0, seed: int = 1) -> pl.DataFrame:
    """A station's measurements, an hour after the other, each like the one before."""
    random = np.random.default_rng(seed)
    start = datetime(2023, 1, 1)  # noqa: DTZ001 - a clock without a zone is what is meant
    at = [start + timedelta(hours=begin + n) for n in range(rows)]
    return pl.DataFrame(
        {
            "at": at,
            "month": [one.month for one in at],
            "day": [one.day for one in at],
            "hour": [one.hour for one in at],
            "degrees": (random.normal(0, 1, rows).cumsum() + 10).round(1),
            "humid": (random.normal(0, 1, rows).cumsum() + 60).round(1),
            "wind": random.gamma(2, 3, rows).round(1),
            "gusts": random.gamma(2, 5, rows).round(1),
            "visibility": random.gamma(9, 1, rows).round(1),
            "rain": random.gamma(1, 1, rows).round(1),
        }
    )


def test_hours_of_two_months_are_other_rows_though_their_days_are_called_the_same() -> None:
    january, march = hours(744), hours(744, begin=1416, seed=2)
    found = found_between(january, march)
    assert (found.pairs[0].matched, kinds(found)) == (0, set())


def test_rows_that_are_like_their_neighbours_are_not_matched_by_their_order() -> None:
    table = hours(1_200).select("degrees", "humid")
    found = found_between(table[::2], table[1::2])
    assert (found.pairs[0].matched, kinds(found)) == (0, set())
    moved = table.with_columns(pl.col("degrees") * 1.8 + 32)
    assert kinds(found_between(table, moved)) == {("unit", "degrees", "degrees")}


def test_numbers_of_rows_are_no_key_to_a_count_of_another_name() -> None:
    random = np.random.default_rng(3)
    visits = pl.DataFrame(
        {
            "row": range(1, 801),
            "visit": list(range(1, 9)) * 100,
            "person": np.repeat(random.permutation(100) + 900, 8),
            "weight": (70 - np.tile(np.arange(8), 100) + random.normal(0, 1, 800)).round(2),
        }
    )
    assert kinds(found_between(visits[:400], visits[400:])) == set()


def test_what_is_left_of_a_code_without_its_prefix_is_no_price() -> None:
    random = np.random.default_rng(4)
    cases = pl.DataFrame(
        {
            "case": [f"C{n:05}" for n in random.permutation(2_000)],
            "open": random.random(2_000) < 0.4,
        }
    )
    prices = pl.DataFrame(
        {"item": [f"item {n} of" for n in range(500)], "price": random.integers(5, 5_000, 500)}
    )
    found = found_between(cases, prices)
    assert (found.pairs[0].joins, kinds(found)) == ((), set())


def test_a_daily_mean_in_celsius_is_of_hours_in_fahrenheit() -> None:
    fine = hours(1_500).select("at", degrees=(pl.col("degrees") * 1.8 + 32).round(1))
    days = (
        fine.group_by(at=pl.col("at").dt.date())
        .agg(((pl.col("degrees").mean() - 32) / 1.8).round(2))
        .sort("at")
    )
    (finding,) = found_between(fine, days).findings
    assert finding.kind == "grain"
    assert "mean" in finding.says
    assert finding.mapping is not None
    assert finding.mapping.steps[1]["factor"] == pytest.approx(5 / 9)


@pytest.mark.parametrize("layout", ["%d/%m/%y", "%m/%d/%y", "%B %d, %Y", "%d %b %Y"])
def test_dates_match_however_they_are_spelled(layout: str) -> None:
    days = hours(24 * 400)[::24].select("degrees", "wind", day="at")
    spelled = days.with_columns(pl.col("day").dt.strftime(layout))
    found = found_between(days, spelled.sample(fraction=0.9, shuffle=True, seed=1))
    assert (found.pairs[0].matched, kinds(found)) == (360, set())


def test_a_rounded_offset_is_not_taken_where_the_real_one_is_nearer() -> None:
    counts = np.arange(1.0, 169)
    law = law_of(counts, ((counts - counts.mean()) / counts.std()).round(7))
    assert law is not None
    assert law.offset == pytest.approx(84.5, abs=1e-3)


def test_significant_digits_are_a_rounding_too() -> None:
    salaries = np.random.default_rng(1).lognormal(10, 2, 400).round()
    written = np.array([float(f"{value:.6e}") for value in np.log1p(salaries)])
    law = law_of(salaries, written)
    assert law is not None
    assert law.function in {"exp", "expm1"}
    assert law.explained > 0.99


def test_numbers_beyond_64_bits_end_in_no_error() -> None:
    large = np.random.default_rng(1).integers(10**17, 10**18, 200).astype(float) * 1e3
    law = law_of(large, np.log(large).round(6))
    assert law is not None
    assert (law.function, law.factor, law.offset) == ("exp", 1, 0)


def test_words_that_no_rule_spells_are_mapped_one_by_one(orders: pl.DataFrame) -> None:
    words = {"DE": "McRae", "FR": "de Vries", "IT": "O'Neil", "ES": "van Loon"}
    left = orders.with_columns(pl.col("country").replace_strict(words))
    right = left.with_columns(pl.col("country").str.to_uppercase())
    (finding,) = found_between(left, right).findings
    assert finding.kind == "spelling"
    assert finding.mapping is not None
    frame, _ = mapped(right.lazy(), [finding.mapping], right.schema)
    assert frame.collect()["country"].equals(left["country"])


def test_codes_of_a_few_numbers_are_no_curve(orders: pl.DataFrame) -> None:
    years = orders.with_columns(year=2000 + 4 * (pl.col("items") % 4))
    codes = {2000: 2, 2004: 1, 2008: 4, 2012: 3}
    found = found_between(years, years.with_columns(pl.col("year").replace_strict(codes)))
    assert kinds(found) == {("coding", "year", "year")}


def test_a_narrow_range_looks_straight_and_is_told_from_a_line() -> None:
    years = np.random.default_rng(1).integers(1970, 2020, 600).astype(float)
    inverse, celsius = (law_of(years, (1 / years).round(9)), law_of(years, ((years - 32) / 1.8)))
    assert inverse is not None
    assert celsius is not None
    assert inverse.function == "inverse"
    assert (celsius.factor, celsius.offset) == (1.8, 32)


def test_codes_of_which_one_is_the_same_are_no_mixed_units(orders: pl.DataFrame) -> None:
    regions = orders.with_columns(region=pl.col("items") % 5 + 1)
    other = pl.col("region").replace_strict({1: 3, 2: 2, 3: 1, 4: 5, 5: 4})
    assert kinds(found_between(regions, regions.with_columns(other))) == {
        ("coding", "region", "region")
    }
