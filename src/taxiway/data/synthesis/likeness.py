"""How like the data synthetic rows are, and how far from each single row of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from taxiway.data.leaks.table import coded
from taxiway.data.synthesis.marginals import Floats

COMPARED = 1_000
"""Rows whose nearest real row is looked for."""
AGAINST = 20_000
"""Real rows that it is looked for among."""
QUANTILE = 0.05


@dataclass(frozen=True, slots=True)
class Likeness:
    """Synthetic rows beside real ones."""

    rows: int
    marginals: dict[str, float]
    """Column -> how far the shares of its values or ranges lie apart (total variation, 0 to 1)."""
    dependence: float
    """Mean difference of two columns' rank correlations (Spearman), over those with an order."""
    dependence_worst: float
    copies: int
    """Synthetic rows that are equal to a real one in every column."""
    copies_by_chance: int
    """Real rows, of as many, that are equal to another real one."""
    nearest: float
    """Distance to the nearest real row below which one in twenty synthetic rows lies (Gower, 0 to
    1)."""
    nearest_real: float
    """The same of real rows to the others: synthetic ones should not lie nearer."""

    @property
    def keeps_apart(self) -> bool:
        """Whether synthetic rows lie no nearer to real ones than real ones to each other."""
        return self.nearest >= 0.9 * self.nearest_real and self.copies <= max(
            2, 2 * self.copies_by_chance
        )

    def found(self) -> dict[str, Any]:
        return {**asdict(self), "keeps_apart": self.keeps_apart}


def likeness(real: pl.DataFrame, made: pl.DataFrame, *, seed: int = 0) -> Likeness:
    """How like each other real and synthetic rows are. Both have the same columns."""
    rng = np.random.default_rng(seed)
    names = made.columns
    left, right = _codes(real, made, names)
    whole = np.concatenate([left, right])
    # A column without any value has no spread; nanmax would warn of it.
    low, high = (f.reduce(whole, axis=0, initial=np.nan) for f in (np.fmin, np.fmax))
    spread = high - low
    spread = np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)
    numeric = np.array([real.schema[n].is_numeric() or real.schema[n].is_temporal() for n in names])
    ordered = np.flatnonzero(numeric | [real.get_column(n).n_unique() <= 2 for n in names])
    order = rng.permutation(len(left))
    held, base = left[order[:COMPARED]], left[order[COMPARED : COMPARED + AGAINST]]
    some = right[rng.permutation(len(right))[:COMPARED]]
    near = _nearest(some, base, spread, numeric)
    near_real = _nearest(held, base, spread, numeric)
    return Likeness(
        made.height,
        {
            name: _apart(left[:, at], right[:, at], numeric=bool(numeric[at]))
            for at, name in enumerate(names)
        },
        *_dependence(left[:, ordered], right[:, ordered]),
        int((near == 0).sum()),
        int((near_real == 0).sum()),
        float(np.quantile(near, QUANTILE)) if len(near) else 0.0,
        float(np.quantile(near_real, QUANTILE)) if len(near_real) else 0.0,
    )


def _codes(real: pl.DataFrame, made: pl.DataFrame, names: list[str]) -> tuple[Floats, Floats]:
    """Both tables as numbers, with one code for each text of either."""
    columns = [
        coded(pl.concat([real.get_column(n), made.get_column(n).cast(real.schema[n])]))
        for n in names
    ]
    whole = np.column_stack(columns) if columns else np.empty((real.height + made.height, 0))
    return whole[: real.height], whole[real.height :]


def _nearest(rows: Floats, base: Floats, spread: Floats, numeric: Any) -> Floats:
    """Gower's distance (1971) of each row to the nearest one of the base."""
    if not len(rows) or not len(base):
        return np.empty(0)
    found = np.empty(len(rows))
    for at, row in enumerate(rows):
        apart = np.abs(base - row) / spread
        apart = np.where(numeric, apart, (apart > 0).astype(np.float64))
        gone = np.isnan(base) | np.isnan(row)
        both = np.isnan(base) & np.isnan(row)
        apart = np.where(gone, np.where(both, 0.0, 1.0), apart)
        found[at] = apart.mean(axis=1).min()
    return found


def _apart(left: Floats, right: Floats, *, numeric: bool) -> float:
    there = left[np.isfinite(left)]
    bins: Floats = np.unique(np.quantile(there, np.linspace(0, 1, 21))) if len(there) else there
    if numeric and len(bins) > 2:
        inner = bins[1:-1]
        codes = [np.searchsorted(inner, one, side="right").astype(float) for one in (left, right)]
    else:
        codes = [left.copy(), right.copy()]
    for code, side in zip(codes, (left, right), strict=True):
        code[np.isnan(side)] = -1.0
    values = np.unique(np.concatenate(codes))
    shares = [
        np.array([(code == value).mean() for value in values]) if len(values) <= 2_000 else None
        for code in codes
    ]
    if shares[0] is None or shares[1] is None:
        return 0.0
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def _dependence(left: Floats, right: Floats) -> tuple[float, float]:
    """The mean and the largest difference of rank correlations."""
    pairs = [(at, other) for at in range(left.shape[1]) for other in range(at)]
    if not pairs:
        return 0.0, 0.0
    away = [abs(_spearman(left, *pair) - _spearman(right, *pair)) for pair in pairs]
    return float(np.mean(away)), float(np.max(away))


def _spearman(table: Floats, at: int, other: int) -> float:
    known = ~(np.isnan(table[:, at]) | np.isnan(table[:, other]))
    a, b = table[known, at][:20_000], table[known, other][:20_000]
    if len(a) < 10 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(stats.spearmanr(a, b).statistic)
