"""Contract types as polars types, and the strict way from what a file holds to them.

Nothing is coerced silently: a value is of its column's type, or it becomes null beside the value
that was there, and validation reports it.
"""

from __future__ import annotations

import polars as pl

from taxiway.core.contract import Contract

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

SPELLINGS = {
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


def from_text(raw: pl.Expr, type: str) -> pl.Expr:
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
            return _where(~code, raw.cast(dtype, strict=False))
        case "boolean":
            low = raw.str.to_lowercase()
            return _where(low.is_in(["true", "false"]), low == "true")
        case "date":
            day = raw.str.to_date("%Y-%m-%d", strict=False)
            return _where(raw.str.len_bytes() == 10, day)
    at = raw.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    return _where(~raw.str.contains(r"\.[0-9]{7}"), at)


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
    if type == "number" and found.is_float():
        return raw.cast(dtype)
    if type == "number" and found.is_integer():
        return _where(raw.is_between(-EXACT, EXACT), raw.cast(dtype))
    if type == "timestamp" and isinstance(found, pl.Datetime) and found.time_zone:
        at = raw.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
        return _where(raw.dt.nanosecond() % 1000 == 0, at) if found.time_unit == "ns" else at
    return _where(raw.is_null(), pl.lit(None, dtype))


def _where(holds: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(holds).then(value)
