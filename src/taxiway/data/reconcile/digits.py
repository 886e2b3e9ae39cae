"""What numbers are rounded to: decimals, or significant digits."""

from __future__ import annotations

import numpy as np

from taxiway.data.reconcile.forms import Floats

COARSE = 1e-4
"""A step from which on decimals, and not significant digits, are what values are rounded to."""
MOST_DIGITS = 9
"""Significant digits up to which they are taken for a rounding."""


def rounding(values: Floats) -> float:
    """The step that values are rounded to; 0 if none is seen."""
    seen = np.unique(values[np.isfinite(values)])[:2_000]
    if not len(seen):
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for digits in range(7):
            scaled = seen * 10.0**digits
            if (np.abs(scaled - np.round(scaled)) <= 1e-7 * np.maximum(1, np.abs(scaled))).all():
                return float(10.0**-digits)
    return 0.0


def steps_of(values: Floats) -> Floats:
    """The step that each value is rounded to: that of all, or of its last significant digit."""
    step = rounding(values)
    if step > COARSE:
        return np.full(len(values), step)
    some = values[values != 0][:2_000]
    size = 10.0 ** np.floor(np.log10(np.abs(values)))
    for digits in range(3, MOST_DIGITS + 1):
        written = [float(f"{value:.{digits - 1}e}") for value in some]
        if np.array_equal(written, some):
            return np.maximum(step, np.where(values != 0, size * 10.0 ** (1 - digits), 0.0))
    return np.full(len(values), step)
