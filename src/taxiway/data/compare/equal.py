"""Rows that are there more than once, on one side or on both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from taxiway.data.compare.measures import Limits, Statistics, Test
from taxiway.data.survey.sampling import repeats_of
from taxiway.data.survey.survey import SEED, Survey


@dataclass(frozen=True, slots=True)
class Equal:
    """Shares of rows, value for value."""

    training: float
    """Of training's rows, those that were there before."""
    production: float
    shared: float
    """Of production's rows, those that training has too."""
    examined: int
    """Rows that were looked at on the smaller side."""
    test: Test | None

    def found(self) -> dict[str, float | int]:
        """For the evidence."""
        return {
            "training": self.training,
            "production": self.production,
            "shared": self.shared,
            "examined": self.examined,
        }


def equal_rows(
    training: Survey, production: Survey, statistics: Statistics, limits: Limits
) -> Equal | None:
    """Repeated rows; None where the two share no column.

    How often rows repeat grows with their number, so the larger side is thinned for the test.
    """
    if not training.equal.columns:
        return None
    below = min(training.equal.below, production.equal.below)
    first, second = training.equal.rows(below), production.equal.rows(below)
    if not len(first) or not len(second):
        return None
    random = np.random.default_rng(SEED)
    least = min(len(first), len(second))
    thinned = [
        random.choice(s, least, replace=False) if len(s) > least else s for s in (first, second)
    ]
    repeats = [repeats_of(side) for side in thinned]
    counts = [[again, least - again] for again in repeats]
    test = Test(
        "repeated rows",
        abs(repeats[1] - repeats[0]) / least,
        limits.equal_rows,
        statistics.compare(counts[0], counts[1])[1],
    )
    enough = min(training.rows, production.rows) >= limits.minimum_rows
    return Equal(
        training.equal.repeated(),
        production.equal.repeated(),
        _shared(first, second),
        least,
        test if enough else None,
    )


def _shared(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> float:
    """The share of the second that is in the first too."""
    known, asked = np.sort(first), np.sort(second)
    places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return float((known[places] == asked).mean())
