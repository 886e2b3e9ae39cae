"""Which key is right: the one that other columns support.

Numbers that count from 1 overlap in any two tables, and so do small sets of codes. If a key matches
rows of the same things, other columns of these rows have to do with one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from taxiway.data.reconcile.clocks import PLACES
from taxiway.data.reconcile.columns import Column, Profile, text_of
from taxiway.data.reconcile.dependence import association, chance, dependence_of
from taxiway.data.reconcile.forms import TIME, Form, Hashes, exact, hashed, times
from taxiway.data.reconcile.joins import FEWEST, UNIQUE, Trial, mixed
from taxiway.data.reconcile.matching import matched
from taxiway.data.reconcile.names import alike, plain
from taxiway.data.reconcile.ranks import rank_correlation
from taxiway.data.reconcile.views import View, equal, view_of

LOOKED_AT = 1_000
"""Rows that are looked at for support."""
MOST_COLUMNS = 40
EXCELLENT = 0.85
"""Quality of a key from which no other one is looked for."""
ALIKE = 0.995
"""How much rows agree with those beside them from which on their order tells nothing."""
SHARPER = 0.5
"""How much of the rows' difference from those beside them may be left where they are the same."""
SUPPORTED = 0.25
"""Share of the other columns that have to support a key of several columns."""
MOST_OF_COUNTS = 0.3
"""Rows of either side that numbers of another name which count have to match."""
HOURS = (*range(-14, 0), *range(1, 15))


@dataclass(frozen=True, slots=True)
class Proof:
    """A key, and what speaks for it."""

    trial: Trial
    keys: int
    support: float | None
    """The share of the columns of one name that have to do with one another; None without any."""
    compared: int
    shifted: str = ""
    """What had to be done to a time of the right key: hours, or the name of a zone."""

    @property
    def quality(self) -> float:
        if self.trial.by_order:
            # Rows in an order of their own would have nothing to do with one another.
            return 0.96 if (self.support or 0) >= 0.7 else 0.5 * (self.support or 0)
        unique = max(self.trial.uniqueness)
        unique = unique if unique >= UNIQUE else 0.4
        # A long key matches rows of other things by accident sooner than one that names them.
        plainness = 0.97 ** max(1, len(self.trial.keys))
        cover = 0.4 + 0.6 * max(self.trial.coverage)
        if all(a.form.kind == TIME and not (a.unit or b.unit) for a, b in self.trial.keys):
            # Each day's midnight is among its hours: what matches few of one side is no key of it.
            cover *= 0.5 + 0.5 * min(self.trial.coverage)
        support = 0.3 + 0.7 * (0.5 if self.support is None else self.support)
        likeness = [alike(a.name, b.name) for a, b in self.trial.keys] or [0.8]
        return plainness * unique * cover * support * (0.8 + 0.2 * float(np.mean(likeness)))

    @property
    def excellent(self) -> bool:
        """Whether no other key need be looked for."""
        return self.holds and not self.trial.of_values and self.quality >= EXCELLENT

    @property
    def holds(self) -> bool:
        """Whether rows may be compared by it."""
        if self.keys < FEWEST and not (self.keys >= 3 and max(self.trial.coverage) >= 0.9):
            return False
        if self.trial.by_order:
            return self.support is not None and self.support >= 0.5
        if max(self.trial.coverage) < (0.3 if self.trial.of_values else 0.1):
            return False
        if self.trial.of_values or max(self.trial.uniqueness) < UNIQUE:
            if self.trial.of_values and self.trial.how == "n:m" and self.compared < 2:
                return False
            return self.support is not None and self.support >= 0.5
        if len(self.trial.keys) > 1 and self.compared >= 2:
            # A day and an hour are one row of each month: those of two months are other things.
            least = SUPPORTED if self.compared > 2 else 1e-9
            if (self.support or 0) < least:
                return False
        named = all(alike(a.name, b.name) > 0 for a, b in self.trial.keys)
        if not named and any(_by_digits(a, b) for a, b in self.trial.keys):
            # Small numbers stand in any two columns, in digits of text too.
            # What counts from 1 begins like any other such column, and agrees with its beginning.
            few = self.trial.of_counts and min(self.trial.coverage) < MOST_OF_COUNTS
            return (self.support or 0) >= 0.4 and not few
        if self.trial.of_counts:
            return bool(self.support) or (self.support is None and named)
        return True

    @property
    def accidental(self) -> bool:
        """Whether numbers overlap, and no column has to do with its namesake."""
        identify = min(self.trial.uniqueness) >= 0.99 and len(self.trial.keys) == 1
        return identify and self.trial.of_counts and self.support == 0 and self.compared >= 2


def _by_digits(a: Column, b: Column) -> bool:
    """Whether values match by small numbers, or by what is left of texts without their prefix."""
    return a.dense or b.dense or a.form.prefix != b.form.prefix


def proven(trial: Trial, left: Profile, right: Profile) -> Proof:
    """What speaks for a key."""
    ours, others, keys = matched(trial, LOOKED_AT)
    if keys < 3:
        return Proof(trial, keys, None, 0)
    names = {plain(c.name): c for c in right.columns}
    taken = {a.name for a, _ in trial.keys}
    pairs = [
        (c, names[plain(c.name)])
        for c in left.columns
        if plain(c.name) in names and c.name not in taken
    ]
    judge = _in_place if trial.by_order else _agreement
    if FEWEST <= keys < len(ours):
        # Rows that repeat a key say no more than the key does.
        each = np.sort(np.unique(trial.left_ids[ours], return_index=True)[1])
        ours, others = ours[each], others[each]
    scores = [
        score
        for a, b in pairs[:MOST_COLUMNS]
        for score in [judge(_view(trial.left, ours, a), _view(trial.right, others, b))]
        if score is not None
    ]
    if not scores:
        return Proof(trial, keys, None, 0)
    return Proof(trial, keys, float(np.mean(scores)), len(scores))


def _view(frame: pl.DataFrame, rows: Iterable[int], column: Column) -> View:
    return view_of(frame[column.name].gather(pl.Series(rows, dtype=pl.UInt32)), column)


def _agreement(x: View, y: View) -> float | None:
    """How much two columns have to do with one another, beyond chance; None if they can't tell."""
    both = x.there & y.there
    if both.sum() < FEWEST:
        return None
    x, y = x.only(both), y.only(both)
    if min(x.distinct, y.distinct) < 2:
        return None
    found = max(_beyond_chance(x, y), dependence_of(x, y))
    return found if found >= 0.4 else 0.0


def _beyond_chance(x: View, y: View) -> float:
    """The share of rows that are equal, above what chance gives."""
    expected = chance(x.loose, y.loose)
    share = max(float(equal(x, y).mean()), float((x.loose == y.loose).mean()))
    return (share - expected) / (1 - expected) if expected < 0.95 else 0.0


def _in_place(x: View, y: View) -> float | None:
    """How much two columns agree row by row, and not with the rows beside them; None if nothing
    can be told, as they are equal there, too.

    What is sorted, or follows time, is like its neighbours: rows of other things in the same order
    have to do with one another too, but no more than with the rows before and after them.
    """
    found = _agreement(x, y)
    if not found:
        return found
    begin, end = np.ones((2, len(x.ids)), np.bool_)
    begin[-1:] = end[:1] = False
    near = _likeness(x, y)
    beside = max(
        _likeness(x.only(begin), y.only(end)),
        _likeness(x.only(end), y.only(begin)),
    )
    if min(near, beside) >= ALIKE:
        return None if _beyond_chance(x, y) >= ALIKE else 0.0
    return found if 1 - near <= SHARPER * (1 - beside) else 0.0


def _likeness(x: View, y: View) -> float:
    """From 0 (as chance gives) to 1 (one column follows from the other)."""
    both = x.there & y.there
    x, y = x.only(both), y.only(both)
    found = max(_beyond_chance(x, y), association(x.ids, y.ids))
    if x.is_numeric and y.is_numeric:
        finite = np.isfinite(x.floats) & np.isfinite(y.floats)
        found = max(found, abs(rank_correlation(x.floats[finite], y.floats[finite])))
    return found


def clocked(proof: Proof, left: Profile, right: Profile) -> Proof:
    """The same key with the right times moved by some hours or into a zone, if that is what makes
    other columns agree."""
    at = next(
        (i for i, (a, _) in enumerate(proof.trial.keys) if a.form.kind == TIME and not a.unit), None
    )
    trial = proof.trial
    if at is None or not trial.every or proof.support is None or proof.support > 0.5:
        return proof
    column = trial.keys[at][1]
    clock = times(trial.right[column.name], column.form)
    best = proof
    for name, moved in _moved(clock):
        ids = _ids(trial, moved, at)
        tried = proven(replace(trial, right_ids=ids[1], left_ids=ids[0]), left, right)
        if (tried.support or 0) > (best.support or 0) + 0.3 and tried.keys >= 0.7 * proof.keys:
            best = replace(tried, shifted=name)
    return best


def _moved(clock: pl.Series) -> Iterable[tuple[str, pl.Series]]:
    for hours in HOURS:
        yield f"{hours:+d} hours", _later(clock, hours)
    local = clock.dt.replace_time_zone("UTC")
    for zone in PLACES:
        yield zone, local.dt.convert_time_zone(zone).dt.replace_time_zone(None)
        there = clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        yield f"-{zone}", there.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def _later(clock: pl.Series, hours: int) -> pl.Series:
    return (clock.to_physical() + hours * 3_600_000_000).cast(pl.Datetime("us"))


def _ids(trial: Trial, moved: pl.Series, at: int) -> tuple[Hashes, Hashes]:
    """The numbers of the keys with other times in the right one."""
    found: list[Hashes] = []
    for side, frame in ((0, trial.left), (1, trial.right)):
        ids: Hashes | None = None
        for place, pair in enumerate(trial.keys):
            if place == at:
                values = moved if side else times(frame[pair[side].name], pair[side].form)
                here = hashed(exact(values, Form(TIME)))
            else:
                here = hashed(text_of(frame, pair[side]))
            ids = here if ids is None else mixed(ids, here)
        found.append(ids if ids is not None else trial.right_ids)
    return found[0], found[1]
