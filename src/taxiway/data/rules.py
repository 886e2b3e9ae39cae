"""The rules that a contract sets for single rows, as expressions that are true where they break.

A rule reads the typed value under the column's name and the value as it stood under `raw_name`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from taxiway.core import contract as core
from taxiway.core.contract import Column, Contract, Reference
from taxiway.core.errors import InputError, shortened
from taxiway.data.column_types import DTYPES, SPELLINGS, is_sentinel, schema_of
from taxiway.data.contradictions import instant
from taxiway.data.label import defined
from taxiway.data.source import Source


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one column or of some: `broken` is true for the rows that break it."""

    columns: tuple[Column, ...]
    name: str
    expected: str
    broken: pl.Expr

    @property
    def where(self) -> str:
        """The columns that it is about."""
        return ", ".join(column.name for column in self.columns)


Known = Mapping[Reference, pl.Series]
"""Reference -> hashes of the rows that are in the other table."""


def raw_name(name: str) -> str:
    """Where a batch keeps a column's values as they stood in the source."""
    return f"\0raw {name}"


def rules_of(contract: Contract, source: Source, known: Known | None = None) -> list[Rule]:
    """The rules of a contract for single rows, of the columns that a source has.

    `known` is what its references are held against. Raises `InputError` for a bad pattern, and for
    a condition that can't be asked of a row.
    """
    there = [column for column in contract.columns if column.name in source.schema]
    rules = [Rule((column,), *rule) for column in there for rule in _rules(column, source)]
    rules += [_conditional(contract, rule) for rule in contract.rules or ()]
    rules += [_referring(contract, one, rows) for one, rows in (known or {}).items()]
    names = {column.name for column in there}
    return [rule for rule in rules if names.issuperset(c.name for c in rule.columns)]


def _conditional(contract: Contract, rule: core.Rule) -> Rule:
    """A condition over the columns of a row; it holds where it is neither true nor false."""
    try:
        holds = defined(rule.condition, schema_of(contract))
    except InputError as error:
        where = f"rule {shortened(rule.name, 80)}"
        problems = [replace(p, where=f"{where}: {p.where}") for p in error.problems]
        raise InputError("A rule of the contract can't be held.", problems) from None
    read = set(holds.meta.root_names())
    columns = tuple(column for column in contract.columns if column.name in read)
    return Rule(columns, f"breaks `{shortened(rule.name, 80)}`", rule.condition, ~holds)


def _referring(contract: Contract, one: Reference, rows: pl.Series) -> Rule:
    columns = tuple(contract.column(name) for name in one.columns)
    there = pl.all_horizontal(pl.col(one.columns).is_not_null())
    found = pl.struct(one.columns).hash().is_in(rows.implode())
    expected = f"a row of {one.table} ({', '.join(one.to)})"
    return Rule(columns, f"is not in {one.table}", expected, there & ~found)


def rows_for(one: Reference, frame: pl.LazyFrame) -> pl.Series:
    """What rows of another table are known by; the frame has its columns, typed, under the names
    that refer to them."""
    hashes = frame.select(pl.struct(one.columns).hash().alias("hash")).unique()
    return hashes.collect(engine="streaming").to_series()


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
    if source.is_text or column.sentinels or source.schema[column.name] != DTYPES[column.type]:
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
