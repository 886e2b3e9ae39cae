"""How well a model tells rows of training and production apart, by which columns, and how much more
frequent in production each row of training is.

Nothing is said of a single column here: what is found are also combinations that only one side has.
Source: Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from taxiway.data.compare.measures import Floats, Limits, Test

ROWS = 10_000
"""Of each side, at the most."""
FOLDS = 3
MOST_COLUMNS = 200
NAMED_COLUMNS = 40
CATEGORIES = 250
LIKELIEST = 0.98
"""Probabilities are kept below it, so that no row of training stands for all of production."""
CONFIDENT = 1.959964

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Told:
    """Rows told apart by a model that had not seen them."""

    auc: float
    low: float
    high: float
    rows: int
    columns: tuple[tuple[str, float], ...]
    """What the area under the curve loses if a column is shuffled, the largest loss first."""
    weights: Floats
    """Of the first rows of training's sample: how much more frequent they are in production."""
    test: Test

    without: tuple[str, ...] = ()
    """Columns that the model did not read, as they alone tell all rows apart."""

    @property
    def represents(self) -> float:
        """How much of production the weighted rows of training stand for.

        The weights have a mean of 1 where training has rows like all of production's.
        """
        return float(self.weights.mean())

    @property
    def effective(self) -> float:
        """As how many rows of production the weighted rows of training count (Kish 1965)."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    def found(self) -> dict[str, Any]:
        """For the evidence."""
        return {
            "auc": self.auc,
            "low": self.low,
            "high": self.high,
            "rows": self.rows,
            "effective_rows": self.effective,
            "represents": self.represents,
            "columns": [{"name": name, "drop": drop} for name, drop in self.columns],
            "without": list(self.without),
        }


def tell_apart(
    training: pl.DataFrame,
    production: pl.DataFrame,
    columns: Sequence[str],
    limits: Limits,
    *,
    seed: int,
) -> Told | None:
    """A model that learns which side a row is from; `columns` with the most telling first.

    None if there is too little to learn from. Raises `ModuleNotFoundError` without scikit-learn.
    """
    names = list(columns)[:MOST_COLUMNS]
    if not names or min(training.height, production.height) < max(limits.minimum_rows, 30):
        return None
    first, second = training.head(ROWS), production.head(ROWS)
    x, categorical = matrix(pl.concat([plain(first, names), plain(second, names)], how="vertical"))
    y = np.r_[np.zeros(first.height, bool), np.ones(second.height, bool)]
    folds = stratified(y, seed)
    probability = np.zeros(len(y))
    for fold in range(FOLDS):
        answer = fitted(x[folds != fold], y[folds != fold], categorical, seed=seed)
        probability[folds == fold] = answer(x[folds == fold])
    auc, error = area(y, probability)
    n, m = first.height, second.height
    by_chance = math.sqrt((n + m + 1) / (12 * n * m))
    test = Test("rows told apart", auc, limits.auc, _above(auc, by_chance))
    last = folds == FOLDS - 1
    named = _drops(answer, x[last], y[last], names, seed) if auc >= limits.auc else ()
    odds = np.clip(probability[: first.height], 1 - LIKELIEST, LIKELIEST)
    weights = odds / (1 - odds) * (n / m)
    low, high = max(0.0, auc - CONFIDENT * error), min(1.0, auc + CONFIDENT * error)
    return Told(auc, low, high, n + m, named, weights, test)


def make_ready() -> None:
    """Imports what a model is made of, if it is there."""
    with suppress(ModuleNotFoundError):
        import sklearn.ensemble  # noqa: F401


def plain(sample: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Numbers as floats, all else as text."""
    return sample.select(
        pl.col(n).cast(pl.Float64, strict=False)
        if sample.schema[n].is_numeric()
        else pl.col(n).cast(pl.String)
        for n in names
    )


def matrix(frame: pl.DataFrame) -> tuple[Floats, list[int]]:
    """A frame as numbers, texts as codes by how frequent they are; and which columns hold codes."""
    columns, categorical = [], []
    for at, series in enumerate(frame.iter_columns()):
        if series.dtype == pl.String:
            top = series.drop_nulls().value_counts(sort=True, name="rows").to_series(0)
            codes = {value: float(code) for code, value in enumerate(top.head(CATEGORIES))}
            coded = series.replace_strict(codes, default=float(CATEGORIES), return_dtype=pl.Float64)
            columns.append(np.where(series.is_null(), np.nan, coded.to_numpy()))
            categorical.append(at)
        else:
            numbers = series.to_numpy().astype(np.float64)
            columns.append(np.where(np.isfinite(numbers), numbers, np.nan))
    return np.column_stack(columns), categorical


def fitted(
    x: Floats, y: NDArray[Any], categorical: Sequence[int], *, seed: int, numeric: bool = False
) -> Callable[[Floats], Floats]:
    """A model that takes missing values and categories as they are, and is quick: its answers."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    kind = HistGradientBoostingRegressor if numeric else HistGradientBoostingClassifier
    model = kind(
        max_iter=60,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        early_stopping=False,
        categorical_features=list(categorical) or None,
        random_state=seed,
    )
    # So few rows are learnt quicker by one thread than by several that wait for each other.
    with threadpool_limits(1):
        model.fit(x, y)

    def answer(rows: Floats) -> Floats:
        with threadpool_limits(1):
            return np.asarray(model.predict(rows) if numeric else model.predict_proba(rows)[:, 1])

    return answer


def stratified(y: NDArray[np.bool_], seed: int) -> Integers:
    """The fold of each row, both classes spread evenly."""
    random, folds = np.random.default_rng(seed), np.zeros(len(y), np.int64)
    for side in (False, True):
        places = np.flatnonzero(y == side)
        folds[random.permutation(places)] = np.arange(len(places)) % FOLDS
    return folds


def area(y: NDArray[np.bool_], score: Floats) -> tuple[float, float]:
    """The area under the ROC curve and its standard error.

    Source: DeLong et al. (1988); by mid-ranks as in Sun and Xu (2014).
    """
    from scipy.stats import rankdata

    ahead, behind = score[y], score[~y]
    m, n = len(ahead), len(behind)
    ranks = rankdata(np.r_[ahead, behind])
    of_ahead = (ranks[:m] - rankdata(ahead)) / n
    of_behind = 1 - (ranks[m:] - rankdata(behind)) / m
    variance = of_ahead.var(ddof=1) / m + of_behind.var(ddof=1) / n
    return float(of_ahead.mean()), float(math.sqrt(variance))


def _above(auc: float, error: float) -> float:
    """The p-value of an area that is above one half (Mann and Whitney 1947)."""
    from scipy.special import ndtr

    return float(ndtr(-(auc - 0.5) / error))


def _drops(
    answer: Callable[[Floats], Floats],
    x: Floats,
    y: NDArray[np.bool_],
    names: Sequence[str],
    seed: int,
) -> tuple[tuple[str, float], ...]:
    """What is lost without each column; shuffled, as in Breiman (2001)."""
    from scipy.stats import rankdata

    random = np.random.default_rng(seed)

    def measured(rows: Floats) -> float:
        ranks = rankdata(answer(rows))
        ahead = int(y.sum())
        return float((ranks[y].mean() - (ahead + 1) / 2) / (len(y) - ahead))

    best, drops = measured(x), []
    for at, name in enumerate(names[:NAMED_COLUMNS]):
        shuffled = x.copy()
        shuffled[:, at] = random.permutation(shuffled[:, at])
        drops.append((name, best - measured(shuffled)))
    return tuple(sorted(((n, d) for n, d in drops if d > 0.001), key=lambda pair: -pair[1])[:10])
