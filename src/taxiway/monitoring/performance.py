"""How well a window's predictions turned out, against the holdout and the charter's bar.

An alarm needs the whole bootstrap interval beyond the limit: a window of few rows has a wide one
and stays silent instead of crying wolf.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from taxiway.core.charter import Bar
from taxiway.core.interval import Interval
from taxiway.core.kind import LOWER_IS_BETTER
from taxiway.monitoring.windows import Window

OK = "ok"
BELOW_BAR = "below bar"
DROPPED = "dropped"
BEHIND = "behind"
INSUFFICIENT = "insufficient data"

SHOWN_GROUPS = 50


class Measure(Protocol):
    """A metric with its interval, from labels that differ, and scores."""

    def __call__(self, metric: str, labels: Any, scores: Any, *, seed: int) -> Interval: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a window is held against: the charter's bar and the holdout's value of the release."""

    bar: Bar
    reference: float | None
    maximum_drop: float
    minimum_rows: int
    maximum_gap: float
    minimum_group_rows: int


def performance(
    labels: Sequence[bool | float],
    scores: Sequence[float],
    *,
    window: Window,
    decisions: int,
    groups: Mapping[str, Sequence[Any]],
    limits: Limits,
    measure: Measure,
    seed: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`found` and `required` of the PERFORMANCE evidence of one release in one window.

    `labels` and `scores` (probabilities, or predicted numbers) are those of the decisions with an
    outcome, of `decisions` in all; `groups` holds the protected columns' values for the same rows.
    The verdict is `below bar` if the interval lies wholly on the wrong side of the bar, `dropped`
    if it does so of the holdout's value less the maximum drop, `insufficient data` with its reason
    if there are too few labels or they are all the same, else `ok`.
    """
    metric = limits.bar.metric
    bar = limits.bar.at_most if metric in LOWER_IS_BETTER else limits.bar.at_least
    found: dict[str, Any] = {
        **window.as_found(),
        "decisions": decisions,
        "outcomes": len(labels),
        "coverage": len(labels) / decisions if decisions else 0.0,
        "metric": metric,
        "value": None,
        "low": None,
        "high": None,
        "reference": limits.reference,
        "bar": bar,
        "fairness": [],
        "verdict": INSUFFICIENT,
        "why": _too_little(labels, limits.minimum_rows),
    }
    required = {
        "bar": bar,
        "maximum_drop": limits.maximum_drop,
        "minimum_rows": limits.minimum_rows,
    }
    if found["why"]:
        return found, required
    interval = measure(metric, labels, scores, seed=seed)
    found |= {"value": interval.value, "low": interval.low, "high": interval.high}
    found["verdict"] = _verdict(interval, limits, bar)

    def of_group(rows: Sequence[int]) -> Interval:
        own, answers = [labels[row] for row in rows], [scores[row] for row in rows]
        return measure(metric, own, answers, seed=seed)

    lowest = _worse_by(interval.value, limits.maximum_gap, metric)
    found["fairness"] = _fairness(labels, groups, limits, lowest, of_group)
    return found, required


def _too_little(labels: Sequence[bool | float], minimum_rows: int) -> str:
    if len(labels) < minimum_rows:
        return f"{len(labels)} outcomes, of at least {minimum_rows} needed"
    if len(set(labels)) < 2:
        said = [
            {True: "positive", False: "negative"}[one] if isinstance(one, bool) else f"{one:g}"
            for one in labels[:1]
        ]
        return f"all {len(labels)} outcomes are {''.join(said) or 'unknown'}"
    return ""


def _wholly_worse(interval: Interval, limit: float, metric: str) -> bool:
    return interval.low > limit if metric in LOWER_IS_BETTER else interval.high < limit


def _worse_by(value: float, drop: float, metric: str) -> float:
    return value + drop if metric in LOWER_IS_BETTER else value - drop


def _verdict(interval: Interval, limits: Limits, bar: float | None) -> str:
    metric = limits.bar.metric
    if bar is not None and _wholly_worse(interval, bar, metric):
        return BELOW_BAR
    if limits.reference is not None:
        lowest = _worse_by(limits.reference, limits.maximum_drop, metric)
        if _wholly_worse(interval, lowest, metric):
            return DROPPED
    return OK


def _fairness(
    labels: Sequence[bool | float],
    groups: Mapping[str, Sequence[Any]],
    limits: Limits,
    lowest: float,
    measured: Callable[[Sequence[int]], Interval],
) -> list[dict[str, Any]]:
    """The metric of each protected group that has rows enough; `behind` is a gap beyond doubt."""
    found: list[dict[str, Any]] = []
    for column, values in groups.items():
        places: dict[Any, list[int]] = {}
        for place, value in enumerate(values):
            places.setdefault(value, []).append(place)
        for value in sorted(places, key=lambda value: (-len(places[value]), str(value))):
            rows = places[value]
            if _too_little([labels[row] for row in rows], limits.minimum_group_rows):
                continue
            interval = measured(rows)
            behind = _wholly_worse(interval, lowest, limits.bar.metric)
            found.append(
                {
                    "column": column,
                    "value": str(value),
                    "rows": len(rows),
                    "metric": interval.value,
                    "low": interval.low,
                    "high": interval.high,
                    "verdict": BEHIND if behind else OK,
                }
            )
    return found[:SHOWN_GROUPS]
