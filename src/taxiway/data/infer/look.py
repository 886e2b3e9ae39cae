"""A column that is being looked at: its distinct values, how often they come, what they read as."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from taxiway.core.contract import Column
from taxiway.data.column_types import from_text
from taxiway.data.infer import names


@dataclass
class Look:
    """A column that is being looked at: its distinct values, and what was found so far."""

    name: str
    values: pl.Series
    """Each value once, without nulls."""
    counts: pl.Series
    rows: int
    nulls: int
    decimal: str = "."
    words: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    beside: frozenset[tuple[str, ...]] = frozenset()
    """The words of the names of all columns."""

    @property
    def filled(self) -> int:
        return self.rows - self.nulls

    def share(self, mask: pl.Series) -> float:
        """The share of the rows with a value for which a mask of the distinct values holds."""
        return float(self.counts.filter(mask.fill_null(value=False)).sum()) / max(self.filled, 1)

    def without(self, mask: pl.Series) -> Look:
        """The look at the other values."""
        gone = int(self.counts.filter(mask).sum())
        return replace(
            self,
            values=self.values.filter(~mask),
            counts=self.counts.filter(~mask),
            nulls=self.nulls + gone,
        )

    def say(self, reason: str) -> None:
        self.reasons.append(reason)


def look_at(
    series: pl.Series, *, decimal: str = ".", beside: frozenset[tuple[str, ...]] = frozenset()
) -> Look:
    """The look at a column of a sample."""
    full = series.drop_nulls()
    counted = full.value_counts(name="\0count", sort=True) if len(full) else None
    values = counted.to_series(0) if counted is not None else full
    counts = (
        counted.get_column("\0count") if counted is not None else pl.Series([], dtype=pl.UInt32)
    )
    words = names.words_of(series.name)
    nulls = series.null_count()
    return Look(series.name, values, counts, len(series), nulls, decimal, words, beside=beside)


def numbers_of(look: Look) -> tuple[pl.Series, pl.Series]:
    """The distinct numbers and their counts."""
    values = look.values
    if values.dtype == pl.String():
        frame = pl.DataFrame({"v": values})
        values = frame.select(from_text(pl.col("v"), "number", decimal=look.decimal)).to_series()
    values = values.cast(pl.Float64(), strict=False)
    there = values.is_finite().fill_null(value=False)
    return values.filter(there), look.counts.filter(there)


def times_of(look: Look, column: Column) -> tuple[pl.Series, pl.Series]:
    """The distinct dates or times and their counts."""
    values = look.values
    if values.dtype == pl.String():
        frame = pl.DataFrame({"v": values})
        read = from_text(pl.col("v"), column.type, format=column.format, timezone=column.timezone)
        values = frame.select(read).to_series()
    there = values.is_not_null()
    return values.filter(there), look.counts.filter(there)
