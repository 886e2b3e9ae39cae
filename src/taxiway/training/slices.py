"""How the model does on parts of the holdout: slices and protected groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.charter import Charter
from taxiway.core.kind import CLASSIFICATION, KINDS, LOWER_IS_BETTER, REGRESSION
from taxiway.training.metrics import interval, labels_of, measure

RATES = {
    CLASSIFICATION.name: ("selection_rate", "base_rate"),
    REGRESSION.name: ("mean_prediction", "mean_label"),
}
"""Kind of model -> what the means of its answers and of its labels are called."""
MOST_VALUES = 30
"""Values of one column that are looked at apart, the most frequent ones."""


def slices(
    holdout: pl.DataFrame, labels: Any, scores: Any, charter: Charter
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`found` and `required` of the evidence SLICES.

    A gap is how far a group's metric lies behind the whole holdout's, in the metric's own unit.
    `selection_rate` is the share of rows with a positive answer, `base_rate` that of positive
    labels; of numbers, `mean_prediction` and `mean_label` take their place.
    """
    kind = KINDS[charter.kind]
    y, p = labels_of(kind, labels), np.asarray(scores)
    answer, truth = RATES[kind.name]
    answers = kind.says(p, charter.threshold)["prediction"]
    training, metric = charter.training, charter.training.bar.metric
    whole = measure(metric, y, p)
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    shown: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    for column, value, rows in _groups(holdout, [*training.slices, *training.protected]):
        count = int(rows.sum())
        part = {"column": column, "value": value, "rows": count}
        few = count < training.minimum_slice_rows
        if few or y[rows].min() == y[rows].max():
            skipped.append(part)
            continue
        of = interval(metric, y[rows], p[rows], seed=training.seed)
        shown.append(
            {
                **part,
                "metric": of.value,
                "low": of.low,
                "high": of.high,
                "gap": sign * (whole - of.value),
                answer: float(answers[rows].mean()),
                truth: float(y[rows].mean()),
                "protected": column in training.protected,
            }
        )
    worst = max(shown, key=lambda part: part["gap"], default=None)
    found = {
        "metric": metric,
        "whole": whole,
        "slices": shown,
        "skipped": skipped[:100],
        "protected": list(training.protected),
        "protected_reason": training.no_protected_because or "",
        "worst": worst and {k: worst[k] for k in ("column", "value", "gap")},
    }
    required = {
        "maximum_gap": training.maximum_gap,
        "minimum_rows": training.minimum_slice_rows,
    }
    return found, required


def _groups(frame: pl.DataFrame, columns: Sequence[str]) -> list[tuple[str, str, Any]]:
    groups = []
    for column in dict.fromkeys(columns):
        texts = frame[column].cast(pl.String).fill_null("(missing)")
        frequent = texts.value_counts(sort=True)[column].head(MOST_VALUES).sort()
        groups += [(column, value, (texts == value).to_numpy()) for value in frequent]
    return groups
