"""Which columns tell one row from another, and which says when it happened."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import polars as pl

from taxiway.data.infer import names
from taxiway.data.infer.record import Guess

CANDIDATES = 12
COLUMNS = 4
"""How many columns a key may have."""
FEWEST = 20
"""Rows below which being unique says nothing."""


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
    ]
    distinct = {name: sample[name].n_unique() for name in wanted[:1000]}
    order = sorted(distinct, key=lambda n: (not _is_id(n), -distinct[n]))
    singles = [name for name in order if distinct[name] == sample.height]
    if singles:
        # An amount may be unique by chance; a name that says so comes first.
        return (singles[0],)
    candidates = [name for name in order if distinct[name] > 1][:CANDIDATES]
    for size in range(2, COLUMNS + 1):
        for some in combinations(candidates, size):
            room = 1
            for name in some:
                room *= distinct[name]
            if room < sample.height:
                continue
            if not sample.select(some).is_duplicated().any():
                return tuple(name for name in sample.columns if name in some)
    return ()


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
