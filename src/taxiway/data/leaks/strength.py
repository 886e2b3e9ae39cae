"""How well values tell a label, as one figure with its interval: out of fold, and aware of n."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from taxiway.core.interval import Interval
from taxiway.data.leaks.table import Floats

BINS = 50
Z = 1.959963984540054
"""Of a two-sided interval of 95 %."""


def auc(label: Floats, score: Floats) -> float:
    """Area under the ROC curve by the rank sum (Hanley and McNeil 1982); ties count half.

    >>> auc(np.array([0.0, 0.0, 1.0, 1.0]), np.array([1.0, 2.0, 2.0, 3.0]))
    0.875
    """
    positives = float(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return 0.5
    ranks = stats.rankdata(score)
    below = ranks[label == 1].sum() - positives * (positives + 1) / 2
    return float(below / (positives * negatives))


def auc_interval(label: Floats, score: Floats) -> Interval:
    """The area with the interval of Hanley and McNeil (1982)."""
    area = auc(label, score)
    n1 = float(label.sum())
    n0 = len(label) - n1
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (n1 - 1) * (q1 - area**2) + (n0 - 1) * (q2 - area**2)) / (
        max(n1, 1) * max(n0, 1)
    )
    half = Z * float(np.sqrt(max(variance, 0.0)))
    return Interval(area, max(0.0, area - half), min(1.0, area + half))


def alone(values: Floats, label: Floats, *, ordered: bool, binary: bool) -> Interval:
    """How well one column tells the label of rows that it was not fitted to.

    ROC AUC from 0.5 to 1 of a class, the share of variance explained (R squared, never below 0) of
    a number. Each half of the rows is told by the means of the other half: of each value, or of
    each of `BINS` ranges of an ordered one, so that a relation of any shape counts.
    """
    cells = _cells(values, ordered=ordered)
    told = _out_of_fold(cells, label)
    if binary:
        found = auc_interval(label, told)
        if ordered:  # its own order is finer than the ranges
            known = np.where(np.isnan(values), np.nanmedian(values) if len(values) else 0, values)
            direct = auc_interval(label, known)
            if direct.value < 0.5:
                direct = Interval(1 - direct.value, 1 - direct.high, 1 - direct.low)
            found = max(found, direct, key=lambda one: one.value)
        return found
    total = float(((label - label.mean()) ** 2).sum())
    left = float(((label - told) ** 2).sum())
    share = max(0.0, 1 - left / total) if total else 0.0
    if ordered:  # a line says more than ranges where values lie far apart
        share = max(share, _straight(values, label))
    half = Z * 2 * np.sqrt(max(share, 0.0)) * (1 - share) / np.sqrt(len(label))
    return Interval(share, max(0.0, share - half), min(1.0, share + half))


def _straight(values: Floats, label: Floats) -> float:
    """The share of variance that a straight line explains."""
    known = ~np.isnan(values)
    x, y = values[known], label[known]
    if len(x) < 10 or not np.ptp(x) or not np.ptp(y):
        return 0.0
    # A line has two parameters, for which as many rows explain nothing.
    share = float(np.corrcoef(x, y)[0, 1] ** 2)
    return max(0.0, 1 - (1 - share) * (len(x) - 1) / (len(x) - 2)) * len(x) / len(label)


def _cells(values: Floats, *, ordered: bool) -> NDArray[np.int64]:
    """The cell of each row: its value's, or the range's that it is in; null has its own."""
    known = ~np.isnan(values)
    cells = np.zeros(len(values), dtype=np.int64)
    if not known.any():
        return cells
    distinct, places = np.unique(values[known], return_inverse=True)
    if ordered and len(distinct) > BINS:
        edges = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1)[1:-1]))
        places = np.searchsorted(edges, values[known], side="right")
    cells[known] = places + 1
    return cells


def _out_of_fold(cells: NDArray[np.int64], label: Floats) -> Floats:
    half = np.random.default_rng(0).random(len(label)) < 0.5
    told = np.empty(len(label))
    size = int(cells.max(initial=0)) + 1
    for side in (half, ~half):
        mean = float(label[side].mean()) if side.any() else 0.0
        rows = np.bincount(cells[side], minlength=size)
        sums = np.bincount(cells[side], weights=label[side], minlength=size)
        # One row's worth of the mean, so that rare values don't look certain; and from one middle,
        # or the halves' own means would order the rows, the wrong way round.
        told[~side] = ((sums + mean) / (rows + 1) - mean + label.mean())[cells[~side]]
    return told


def adjusted(p_values: list[float]) -> list[float]:
    """Benjamini and Hochberg (1995), as `scipy.stats.false_discovery_control` does."""
    if not p_values:
        return []
    found: list[float] = stats.false_discovery_control(np.clip(p_values, 0.0, 1.0)).tolist()
    return found
