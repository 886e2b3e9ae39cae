"""Profiles against numpy, and new data counted over the same bins."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from taxiway.core.contract import Contract
from taxiway.data.column_types import DTYPES
from taxiway.data.profile import (
    FEW_VALUES,
    TOP_VALUES,
    bin_labels,
    column_profile,
    count_like,
    profile,
)


def numbers(size: int = 5_000, seed: int = 7) -> pl.Series:
    drawn = np.random.default_rng(seed).gamma(2.0, 10.0, size)
    return pl.Series("fare", drawn)


def test_numbers_against_numpy() -> None:
    series = numbers()
    values = series.to_numpy()
    found = column_profile(series, "number")
    assert found["minimum"] == values.min()
    assert found["maximum"] == values.max()
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert found["std"] == pytest.approx(values.std(ddof=1), rel=1e-12)
    deciles = np.quantile(values, np.arange(1, 10) / 10)
    assert found["deciles"] == pytest.approx(deciles, rel=1e-12)
    # Ten bins, closed at their upper edge: numpy's histogram closes the lower one.
    upper = np.histogram(-values, bins=[-np.inf, *sorted(-deciles), np.inf])[0][::-1]
    assert found["counts"] == [*upper.tolist(), 0, 0]
    assert found["bins"] == "quantiles"


def test_deciles_hold_a_tenth_each() -> None:
    assert column_profile(numbers(), "number")["counts"] == [500] * 10 + [0, 0]


def test_ties_merge_bins() -> None:
    # Half of the values are 0: several deciles fall together.
    series = pl.Series("delay", [0] * 100 + list(range(1, 101)))
    found = column_profile(series, "integer")
    assert found["edges"] == sorted(set(found["deciles"]))
    assert len(found["edges"]) < 9
    assert len(found["counts"]) == len(found["edges"]) + 3
    assert found["counts"][0] == 100
    assert sum(found["counts"]) == 200


def test_few_distinct_numbers_get_a_bin_each() -> None:
    series = pl.Series("hour", [3, 1, 1, None, 2, 3, 3])
    found = column_profile(series, "integer")
    assert (found["bins"], found["values"]) == ("values", [1, 2, 3])
    assert found["counts"] == [2, 1, 3, 0, 1]
    assert bin_labels(found) == ["1", "2", "3", "other", "null"]
    assert column_profile(pl.Series(range(FEW_VALUES)), "integer")["bins"] == "values"
    assert column_profile(pl.Series(range(FEW_VALUES + 1)), "integer")["bins"] == "quantiles"


def test_text_keeps_its_top_values() -> None:
    words = [f"w{n:02}" for n in range(40) for _ in range(40 - n)]
    found = column_profile(pl.Series("dest", words), "string")
    expected = Counter(words).most_common(TOP_VALUES)
    assert found["values"] == [word for word, _ in expected]
    assert found["counts"] == [n for _, n in expected] + [sum(range(1, 11)), 0]
    assert found["distinct"] == 40


def test_equally_frequent_values_are_in_their_own_order() -> None:
    assert column_profile(pl.Series(["b", "a", "c"]), "string")["values"] == ["a", "b", "c"]


def test_long_texts_are_counted_as_other() -> None:
    found = column_profile(pl.Series(["x" * 10_000, "y"]), "string")
    assert (found["values"], found["counts"]) == (["y"], [1, 1, 0])


def test_booleans() -> None:
    found = column_profile(pl.Series("night", [True, None, True, False]), "boolean")
    assert (found["values"], found["counts"]) == ([False, True], [1, 2, 0, 1])
    assert bin_labels(found) == ["false", "true", "other", "null"]


def test_times_keep_first_and_last_only() -> None:
    at = pl.Series("at", [datetime(2013, 3, 2, tzinfo=UTC), datetime(2013, 3, 1, tzinfo=UTC)])
    found = column_profile(at, "timestamp")
    assert found["first"] == "2013-03-01T00:00:00.000000Z"
    assert found["last"] == "2013-03-02T00:00:00.000000Z"
    assert (found["counts"], count_like(found, at), bin_labels(found)) == ([], [], [])
    day = column_profile(pl.Series("day", [date(2013, 3, 1)]), "date")
    assert day["first"] == "2013-03-01T00:00:00.000000Z"


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean", "timestamp"])
def test_column_without_values(kind: str) -> None:
    series = pl.Series("x", [None, None], dtype=DTYPES[kind])
    found = column_profile(series, kind)
    assert found["nulls"] == 2
    assert found["counts"] == ([] if kind == "timestamp" else [0, 2])
    json.dumps(found, allow_nan=False)


def test_one_row_has_no_spread() -> None:
    found = column_profile(pl.Series("x", [3]), "integer")
    assert (found["std"], found["counts"]) == (None, [1, 0, 0])


def test_values_that_are_not_finite_are_other() -> None:
    found = column_profile(
        pl.Series([*map(float, range(30)), float("nan"), float("inf")]), "number"
    )
    assert (found["minimum"], found["maximum"]) == (0.0, 29.0)
    assert found["counts"][-2:] == [2, 0]
    assert sum(found["counts"]) == 32


def test_new_data_fall_into_the_open_ends() -> None:
    found = column_profile(numbers(), "number")
    assert count_like(found, pl.Series([-1e9, 1e9, None, float("nan")])) == [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1,
    ]  # fmt: skip


def test_value_on_an_edge_is_in_the_bin_below() -> None:
    column = {"bins": "quantiles", "edges": [10.0, 20.0]}
    assert count_like(column, pl.Series([10.0, 10.000001, 20.0, 20.5])) == [1, 2, 1, 0, 0]


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Int16, pl.Float64, pl.Float32])
def test_numbers_of_any_width_are_counted(dtype: Any) -> None:
    column = column_profile(pl.Series([1, 2, 2]), "integer")
    assert count_like(column, pl.Series([2, 2, 5], dtype=dtype)) == [0, 2, 1, 0]


def test_column_of_nothing_but_nulls_is_counted() -> None:
    for column in (column_profile(numbers(), "number"), column_profile(pl.Series(["a"]), "string")):
        assert count_like(column, pl.Series([None, None]))[-2:] == [0, 2]


def test_unseen_values_are_other() -> None:
    column = column_profile(pl.Series(["a", "b"]), "string")
    assert count_like(column, pl.Series(["a", "z", None], dtype=pl.Categorical)) == [1, 0, 1, 1]


def test_labels_of_quantiles() -> None:
    found = column_profile(numbers(), "number")
    labels = bin_labels(found)
    assert len(labels) == len(found["counts"])
    assert labels[0].startswith("up to ")
    assert labels[-3].startswith("above ")
    assert bin_labels({"bins": "quantiles", "edges": []}) == ["any", "other", "null"]


def test_document(contract: Contract) -> None:
    frame = pl.DataFrame(
        {"line": ["A", "B"], "code": ["001", "002"], "seats": [1, 2], "extra": [1, 2]}
    )
    found = profile(frame, contract)
    assert (found["protocol"], found["rows"]) == (1, 2)
    assert [c["name"] for c in found["columns"]] == ["code", "line", "seats"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert profile(frame, contract) == found


def test_personal_text_is_not_kept(contract: Contract) -> None:
    columns = tuple(replace(c, personal=c.name == "code") for c in contract.columns)
    frame = pl.DataFrame({"code": ["001", "002"], "line": ["A", "B"]})
    code, line = profile(frame, replace(contract, columns=columns))["columns"]
    assert (code["values"], code["counts"]) == ([], [2, 0])
    assert line["values"] == ["A", "B"]
