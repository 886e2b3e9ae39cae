"""Columns side by side on matched rows, and the rows that have to be left out first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from taxiway.data.reconcile.between import Between
from taxiway.data.reconcile.columns import Column
from taxiway.data.reconcile.dependence import chance
from taxiway.data.reconcile.finding import Finding
from taxiway.data.reconcile.forms import Hashes, exact, hashed, share_of
from taxiway.data.reconcile.shifted import Shift, shift_of
from taxiway.data.reconcile.views import Flags, View, equal

CONSTANT = 0.98
"""Share of the keys with one value from which a column is constant within a key."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Columns on matched rows."""

    between: Between
    left: dict[str, View]
    right: dict[str, View]
    keyed: dict[str, View]
    """The left columns of the key."""
    keys: int
    rows: int

    def only(self, rows: Flags) -> Compared:
        """Some of the rows."""
        left, right, keyed = (
            {name: view.only(rows) for name, view in side.items()}
            for side in (self.left, self.right, self.keyed)
        )
        return replace(self, left=left, right=right, keyed=keyed, rows=int(rows.sum()))


def is_constant(values: pl.Series, column: Column, ids: Hashes) -> bool:
    """Whether a column has one value for each key."""
    said = hashed(exact(values, column.form))
    frame = pl.DataFrame({"k": ids, "v": said}).filter((pl.col("k") != 0) & (pl.col("v") != 0))
    counts = frame.group_by("k").agg(pl.col("v").n_unique())["v"]
    return bool(len(counts)) and share_of(counts == 1) >= CONSTANT


def without_shifted(
    compared: Compared, names: Sequence[tuple[Column, Column]], between: Between
) -> tuple[list[Finding], Compared]:
    """The finding of shifted rows, if there are any, and the other rows."""
    pairs = [
        (compared.left[a.name], compared.right[b.name])
        for a, b in sorted(names, key=lambda pair: pair[1].place)
        if a.name in compared.left and b.name in compared.right
    ]
    shift = shift_of(pairs)
    if shift is None:
        return [], compared
    keep = ~shift.rows
    rest = compared.only(keep)
    return [_of_shift(shift, between)], rest


def _of_shift(shift: Shift, between: Between) -> Finding:
    rows, every = int(shift.rows.sum()), len(shift.rows)
    way = "right" if shift.by > 0 else "left"
    step = "one column" if abs(shift.by) == 1 else f"{abs(shift.by)} columns"
    says = (
        f"In {rows:,} of {every:,} matched rows the values of {between.right.name} stand {step} to"
        f" the {way}, from {shift.first} to {shift.last}. The data have to be"
        " corrected at their source."
    )
    return between.finding(
        "shifted",
        shift.first,
        shift.first,
        says,
        confidence=min(0.99, 1 - 0.5 ** (rows / 2)),
        evidence={
            "rows": every,
            "shifted": rows,
            "by": shift.by,
            "first": shift.first,
            "last": shift.last,
            "columns": shift.width,
        },
        mapping=None,
    )


def without_strangers(
    compared: Compared, names: Sequence[tuple[Column, Column]]
) -> tuple[Compared, float]:
    """Without rows that disagree in most of the columns that agree elsewhere: their keys are equal
    by accident. Answers also their share."""
    same = []
    for a, b in names:
        x, y = compared.left.get(a.name), compared.right.get(b.name)
        if x is None or y is None:
            continue
        told, agree = x.there & y.there, equal(x, y) | ((x.loose == y.loose) & x.there)
        if told.sum() < 12 or agree[told].mean() < 0.5 or chance(x.loose, y.loose) > 0.5:
            continue
        same.append((told, agree))
    if len(same) < 2:
        return compared, 0.0
    told = np.sum([one for one, _ in same], axis=0)
    agree = np.sum([one & other for one, other in same], axis=0)
    keep = (agree >= 0.5 * told) | (told < 2)
    if keep.all() or keep.mean() < 0.5:
        return compared, 0.0
    rest = compared.only(keep)
    return rest, float(1 - keep.mean())
