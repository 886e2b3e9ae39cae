"""Shifted columns: rows whose values stand one column further on than they should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from taxiway.data.reconcile.views import Flags, View

FEWEST = 3
"""Rows that have to be shifted."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A block of columns whose values moved."""

    rows: Flags
    by: int
    """Columns further on in the right table."""
    first: str
    last: str
    width: int


def shift_of(pairs: Sequence[tuple[View, View]]) -> Shift | None:
    """Columns of the same name, in the order of the right table: rows where the right values are
    those of a neighbour. None if there are no such rows."""
    if len(pairs) < 3 or not len(pairs[0][0].ids):
        return None
    ours = np.stack([x.ids for x, _ in pairs], axis=1)
    others = np.stack([y.ids for _, y in pairs], axis=1)
    straight = (ours == others) & (ours != 0)
    best: Shift | None = None
    for by in (1, -1, 2, -2):
        if abs(by) >= len(pairs) - 1:
            continue
        if by > 0:
            moved = (ours[:, :-by] == others[:, by:]) & (ours[:, :-by] != 0)
            stayed = straight[:, by:]
        else:
            moved = (ours[:, -by:] == others[:, :by]) & (ours[:, -by:] != 0)
            stayed = straight[:, :by]
        # What is equal either way tells nothing.
        gained, lost = (moved & ~stayed), (stayed & ~moved)
        block = _block(gained, lost)
        if block is None:
            continue
        start, end = block
        part = slice(start, end)
        told = (gained[:, part] | lost[:, part]).sum(axis=1)
        rows = (gained[:, part].sum(axis=1) >= np.maximum(2, 0.9 * told)) & (
            told >= max(2, 0.4 * (end - start))
        )
        if rows.sum() < FEWEST or (best is not None and rows.sum() <= best.rows.sum()):
            continue
        offset = max(0, by)
        names = [y.name for _, y in pairs]
        best = Shift(rows, by, names[start + offset], names[end - 1 + offset], end - start)
    return best


def _block(gained: Flags, lost: Flags) -> tuple[int, int] | None:
    """The run of columns where rows gain by moving."""
    candidates = gained.sum(axis=1) >= 2
    candidates &= gained.sum(axis=1) > lost.sum(axis=1) / 4
    if candidates.sum() < FEWEST:
        return None
    share = gained[candidates].mean(axis=0)
    inside = share >= 0.3
    best, start = (0, 0), 0
    for at in range(len(inside) + 1):
        if at == len(inside) or not inside[at]:
            if at - start > best[1] - best[0]:
                best = (start, at)
            start = at + 1
    return best if best[1] - best[0] >= 2 else None
