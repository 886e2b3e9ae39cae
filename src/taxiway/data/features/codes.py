"""Keys as codes: small whole numbers that both sides of a join agree on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from taxiway.core.errors import InputError

Longs = npt.NDArray[np.int64]

CODE = "\0code"
SPARSE = 8
"""A table by value may have so many places for each key."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Every key once, with its code; the columns are named by position."""

    distinct: pl.DataFrame
    low: int = 0
    table: Longs | None = None
    """Of one column of whole numbers that lie close together: code by value, less `low`."""

    def of(self, keys: pl.DataFrame) -> Longs:
        """The code of each key; -1 for one that is not among them, or has nothing in a part."""
        names = keys.columns
        kinds = [(keys.schema[name], self.distinct.schema[name]) for name in names]
        differ = [pair for pair in kinds if pair[0] != pair[1] and pl.Null not in pair]
        if differ:
            found = " and ".join(map(str, differ[0]))
            raise InputError(f"The two sides of the join have keys of other types: {found}.")
        if any(one != other for one, other in kinds):  # all of a column is null
            return np.full(keys.height, -1, np.int64)
        if self.table is not None:
            return self._looked_up(keys.to_series(), self.table)
        joined = keys.join(self.distinct, on=names, how="left", maintain_order="left")[CODE]
        return joined.cast(pl.Int64).fill_null(-1).to_numpy()

    def _looked_up(self, key: pl.Series, table: Longs) -> Longs:
        values: Longs = key.fill_null(self.low).to_numpy()
        inside = (values >= self.low) & (values < self.low + len(table))
        if key.null_count():
            inside &= key.is_not_null().to_numpy()
        if inside.all():
            found: Longs = table[values - self.low]
            return found
        return np.where(inside, table[np.where(inside, values - self.low, 0)], -1)


def codes_of(keys: pl.DataFrame) -> Codes:
    """Codes for every key in a frame that has all of its parts."""
    distinct = keys.drop_nulls().unique().with_row_index(CODE)
    if keys.width == 1 and keys.dtypes[0] == pl.Int64 and distinct.height:
        values = distinct.to_series(1).to_numpy()
        low, high = int(values.min()), int(values.max())
        if high - low < SPARSE * distinct.height:
            table = np.full(high - low + 1, -1, np.int64)
            table[values - low] = distinct[CODE].to_numpy()
            return Codes(distinct, low, table)
    return Codes(distinct)
