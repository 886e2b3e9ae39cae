"""Which values are missing together: from fair samples of both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from taxiway.data.compare.measures import Limits, Statistics, Test

MOST_COLUMNS = 60
"""Those with the most nulls."""
MOST_PATTERNS = 20
LEAST_SHARE = 0.01
"""Of rows, for a combination to be told."""

Pattern = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Combinations of columns without a value: (columns, share of training, of production)."""

    patterns: tuple[tuple[Pattern, float, float], ...]
    test: Test | None

    def found(self) -> list[dict[str, Any]]:
        """For the evidence."""
        return [
            {"columns": list(columns), "training": a, "production": b}
            for columns, a, b in self.patterns
        ]


def missing_together(
    training: pl.DataFrame,
    production: pl.DataFrame,
    columns: Sequence[str],
    statistics: Statistics,
    limits: Limits,
) -> Missing:
    """The combinations in which values are missing, and whether they differ."""
    sides = (training, production)
    nulls = {
        name: sum(side.get_column(name).null_count() / max(1, side.height) for side in sides)
        for name in columns
    }
    names = sorted((n for n in columns if nulls[n]), key=lambda n: -nulls[n])[:MOST_COLUMNS]
    if not names or not training.height or not production.height:
        return Missing((), None)
    first, second = (_patterns(side, names) for side in sides)
    shares = {
        p: (first[p] / training.height, second[p] / production.height) for p in first | second
    }
    ordered = sorted(shares, key=lambda p: (-sum(shares[p]), p))
    bins = ordered[:MOST_PATTERNS]
    counts, others = (
        [*(side[p] for p in bins), sum(side.values()) - sum(side[p] for p in bins)]
        for side in (first, second)
    )
    test = Test("missing together", *_within(statistics.compare(counts, others), limits))
    told = tuple((p, *shares[p]) for p in bins if p and max(shares[p]) >= LEAST_SHARE)
    return Missing(
        told, test if min(training.height, production.height) >= limits.minimum_rows else None
    )


def _within(measured: tuple[float, float], limits: Limits) -> tuple[float, float, float]:
    return measured[0], limits.effect, measured[1]


def _patterns(frame: pl.DataFrame, names: Sequence[str]) -> Counter[Pattern]:
    flags = frame.select(pl.col(name).is_null().alias(str(at)) for at, name in enumerate(names))
    counted = flags.group_by(pl.all()).len("rows")
    return Counter(
        {
            tuple(sorted(name for name, missing in zip(names, row, strict=False) if missing)): row[
                -1
            ]
            for row in counted.iter_rows()
        }
    )
