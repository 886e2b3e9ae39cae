"""From text and from values to contract types: strict, and nothing coerced silently."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from taxiway.core.contract import Contract
from taxiway.data.column_types import DTYPES, from_text, from_values, schema_of


def text(value: str | None, kind: str) -> Any:
    frame = pl.DataFrame({"x": [value]}, schema={"x": pl.String})
    found = frame.select(from_text(pl.col("x"), kind)).to_series()
    assert found.dtype == DTYPES[kind]
    return found[0]


def values(series: pl.Series, kind: str) -> list[Any]:
    frame = series.rename("x").to_frame()
    found = frame.select(from_values(pl.col("x"), series.dtype, kind)).to_series()
    assert found.dtype == DTYPES[kind]
    return found.to_list()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("10", 10),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("001", None),
        ("00", None),
        ("-01", None),
        ("-0", None),
        ("1.0", None),
        ("1e3", None),
        ("1_000", None),
        ("1,000", None),
        (" 1", None),
        ("1 ", None),
        ("٣", None),
        ("x", None),
        ("", None),
        (None, None),
    ],
)
def test_integers(value: str | None, expected: int | None) -> None:
    assert text(value, "integer") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", 1.0),
        ("-1.50", -1.5),
        (".5", 0.5),
        ("0.5", 0.5),
        ("0", 0.0),
        ("1e-3", 0.001),
        ("007", None),
        ("-00.5", None),
        ("1,5", None),
        ("abc", None),
        ("0x10", None),
    ],
)
def test_numbers(value: str, expected: float | None) -> None:
    assert text(value, "number") == expected


def test_numbers_that_are_not_finite_are_left_to_the_rules() -> None:
    assert text("inf", "number") == float("inf")
    assert str(text("nan", "number")) == "nan"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("FALSE", False), ("True", True), ("1", None), ("yes", None), ("", None)],
)
def test_booleans(value: str, expected: bool | None) -> None:
    assert text(value, "boolean") is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2013-03-01", date(2013, 3, 1)),
        ("2013-02-29", None),
        ("2013-3-1", None),
        ("01/03/2013", None),
        ("2013-03-01T00:00:00Z", None),
    ],
)
def test_dates(value: str, expected: date | None) -> None:
    assert text(value, "date") == expected


TEN = datetime(2013, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2013-03-01T10:00:00Z", TEN),
        ("2013-03-01T11:00:00+01:00", TEN),
        ("2013-03-01T10:00:00.000001Z", TEN.replace(microsecond=1)),
        ("2013-03-01T10:00:00.0000001Z", None),
        ("2013-03-01T10:00:00", None),
        ("2013-03-01", None),
        ("2013-02-30T10:00:00Z", None),
        ("1362132000", None),
    ],
)
def test_timestamps(value: str, expected: datetime | None) -> None:
    assert text(value, "timestamp") == expected


def test_text_stays_as_it_is() -> None:
    assert text(" 001\n", "string") == " 001\n"


@pytest.mark.parametrize(
    ("series", "kind", "expected"),
    [
        (pl.Series([1, 2], dtype=pl.Int32), "integer", [1, 2]),
        (pl.Series([2**64 - 1, 1], dtype=pl.UInt64), "integer", [None, 1]),
        (pl.Series([1.0, 1.5, float("nan"), float("inf"), 2.0**60]), "integer", [1] + [None] * 4),
        (pl.Series([1, 2**53 + 1]), "number", [1.0, None]),
        (pl.Series([1.5], dtype=pl.Float32), "number", [1.5]),
        (pl.Series(["1"]), "integer", [None]),
        (pl.Series(["1"]), "number", [None]),
        (pl.Series([1]), "string", [None]),
        (pl.Series(["a"], dtype=pl.Categorical), "string", ["a"]),
        (pl.Series(["a"], dtype=pl.Enum(["a"])), "string", ["a"]),
        (pl.Series([1]), "boolean", [None]),
        (pl.Series([True]), "integer", [None]),
        (pl.Series([date(2013, 3, 1)]), "timestamp", [None]),
        (pl.Series([TEN]), "date", [None]),
        (pl.Series([TEN.replace(tzinfo=None)]), "timestamp", [None]),
        (pl.Series([TEN]).dt.cast_time_unit("ms"), "timestamp", [TEN]),
        (pl.Series([TEN]).dt.convert_time_zone("America/New_York"), "timestamp", [TEN]),
        (pl.Series([None, None]), "integer", [None, None]),
        (pl.Series([[1]]), "integer", [None]),
    ],
)
def test_values(series: pl.Series, kind: str, expected: list[Any]) -> None:
    assert values(series, kind) == expected


def test_nanoseconds_that_microseconds_would_lose() -> None:
    nanoseconds = pl.Series([1_000, 1_001]).cast(pl.Datetime("ns", "UTC"))
    assert values(nanoseconds, "timestamp") == [datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC), None]


def test_schema_of_a_contract(contract: Contract) -> None:
    assert schema_of(contract) == {
        "code": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "line": pl.String,
        "seats": pl.Int64,
        "fare": pl.Float64,
        "night": pl.Boolean,
        "delay": pl.Int64,
    }
