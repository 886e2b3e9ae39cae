"""A column on matched rows, as arrays that can be held against another column's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from taxiway.data.reconcile.columns import Column
from taxiway.data.reconcile.forms import NUMBER, TIME, Floats, Hashes, exact, hashed, loose, numbers

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """What a column holds on matched rows."""

    column: Column
    values: pl.Series
    said: pl.Series
    """As text."""
    ids: Hashes
    """Numbers for what it says; 0 for nothing."""
    loose: Hashes
    floats: Floats
    """NaN where it is no finite number; times in microseconds."""

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def there(self) -> Flags:
        there: Flags = self.ids != 0
        return there

    @property
    def is_time(self) -> bool:
        return self.column.form.kind == TIME

    @property
    def is_numeric(self) -> bool:
        """Whether nearly all that is there are numbers."""
        there = int(self.there.sum())
        return bool(there) and np.isfinite(self.floats).sum() >= 0.8 * there

    @cached_property
    def distinct(self) -> int:
        return len(np.unique(self.ids[self.there]))

    def only(self, rows: Flags) -> View:
        """The view of some of the rows."""
        return View(
            self.column,
            self.values.filter(pl.Series(rows)),
            self.said.filter(pl.Series(rows)),
            self.ids[rows],
            self.loose[rows],
            self.floats[rows],
        )

    def said_by(self, ids: Hashes) -> list[str]:
        """The texts that numbers stand for."""
        unique, first = np.unique(self.ids, return_index=True)
        return [str(self.said[int(first[np.searchsorted(unique, one)])]) for one in ids]


def view_of(values: pl.Series, column: Column) -> View:
    """The view of a column on some rows."""
    said = exact(values, column.form)
    floats = numbers(values, column.form).copy()
    floats[~np.isfinite(floats)] = np.nan
    if column.form.kind not in {NUMBER, TIME} and values.dtype not in (pl.Boolean, pl.String):
        floats[:] = np.nan
    return View(column, values, said, hashed(said), hashed(loose(said, column.form)), floats)


def equal(x: View, y: View) -> Flags:
    """Rows where both say the same; false where one says nothing."""
    same: Flags = (x.ids == y.ids) & x.there
    if TIME not in (x.column.form.kind, y.column.form.kind):
        with np.errstate(invalid="ignore"):
            same |= np.abs(x.floats - y.floats) <= 1e-9 * np.maximum(
                np.abs(x.floats), np.abs(y.floats)
            )
    return same
