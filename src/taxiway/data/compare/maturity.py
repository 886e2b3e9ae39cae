"""Whether the newest labels are final: what is known of a row can still change for a while."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

import polars as pl

from taxiway.core.digest import utc_text
from taxiway.data.compare.measures import Limits
from taxiway.data.survey.bins import PERIODS

MOST_PERIODS = 40
NEWEST = 3
"""Periods that are asked about."""
LEAST_RUN = 2
"""So many of them in a row have to have moved."""
LEAST_PERIODS = 5
LEAST_ROWS = 30
RELATIVE = 0.2
"""Difference of the positive rates that matters, of the rate before."""
SHARE = 0.05
"""Difference of the shares of rows with a label that matters."""

FINAL, MOVING, INSUFFICIENT = "final", "not final", "insufficient data"


@dataclass(frozen=True, slots=True)
class Period:
    """Rows of one period."""

    at: datetime
    rows: int
    labelled: int
    mean: float | None
    """Of the label: the positive rate, where it is yes or no."""


@dataclass(frozen=True, slots=True)
class Maturity:
    """Whether the newest periods' labels are like those before."""

    verdict: str
    reason: str
    periods: tuple[Period, ...]
    moving: tuple[datetime, ...] = ()

    def found(self) -> dict[str, Any]:
        """For the evidence."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "moving": [utc_text(at) for at in self.moving],
            "periods": [
                {"at": utc_text(p.at), "rows": p.rows, "labelled": p.labelled, "mean": p.mean}
                for p in self.periods[-12:]
            ],
        }


def maturity(times: pl.Series, labels: pl.Series, limits: Limits) -> Maturity:
    """Holds the newest periods against those before, whose own spread says what is usual."""
    periods = _periods(times, labels)
    # A period that has just begun is too short to be held against whole ones.
    usual_rows = sorted(p.rows for p in periods)[len(periods) // 2] if periods else 0
    full = [p for p in periods if p.rows >= max(LEAST_ROWS, usual_rows / 2)]
    before = [p for p in full[:-NEWEST] if p.labelled >= LEAST_ROWS]
    if len(before) < LEAST_PERIODS:
        reason = f"fewer than {LEAST_PERIODS} periods of {LEAST_ROWS} labels lie before the newest"
        return Maturity(INSUFFICIENT, reason, tuple(periods))
    newest = full[-NEWEST:]
    unlabelled = [p for p in newest if _fewer_labels(p, before, limits)]
    if unlabelled:
        share, usual = _share(unlabelled), _share(before)
        reason = f"{share:.0%} of the newest rows have a label, {usual:.0%} of those before"
        return Maturity(MOVING, reason, tuple(periods), tuple(p.at for p in unlabelled))
    moving = _run([_moved(p, before, limits) for p in newest], newest)
    if moving:
        mean, usual = _mean(moving), median(p.mean or 0.0 for p in before)
        reason = f"the label's mean is {mean:.3g} in the newest rows and {usual:.3g} before"
        return Maturity(MOVING, reason, tuple(periods), tuple(p.at for p in moving))
    reason = f"the newest {len(newest)} periods are like the {len(before)} before"
    return Maturity(FINAL, reason, tuple(periods))


def _periods(times: pl.Series, labels: pl.Series) -> list[Period]:
    frame = pl.DataFrame({"at": times, "label": labels.cast(pl.Float64, strict=False)})
    frame = frame.filter(pl.col("at").is_not_null())
    if not frame.height:
        return []
    span = frame["at"].max() - frame["at"].min()  # type: ignore[operator]
    fits = (name for name, long in PERIODS.items() if span / long <= MOST_PERIODS)  # type: ignore[operator]
    grouped = (
        frame.group_by(pl.col("at").dt.truncate(next(fits, "10y")))
        .agg(pl.len(), pl.col("label").count().alias("labelled"), pl.col("label").mean())
        .sort("at")
    )
    return [Period(at, rows, labelled, mean) for at, rows, labelled, mean in grouped.iter_rows()]


def _share(periods: Sequence[Period]) -> float:
    return sum(p.labelled for p in periods) / sum(p.rows for p in periods)


def _mean(periods: Sequence[Period]) -> float:
    labelled = sum(p.labelled for p in periods)
    return sum((p.mean or 0.0) * p.labelled for p in periods) / labelled


def _fewer_labels(period: Period, before: Sequence[Period], limits: Limits) -> bool:
    shares = [p.labelled / p.rows for p in before]
    usual = _share(before)
    share = period.labelled / period.rows
    by_chance = math.sqrt(max(usual * (1 - usual), 1 / period.rows) / period.rows)
    return usual - share >= SHARE and _unusual(share - usual, shares, by_chance, limits)


def _moved(period: Period, before: Sequence[Period], limits: Limits) -> int:
    """-1 or 1 if the mean is unusually low or high, else 0."""
    if period.mean is None or period.labelled < LEAST_ROWS:
        return 0
    means = [p.mean or 0.0 for p in before]
    usual = median(means)
    difference = period.mean - usual
    by_chance = math.sqrt(abs(usual * (1 - usual)) / period.labelled) if 0 <= usual <= 1 else 0.0
    large = abs(difference) >= RELATIVE * abs(usual)
    if not large or not _unusual(difference, means, by_chance, limits):
        return 0
    return 1 if difference > 0 else -1


def _unusual(difference: float, before: Sequence[float], by_chance: float, limits: Limits) -> bool:
    """Whether a period is further from those before than chance and their own spread explain."""
    from scipy.special import stdtr

    # The median of the deviations, as some of the periods before may have moved already.
    middle = median(before)
    spread = 1.4826 * median(abs(b - middle) for b in before)
    error = max(spread * math.sqrt(1 + 1 / len(before)), by_chance)
    if not error:
        return difference != 0
    p_value = float(2 * stdtr(len(before) - 1, -abs(difference) / error))
    return p_value <= limits.false_discovery_rate / NEWEST


def _run(moved: Sequence[int], newest: Sequence[Period]) -> list[Period]:
    """The periods at the end that moved to the same side. A single one is an event, say a storm."""
    if not moved or not moved[-1]:
        return []
    run = 0
    while run < len(moved) and moved[-1 - run] == moved[-1]:
        run += 1
    return list(newest[-run:]) if run >= LEAST_RUN else []
