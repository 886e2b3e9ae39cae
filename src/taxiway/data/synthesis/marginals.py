"""Single columns, there and back: values to normal scores, and scores to values.

People are protected: no value of few rows comes back. Categories with fewer than `FEWEST` rows are
left out, numbers end at the `FEWEST`-th smallest and largest, texts that name somebody get new
characters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from taxiway.core.contract import Column
from taxiway.data.column_types import DTYPES
from taxiway.data.synthesis.promised import shapes_like

Floats = NDArray[np.float64]

FEWEST = 5
"""Rows that have to have a value before it comes back."""
FEW_VALUES = 20
"""Numbers with at most so many distinct values are categories."""
MOST_CATEGORIES = 1_000
NAMES = 0.5
"""Distinct values a row from which on texts name rows."""
MOST_NUMBERED = 10**9
"""How far numbers that tell rows apart may run from the smallest."""
GRID = 400
"""Quantiles that a number's distribution is kept as."""
EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Marginal:
    """One column on its own."""

    name: str
    scores: Floats | None
    """A normal score for each row, nan where the value is missing; None for texts that name rows:
    they depend on nothing."""
    back: Callable[[Floats, np.random.Generator], pl.Series]
    """Uniform numbers -> values without nulls."""
    missing: NDArray[np.bool_] | None
    """Which rows miss it, if some do."""
    protected: int
    """Rows whose value does not come back."""
    place: dict[Any, int] | None = None
    """Category -> its place in the order of scores; None where values have an order themselves."""


def marginal(
    values: pl.Series,
    column: Column,
    rng: np.random.Generator,
    anchors: Floats,
    *,
    alone: bool = False,
) -> Marginal:
    """How one column is drawn; `alone` if no value may come twice.

    `anchors` are numeric columns of shape (rows, anchors): categories are put in the order of the
    one that differs most between them, as scores can only rise and fall together.
    """
    known = values.drop_nulls()
    # A value that can't be read is none, but no row may miss one where the contract says so.
    some = values.null_count() and column.nullable and not column.key
    missing = values.is_null().to_numpy() if some else None
    if alone and column.type == "integer" and known.len():
        return _numbered(values, column, missing)
    if not known.len():
        return Marginal(values.name, None, lambda u, _: _nothing(values, len(u)), missing, 0)
    if column.type in {"string", "boolean"} or known.n_unique() <= FEW_VALUES:
        names_rows = column.type == "string" and (
            column.personal or known.n_unique() > max(FEW_VALUES, NAMES * known.len())
        )
        if names_rows or known.n_unique() > MOST_CATEGORIES:
            return _named(values, missing)
        return _categories(values, missing, rng, anchors)
    return _ordered(values, missing, rng)


def _nothing(values: pl.Series, rows: int) -> pl.Series:
    return pl.Series(values.name, [None], dtype=values.dtype).new_from_index(0, rows)


def _named(values: pl.Series, missing: NDArray[np.bool_] | None) -> Marginal:
    known = values.drop_nulls().cast(pl.String)

    def back(uniform: Floats, rng: np.random.Generator) -> pl.Series:
        return pl.Series(values.name, shapes_like(known, len(uniform), rng, FEWEST))

    return Marginal(values.name, None, back, missing, known.len())


def _numbered(values: pl.Series, column: Column, missing: NDArray[np.bool_] | None) -> Marginal:
    """Numbers that tell rows apart: others from the same on, as many as may be needed."""
    low = int(values.min())  # type: ignore[arg-type]
    most = column.maximum if isinstance(column.maximum, int | float) else None
    high = min(int(most) if most is not None else low + MOST_NUMBERED, 2**63 - 1)
    known = values.len() - values.null_count()

    def back(uniform: Floats, rng: np.random.Generator) -> pl.Series:
        # Which numbers there are says nothing of the other columns.
        return pl.Series(values.name, rng.integers(low, high, len(uniform), endpoint=True))

    return Marginal(values.name, None, back, missing, known)


def _categories(
    values: pl.Series,
    missing: NDArray[np.bool_] | None,
    rng: np.random.Generator,
    anchors: Floats,
) -> Marginal:
    """Each category is a stretch of the line, as long as it is frequent."""
    counts = values.drop_nulls().rename("value").value_counts(name="rows").sort("value")
    common = counts.filter(pl.col("rows") >= FEWEST)
    if not common.height:
        common = counts.sort("rows", descending=True).head(1)
    if not values.dtype.is_numeric() and common.height > 2:
        common = common[_order(values, common["value"], anchors).tolist()]
    known_rows = values.len() - values.null_count()
    rows = common["rows"].to_numpy().astype(np.float64)
    ends = np.cumsum(rows) / rows.sum()
    starts = np.concatenate([[0.0], ends[:-1]])
    place = dict(zip(common["value"].to_list(), range(common.height), strict=True))
    codes = values.replace_strict(place, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()
    inside = rng.random(len(codes))
    known = codes >= 0
    scores = np.full(len(codes), np.nan)
    at = codes[known]
    scores[known] = _normal(starts[at] + inside[known] * (ends[at] - starts[at]))
    back_values = common["value"]

    def back(uniform: Floats, _: np.random.Generator) -> pl.Series:
        places = np.minimum(np.searchsorted(ends, uniform, side="right"), common.height - 1)
        return back_values.gather(places.tolist()).alias(values.name)

    protected = known_rows - int(rows.sum())
    return Marginal(values.name, scores, back, missing, protected, place)


def _order(values: pl.Series, categories: pl.Series, anchors: Floats) -> NDArray[np.intp]:
    """Categories by the mean of the anchor that they explain most of (the correlation ratio)."""
    place = dict(zip(categories.to_list(), range(categories.len()), strict=True))
    codes = values.replace_strict(place, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()
    best, order = 0.0, np.arange(categories.len())
    for anchor in anchors.T:
        known = (codes >= 0) & ~np.isnan(anchor)
        if known.sum() < 2 or np.ptp(anchor[known]) == 0:
            continue
        rows = np.bincount(codes[known], minlength=len(order))
        sums = np.bincount(codes[known], weights=anchor[known], minlength=len(order))
        whole = anchor[known].mean()
        means = np.where(rows > 0, sums / np.maximum(rows, 1), whole)
        explained = float((rows * (means - whole) ** 2).sum() / (known.sum() * anchor[known].var()))
        if explained > best:
            best, order = explained, np.argsort(means, kind="stable")
    return order


def _ordered(
    values: pl.Series, missing: NDArray[np.bool_] | None, rng: np.random.Generator
) -> Marginal:
    """Numbers, days and times by their quantiles; values that are frequent keep their share."""
    numbers = values.cast(pl.Int64) if values.dtype.is_temporal() else values
    array = numbers.cast(pl.Float64).to_numpy()
    known = np.isfinite(array)
    ordered = np.sort(array[known])
    kept = ordered[FEWEST - 1 : len(ordered) - FEWEST + 1] if len(ordered) > 2 * FEWEST else ordered
    grid = np.quantile(kept, np.linspace(0, 1, GRID), method="linear")
    step = _step(array[known], values.dtype)
    # Ties in an order that is drawn, so that a frequent value is a stretch and no single point.
    ranks = np.empty(known.sum())
    ranks[np.lexsort((rng.random(known.sum()), array[known]))] = np.arange(known.sum())
    scores = np.full(len(array), np.nan)
    scores[known] = _normal((ranks + 0.5) / known.sum())

    def back(uniform: Floats, _: np.random.Generator) -> pl.Series:
        drawn = np.interp(uniform, np.linspace(0, 1, GRID), grid)
        if step:
            drawn = np.clip(np.round(drawn / step) * step, grid[0], grid[-1])
        column = pl.Series(values.name, drawn)
        if values.dtype.is_temporal() or values.dtype.is_integer():
            return column.round().cast(pl.Int64).cast(values.dtype)
        return column.round(9)

    return Marginal(values.name, scores, back, missing, min(2 * (FEWEST - 1), len(ordered)))


STEPS = (86_400_000_000.0, 3_600_000_000.0, 60_000_000.0, 1_000_000.0)
"""A day, an hour, a minute and a second in microseconds."""


def _step(values: Floats, dtype: pl.DataType) -> float:
    """What values are multiples of, so that whole hours and cents stay whole; 0 if of nothing."""
    if isinstance(dtype, pl.Datetime):
        return next((step for step in STEPS if not np.mod(values, step).any()), 0.0)
    if dtype.is_integer() or dtype == pl.Date:
        return 1.0
    for digits in range(7):
        if np.allclose(values, np.round(values, digits), rtol=0, atol=1e-9):
            return float(10.0**-digits)
    return 0.0


def _normal(uniform: Floats) -> Floats:
    scores: Floats = special.ndtri(np.clip(uniform, EDGE, 1 - EDGE))
    return scores


def typed(column: pl.Series, contract: Column) -> pl.Series:
    """A drawn column with its contract type, within the contract's limits."""
    made = column.cast(DTYPES[contract.type], strict=False)
    if contract.type in {"integer", "number"}:
        low = contract.minimum if isinstance(contract.minimum, int | float) else None
        high = contract.maximum if isinstance(contract.maximum, int | float) else None
        made = made.clip(low, high)
    return made
