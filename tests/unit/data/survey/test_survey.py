"""Surveys against polars and numpy, by chunks and at once, of whatever a file can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from taxiway.core.contract import Column, Contract
from taxiway.data.source import open_source
from taxiway.data.survey.hidden import hidden_columns
from taxiway.data.survey.rows import Rows, chunk_rows, rows_of_frame, rows_of_source
from taxiway.data.survey.sampling import EqualRows, FairSample
from taxiway.data.survey.survey import survey


def frame_of(rows: int = 10_000) -> pl.DataFrame:
    random = np.random.default_rng(5)
    return pl.DataFrame(
        {
            "fare": random.gamma(2, 10, rows),
            "seats": random.integers(1, 5, rows),
            "line": random.choice(["A", "B", "C"], rows, p=[0.5, 0.3, 0.2]),
            "night": random.random(rows) < 0.3,
            "at": [
                datetime(2013, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(rows)
            ],
        }
    ).with_columns(fare=pl.when(pl.col("seats") > 1).then("fare"))


def in_chunks(frame: pl.DataFrame, size: int) -> Rows:
    def chunks() -> Iterator[pl.DataFrame]:
        return (
            chunk for whole in rows_of_frame(frame).chunks() for chunk in whole.iter_slices(size)
        )

    return replace(rows_of_frame(frame), chunks=chunks)


@pytest.mark.parametrize("size", [37, 1_000, 10_000])
def test_numbers_are_those_of_all_rows(size: int) -> None:
    frame = frame_of()
    found = survey(in_chunks(frame, size))
    fare = found.columns["fare"]
    values = frame["fare"].drop_nulls().to_numpy()
    assert (found.rows, fare.rows) == (frame.height, frame.height)
    assert fare.nulls == frame["fare"].null_count()
    assert (fare.minimum, fare.maximum) == (values.min(), values.max())
    assert fare.mean == pytest.approx(values.mean(), rel=1e-12)
    assert fare.std == pytest.approx(values.std(ddof=1), rel=1e-12)
    edges = np.array(fare.bins.edges)
    assert list(fare.counts) == np.bincount(np.searchsorted(edges, values)).tolist()
    assert max(fare.counts) < 1.05 * min(fare.counts)


def test_few_numbers_are_counted_one_by_one() -> None:
    seats = survey(rows_of_frame(frame_of())).columns["seats"]
    expected = Counter(frame_of()["seats"].to_list())
    assert [n for n in seats.counts if n] == [expected[n] for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("size", [37, 10_000])
def test_texts_and_times(size: int) -> None:
    frame = frame_of()
    found = survey(in_chunks(frame, size)).columns
    assert dict(found["line"].values) == dict(Counter(frame["line"].to_list()))
    assert list(found["line"].values) == ["A", "B", "C"]
    assert (found["line"].distinct, found["line"].others) == (3, 0)
    assert set(found["night"].values) == {"true", "false"}
    at = found["at"]
    assert (at.first, at.last) == (frame["at"].min(), frame["at"].max())
    assert at.bins.period == "1d"
    assert set(list(at.periods.values())[:-1]) == {48}


def test_many_values_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from taxiway.data.survey import counting

    monkeypatch.setattr(counting, "MOST_VALUES", 50)
    frequent = ["often"] * 3_000 + ["also"] * 2_000
    rare = [f"r{n % 1_500}" for n in range(4_000)]
    found = survey(in_chunks(pl.DataFrame({"x": frequent + rare}), 500)).columns["x"]
    assert len(found.values) <= 100
    assert found.distinct is None
    assert (found.values["often"], found.values["also"]) == (3_000, 2_000)


def test_text_of_which_each_row_has_its_own_is_not_counted() -> None:
    found = survey(rows_of_frame(pl.DataFrame({"id": [f"n{n}" for n in range(5_000)]})))
    assert found.columns["id"].nearly_all_differ
    assert not found.columns["id"].values
    assert hidden_columns(found.columns, found.sample)["id"].startswith("nearly every row")


def test_sample_is_fair_and_bounded() -> None:
    drawn: list[int] = []
    first: list[int] = []
    for seed in range(40):
        sample = FairSample(1, seed, rows=50)
        for start in range(0, 1_000, 90):
            sample.add(pl.DataFrame({"x": range(start, min(start + 90, 1_000))}))
        kept = sample.frame()["x"].to_list()
        assert len(set(kept)) == 50
        drawn += kept
        first += kept[:10]
    # 40 x 50 of 1,000 rows: each tenth is drawn 200 times, give or take 13.
    tenths = np.histogram(drawn, bins=10, range=(0, 1_000))[0]
    assert np.abs(tenths - 200).max() < 60
    # The first rows of the sample are no earlier than the rest.
    assert abs(np.mean(first) - 500) < 60


def test_equal_rows_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from taxiway.data.survey import sampling

    monkeypatch.setattr(sampling, "HASHES", 500)
    numbers = np.random.default_rng(1).integers(0, 5_000, 10_000)
    frame = pl.DataFrame({"a": numbers, "b": numbers % 7})
    rows = EqualRows(["a", "b"], ["a"])
    for chunk in frame.iter_slices(700):
        rows.add(chunk)
    kept = rows.rows()
    assert 100 < len(kept) <= 1_000
    repeated = 1 - len(np.unique(kept)) / len(kept)
    expected = 1 - len(np.unique(numbers)) / len(numbers)
    assert repeated == pytest.approx(expected, abs=0.06)


HOSTILE: dict[str, Any] = {
    "zero rows": pl.DataFrame(schema={"a": pl.Int64, "b": pl.String, "t": pl.Datetime("us")}),
    "no columns": pl.DataFrame(),
    "all null": pl.DataFrame({"a": [None, None], "n": pl.Series([None, None], dtype=pl.Float64)}),
    "constant": pl.DataFrame({"a": [1.5] * 50, "b": ["x"] * 50}),
    "not finite": pl.DataFrame({"a": [float("inf"), float("nan"), -float("inf"), 1.0]}),
    "huge": pl.DataFrame({"a": pl.Series([2**63, 2**64 - 1], dtype=pl.UInt64), "b": [-(2**63), 0]}),
    "unicode": pl.DataFrame({"": ["ä", "\0"], "名前:1": ["🙂", ""], "a:nulls": [1, 2]}),
    "nested": pl.DataFrame({"a": [[1], None], "b": [{"x": 1}, {"x": 2}], "c": [b"x", None]}),
    "long text": pl.DataFrame({"a": ["x" * 100_000, "y"]}),
    "old days": pl.DataFrame({"d": [date(1066, 10, 14), date(1969, 7, 20)], "n": [1, None]}),
    "spans": pl.DataFrame({"d": [timedelta(days=1), None]}),
    "categories": pl.DataFrame({"c": pl.Series(["a", None], dtype=pl.Categorical)}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_file_can_hold(name: str, tmp_path: Path) -> None:
    frame: pl.DataFrame = HOSTILE[name]
    found = survey(rows_of_frame(frame))
    assert found.rows == frame.height
    assert list(found.columns) == frame.columns
    for column in frame.columns:
        assert found.columns[column].nulls == frame[column].null_count()
    if frame.height:
        path = tmp_path / "rows.parquet"
        frame.write_parquet(path)
        assert survey(rows_of_source(open_source(path))).columns == found.columns


def test_a_thousand_columns_are_held_in_short_chunks() -> None:
    assert chunk_rows(20) == 400_000
    assert chunk_rows(10_000) == 4_096
    wide = pl.DataFrame({f"c{n}": [n, 1, 2] for n in range(1_000)})
    assert len(survey(rows_of_frame(wide)).columns) == 1_000


def test_text_is_read_by_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("code,n,x,ok,day\n001,1,1.5,true,2013-01-01\n002,,NA,false,2013-01-02\n")
    found = survey(rows_of_source(open_source(path))).columns
    assert [c.kind for c in found.values()] == ["text", "number", "number", "boolean", "time"]
    assert found["code"].values == {"001": 1, "002": 1}
    assert (found["n"].nulls, found["x"].mean) == (1, 1.5)


def test_personal_columns_are_hidden() -> None:
    rows = 400
    frame = pl.DataFrame(
        {
            "contact": [f"p{n % 40}@example.org" for n in range(rows)],
            "lastName": [f"N{n % 40}" for n in range(rows)],
            "PhoneService": ["yes", "no"] * (rows // 2),
            "carrier_name": ["Delta", "United"] * (rows // 2),
            "birth_year": [1930 + n % 60 for n in range(rows)],
            "iban": ["DE89370400440532013000"] * rows,
            "note": ["the customer called twice and asked for a longer term of the loan"] * rows,
            "tail": [f"N{n % 150}" for n in range(rows)],
            "code": ["C1"] * rows,
        }
    )
    found = survey(rows_of_frame(frame))
    contract = Contract(
        "c", "1", "", "t", (Column("code", "string", personal=True),), ("m",), "m", "at"
    )
    hidden = hidden_columns(found.columns, found.sample, contract)
    assert set(hidden) == {
        "contact", "lastName", "birth_year", "iban", "note", "tail", "code",
    }  # fmt: skip
