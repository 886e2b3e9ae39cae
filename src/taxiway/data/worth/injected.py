"""Defects put into honest rows: what a table with them would look like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from taxiway.data.worth.found import (
    DUPLICATES,
    LABELS,
    MISSING,
    SENTINELS,
    SHIFTED,
    STALE,
    UNITS,
)

FACTOR = 1000.0
SENTINEL = -9999


def inject(
    frame: pl.DataFrame, defect: str, column: str, rate: float, rng: np.random.Generator
) -> pl.DataFrame:
    """A frame of which a share of the rows has a defect: in a column, or from it to the last."""
    return INJECTED[defect](frame, column, rate, rng)


def _rows(frame: pl.DataFrame, rate: float, rng: np.random.Generator) -> pl.Series:
    return pl.Series(rng.random(frame.height) < rate)


def _missing(
    frame: pl.DataFrame, column: str, rate: float, rng: np.random.Generator
) -> pl.DataFrame:
    return _where(frame, _rows(frame, rate, rng), pl.lit(None), column)


def _sentinels(
    frame: pl.DataFrame, column: str, rate: float, rng: np.random.Generator
) -> pl.DataFrame:
    kind = frame.schema[column]
    value = pl.lit("unknown") if kind == pl.String else pl.lit(SENTINEL).cast(kind)
    return _where(frame, _rows(frame, rate, rng), value, column)


def _units(frame: pl.DataFrame, column: str, rate: float, rng: np.random.Generator) -> pl.DataFrame:
    return _where(frame, _rows(frame, rate, rng), pl.col(column) * FACTOR, column)


def _shifted(
    frame: pl.DataFrame, column: str, rate: float, rng: np.random.Generator
) -> pl.DataFrame:
    """From `column` on, each value one to the right; the last is lost."""
    names = frame.columns[frame.columns.index(column) :]
    rows = _rows(frame, rate, rng)
    kinds = {frame.schema[name] for name in names}
    one = kinds.pop() if len(kinds) == 1 else pl.String()
    cells = frame.with_columns(pl.col(names).cast(one))
    before = [None, *names]
    return cells.with_columns(
        pl.when(rows)
        .then(pl.lit(None, dtype=one) if left is None else pl.col(left))
        .otherwise(pl.col(name))
        .alias(name)
        for left, name in zip(before, names, strict=False)
    )


def _stale(frame: pl.DataFrame, column: str, rate: float, rng: np.random.Generator) -> pl.DataFrame:
    """Over one stretch of the rows, as they stand, the column stays what it was."""
    length = int(frame.height * rate)
    start = int(rng.integers(0, frame.height - length))
    place = pl.int_range(pl.len())
    inside = (place >= start) & (place < start + length)
    return _where(frame, inside, pl.lit(frame.get_column(column)[start]), column)


def _labels(
    frame: pl.DataFrame, column: str, rate: float, rng: np.random.Generator
) -> pl.DataFrame:
    """Another label of those that there are."""
    others = frame.get_column(column).unique().drop_nulls().sort()
    values = frame.get_column(column)
    place = values.replace_strict(others, pl.Series(range(others.len())), default=0).to_numpy()
    step = rng.integers(1, max(2, others.len()), frame.height)
    other = others.gather(pl.Series((place + step) % others.len()))
    return frame.with_columns(values.zip_with(~_rows(frame, rate, rng), other).alias(column))


def _duplicates(frame: pl.DataFrame, _: str, rate: float, rng: np.random.Generator) -> pl.DataFrame:
    """So many copies of rows that they are a share of all."""
    copies = int(frame.height * rate / (1 - rate))
    again = frame[rng.integers(0, frame.height, copies)]
    return pl.concat([frame, again])[rng.permutation(frame.height + copies)]


def _where(
    frame: pl.DataFrame, rows: pl.Series | pl.Expr, value: pl.Expr, column: str
) -> pl.DataFrame:
    return frame.with_columns(pl.when(rows).then(value).otherwise(pl.col(column)).alias(column))


INJECTED: dict[str, Callable[[pl.DataFrame, str, float, np.random.Generator], pl.DataFrame]] = {
    MISSING: _missing,
    SENTINELS: _sentinels,
    UNITS: _units,
    SHIFTED: _shifted,
    STALE: _stale,
    LABELS: _labels,
    DUPLICATES: _duplicates,
}
