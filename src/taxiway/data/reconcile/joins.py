"""Which columns match the rows of two tables: candidates by their sketches, proven on rows.

A candidate is an anchor, a pair of columns whose values overlap; rows of the same values of the
anchor are taken from both tables, so that every group is whole, and columns are added to the key
until it is unique on one side. Among the candidates the one counts that the other columns support:
numbers from 1 up overlap by accident, and then no other column agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from taxiway.data.reconcile.columns import LAST, Column, Profile, Rows, derived, grain_of, text_of
from taxiway.data.reconcile.forms import NUMBER, TIME, Hashes, exact, hashed
from taxiway.data.reconcile.names import alike, plain

CELLS = 8_000_000
"""Values that are taken from a table, about, to find and prove a key."""
MOST_COLUMNS = 400
"""Columns of a table among which a key is looked for, those with most values first."""
TRIALS = 4
UNIQUE = 0.95
LONGEST_KEY = 6
BLOCK = 16
"""Rows that are taken together, where they are taken by their place."""
FEWEST = 10
"""Keys that have to match."""
COARSER = ("hour", "day", "month")


@dataclass(frozen=True, slots=True)
class Anchor:
    """Two columns whose values overlap."""

    left: Column
    right: Column
    score: float


@dataclass(frozen=True, slots=True)
class Trial:
    """A key, and rows of both tables that hold the same values of its first column."""

    keys: tuple[tuple[Column, Column], ...]
    left: pl.DataFrame
    right: pl.DataFrame
    left_ids: Hashes
    """A number for the key of each row; 0 where a part of it is null."""
    right_ids: Hashes
    by_order: bool = False
    whole: bool = True
    """Whether every row that holds one of the values was taken."""
    every: bool = False
    """Whether all rows of both tables were taken."""

    @property
    def uniqueness(self) -> tuple[float, float]:
        return uniqueness(self.left_ids), uniqueness(self.right_ids)

    @property
    def coverage(self) -> tuple[float, float]:
        """The share of the rows of each side whose key the other side has."""
        return coverage(self.left_ids, self.right_ids)

    @property
    def how(self) -> str:
        left, right = (value >= UNIQUE for value in self.uniqueness)
        return f"{'1' if left else 'n'}:{'1' if right else ('m' if not left else 'n')}"

    @property
    def named(self) -> frozenset[tuple[str, str]]:
        """The names of its columns."""
        return frozenset((a.label, b.label) for a, b in self.keys)

    @property
    def of_values(self) -> bool:
        """Whether it rests on measured values, which overlap by accident."""
        return not self.by_order and any(
            a.form.kind == NUMBER and not (a.integral and b.integral) for a, b in self.keys
        )

    @property
    def of_counts(self) -> bool:
        """Whether it rests on numbers that count, which overlap by accident."""
        return not self.by_order and all(a.counts and b.counts for a, b in self.keys)


def overlaps(
    left: Sequence[Column], right: Sequence[Column]
) -> tuple[npt.NDArray[np.float64], ...]:
    """For every pair: how much of the left column's values stand in the right one, the other way
    round, and how many values of the sketches are in both."""
    from scipy.sparse import csr_matrix

    every = np.unique(
        np.concatenate([c.hashes for c in (*left, *right)] or [np.empty(0, np.uint64)])
    )

    def matrix(columns: Sequence[Column]) -> Any:
        places = [np.searchsorted(every, c.hashes) for c in columns]
        ends = np.cumsum([0, *map(len, places)])
        there = np.concatenate([*places, np.empty(0, np.intp)]).astype(np.intp)
        return csr_matrix(
            (np.ones(len(there)), there, ends), shape=(len(columns), max(1, len(every)))
        )

    both = np.asarray((matrix(left) @ matrix(right).T).todense())
    of_left, of_right = np.ones_like(both), np.ones_like(both)
    limits = np.array([c.limit for c in right], np.uint64)
    for i, column in enumerate(left):
        of_left[i] = np.searchsorted(column.hashes, limits, side="right")
    limits = np.array([c.limit for c in left], np.uint64)
    for j, column in enumerate(right):
        of_right[:, j] = np.searchsorted(column.hashes, limits, side="right")
    return both / np.maximum(1, of_left), both / np.maximum(1, of_right), both


def anchors(left: Profile, right: Profile) -> list[Anchor]:
    """The pairs of columns that may match rows, the best first."""
    ours, others = _candidates(left, right), _candidates(right, left)
    in_right, in_left, both = overlaps(ours, others)
    cover = np.maximum(in_right, in_left)
    found = []
    for i, j in zip(*np.nonzero((cover >= 0.2) & (both >= 2)), strict=True):
        a, b = ours[i], others[j]
        if (a.unit and b.unit) or min(a.distinct, b.distinct) < 2:
            continue
        score = float(cover[i, j]) * (0.2 + 0.8 * max(a.uniqueness, b.uniqueness))
        likeness = alike(a.name, b.name)
        score *= 0.5 + 0.5 * likeness
        if a.form.kind == b.form.kind == NUMBER:
            if not (a.integral and b.integral):
                score *= 0.4
            elif likeness == 0 and (a.dense or b.dense):
                score *= 0.1
        found.append(Anchor(a, b, score))
    return sorted(found, key=lambda one: (-one.score, one.left.place, one.right.place))


def _candidates(one: Profile, other: Profile) -> list[Column]:
    """A table's columns, and its times cut to a unit that the other table's times have."""
    found = sorted(one.columns, key=lambda c: -c.uniqueness)[:MOST_COLUMNS]
    coarse = {
        grain_of(other, c) for c in other.columns if c.form.kind == TIME and c.distinct > 1
    } - {""}
    for column in one.columns[:MOST_COLUMNS]:
        if column.form.kind == TIME and coarse:
            own = grain_of(one, column)
            finer = COARSER[COARSER.index(own) + 1 :] if own else COARSER
            found += [derived(one, column, unit) for unit in finer if unit in coarse]
    return found


def trials(left: Profile, right: Profile, on_rows: Rows) -> Iterator[Trial]:
    """Keys to choose among."""
    seen: set[frozenset[tuple[str, str]]] = set()
    tried = 0
    for anchor in anchors(left, right):
        if tried == TRIALS:
            break
        if any((anchor.left.label, anchor.right.label) in key for key in seen):
            continue
        tried += 1
        trial = _shortened(_extended(_taken(left, right, anchor, on_rows), left, right))
        seen.add(frozenset((a.label, b.label) for a, b in trial.keys))
        yield trial


def in_order(left: Profile, right: Profile, on_rows: Rows) -> Trial | None:
    """The rows of both tables matched by their place, if there are as many of them."""
    if left.rows != right.rows or left.rows < FEWEST:
        return None
    limit = _limit(min(1.0, _most(left, right) / left.rows / 4))
    frames = [_rows_by_place(one, limit, on_rows) for one in (left, right)]
    ids = np.arange(1, frames[0].height + 1, dtype=np.uint64)
    return Trial((), frames[0], frames[1], ids, ids, by_order=True)


def _taken(left: Profile, right: Profile, anchor: Anchor, on_rows: Rows) -> Trial:
    """All rows with some values of the anchor, the same values on both sides."""
    most = _most(left, right)
    share = min(1.0, most / max(1, left.rows, right.rows))
    # A thousand values at the least, or one could not tell chance from rule.
    distinct = max(1, min(anchor.left.distinct, anchor.right.distinct))
    limit = _limit(min(1.0, max(share, 1_000 / distinct)))
    (ours, ours_whole), (others, others_whole) = (
        _rows_where(one, column, limit, most, on_rows)
        for one, column in ((left, anchor.left), (right, anchor.right))
    )
    return Trial(
        ((anchor.left, anchor.right),),
        ours,
        others,
        hashed(text_of(ours, anchor.left)),
        hashed(text_of(others, anchor.right)),
        whole=ours_whole and others_whole,
        every=limit == LAST and ours_whole and others_whole,
    )


def _most(left: Profile, right: Profile) -> int:
    widest = max(len(left.columns), len(right.columns), 1)
    return int(np.clip(CELLS / widest, 500, 40_000))


def _limit(share: float) -> np.uint64:
    return LAST if share >= 1 else np.uint64(int(share * 2.0**64))


def _rows_where(
    one: Profile, column: Column, limit: np.uint64, most: int, on_rows: Rows
) -> tuple[pl.DataFrame, bool]:
    """The rows whose value has a small hash, and whether they are all there: many are thinned."""
    kept: list[pl.DataFrame] = []
    thinned = LAST
    place = 0
    for batch in one.table.batches():
        ids = hashed(text_of(batch, column))
        wanted = (ids != 0) & (ids <= limit)
        chosen = batch.with_columns(
            pl.int_range(place, place + batch.height, eager=True).hash(2).alias(_PLACE)
        ).filter(pl.Series(wanted) & (pl.col(_PLACE) <= int(thinned)))
        kept.append(chosen)
        place += batch.height
        if sum(part.height for part in kept) > 8 * most:
            whole = pl.concat(kept)
            thinned = np.uint64(whole[_PLACE].bottom_k(4 * most).max())  # type: ignore[arg-type]
            kept = [whole.filter(pl.col(_PLACE) <= int(thinned))]
        on_rows(batch.height)
    rows = pl.concat(kept).drop(_PLACE) if kept else one.sample.clear()
    return rows, bool(thinned == LAST)


_PLACE = "\0place"


def _rows_by_place(one: Profile, limit: np.uint64, on_rows: Rows) -> pl.DataFrame:
    kept, place = [], 0
    for batch in one.table.batches():
        # Rows that stand side by side stay so: what is true of them only by their order shows.
        at = (pl.int_range(place, place + batch.height, eager=True) // BLOCK).hash(3)
        kept.append(batch.filter(at <= int(limit)))
        place += batch.height
        on_rows(batch.height)
    return pl.concat(kept)


def _extended(trial: Trial, left: Profile, right: Profile) -> Trial:
    """The trial with columns added to its key until it is unique on one side."""
    pairs = [
        (a, b)
        for a, b in _addable(left, right)
        if (a.name, b.name) not in {(x.name, y.name) for x, y in trial.keys}
    ]
    ids = {
        (a.name, b.name): (hashed(text_of(trial.left, a)), hashed(text_of(trial.right, b)))
        for a, b in pairs
        if max(trial.uniqueness) < UNIQUE
    }
    while max(trial.uniqueness) < UNIQUE and pairs and len(trial.keys) < LONGEST_KEY:
        before = max(trial.uniqueness)
        tried = []
        for a, b in pairs:
            ours, others = ids[a.name, b.name]
            more = (mixed(trial.left_ids, ours), mixed(trial.right_ids, others))
            unique = max(uniqueness(more[0]), uniqueness(more[1]))
            measured = a.form.kind == NUMBER and not (a.integral and b.integral)
            worth = unique * max(coverage(*more)) * (0.8 if measured else 1.0)
            tried.append((worth, unique, (a, b), more))
        worth, unique, pair, more = max(tried, key=lambda one: one[0])
        if unique < before + 0.005 or max(coverage(*more)) < 0.2:
            break
        trial = replace(trial, keys=(*trial.keys, pair), left_ids=more[0], right_ids=more[1])
        pairs.remove(pair)
    return trial


def _shortened(trial: Trial) -> Trial:
    """The trial without columns of its key that it does not need to be unique."""
    for pair in trial.keys if max(trial.uniqueness) >= UNIQUE else ():
        rest = tuple(key for key in trial.keys if key is not pair)
        if not rest:
            break
        ids = [
            ids_of(frame, [key[side] for key in rest])
            for side, frame in enumerate((trial.left, trial.right))
        ]
        if max(uniqueness(ids[0]), uniqueness(ids[1])) >= max(
            UNIQUE, max(trial.uniqueness) - 0.005
        ):
            trial = replace(trial, keys=rest, left_ids=ids[0], right_ids=ids[1])
    return trial


def ids_of(frame: pl.DataFrame, columns: Sequence[Column], *, exactly: bool = False) -> Hashes:
    """A number for each row's values of some columns; 0 where one of them is null."""
    found: Hashes | None = None
    for column in columns:
        loosely = column.unit or not exactly
        text = text_of(frame, column) if loosely else exact(frame[column.name], column.form)
        ids = hashed(text)
        found = ids if found is None else mixed(found, ids)
    return np.zeros(frame.height, np.uint64) if found is None else found


def _addable(left: Profile, right: Profile) -> list[tuple[Column, Column]]:
    """Pairs of columns of about the same name whose values overlap."""
    by_name = {plain(c.name): c for c in right.columns}
    found = []
    for a in left.columns:
        b = by_name.get(plain(a.name))
        if b and a.distinct > 1 and b.distinct > 1:
            share = overlaps([a], [b])
            if max(share[0][0, 0], share[1][0, 0]) >= 0.5:
                found.append((a, b))
    return found[:60]


def mixed(one: Hashes, other: Hashes) -> Hashes:
    """One number for two; 0 if one of them is."""
    both = (one * np.uint64(0x9E3779B97F4A7C15)) ^ (other + (one >> np.uint64(29)))
    both[(one == 0) | (other == 0)] = 0
    return both


def uniqueness(ids: Hashes) -> float:
    there = ids[ids != 0]
    return len(np.unique(there)) / len(there) if len(there) else 0.0


def coverage(left: Hashes, right: Hashes) -> tuple[float, float]:
    ours, others = left[left != 0], right[right != 0]
    if not len(ours) or not len(others):
        return 0.0, 0.0
    return float(np.isin(ours, others).mean()), float(np.isin(others, ours).mean())
