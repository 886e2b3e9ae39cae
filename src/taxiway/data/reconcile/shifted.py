"""Shifted columns: rows whose values stand one column further on than they should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxiway.data.reconcile.views import Flags, View

Ids = npt.NDArray[np.uint64]

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
    best: Shift | None = None
    for by in (1, -1, 2, -2):
        if abs(by) >= len(pairs) - 1:
            continue
        gained, lost = _moved(ours, others, by)
        block = _block(gained, lost)
        if block is None:
            continue
        start, end = block
        rows = _shifted(gained[:, start:end], lost[:, start:end])
        if rows.sum() < FEWEST or (best is not None and rows.sum() <= best.rows.sum()):
            continue
        # Only rows of which nothing says that they stayed can look shifted by chance.
        open_to_it = float((lost[~rows].sum(axis=1) == 0).mean()) if (~rows).any() else 0.0
        if rows.sum() < FEWEST + 4 * open_to_it * _by_chance(ours, others, by, (start, end)):
            continue
        offset = max(0, by)
        names = [y.name for _, y in pairs]
        best = Shift(rows, by, names[start + offset], names[end - 1 + offset], end - start)
    return best


def _moved(ours: Ids, others: Ids, by: int) -> tuple[Flags, Flags]:
    """Where values are equal only if moved, and where only if they stay: the rest tells nothing."""
    straight = (ours == others) & (ours != 0)
    if by > 0:
        moved = (ours[:, :-by] == others[:, by:]) & (ours[:, :-by] != 0)
        stayed = straight[:, by:]
    else:
        moved = (ours[:, -by:] == others[:, :by]) & (ours[:, -by:] != 0)
        stayed = straight[:, :by]
    return moved & ~stayed, stayed & ~moved


def _shifted(gained: Flags, lost: Flags) -> Flags:
    """Rows of a block of columns of which nearly all that tells anything says that they moved."""
    told = (gained | lost).sum(axis=1)
    enough = told >= max(2, 0.4 * gained.shape[1])
    rows: Flags = (gained.sum(axis=1) >= np.maximum(2, 0.9 * told)) & enough
    return rows


def _by_chance(ours: Ids, others: Ids, by: int, block: tuple[int, int]) -> int:
    """How many rows look shifted beside rows that are not theirs."""
    most = 0
    for apart in (1, 7, 31):
        gained, lost = _moved(ours, np.roll(others, apart, axis=0), by)
        rows = _shifted(gained[:, slice(*block)], lost[:, slice(*block)])
        most = max(most, int(rows.sum()))
    return most


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
