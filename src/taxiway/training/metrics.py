"""Metrics with intervals, quick enough to resample a holdout hundreds of times.

Every metric is a function of labels, scores (probabilities, or predicted numbers) and row weights;
a bootstrap resample is a vector of weights, so that scores are sorted once and not once a resample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from taxiway.core.interval import Interval
from taxiway.core.kind import LOWER_IS_BETTER, Kind, kind_with

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Weighted: TypeAlias = Callable[[Floats], float]
"""The metric of fixed labels and scores, as a function of the rows' weights."""

RESAMPLES = 200
CONFIDENCE = 0.95
CLIP = float(np.finfo(np.float64).eps)
"""Probabilities of 0 and 1 are moved by this much in the log loss, as scikit-learn does."""


def _groups(probabilities: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The order of the rows from low to high score, and where each group of ties starts."""
    order = np.argsort(probabilities, kind="stable")
    ranked = probabilities[order]
    return order, np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])


def _roc_auc(labels: Bools, probabilities: Floats) -> Weighted:
    """Probability that a positive row scores above a negative one, ties counting half."""
    order, starts = _groups(probabilities)
    positive = labels[order]

    def area(weights: Floats) -> float:
        ranked = weights[order]
        above = np.add.reduceat(np.where(positive, ranked, 0.0), starts)
        below = np.add.reduceat(np.where(positive, 0.0, ranked), starts)
        pairs = above.sum() * below.sum()
        return float((above * (np.cumsum(below) - below / 2)).sum() / pairs)

    return area


def _average_precision(labels: Bools, probabilities: Floats) -> Weighted:
    """Mean of the precision at each threshold, weighted by the recall gained there."""
    order, starts = _groups(-probabilities)
    positive = labels[order]

    def area(weights: Floats) -> float:
        ranked = weights[order]
        hits = np.add.reduceat(np.where(positive, ranked, 0.0), starts)
        taken = np.cumsum(np.add.reduceat(ranked, starts))
        # The first groups of a resample can be empty: no rows taken, no recall gained.
        precision = np.divide(np.cumsum(hits), taken, out=np.zeros_like(taken), where=taken > 0)
        return float((precision * hits).sum() / hits.sum())

    return area


def _mean_of(losses: Floats) -> Weighted:
    return lambda weights: float(losses @ weights / weights.sum())


def _log_loss(labels: Bools, probabilities: Floats) -> Weighted:
    clipped = np.clip(probabilities, CLIP, 1 - CLIP)
    return _mean_of(-np.log(np.where(labels, clipped, 1 - clipped)))


def _brier(labels: Bools, probabilities: Floats) -> Weighted:
    return _mean_of((probabilities - labels) ** 2)


def _mae(labels: Floats, numbers: Floats) -> Weighted:
    return _mean_of(np.abs(numbers - labels))


def _rmse(labels: Floats, numbers: Floats) -> Weighted:
    mean = _mean_of((numbers - labels) ** 2)
    return lambda weights: math.sqrt(mean(weights))


def _r2(labels: Floats, numbers: Floats) -> Weighted:
    """The share of the labels' variance that is gone once the numbers are known."""
    left = (numbers - labels) ** 2

    def share(weights: Floats) -> float:
        apart = (labels - labels @ weights / weights.sum()) ** 2
        return float(1.0 - left @ weights / (apart @ weights))

    return share


def _mape(labels: Floats, numbers: Floats) -> Weighted:
    return _mean_of(np.abs(numbers - labels) / np.maximum(np.abs(labels), CLIP))


METRICS: Mapping[str, Callable[[Any, Floats], Weighted]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    "brier": _brier,
    "mae": _mae,
    "rmse": _rmse,
    "r2": _r2,
    "mape": _mape,
}
"""Those of `core.kind`, which says of which kind of model each is."""


def labels_of(kind: Kind, labels: Any) -> Any:
    """Labels as the metrics of a kind take them."""
    return np.asarray(labels, dtype=np.bool_ if kind.yes_or_no else np.float64)


def _arrays(metric: str, labels: Any, scores: Any) -> tuple[Any, Floats]:
    y = labels_of(kind_with(metric), labels)
    if not _differ(y):
        raise ValueError("a metric needs labels that differ")
    return y, np.asarray(scores, dtype=np.float64)


def _differ(labels: Any) -> bool:
    return len(labels) > 0 and bool(labels.min() != labels.max())


def _resamples(labels: Any, seed: int) -> Iterator[Floats]:
    """Weights of the bootstrap resamples, all with labels that differ."""
    rng = np.random.default_rng(seed)
    rows, given = len(labels), 0
    while given < RESAMPLES:
        weights = np.bincount(rng.integers(0, rows, rows), minlength=rows).astype(np.float64)
        if _differ(labels[weights > 0]):
            given += 1
            yield weights


def _interval(value: float, resampled: list[float]) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def measure(metric: str, labels: Any, scores: Any) -> float:
    """One metric.

    >>> measure("roc_auc", [False, True, True], [0.1, 0.4, 0.3])
    1.0
    """
    y, p = _arrays(metric, labels, scores)
    return METRICS[metric](y, p)(np.ones(len(y)))


def interval(metric: str, labels: Any, scores: Any, *, seed: int) -> Interval:
    """One metric with its bootstrap interval (Efron and Tibshirani 1993, percentile method).

    Raises `ValueError` if the labels are all the same: then there is nothing to tell apart.
    """
    y, p = _arrays(metric, labels, scores)
    of = METRICS[metric](y, p)
    return _interval(of(np.ones(len(y))), [of(w) for w in _resamples(y, seed)])


def gain(metric: str, labels: Any, new: Any, old: Any, *, seed: int) -> Interval:
    """How much better `new` scores than `old` on the same rows, by a paired bootstrap.

    Positive means that `new` is better, whether the metric is better high or low.
    """
    y, p_new = _arrays(metric, labels, new)
    _, p_old = _arrays(metric, labels, old)
    of_new, of_old = METRICS[metric](y, p_new), METRICS[metric](y, p_old)
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0

    def better(weights: Floats) -> float:
        return sign * (of_new(weights) - of_old(weights))

    return _interval(better(np.ones(len(y))), [better(w) for w in _resamples(y, seed)])
