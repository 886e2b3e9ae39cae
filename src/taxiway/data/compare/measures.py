"""How far two samples of numbers lie apart, and what a comparison is given from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from taxiway.data.survey.counting import Column

Counts = Sequence[int]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics over counts in the same bins, which monitoring uses as well."""

    compare: Callable[[list[int], list[int]], tuple[float, float]]
    """(counts in training, in production) -> (effect, p-value)."""
    adjust: Callable[[list[float]], list[float]]
    """p-values -> p-values adjusted for their number."""
    population_stability: Callable[[Counts, Counts], float] | None = None
    cramers_v: Callable[[Counts, Counts], float] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a difference is one. Each also needs an adjusted p-value below the rate."""

    effect: float = 0.1
    """Jensen-Shannon distance beyond chance, from 0 to 1."""
    false_discovery_rate: float = 0.01
    minimum_rows: int = 500
    mean_shift: float = 0.25
    """Difference of the means, in standard deviations."""
    missing: float = 0.05
    """Difference of the shares of rows without a value."""
    equal_rows: float = 0.05
    """Difference of the shares of rows that were there before."""
    auc: float = 0.55
    """How well a model tells rows of the two apart; 0.5 is not at all."""

    def required(self) -> dict[str, float | int]:
        """For the evidence."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Test:
    """One question that was asked: is this as large as it matters, and more than chance?"""

    what: str
    effect: float
    limit: float
    p_value: float

    def differs(self, rate: float) -> bool:
        """Whether it is both."""
        return self.effect >= self.limit and self.p_value <= rate


def kolmogorov_smirnov(training: Floats, production: Floats) -> float:
    """The largest difference of the two distribution functions: 0 for the same, 1 for no overlap.

    >>> kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([1.5, 3.0]))
    0.5
    """
    if not len(training) or not len(production):
        return 0.0
    a, b = np.sort(training), np.sort(production)
    values = np.concatenate([a, b])
    upto = np.searchsorted(a, values, side="right") / len(a)
    other = np.searchsorted(b, values, side="right") / len(b)
    return float(np.abs(upto - other).max())


def wasserstein(training: Floats, production: Floats) -> float | None:
    """How far rows would have to move on average, in standard deviations of training.

    The area between the two distribution functions, over the deviation; None where it is zero.

    >>> wasserstein(np.array([0.0, 2.0]), np.array([3.0, 5.0]))
    3.0
    """
    if not len(training) or not len(production):
        return None
    a, b = np.sort(training), np.sort(production)
    values = np.sort(np.concatenate([a, b]))
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.std(a))
        upto = np.searchsorted(a, values[:-1], side="right") / len(a)
        other = np.searchsorted(b, values[:-1], side="right") / len(b)
        area = float((np.abs(upto - other) * np.diff(values)).sum())
    return area / spread if spread and math.isfinite(spread) and math.isfinite(area) else None


def mean_shift(training: Column, production: Column) -> tuple[float | None, float]:
    """How far production's mean is from training's, in its deviations, and Welch's p-value.

    Glass's delta: a few values far out in production would widen a deviation of both, and hide
    themselves. The deviation is production's where training has none. (None, 1) where there is no
    spread or too little to tell.
    """
    from scipy.special import ndtr

    n, m = sum(training.counts), sum(production.counts)
    before, after = training.mean, production.mean
    spread, other = training.std, production.std
    if before is None or after is None or spread is None or other is None:
        return None, 1.0
    difference = after - before
    error = math.hypot(spread / math.sqrt(n), other / math.sqrt(m))
    if not error or not math.isfinite(difference / error):
        return None, 1.0
    return difference / (spread or other), float(2 * ndtr(-abs(difference / error)))
