"""How much two columns have to do with one another, and how much of it is chance."""

from __future__ import annotations

import numpy as np

from taxiway.data.reconcile.forms import Hashes
from taxiway.data.reconcile.laws import FEWEST
from taxiway.data.reconcile.ranks import rank_correlation
from taxiway.data.reconcile.views import View


def dependence_of(x: View, y: View) -> float:
    """From 0 (nothing to do with one another) to 1, above what chance gives."""
    if x.is_numeric and y.is_numeric:
        both = np.isfinite(x.floats) & np.isfinite(y.floats)
        if both.sum() >= FEWEST:
            ranked = abs(rank_correlation(x.floats[both], y.floats[both]))
            beyond = ranked - 2 / float(np.sqrt(both.sum()))
            return max(beyond, association(x.ids, y.ids))
    return association(x.ids, y.ids)


def association(x: Hashes, y: Hashes) -> float:
    """Cramér's V of two columns with few values, corrected for what chance gives; 0 for many."""
    both = (x != 0) & (y != 0)
    _, a = np.unique(x[both], return_inverse=True)
    _, b = np.unique(y[both], return_inverse=True)
    rows = len(a)
    if not rows:
        return 0.0
    wide, high = int(a.max()) + 1, int(b.max()) + 1
    if min(wide, high) < 2 or wide * high > rows * 5 or max(wide, high) > rows / 3:
        return 0.0
    table = np.bincount(a * high + b, minlength=wide * high).reshape(wide, high).astype(float)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / rows
    squares = float(((table - expected) ** 2 / expected).sum()) / rows
    corrected = max(0.0, squares - (wide - 1) * (high - 1) / (rows - 1))
    return float(min(1.0, np.sqrt(corrected / max(1e-9, min(wide, high) - 1))))


def chance(x: Hashes, y: Hashes) -> float:
    """The share of rows that would be equal by chance."""
    ours, counts = np.unique(x[x != 0], return_counts=True)
    others, more = np.unique(y[y != 0], return_counts=True)
    _, at, there = np.intersect1d(ours, others, return_indices=True)
    total = max(1, counts.sum()) * max(1, more.sum())
    return float((counts[at].astype(float) * more[there]).sum() / total)
