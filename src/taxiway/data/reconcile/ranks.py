"""Ranks of numbers: what follows from what, whatever the unit."""

from __future__ import annotations

import numpy as np

from taxiway.data.reconcile.forms import Floats


def rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's, without a warning for constants: 0."""
    if len(x) < 2:
        return 0.0
    a, b = ranks(x), ranks(y)
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def ranks(values: Floats) -> Floats:
    """Ranks of numbers; equal ones share the middle of theirs.

    >>> ranks(np.array([10.0, 30.0, 10.0])).tolist()
    [0.5, 2.0, 0.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[inverse]
