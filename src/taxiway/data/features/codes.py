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
"""So many values for each row may lie between the smallest and the largest to be codes as they are.
"""


@dataclass(frozen=True, slots=True)
class Codes:
    """The keys that are asked for, as codes; columns are named by position."""

    distinct: pl.DataFrame
    """Every key once, with its code; of keys that are their own codes, none but the columns."""
    low: int = 0
    many: int = 0
    """How many codes there are from `low` on, where a key less `low` is its code."""

    def of(self, keys: pl.DataFrame) -> Longs:
        """The code of each key; below 0 for one that nobody asks for, or has nothing in a part."""
        names = keys.columns
        kinds = [(keys.schema[name], self.distinct.schema[name]) for name in names]
        differ = [pair for pair in kinds if pair[0] != pair[1] and pl.Null not in pair]
        if differ:
            found = " and ".join(map(str, differ[0]))
            raise InputError(f"The two sides of the join have keys of other types: {found}.")
        if any(one != other for one, other in kinds):  # all of a column is null
            return np.full(keys.height, -1, np.int64)
        if self.many:
            return self._itself(keys.to_series())
        joined = keys.join(self.distinct, on=names, how="left", maintain_order="left")[CODE]
        return joined.cast(pl.Int64).fill_null(-1).to_numpy()

    def _itself(self, key: pl.Series) -> Longs:
        values: Longs = key.fill_null(self.low).to_numpy()
        beyond = (values < self.low) | (values >= self.low + self.many)
        if key.null_count():
            beyond |= key.is_null().to_numpy()
        return np.where(beyond, -1, values - self.low) if beyond.any() else values - self.low


def codes_of(keys: pl.DataFrame) -> Codes:
    """Codes for every key in a frame that has all of its parts."""
    if keys.width == 1 and keys.dtypes[0] == pl.Int64:
        key = keys.to_series()
        low, high = key.min(), key.max()
        if isinstance(low, int) and isinstance(high, int) and high - low < SPARSE * keys.height:
            return Codes(keys.clear(), low, high - low + 1)
    return Codes(keys.drop_nulls().unique().with_row_index(CODE))
