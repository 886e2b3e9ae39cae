"""Performance of a window, measured by the real metrics of `training.metrics`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score, root_mean_squared_error

from taxiway.core.charter import Bar
from taxiway.monitoring.performance import Limits, performance
from taxiway.monitoring.windows import window_of
from taxiway.training.metrics import interval

MARCH = window_of(datetime(2013, 3, 1, tzinfo=UTC), "month")


def sample(rows: int, strength: float, seed: int = 1) -> tuple[list[bool], list[float]]:
    """Labels, and probabilities that tell them apart the better the larger `strength` is."""
    random = np.random.default_rng(seed)
    labels = random.random(rows) < 0.3
    scores = random.normal(labels * strength, 1.0)
    return labels.tolist(), (1 / (1 + np.exp(-scores))).tolist()


def limits(**changes: Any) -> Limits:
    kept: dict[str, Any] = {
        "bar": Bar(metric="roc_auc", at_least=0.6),
        "reference": 0.75,
        "maximum_drop": 0.05,
        "minimum_rows": 200,
        "maximum_gap": 0.1,
        "minimum_group_rows": 100,
    }
    return Limits(**{**kept, **changes})


def found(
    labels: list[Any],
    probabilities: list[float],
    held: Limits,
    groups: dict[str, list[str]] | None = None,
) -> dict[str, Any]:
    result, required = performance(
        labels,
        probabilities,
        window=MARCH,
        decisions=len(labels) * 2,
        groups=groups or {},
        limits=held,
        measure=interval,
        seed=7,
    )
    assert required["minimum_rows"] == 200
    return result


def test_the_value_is_scikit_learns() -> None:
    labels, probabilities = sample(3000, 1.0)
    result = found(labels, probabilities, limits())
    assert result["value"] == pytest.approx(roc_auc_score(labels, probabilities))
    assert result["low"] < result["value"] < result["high"]
    assert result["verdict"] == "ok"
    assert result["coverage"] == 0.5


def test_an_interval_wholly_below_the_bar_is_an_alarm() -> None:
    labels, probabilities = sample(3000, 0.1)
    result = found(labels, probabilities, limits())
    assert result["high"] < 0.6
    assert result["verdict"] == "below bar"


def test_an_interval_around_the_bar_is_none() -> None:
    # 0.36 standard deviations apart: an AUC of 0.6 in truth, the bar itself.
    labels, probabilities = sample(400, 0.36)
    result = found(labels, probabilities, limits(reference=None))
    assert result["low"] < 0.6 < result["high"]
    assert result["verdict"] == "ok"


def test_a_drop_from_the_holdout_is_an_alarm_above_the_bar() -> None:
    labels, probabilities = sample(5000, 0.6)
    result = found(labels, probabilities, limits())
    assert 0.6 < result["high"] < 0.70
    assert result["verdict"] == "dropped"


def test_without_a_holdout_value_only_the_bar_counts() -> None:
    labels, probabilities = sample(5000, 0.6)
    assert found(labels, probabilities, limits(reference=None))["verdict"] == "ok"


@pytest.mark.parametrize(
    ("reference", "at_most", "verdict"),
    [(0.20, None, "ok"), (0.10, None, "dropped"), (0.20, 0.15, "below bar")],
)
def test_of_a_loss_less_is_better(reference: float, at_most: float | None, verdict: str) -> None:
    labels = sample(3000, 1.0)[0]
    # Everyone gets the base rate, 0.3: the Brier score is about 0.3 x 0.7 = 0.21.
    probabilities = [0.3] * len(labels)
    held = limits(bar=Bar(metric="brier", at_most=at_most), reference=reference)
    result = found(labels, probabilities, held)
    assert result["value"] == pytest.approx(brier_score_loss(labels, probabilities))
    assert result["verdict"] == verdict


def test_too_few_outcomes_tell_nothing() -> None:
    labels, probabilities = sample(199, 0.0)
    result = found(labels, probabilities, limits())
    assert (result["verdict"], result["value"]) == ("insufficient data", None)
    assert result["why"] == "199 outcomes, of at least 200 needed"


@pytest.mark.parametrize(("label", "word"), [(True, "positive"), (False, "negative")])
def test_one_class_tells_nothing(label: bool, word: str) -> None:
    result = found([label] * 300, [0.4] * 300, limits())
    assert result["verdict"] == "insufficient data"
    assert result["why"] == f"all 300 outcomes are {word}"


def test_a_group_that_is_behind_beyond_doubt_is_named() -> None:
    good, weak = sample(3000, 1.5, seed=1), sample(600, 0.0, seed=2)
    few = sample(50, 0.0, seed=3)
    groups = {"region": ["north"] * 3000 + ["south"] * 600 + ["west"] * 50}
    labels, probabilities = good[0] + weak[0] + few[0], good[1] + weak[1] + few[1]
    result = found(labels, probabilities, limits(), groups)
    verdicts = {group["value"]: group["verdict"] for group in result["fairness"]}
    # West has fewer rows than a group needs.
    assert verdicts == {"north": "ok", "south": "behind"}


def test_the_same_window_gives_the_same_evidence() -> None:
    labels, probabilities = sample(1000, 1.0)
    assert found(labels, probabilities, limits()) == found(labels, probabilities, limits())


def test_of_numbers_a_larger_error_is_worse() -> None:
    rng = np.random.default_rng(1)
    labels = rng.normal(50, 10, 2000)
    held = limits(bar=Bar(metric="rmse", at_most=6.5), reference=5.0, maximum_drop=0.5)
    for noise, verdict in ((5.0, "ok"), (6.0, "dropped"), (7.5, "below bar")):
        scores = labels + rng.normal(0, noise, 2000)
        result = found(labels.tolist(), scores.tolist(), held)
        assert result["value"] == pytest.approx(root_mean_squared_error(labels, scores))
        assert result["verdict"] == verdict
