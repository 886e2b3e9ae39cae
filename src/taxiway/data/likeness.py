"""Production-likeness: whether training saw data like those that production sends.

This is the part of `data compare` that asks about single columns, for frames in memory: `train`
holds what its features make of the training rows against what they make of production's sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl

from taxiway.data.compare.columns import DIFFERENT, compare_columns, judged
from taxiway.data.compare.comparison import surveys
from taxiway.data.compare.measures import Limits, Statistics
from taxiway.data.survey.hidden import hidden_columns
from taxiway.data.survey.rows import rows_of_frame

Compare = Callable[[list[int], list[int]], tuple[float, float]]
"""(reference counts, current counts) -> (effect, p-value)."""

Adjust = Callable[[list[float]], list[float]]
"""p-values -> p-values adjusted for their number."""


def likeness(
    training: pl.DataFrame,
    production: pl.DataFrame,
    *,
    source: str,
    compare: Compare,
    adjust: Adjust,
    effect: float,
    false_discovery_rate: float,
    minimum_rows: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`found` and `required` of the evidence `core.evidence.LIKENESS`.

    A column is different if one of its tests has an effect of at least its limit and an adjusted
    p-value of at most `false_discovery_rate`, or if production does not send it. With fewer than
    `minimum_rows` rows on either side nothing is said of any column. `only_production` names values
    and ranges that training has never seen. Times are left out: production is always later.
    """
    limits = Limits(
        effect=effect, false_discovery_rate=false_discovery_rate, minimum_rows=minimum_rows
    )
    statistics = Statistics(compare, adjust)
    first, second = surveys(rows_of_frame(training), rows_of_frame(production))
    hidden = hidden_columns(first.columns, first.sample)
    compared = compare_columns(first, second, statistics, limits, hidden=hidden)
    adjusted = iter(adjust([t.p_value for one in compared for t in one.tests]))
    columns = judged(
        [
            replace(one, tests=tuple(replace(t, p_value=next(adjusted)) for t in one.tests))
            for one in compared
        ],
        limits,
    )
    found = {
        "source": source,
        "training_rows": training.height,
        "columns": [one.found() for one in columns],
        "different": [one.name for one in columns if one.verdict == DIFFERENT],
    }
    required = {
        "effect": effect,
        "false_discovery_rate": false_discovery_rate,
        "minimum_rows": minimum_rows,
    }
    return found, required
