"""The rules that a contract sets for single rows, as expressions that are true where they break.

A rule reads the typed value under the column's name and the value as it stood under `raw_name`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError, shortened
from taxiway.data.column_types import DTYPES, SPELLINGS, is_sentinel
from taxiway.data.contradictions import instant
from taxiway.data.source import Source


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


def rules_of(contract: Contract, source: Source) -> list[Rule]:
    """The rules of a contract for single rows, of the columns that a source has.

    Raises `InputError` for a bad pattern.
    """
    there = [column for column in contract.columns if column.name in source.schema]
    return [Rule(column, *rule) for column in there for rule in _rules(column, source)]


def spelling(column: Column) -> str:
    """What a value of a column looks like, for messages.

    >>> spelling(Column("day", "date", format="%d.%m.%Y"))
    'a date spelled as %d.%m.%Y'
    """
    if column.format:
        text = f"a {'date' if column.type == 'date' else 'time'} spelled as {column.format}"
    elif column.timezone:
        text = "a time such as 2013-03-01 10:00:00"
    else:
        return SPELLINGS[column.type]
    zone = column.timezone
    return f"{text} that is once on the clocks of {zone}" if zone and zone != "UTC" else text


def _rules(column: Column, source: Source) -> Iterator[tuple[str, str, pl.Expr]]:
    value, raw = pl.col(column.name), pl.col(raw_name(column.name))
    absent = raw.is_null()
    if column.sentinels:
        found = None if source.is_text else source.schema[column.name]
        absent |= is_sentinel(column, raw, found, decimal=source.decimal)
    if not column.nullable:
        yield "is missing", "a value", absent
    yield "is of another type", spelling(column), ~absent & value.is_null()
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
        matches = value.str.contains(column.pattern, strict=True)
        yield "does not match its pattern", column.pattern, ~matches
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
