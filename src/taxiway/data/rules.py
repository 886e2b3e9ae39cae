"""The rules that a contract sets for single rows, as expressions that are true where they break.

A rule reads the typed value under the column's name and the value as it stood under `raw_name`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError, shortened
from taxiway.data.column_types import DTYPES, SPELLINGS
from taxiway.data.contradictions import instant


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one column: `broken` is true for the rows that break it."""

    column: Column
    name: str
    expected: str
    broken: pl.Expr


def raw_name(name: str) -> str:
    """Where a batch keeps a column's values as they stood in the source."""
    return f"\0raw {name}"


def rules_of(contract: Contract) -> list[Rule]:
    """All rules of a contract for single rows. Raises `InputError` for a bad pattern."""
    return [Rule(c, *rule) for c in contract.columns for rule in _rules(c)]


def _rules(column: Column) -> Iterator[tuple[str, str, pl.Expr]]:
    value, raw = pl.col(column.name), pl.col(raw_name(column.name))
    if not column.nullable:
        yield "is missing", "a value", raw.is_null()
    yield "is of another type", SPELLINGS[column.type], raw.is_not_null() & value.is_null()
    if column.type == "number":
        yield "is not finite", "a finite number", ~value.is_finite()
    if column.minimum is not None:
        yield "is too small", f"at least {column.minimum}", value < _limit(column, column.minimum)
    if column.maximum is not None:
        yield "is too large", f"at most {column.maximum}", value > _limit(column, column.maximum)
    if column.values:
        listed = shortened(", ".join(map(str, column.values)))
        allowed = pl.Series(column.values, dtype=DTYPES[column.type])
        yield "is not an allowed value", f"one of {listed}", ~value.is_in(allowed.implode())
    if column.pattern is not None:
        _compiles(column)
        found = value.str.contains(column.pattern, strict=True)
        yield "does not match its pattern", column.pattern, ~found
    if column.minimum_length is not None:
        expected = f"at least {column.minimum_length} characters"
        yield "is too short", expected, value.str.len_chars() < column.minimum_length
    if column.maximum_length is not None:
        expected = f"at most {column.maximum_length} characters"
        yield "is too long", expected, value.str.len_chars() > column.maximum_length


def _limit(column: Column, limit: float | str) -> pl.Expr:
    value = instant(limit, column.type) if isinstance(limit, str) else limit
    if column.type in {"date", "timestamp"}:
        return pl.lit(value, DTYPES[column.type])
    return pl.lit(value)


def _compiles(column: Column) -> None:
    """The pattern has to compile for both engines: Python's, of the endpoint, and polars'."""
    try:
        pl.select(pl.lit("").str.contains(column.pattern or "", strict=True))
    except pl.exceptions.PolarsError as error:
        reason = shortened(str(error).strip().split("\n", 1)[0])
        raise InputError(
            f"The pattern of column {column.name} can't be used on data: {reason}."
        ) from None
