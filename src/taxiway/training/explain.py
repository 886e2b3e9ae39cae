"""What the model listens to, in the contract's columns, and how stable that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.kind import LOWER_IS_BETTER, kind_with
from taxiway.training.metrics import labels_of, measure

REPEATS = 5
ROWS = 5_000
MINIMUM_STABILITY = 0.6
METHOD = (
    "permutation importance (Breiman 2001) of the raw columns: how much the metric loses when a"
    " column's values are shuffled; mean of the repeats with their range"
)


def importance(
    frame: pl.DataFrame,
    labels: Any,
    columns: Sequence[str],
    predict: Callable[[pl.DataFrame], Any],
    *,
    metric: str,
    seed: int,
) -> tuple[list[dict[str, Any]], float, int]:
    """Importance by column, the stability of its order between two halves, and the rows explained.

    Stability is Spearman's rank correlation of the columns' importance on the even and the odd rows
    (1: the same order; with a single column there is nothing to order, and it is 1).
    """
    rng = np.random.default_rng(seed)
    y = labels_of(kind_with(metric), labels)
    if frame.height > ROWS:
        taken = np.sort(rng.choice(frame.height, ROWS, replace=False))
        frame, y = frame[taken], y[taken]
    halves = [np.arange(frame.height) % 2 == side for side in (0, 1)]
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0

    def score(scores: Any, rows: Any) -> float:
        return sign * measure(metric, y[rows], scores[rows])

    everything = np.ones(frame.height, dtype=np.bool_)
    before = predict(frame)
    base = [score(before, rows) for rows in (everything, *halves)]
    drops = np.empty((len(columns), REPEATS, 3))
    for i, column in enumerate(columns):
        for repeat in range(REPEATS):
            shuffled = frame.with_columns(frame[column].gather(rng.permutation(frame.height)))
            after = predict(shuffled)
            for j, rows in enumerate((everything, *halves)):
                drops[i, repeat, j] = base[j] - score(after, rows)
    mean = drops.mean(axis=1)
    table: list[dict[str, Any]] = [
        {
            "column": column,
            "drop": float(mean[i, 0]),
            "low": float(drops[i, :, 0].min()),
            "high": float(drops[i, :, 0].max()),
        }
        for i, column in enumerate(columns)
    ]
    table.sort(key=lambda row: -row["drop"])
    return table, _rank_correlation(mean[:, 1], mean[:, 2]), frame.height


def _rank_correlation(left: Any, right: Any) -> float:
    from scipy.stats import spearmanr

    if len(left) < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return 1.0
    return float(spearmanr(left, right).statistic)
