"""Kinds of model: all that differs between one that says yes or no and one that says a number.

Whoever needs to know looks it up here; a new kind is one more record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """A way to say how good answers are."""

    example: float
    """A bar as people write it."""
    lower_is_better: bool = False
    chance: float | None = None
    """What a model reaches that knows nothing, where that is the same for all data."""
    low: float = 0.0
    high: float = 1.0
    """The values that it can have lie between these."""
    in_units: bool = False
    """Whether it is in the unit of the target: what is a small difference, only people know."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a model of a kind answers, and how it is judged."""

    name: str
    output: Mapping[str, str]
    """What an output holds that conditions can ask about -> its type, as the contract's types go.
    """
    score: str
    """The number in the output that metrics, drift and guardrail look at."""
    says: Callable[[Any, float | None], dict[str, Any]]
    """(scores, threshold) -> what the outputs hold but for reasons, an array for each name."""
    metrics: Mapping[str, Metric]
    worth: str
    """Where the value case says what its answers are worth."""

    @property
    def label(self) -> str:
        """The type of the target."""
        return self.output["prediction"]

    @property
    def yes_or_no(self) -> bool:
        """Whether it says yes from a threshold on."""
        return self.label == "boolean"


def _cut(scores: Any, threshold: float | None) -> dict[str, Any]:
    return {"prediction": scores >= threshold, "probability": scores}


def _as_it_is(scores: Any, _: float | None) -> dict[str, Any]:
    return {"prediction": scores}


CLASSIFICATION = Kind(
    "classification",
    {"prediction": "boolean", "probability": "number"},
    "probability",
    _cut,
    {
        # Of a model that always answers one half: ln 2 and 1/4 are log loss and Brier score.
        "roc_auc": Metric(0.7, chance=0.5),
        "average_precision": Metric(0.4),
        "log_loss": Metric(0.5, lower_is_better=True, chance=0.693, high=math.inf),
        "brier": Metric(0.2, lower_is_better=True, chance=0.25),
    },
    "per_decision",
)
REGRESSION = Kind(
    "regression",
    {"prediction": "number"},
    "prediction",
    _as_it_is,
    {
        "mae": Metric(12.5, lower_is_better=True, high=math.inf, in_units=True),
        "rmse": Metric(20, lower_is_better=True, high=math.inf, in_units=True),
        "r2": Metric(0.5, chance=0.0, low=-math.inf),
        "mape": Metric(0.2, lower_is_better=True, high=math.inf),
    },
    "per_answer",
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (CLASSIFICATION, REGRESSION)}


def kind_of(output: Mapping[str, Any]) -> Kind:
    """The kind of model that made an output.

    >>> kind_of({"prediction": 12.5, "reasons": []}).name
    'regression'
    """
    return CLASSIFICATION if CLASSIFICATION.score in output else REGRESSION


def kind_with(metric: str) -> Kind:
    """The kind of model that a metric judges."""
    return next(kind for kind in KINDS.values() if metric in kind.metrics)


METRICS: Mapping[str, Metric] = {
    name: metric for kind in KINDS.values() for name, metric in kind.metrics.items()
}
LOWER_IS_BETTER = frozenset(name for name, metric in METRICS.items() if metric.lower_is_better)
