"""Drift of a window against a real profile, with the real binning of `data.profile`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2_contingency, false_discovery_control

from taxiway.core.charter import Charter
from taxiway.core.contract import Column, Contract
from taxiway.data.profile import column_profile, count_like, profile
from taxiway.monitoring.drift import drift
from taxiway.monitoring.statistics import excess_distance
from taxiway.monitoring.windows import window_of

MARCH = window_of(datetime(2013, 3, 1, tzinfo=UTC), "month")
CONTRACT = Contract(
    id="flights",
    version="1",
    description="flights",
    table="flights",
    columns=(
        Column("at", "timestamp", key=True),
        Column("origin", "string"),
        Column("distance", "number"),
        Column("gates", "integer", nullable=True),
    ),
    moments=("scheduling",),
    decision_at="scheduling",
    event_time="at",
)


def flights(rows: int, seed: int, *, jfk: float = 0.5, further: float = 0.0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "at": pl.Series([MARCH.start] * rows, dtype=pl.Datetime("us", "UTC")),
            "origin": random.choice(["JFK", "EWR"], size=rows, p=[jfk, 1 - jfk]),
            "distance": random.normal(1000 + further, 200, size=rows),
            "gates": random.integers(1, 6, size=rows),
        }
    )


def scores(rows: int, seed: int) -> pl.Series:
    return pl.Series("probability", np.random.default_rng(seed).beta(2, 5, size=rows))


REFERENCE = profile(flights(20_000, 1), CONTRACT) | {
    "output": column_profile(scores(20_000, 2), "number")
}


def found(frame: pl.DataFrame, output: pl.Series, charter: Charter) -> dict[str, Any]:
    result, required = drift(
        REFERENCE,
        frame,
        output,
        window=MARCH,
        count_like=count_like,
        settings=charter.monitoring,
    )
    assert required == {"effect": 0.1, "false_discovery_rate": 0.01, "minimum_rows": 200}
    return result


def test_nothing_drifts_where_nothing_changed(charter: Charter) -> None:
    result = found(flights(2000, 3), scores(2000, 4), charter)
    assert result["drifted"] == []
    assert result["output"]["verdict"] == "same"
    assert not result["insufficient"]


def test_what_changed_is_named_and_the_rest_is_not(charter: Charter) -> None:
    result = found(flights(2000, 3, jfk=0.9), scores(2000, 4), charter)
    assert result["drifted"] == ["origin"]
    by_name = {column["name"]: column["verdict"] for column in result["columns"]}
    assert by_name == {"origin": "drifted", "distance": "same", "gates": "same"}


def test_a_time_is_never_looked_at(charter: Charter) -> None:
    result = found(flights(2000, 3), scores(2000, 4), charter)
    assert "at" not in {column["name"] for column in result["columns"]}


def test_a_difference_that_is_certain_but_small_is_no_drift(charter: Charter) -> None:
    # 30,000 rows make a difference of 5 percentage points certain, but not large.
    result = found(flights(30_000, 3, jfk=0.55), scores(30_000, 4), charter)
    origin = result["columns"][0]
    assert origin["p_value"] < 1e-6
    assert origin["verdict"] == "same"


def test_the_output_drifts_like_a_column(charter: Charter) -> None:
    result = found(flights(2000, 3), scores(2000, 4) ** 3, charter)
    assert result["output"]["verdict"] == "drifted"
    assert result["drifted"] == []


def test_p_values_are_adjusted_for_all_columns_and_the_output(charter: Charter) -> None:
    frame, output = flights(2000, 3, jfk=0.6), scores(2000, 4)
    result = found(frame, output, charter)
    # Expected: scipy's test on the counts (no bin is small), adjusted by scipy. The bins `other`
    # and `null` are empty on both sides and left out, as scipy can't have them.
    raw = []
    for column, series in zip(
        [*REFERENCE["columns"][1:], REFERENCE["output"]],
        [frame["origin"], frame["distance"], frame["gates"], output],
        strict=True,
    ):
        table = np.array([column["counts"], count_like(column, series)])
        raw.append(chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False).pvalue)
    mine = [column["p_value"] for column in [*result["columns"], result["output"]]]
    assert mine == pytest.approx(false_discovery_control(raw).tolist())
    origin = REFERENCE["columns"][1]
    assert result["columns"][0]["effect"] == excess_distance(
        origin["counts"], count_like(origin, frame["origin"])
    )


def test_nulls_and_new_values_are_drift_too(charter: Charter) -> None:
    unseen = flights(2000, 3).with_columns(origin=pl.lit("LGA"), gates=pl.lit(None, dtype=pl.Int64))
    assert found(unseen, scores(2000, 4), charter)["drifted"] == ["origin", "gates"]


def test_below_the_minimum_of_rows_nothing_is_said(charter: Charter) -> None:
    result = found(flights(199, 3, jfk=1.0), scores(199, 4) ** 3, charter)
    assert result["insufficient"]
    assert result["drifted"] == []
    verdicts = {column["verdict"] for column in [*result["columns"], result["output"]]}
    assert verdicts == {"insufficient data"}
