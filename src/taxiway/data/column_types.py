"""Contract types as polars types, and the strict way from what a file holds to them.

Nothing is coerced silently: a value is of its column's type, or it becomes null beside the value
that was there, and validation reports it.
"""

from __future__ import annotations

import dataclasses

import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.data.contradictions import instant

EXACT = 2**53
"""Integers up to here are exact as a 64-bit float."""

DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
}
"""Contract type -> polars type, in every frame that a step hands to another."""

SPELLINGS: dict[str, str] = {
    "string": "text",
    "integer": "a whole number of at most 64 bits without leading zeros",
    "number": "a number with a decimal point, without leading zeros",
    "boolean": "true or false",
    "date": "a date such as 2013-03-01",
    "timestamp": "a time with its offset, such as 2013-03-01T10:00:00Z",
}
"""What a value of a type looks like, for messages."""


def schema_of(contract: Contract) -> pl.Schema:
    """The polars schema of a contract's columns."""
    return pl.Schema({column.name: DTYPES[column.type] for column in contract.columns})


def read_as(
    column: Column, raw: pl.Expr, found: pl.DataType | None, *, decimal: str = "."
) -> pl.Expr:
    """A column's values as its contract reads them, from text (`found` is None) or from values.

    Null where a value is not of the type, and where it is a sentinel.
    """
    if found is None:
        value = _of_column(column, raw, decimal)
    else:
        value = _from_values(column, raw, found, decimal)
    return _where(~_listed(column, raw, value, found), value) if column.sentinels else value


def is_sentinel(
    column: Column, raw: pl.Expr, found: pl.DataType | None, *, decimal: str = "."
) -> pl.Expr:
    """Whether a value is one of those by which the column says that it has none."""
    value = read_as(dataclasses.replace(column, sentinels=None), raw, found, decimal=decimal)
    return _listed(column, raw, value, found)


def _listed(column: Column, raw: pl.Expr, value: pl.Expr, found: pl.DataType | None) -> pl.Expr:
    listed = column.sentinels or ()
    texts = [one for one in listed if isinstance(one, str)]
    numbers = [one for one in listed if not isinstance(one, str)]
    parts = []
    if texts and (found is None or found == pl.String()):
        parts.append(raw.is_in(texts))
    elif texts and column.type in {"date", "timestamp"}:
        parts.append(value.is_in([instant(text, column.type) for text in texts]))
    if numbers and column.type in {"integer", "number"}:
        parts.append(
            value.is_in(
                pl.Series(numbers, dtype=pl.Float64())
                .cast(DTYPES[column.type], strict=False)
                .implode()
            )
        )
    return pl.any_horizontal(parts).fill_null(value=False) if parts else pl.lit(value=False)


def _of_column(column: Column, raw: pl.Expr, decimal: str) -> pl.Expr:
    return from_text(
        raw, column.type, format=column.format, timezone=column.timezone, decimal=decimal
    )


def _from_values(column: Column, raw: pl.Expr, found: pl.DataType, decimal: str) -> pl.Expr:
    if found == pl.String() and column.format and column.type in {"date", "timestamp"}:
        return _of_column(column, raw, decimal)
    if column.timezone and isinstance(found, pl.Datetime) and not found.time_zone:
        at = raw.dt.cast_time_unit("us")
        return _local(at, column.timezone)
    return from_values(raw, found, column.type)


def from_text(
    raw: pl.Expr,
    type: str,
    *,
    format: str | None = None,
    timezone: str | None = None,
    decimal: str = ".",
) -> pl.Expr:
    """Text as a contract type; null where it is not exactly that.

    >>> text = pl.DataFrame({"code": ["7", "007", "7.0", "-7"]})
    >>> text.select(from_text(pl.col("code"), "integer"))["code"].to_list()
    [7, None, None, -7]
    """
    dtype = DTYPES[type]
    match type:
        case "string":
            return raw
        case "integer":
            zero = raw.str.starts_with("0") & (raw.str.len_bytes() > 1)
            code = zero | raw.str.starts_with("-0") | raw.str.starts_with("+0")
            return _where(~code, raw.cast(dtype, strict=False))
        case "number":
            code = raw.str.contains(r"^[+-]?0[0-9]")
            if decimal == ",":
                code |= raw.str.contains(".", literal=True)
                raw = raw.str.replace(",", ".", literal=True)
            return _where(~code, raw.cast(dtype, strict=False))
        case "boolean":
            low = raw.str.to_lowercase()
            return _where(low.is_in(["true", "false"]), low == "true")
        case "date" if format:
            return raw.str.to_date(format, strict=False)
        case "date":
            day = raw.str.to_date("%Y-%m-%d", strict=False)
            return _where(raw.str.len_bytes() == 10, day)
    if timezone:
        return _local(_without_offset(raw, format), timezone)
    if format:
        return raw.str.to_datetime(format, time_unit="us", time_zone="UTC", strict=False)
    at = raw.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    return _where(~raw.str.contains(r"\.[0-9]{7}"), at)


def _without_offset(raw: pl.Expr, format: str | None) -> pl.Expr:
    if format:
        return raw.str.to_datetime(format, time_unit="us", strict=False)
    text = raw.str.replace("T", " ", literal=True)
    forms = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
    at = pl.coalesce(text.str.to_datetime(f, time_unit="us", strict=False) for f in forms)
    return _where(~raw.str.contains(r"\.[0-9]{7}"), at)


def _local(at: pl.Expr, timezone: str) -> pl.Expr:
    """Times of a zone in UTC; null for one that a change of the clocks leaves out or repeats."""
    if timezone == "UTC":
        return at.dt.replace_time_zone("UTC")
    zoned = at.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def from_values(raw: pl.Expr, found: pl.DataType, type: str) -> pl.Expr:
    """Values of a polars type as a contract type; null where that would change them."""
    dtype = DTYPES[type]
    if found == dtype or found == pl.Null():
        return raw.cast(dtype)
    if type == "string" and isinstance(found, pl.Categorical | pl.Enum):
        return raw.cast(dtype)
    if type == "integer" and found.is_integer():
        return raw.cast(dtype, strict=False)
    if type == "integer" and found.is_float():
        whole = raw.is_finite() & (raw == raw.floor()) & raw.is_between(-EXACT, EXACT)
        return _where(whole, raw.cast(dtype, strict=False))
    if type == "number" and (found.is_float() or found.is_decimal()):
        return raw.cast(dtype)
    if type == "integer" and found.is_decimal():
        return _where(raw == raw.floor(), raw.cast(dtype, strict=False))
    if type == "number" and found.is_integer():
        return _where(raw.is_between(-EXACT, EXACT), raw.cast(dtype))
    if type == "timestamp" and isinstance(found, pl.Datetime) and found.time_zone:
        at = raw.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        return _where(raw.dt.nanosecond() % 1000 == 0, at) if found.time_unit == "ns" else at
    return _where(raw.is_null(), pl.lit(None, dtype))


def _where(holds: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(holds).then(value)
