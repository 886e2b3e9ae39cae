"""What a metric will be in production, from labels of training: rows that are more frequent there
weigh more.

Weighted by the ratio of the two densities, the mean loss over training's rows is that over
production's, if only the inputs differ and not what follows from them.
Source: Shimodaira (2000), Improving predictive inference under covariate shift.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.errors import InputError, shortened
from taxiway.data.compare.classifier import (
    FOLDS,
    ROWS,
    Told,
    fitted,
    matrix,
    plain,
    stratified,
)
from taxiway.data.compare.measures import Floats, Limits
from taxiway.data.label import label as label_of

RESAMPLES = 100
LEAST_EFFECTIVE = 100
LEAST_REPRESENTED = 0.5
"""Fewer rows that count, or less of production that they stand for, and there is no estimate:
production is not among training's rows."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric as it is in training, and as it will be in production."""

    metric: str
    label: str
    scored_by: str
    training: Figure
    production: Figure | None
    """None if too few rows of training are like production's."""
    realised: float | None
    """In production, where it has labels."""
    rate_training: float
    """The mean of the label."""
    rate_production: float | None
    effective_rows: float
    rows: int
    without: tuple[str, ...] = ()
    """Columns that tell all rows apart, and had to be left out to estimate anything."""

    def found(self) -> dict[str, Any]:
        """For the evidence."""

        def plain(figure: Figure | None) -> dict[str, float] | None:
            if figure is None:
                return None
            return {"value": figure.value, "low": figure.low, "high": figure.high}

        return {
            "metric": self.metric,
            "label": self.label,
            "scored_by": self.scored_by,
            "training": plain(self.training),
            "production": plain(self.production),
            "realised": self.realised,
            "label_mean_training": self.rate_training,
            "label_mean_production": self.rate_production,
            "effective_rows": self.effective_rows,
            "rows": self.rows,
            "without": list(self.without),
        }


def labels_of(sample: pl.DataFrame, label: str) -> pl.Series | None:
    """The label of each row: of a column, or of a condition; None if the columns are not there.

    A text of two values is whether it is the later one in the alphabet.
    """
    if label in sample.columns:
        column = sample.get_column(label)
    elif not set(roots_of(label)) <= set(sample.columns):
        return None
    else:
        column = sample.select(pl.sql_expr(label)).to_series()
        if not column.dtype.is_numeric():
            return label_of(sample, label)
    if column.dtype.is_numeric():
        column = column.cast(pl.Float64, strict=False)
        column = column.set(~column.is_finite(), None)
        few = column.drop_nulls().unique()
        return column == few.max() if few.len() == 2 else column
    return column if column.dtype == pl.Boolean else column == column.max()


def roots_of(label: str) -> tuple[str, ...]:
    """The columns that a label is made of. Raises `InputError` if it is no SQL expression."""
    try:
        return tuple(pl.sql_expr(label).meta.root_names())
    except pl.exceptions.PolarsError as error:
        why = shortened(str(error).strip().split("\n", 1)[0])
        raise InputError(
            f"The label {shortened(label)!r} can't be read: {why}.",
            todo="Name a column, or a condition such as `arr_delay > 15`.",
        ) from None


def estimate(
    training: pl.DataFrame,
    production: pl.DataFrame,
    told: Told,
    columns: Sequence[str],
    limits: Limits,
    *,
    label: str,
    score: Callable[[pl.DataFrame], Floats] | None = None,
    scored_by: str = "a model made for this",
    usable: pl.Expr | None = None,
    seed: int,
) -> Estimate | None:
    """The metric of `score`, or of a model that learns `label` from `columns` of training.

    Yes or no: the area under the ROC curve. A number: the mean absolute error. None if too few rows
    have a label, or all have the same.
    """
    sample = training.head(ROWS)
    labels = labels_of(sample, label)
    if labels is None or labels.count() < limits.minimum_rows or labels.n_unique() < 2:
        return None
    numeric = labels.dtype.is_numeric()
    if usable is not None:  # rows that the scores have learnt from prove nothing
        labels = labels.zip_with(
            sample.select(usable).to_series(), pl.Series([None], dtype=labels.dtype)
        )
        if labels.count() < limits.minimum_rows or labels.drop_nulls().n_unique() < 2:
            return None
    known = labels.is_not_null().to_numpy()
    y = labels.drop_nulls().cast(pl.Float64).to_numpy()
    if not numeric and not 0 < y.mean() < 1:
        return None
    later = _labelled(production.head(ROWS), label, limits)
    if score is None:
        parts = [plain(sample, columns), plain(production.head(ROWS), columns)]
        x, categorical = matrix(pl.concat(parts))
        guess, scores = _fitted(x[: sample.height][known], y, categorical, numeric, seed)
        other = guess(x[sample.height :]) if later is not None else None
    else:
        scores = score(sample)[known]
        other = score(production.head(ROWS)) if later is not None else None
    measure, metric = (_error, "mean absolute error") if numeric else (_area, "roc_auc")
    weights = told.weights[known]
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    enough = effective >= LEAST_EFFECTIVE and told.represents >= LEAST_REPRESENTED
    realised = None
    if later is not None and other is not None:
        there = later.is_not_null().to_numpy()
        truth = later.drop_nulls().cast(pl.Float64).to_numpy()
        realised = measure(truth, other[there], np.ones(len(truth)))
    return Estimate(
        metric,
        label,
        scored_by,
        _interval(measure, y, scores, np.ones(len(y)), seed),
        _interval(measure, y, scores, weights, seed) if enough else None,
        realised,
        float(y.mean()),
        float(later.cast(pl.Float64).mean()) if later is not None else None,  # type: ignore[arg-type]
        effective,
        len(y),
        told.without,
    )


def _labelled(sample: pl.DataFrame, label: str, limits: Limits) -> pl.Series | None:
    labels = labels_of(sample, label)
    if labels is None or labels.count() < limits.minimum_rows or labels.drop_nulls().n_unique() < 2:
        return None
    return labels


def _fitted(
    x: Floats, y: Floats, categorical: list[int], numeric: bool, seed: int
) -> tuple[Callable[[Floats], Floats], Floats]:
    """A model of all rows, and the scores of models that had not seen the row."""
    folds = stratified(y > (np.median(y) if numeric else 0.5), seed)
    scores = np.zeros(len(y))

    def fit(rows: Any) -> Callable[[Floats], Floats]:
        return fitted(x[rows], y[rows], categorical, seed=seed, numeric=numeric)

    for fold in range(FOLDS):
        scores[folds == fold] = fit(folds != fold)(x[folds == fold])
    return fit(slice(None)), scores


def _area(y: Floats, scores: Floats, weights: Floats) -> float:
    """The weighted area under the ROC curve, ties counting half."""
    order = np.argsort(scores, kind="stable")
    groups = np.flatnonzero(np.r_[True, np.diff(scores[order]) != 0])
    positive = np.add.reduceat((y * weights)[order], groups)
    negative = np.add.reduceat(((1 - y) * weights)[order], groups)
    pairs = positive.sum() * negative.sum()
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / pairs) if pairs else 0.5


def _error(y: Floats, scores: Floats, weights: Floats) -> float:
    return float((np.abs(y - scores) * weights).sum() / weights.sum())


def _interval(
    measure: Callable[[Floats, Floats, Floats], float],
    y: Floats,
    scores: Floats,
    weights: Floats,
    seed: int,
) -> Figure:
    """Bootstrap of the rows (Efron and Tibshirani 1993, percentile method)."""
    random = np.random.default_rng(seed)
    drawn = [
        measure(y, scores, weights * random.multinomial(len(y), np.full(len(y), 1 / len(y))))
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(measure(y, scores, weights), float(low), float(high))
