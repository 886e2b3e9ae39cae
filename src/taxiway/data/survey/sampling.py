"""Bounded samples of rows that come in chunks: a fair one, and one of rows that are equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

SAMPLE_ROWS = 50_000
SAMPLE_CELLS = 10_000_000
HASHES = 200_000
TOLD_APART_BY = 3
"""How many columns say which rows are kept for counting those that are equal."""


class FairSample:
    """Rows of which each has the same chance to be kept, however many come (bottom-k sampling)."""

    def __init__(self, columns: int, seed: int, rows: int = SAMPLE_ROWS) -> None:
        self.most = max(1, min(rows, SAMPLE_CELLS // max(1, columns)))
        self._random = np.random.default_rng(seed)
        self._drawn: list[NDArray[np.float64]] = []
        self._kept: list[pl.DataFrame] = []
        self._below = 1.0

    def add(self, chunk: pl.DataFrame) -> None:
        drawn = self._random.random(chunk.height)
        places = np.flatnonzero(drawn < self._below)
        if len(places) > self.most:  # the first chunk: more than can ever stay
            places = np.sort(np.argpartition(drawn, self.most)[: self.most])
        if len(places):
            self._drawn.append(drawn[places])
            self._kept.append(chunk[places])
        if sum(map(len, self._drawn)) > 2 * self.most:
            self._prune()

    def frame(self) -> pl.DataFrame:
        """The sample in an order of chance, so that its first rows are a fair sample too."""
        self._prune()
        return self._kept[0][np.argsort(self._drawn[0])] if self._kept else pl.DataFrame()

    def _prune(self) -> None:
        if not self._kept:
            return
        drawn, kept = np.concatenate(self._drawn), pl.concat(self._kept)
        if len(drawn) > self.most:
            places = np.sort(np.argpartition(drawn, self.most)[: self.most])
            drawn, kept = drawn[places], kept[places]
            self._below = float(drawn.max())
        self._drawn, self._kept = [drawn], [kept.rechunk()]


class EqualRows:
    """Hashes of rows, chosen by what a few columns hold: equal rows are kept or left out together.

    What share of the kept rows has been there before is thus an estimate of that share in all rows.
    """

    def __init__(self, columns: Sequence[str], by: Sequence[str]) -> None:
        self.columns, self.by = list(columns), list(by)
        self.below = np.uint64(2**64 - 1)
        self._kept: list[NDArray[np.uint64]] = []

    def add(self, chunk: pl.DataFrame) -> None:
        if not self.columns:
            return
        chosen = _hashes(chunk, self.by)
        places = np.flatnonzero(chosen <= self.below)
        if len(places) == chunk.height:
            rows = _hashes(chunk, self.columns)
        else:
            rows = _hashes(chunk[places], self.columns)
        self._kept.append(np.stack([chosen[places], rows]))
        while sum(k.shape[1] for k in self._kept) > 2 * HASHES and self.below > np.uint64(1):
            self._thin(self.below // np.uint64(2))

    def rows(self, below: np.uint64 | None = None) -> NDArray[np.uint64]:
        """Hashes of the kept rows: of those that another source, with its bound, has kept too."""
        if below is not None:
            self._thin(min(below, self.below))
        kept: NDArray[np.uint64] = self._all()[1]
        return kept

    def repeated(self) -> float:
        """The share of the kept rows that were there before."""
        kept = self.rows()
        return repeats_of(kept) / len(kept) if len(kept) else 0.0

    def _all(self) -> NDArray[np.uint64]:
        return np.concatenate(self._kept, axis=1) if self._kept else np.empty((2, 0), np.uint64)

    def _thin(self, below: np.uint64) -> None:
        self.below = below
        kept = self._all()
        self._kept = [kept[:, kept[0] <= below]]


def repeats_of(rows: NDArray[np.uint64]) -> int:
    """How many of the rows were there before. Sorting is several times quicker than `unique`."""
    ordered = np.sort(rows)
    return int((ordered[1:] == ordered[:-1]).sum())


def told_apart_by(looked_at: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """The columns with the most distinct values."""
    distinct = {name: looked_at.get_column(name).n_unique() for name in columns}
    return sorted(columns, key=lambda name: -distinct[name])[:TOLD_APART_BY]


def _hashes(frame: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.uint64]:
    numbers = [name for name in columns if frame.schema[name].is_numeric()]
    # The same number is the same row, whether it is kept as 1 or as 1.0.
    same = frame.select(columns).with_columns(pl.col(numbers).cast(pl.Float64, strict=False))
    return same.hash_rows(seed=7).to_numpy()
