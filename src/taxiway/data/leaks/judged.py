"""Models that are trained to judge data, and the difference between two of them with its interval,
in a metric and in what answers are worth.

They are gradient-boosted trees with the settings of a first try: what is asked is how much columns
and rows are worth, not how well a model can be tuned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Case:
    """What an answer is worth."""

    of: Callable[[Floats, Floats], Floats]
    """(labels, predictions) -> the value of each answer."""
    currency: str
    per: str = "decision"
    """What the value is of, in a word."""


def of_decisions(
    threshold: float,
    *,
    true_positive: float,
    false_positive: float,
    true_negative: float,
    false_negative: float,
) -> Callable[[Floats, Floats], Floats]:
    """The value of decisions that act from a probability on."""

    def of(label: Floats, told: Floats) -> Floats:
        right = np.where(label == 1, true_positive, false_positive)
        left = np.where(label == 1, false_negative, true_negative)
        value: Floats = np.where(told >= threshold, right, left)
        return value

    return of


def of_answers(*, right: float, each_unit_off: float) -> Callable[[Floats, Floats], Floats]:
    """The value of predicted numbers."""
    return lambda label, told: right + each_unit_off * np.abs(told - label)


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric by which repairs are judged."""

    name: str
    score: Score
    """More is better."""
    lower_is_better: bool = False
    """Whether people know it the other way round: then `score` is below zero."""


def worth_more(
    case: Case, judged: list[Floats], better: list[Floats], worse: list[Floats]
) -> Interval:
    """How much more an answer is worth, by a paired bootstrap."""
    pairs = zip(judged, better, worse, strict=True)
    gains = np.concatenate([case.of(y, b) - case.of(y, w) for y, b, w in pairs])
    rng = np.random.default_rng(0)
    means = [gains[rng.integers(0, len(gains), len(gains))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(gains.mean()), float(low), float(high))
