"""What is counted of each column: bins of numbers, values of texts, periods of times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from taxiway.data.survey.rows import NUMBER, TIME

QUANTILES = tuple(part / 10 for part in range(1, 10))
"""As in the profiles that monitoring counts against: a limit of the distance means the same."""
FEW_VALUES = 10
"""Numbers with at most so many distinct values get a bin each, and one for what lies between."""
MOST_PERIODS = 400
PERIODS = {
    "1m": timedelta(minutes=1),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "1w": timedelta(weeks=1),
    "1mo": timedelta(days=30),
    "1y": timedelta(days=365),
    "10y": timedelta(days=3650),
}
"""How times are put together, the finest first; and about how long that is."""


@dataclass(frozen=True, slots=True)
class Bins:
    """How one column is counted, in every source that is to be held against another."""

    edges: tuple[float, ...] = ()
    """Of numbers: bins are open at both ends, and closed at their upper edge."""
    few: bool = False
    """Whether each second bin holds one value."""
    limits: tuple[float, float] | None = None
    """Outside of them rows are counted apart: what another source has never seen."""
    period: str = "1d"


def bins_of(looked_at: Sequence[pl.DataFrame], kinds: Mapping[str, str]) -> dict[str, Bins]:
    """The bins of every number and time: by the first frame that has any values of it."""
    return {
        name: _bins(
            [f.get_column(name) for f in looked_at if name in f.columns and f[name].count()], kind
        )
        for name, kind in kinds.items()
        if kind in {NUMBER, TIME}
    }


def within(bins: Mapping[str, Bins], limits: Mapping[str, tuple[float, float]]) -> dict[str, Bins]:
    """The same bins, with the limits of another source."""
    return {name: replace(of, limits=limits.get(name)) for name, of in bins.items()}


def _bins(columns: list[pl.Series], kind: str) -> Bins:
    if not columns:
        return Bins()
    if kind == TIME:
        lows, highs = [c.min() for c in columns], [c.max() for c in columns]
        span = max(highs) - min(lows)  # type: ignore[type-var, operator]
        fits = (name for name, long in PERIODS.items() if span / long <= MOST_PERIODS)  # type: ignore[operator]
        return Bins(period=next(fits, "10y"))
    values = finite(columns[0])
    if not len(values):
        return Bins()
    distinct = np.unique(values)
    if len(distinct) <= FEW_VALUES:
        below = np.nextafter(distinct, -np.inf)
        edges = [float(edge) for pair in zip(below, distinct, strict=True) for edge in pair]
        return Bins(tuple(edges), few=True)
    quantiles = np.quantile(values, QUANTILES, method="inverted_cdf")
    return Bins(tuple(float(edge) for edge in np.unique(quantiles)))


def finite(column: pl.Series) -> NDArray[np.float64]:
    """The finite numbers of a column."""
    numbers = column.drop_nulls().cast(pl.Float64, strict=False).drop_nulls()
    values: NDArray[np.float64] = numbers.to_numpy()
    return values[np.isfinite(values)]
