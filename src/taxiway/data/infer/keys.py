"""Which columns tell one row from another, and which says when it happened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import polars as pl

from taxiway.data.infer import names
from taxiway.data.infer.record import Guess
from taxiway.data.privacy.names import named

CANDIDATES = 12
COLUMNS = 4
"""How many columns a key may have."""
FEWEST = 20
"""Rows below which being unique says nothing."""
REPEATS = 3
"""Rows of which one would be there before, if columns had nothing to do with each other: where
fewer are to be expected, that none repeats says nothing."""
THEIRS = frozenset({"email", "phone", "national id", "bank account", "card", "device"})
"""Kinds of personal values that one person has alone."""


def key_of(sample: pl.DataFrame, guesses: Sequence[Guess]) -> tuple[str, ...]:
    """The smallest set of columns that is there in each row and never the same twice; none: ()."""
    if sample.height < FEWEST:
        return ()
    wanted = [
        g.name
        for g in guesses
        if g.column.type in {"string", "integer", "timestamp", "date"}
        and not g.column.sentinels
        and sample[g.name].null_count() == 0
        # Two people may well have one name or birthday; a number of theirs is called so.
        and not (g.column.personal and not _is_id(g.name) and named(g.name) not in THEIRS)
    ]
    distinct = {name: sample[name].n_unique() for name in wanted[:1000]}
    order = sorted(distinct, key=lambda n: (not _is_id(n), -distinct[n]))
    whole = {g.name for g in guesses if g.column.type == "integer" and not _is_id(g.name)}
    singles = [
        name
        for name in order
        if distinct[name] == sample.height
        and (name == sample.columns[0] or name not in whole or not _by_chance(sample[name]))
    ]
    if singles:
        # A name that says so comes first.
        return (singles[0],)
    candidates = [name for name in order if 1 < distinct[name] < sample.height][:CANDIDATES]
    alike = {name: _alike(sample[name]) for name in candidates}
    for size in range(2, COLUMNS + 1):
        # Where most rows would repeat by chance, that none does says most.
        likely = sorted(
            (
                (math.prod(alike[name] for name in some), some)
                for some in combinations(candidates, size)
            ),
            key=lambda one: -one[0],
        )
        for together, some in likely:
            room = math.prod(distinct[name] for name in some)
            by_chance = sample.height**2 / 2 * together < REPEATS and not all(map(_is_id, some))
            if room < sample.height or by_chance:
                continue
            if not sample.select(some).is_duplicated().any():
                return tuple(name for name in sample.columns if name in some)
    return ()


def _by_chance(column: pl.Series) -> bool:
    """Whether so few whole numbers in so wide a range would hardly repeat anyhow."""
    numbers = column.cast(pl.Int64(), strict=False).drop_nulls()
    if numbers.is_empty():
        return False
    span = int(numbers.max()) - int(numbers.min()) + 1  # type: ignore[arg-type]
    return len(column) ** 2 / (2 * span) < REPEATS


def _alike(column: pl.Series) -> float:
    """How likely two rows have the same value."""
    shares = column.value_counts(normalize=True)["proportion"]
    return float((shares**2).sum())


def _is_id(name: str) -> bool:
    return not names.IDENTIFIERS.isdisjoint(names.words_of(name))


def event_time_of(guesses: Sequence[Guess]) -> str:
    """The column that most likely says when a row happened; empty if there is none."""
    times = [
        g
        for g in guesses
        if g.column.type in {"timestamp", "date"}
        and not g.column.nullable
        and not g.column.personal
    ]
    if not times:
        return ""

    def rank(guess: Guess) -> tuple[bool, int]:
        words = names.words_of(guess.name)
        places = [names.EVENT.index(word) for word in words if word in names.EVENT]
        return guess.column.type != "timestamp", min(places, default=len(names.EVENT))

    return min(times, key=rank).name
