"""Defects of whole rows: values one column to the side, and rows that are there twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from taxiway.data.leaks.table import Table
from taxiway.data.worth.columns import FEWEST, LEAST
from taxiway.data.worth.found import DUPLICATES, SHIFTED, Found

DISPLACED = 3
"""Columns that do not hold what they should before a row counts as shifted."""
Mask = NDArray[np.bool_]


def keys_of(table: Table) -> pl.Series:
    """A number a row, equal in rows that say the same."""
    return _whole(table).hash_rows(seed=0)


def _whole(table: Table) -> pl.DataFrame:
    names = [*table.inputs, *([table.time] if table.time else [])]
    return table.frame.select(names).with_columns(pl.Series("label of a row", table.label))


def copies(rows: pl.DataFrame) -> pl.Series:
    """Which rows are copies of one before."""
    return ~rows.hash_rows(seed=0).is_first_distinct()


def duplicates(table: Table) -> Iterator[Found]:
    """Rows that are there more than once, and oftener than chance would have it."""
    rows = _whole(table)
    hit = copies(rows)
    richest = max(rows.columns, key=lambda name: rows.get_column(name).n_unique())
    chance = copies(rows.with_columns(pl.col(richest).shuffle(seed=0))).sum()
    count = int(hit.sum())
    if count < max(FEWEST, LEAST * rows.height) or count < 2 * chance + 3:
        return
    mask = hit.to_numpy()
    says = f"{count:,} rows are copies of others; chance makes {chance:,}"
    yield Found(
        DUPLICATES, "", count / rows.height, says, {}, kept=lambda train: train[~mask[train]]
    )


@dataclass(frozen=True, slots=True)
class _Habit:
    """What values a column usually holds: a range of numbers, or some texts."""

    low: float
    high: float
    texts: pl.Series | None

    def fits(self, column: pl.Series, *, wide: bool) -> Mask:
        """Which values it could hold; null fits."""
        if self.texts is not None:
            found = column.cast(pl.String).is_in(self.texts.implode())
            return found.fill_null(value=True).to_numpy()
        numbers = _numbers(column)
        room = (1.5 if wide else 0.5) * (self.high - self.low)
        inside = numbers.is_between(self.low - room, self.high + room)
        # A text is no number; only null is nothing that could be out of place.
        return (inside.fill_null(value=False) | column.is_null()).to_numpy()


def _numbers(column: pl.Series) -> pl.Series:
    if column.dtype.is_temporal():
        return column.cast(pl.Int64).cast(pl.Float64)
    return column.cast(pl.Float64, strict=False)


def _habit(column: pl.Series) -> _Habit | None:
    known = column.drop_nulls()
    if known.is_empty() or known.dtype == pl.Boolean:
        return None
    numbers = _numbers(known).drop_nulls().drop_nans()
    if numbers.len() >= 0.8 * known.len():
        low, high = (float(numbers.quantile(q) or 0) for q in (0.1, 0.9))
        least = max(abs(high), abs(low), 1e-9) * 1e-3
        return _Habit(low, max(high, low + least), None)
    texts = known.cast(pl.String).value_counts(name="rows of a value")
    common = texts.filter(pl.col("rows of a value") >= max(2, 0.005 * known.len()))
    covered = int(common.get_column("rows of a value").sum())
    return _Habit(0, 0, common.get_column(column.name)) if covered >= 0.8 * known.len() else None


def shifted(table: Table) -> Iterator[Found]:
    """Rows whose values stand one column to the side: three of them at least fit only there."""
    frame = table.frame
    habits = [_habit(column) for column in frame]
    sides = {step: _moved(frame, habits, step) for step in (1, -1)}  # to the right, to the left
    for step, (rows, displaced, moved) in sides.items():
        # What rows show on the other side is chance.
        chance = int(sides[-step][0].sum())
        if rows.sum() < max(FEWEST, LEAST * frame.height, 5 * chance):
            continue
        where = np.flatnonzero(displaced[rows].mean(axis=0) > 0.5)
        if len(where) < DISPLACED:
            continue
        first, last = _ends(int(where[0]), int(where[-1]), step, moved[rows].mean(axis=0))
        columns = {
            name: column
            for name, column in _undone(frame, rows, first, last, step)
            if name in table.inputs
        }
        rate = float(rows.mean())
        names = f"{frame.columns[first]} to {frame.columns[last]}"
        side = "right" if step > 0 else "left"
        says = f"in {rate:.1%} of the rows the values stand one column to the {side}"
        yield Found(SHIFTED, names, rate, says, columns)


def _moved(frame: pl.DataFrame, habits: list[_Habit | None], step: int) -> tuple[Mask, Mask, Mask]:
    """Rows that look moved; which of their values fit only beside; and which fit there at all."""
    own = np.ones((frame.height, frame.width), dtype=bool)
    moved = np.zeros((frame.height, frame.width), dtype=bool)
    for at, column in enumerate(frame):
        mine, other = habits[at], habits[at - step] if 0 <= at - step < frame.width else None
        if mine is not None:
            own[:, at] = mine.fits(column, wide=True)
        if other is not None:
            moved[:, at] = other.fits(column, wide=False)
    displaced = ~own & moved
    first = displaced.argmax(axis=1)
    last = frame.width - 1 - displaced[:, ::-1].argmax(axis=1)
    count = displaced.sum(axis=1)
    # Between the first and the last, hardly a value may contradict.
    before = np.pad(np.cumsum(moved, axis=1), ((0, 0), (1, 0)))
    places = np.arange(frame.height)
    inside = before[places, last + 1] - before[places, first]
    rows = (count >= DISPLACED) & (inside >= 0.8 * (last + 1 - first))
    return rows, displaced, moved


def _ends(first: int, last: int, step: int, moved: NDArray[np.float64]) -> tuple[int, int]:
    """The first and the last column that are touched; a shift goes on to the side if it can."""
    if step > 0:
        while last + 1 < len(moved) and moved[last + 1] > 0.5:
            last += 1
        return first - 1, last
    while first > 0 and moved[first - 1] > 0.5:
        first -= 1
    return first, last + 1


def _undone(
    frame: pl.DataFrame, rows: Mask, first: int, last: int, step: int
) -> Iterator[tuple[str, pl.Series]]:
    hit = pl.Series(rows)
    for at in range(first, last + 1):
        column, source = frame.to_series(at), at + step
        if first <= source <= last:
            taken = frame.to_series(source).cast(column.dtype, strict=False)
        else:
            taken = pl.repeat(None, frame.height, dtype=column.dtype, eager=True)
        repaired = column.zip_with(~hit, taken)
        numbers = _numbers(repaired) if column.dtype == pl.String else repaired
        # What was text only because of what stood in the wrong place is a number again.
        yield column.name, numbers if numbers.null_count() == repaired.null_count() else repaired
