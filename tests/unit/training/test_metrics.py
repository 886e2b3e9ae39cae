"""Metrics against scikit-learn, with and without weights; intervals against their definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    mean_absolute_error,
    mean_absolute_percentage_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from taxiway.core.interval import Interval
from taxiway.core.kind import METRICS as KNOWN
from taxiway.core.kind import REGRESSION, kind_with
from taxiway.training.metrics import METRICS, gain, interval, measure

REFERENCE = {
    "roc_auc": roc_auc_score,
    "average_precision": average_precision_score,
    "log_loss": log_loss,
    "brier": brier_score_loss,
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "r2": r2_score,
    "mape": mean_absolute_percentage_error,
}


def sample(
    metric: str, seed: int, rows: int, ties: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    if kind_with(metric) is REGRESSION:
        labels: np.ndarray = rng.normal(50, 20, rows).round(0 if ties else 6)
        labels[:2] = [-10.0, 40.0]
        scores = labels + rng.normal(0, 10, rows)
    else:
        labels = rng.random(rows) < 0.3
        labels[:2] = [True, False]
        scores = np.clip(rng.normal(labels * 0.2 + 0.4, 0.2), 0.001, 0.999)
    weights = rng.integers(0, 4, rows).astype(float)
    weights[:2] = 1
    return labels, np.round(scores, 1) if ties else scores, weights


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("metric", list(METRICS))
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 300))
def test_equals_scikit_learn_with_weights(metric: str, ties: bool, seed: int, rows: int) -> None:
    labels, scores, weights = sample(metric, seed, rows, ties)
    ours = METRICS[metric](labels, scores)(weights)
    theirs = REFERENCE[metric](labels, scores, sample_weight=weights)
    assert ours == pytest.approx(theirs, abs=1e-9, rel=1e-9)
    assert measure(metric, labels, scores) == pytest.approx(
        REFERENCE[metric](labels, scores), abs=1e-9, rel=1e-9
    )


@pytest.mark.parametrize("metric", list(METRICS))
def test_interval_is_the_percentiles_of_resamples(metric: str) -> None:
    # The same resamples, drawn by their definition and scored by scikit-learn.
    labels, scores, _ = sample(metric, 3, 400, ties=True)
    rng = np.random.default_rng(11)
    values: list[float] = []
    while len(values) < 200:
        rows = rng.integers(0, len(labels), len(labels))
        if np.ptp(labels[rows].astype(float)) > 0:
            values.append(REFERENCE[metric](labels[rows], scores[rows]))
    low, high = np.quantile(values, [0.025, 0.975])
    ours = interval(metric, labels, scores, seed=11)
    assert ours.value == pytest.approx(REFERENCE[metric](labels, scores))
    assert ours.low == pytest.approx(low)
    assert ours.high == pytest.approx(high)


@pytest.mark.parametrize("metric", list(METRICS))
def test_gain_is_positive_for_the_better_one_whatever_the_orientation(metric: str) -> None:
    labels, scores, _ = sample(metric, 5, 2000, ties=False)
    noise = np.random.default_rng(1).random(2000)
    better = gain(metric, labels, scores, noise, seed=1)
    assert better.low > 0
    worse = gain(metric, labels, noise, scores, seed=1)
    assert worse.value == pytest.approx(-better.value)
    same = gain(metric, labels, scores, scores, seed=1)
    assert same == Interval(0.0, 0.0, 0.0)


@pytest.mark.parametrize("labels", [[True, True], [False, False]])
def test_one_class_is_nothing_to_tell_apart(labels: list[bool]) -> None:
    with pytest.raises(ValueError, match="labels that differ"):
        interval("roc_auc", labels, [0.1, 0.2], seed=0)


def test_labels_that_are_all_the_same_explain_nothing() -> None:
    with pytest.raises(ValueError, match="labels that differ"):
        interval("r2", [3.0, 3.0], [1.0, 2.0], seed=0)


def test_every_metric_of_every_kind_can_be_measured() -> None:
    assert list(METRICS) == list(KNOWN)
