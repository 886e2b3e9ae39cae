"""Models that are trained to judge data, and the difference between two of them with its interval.

They are gradient-boosted trees with the settings of a first try: what is asked is how much columns
and rows are worth, not how well a model can be tuned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from taxiway.core.interval import Interval
from taxiway.data.leaks.strength import auc
from taxiway.data.leaks.table import Floats, Table

RESAMPLES = 200
METRIC = {True: "ROC AUC", False: "R²"}
"""Whether the label is of a class -> the metric."""

Indices: TypeAlias = NDArray[np.intp]
Score: TypeAlias = Callable[[Floats, Floats], float]
"""(labels, predictions) -> how good they are; more is better."""


def predicted(table: Table, matrix: Floats, train: Indices, test: Indices) -> Floats:
    """What a model that is trained on some rows says of others: probabilities, or numbers."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    y = table.label[train]
    if len(np.unique(y)) < 2:
        return np.full(len(test), float(y.mean()))
    # Large enough leaves to learn, small enough to remember neighbours, as models in use do.
    settings: dict[str, Any] = {"max_iter": 60, "random_state": 0, "early_stopping": False}
    if table.binary:
        model = HistGradientBoostingClassifier(**settings).fit(matrix[train], y)
        told: Floats = model.predict_proba(matrix[test])[:, 1]
    else:
        told = HistGradientBoostingRegressor(**settings).fit(matrix[train], y).predict(matrix[test])
    return told


def difference(
    score: Score, judged: list[Floats], free: list[Floats], strict: list[Floats]
) -> tuple[Interval, float, float]:
    """How much higher the free predictions score, by a paired bootstrap over the judged rows."""
    rng = np.random.default_rng(0)

    def metric(picks: list[Indices], told: list[Floats]) -> float:
        scores = [score(y[at], p[at]) for y, p, at in zip(judged, told, picks, strict=True)]
        return float(np.mean(scores))

    whole = [np.arange(len(y)) for y in judged]
    flattered, honest = metric(whole, free), metric(whole, strict)
    resampled = []
    for _ in range(RESAMPLES):
        picks = [rng.integers(0, len(y), len(y)) for y in judged]
        resampled.append(metric(picks, free) - metric(picks, strict))
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Interval(flattered - honest, float(low), float(high)), flattered, honest


def _r2(label: Floats, told: Floats) -> float:
    total = float(((label - label.mean()) ** 2).sum())
    return 1 - float(((label - told) ** 2).sum()) / total if total else 0.0


SCORE: Mapping[bool, Score] = {True: auc, False: _r2}
"""Whether the label is of a class -> the metric, as it is calculated."""
