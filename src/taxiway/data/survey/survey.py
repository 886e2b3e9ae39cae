"""One pass over rows: the counts of every column, a fair sample, and which rows are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from taxiway.data.survey.bins import Bins, bins_of
from taxiway.data.survey.counting import Column, Counting
from taxiway.data.survey.rows import OTHER, Rows
from taxiway.data.survey.sampling import SAMPLE_ROWS, EqualRows, FairSample, told_apart_by

SEED = 7


@dataclass(frozen=True, slots=True)
class Survey:
    """What a source holds."""

    name: str
    rows: int
    columns: Mapping[str, Column]
    sample: pl.DataFrame
    """Some rows, each with the same chance; all of them where they are few."""
    equal: EqualRows


def survey(
    rows: Rows,
    bins: Mapping[str, Bins] | None = None,
    *,
    told_apart: Sequence[str] | None = None,
    shared: Sequence[str] | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
    sample_rows: int = SAMPLE_ROWS,
    seed: int = SEED,
) -> Survey:
    """Counts every row once.

    `bins` are those of another survey that this one will be held against, `shared` the columns that
    say whether two rows are equal, and `told_apart` those by which rows are chosen for that.
    """
    if bins is None or told_apart is None:
        looked_at = rows.looked_at(rows.kinds)
        bins = bins_of([looked_at], rows.kinds) if bins is None else bins
        if shared is None:
            shared = [name for name, kind in rows.kinds.items() if kind != OTHER]
        told_apart = told_apart_by(looked_at, shared) if told_apart is None else told_apart
    counting = Counting(rows.kinds, bins)
    sample = FairSample(len(rows.kinds), seed, sample_rows)
    equal = EqualRows(shared or (), told_apart)
    with ThreadPoolExecutor(2, "survey") as beside:
        for chunk in _ahead(rows.chunks()):
            # None knows of the others: each goes through the chunks in their order.
            others = [beside.submit(one.add, chunk) for one in (sample, equal)]
            counting.add(chunk)
            for other in others:
                other.result()
            on_rows(chunk.height)
    kept = sample.frame() if counting.rows else rows.looked_at(rows.kinds).head(0)
    return Survey(rows.name, counting.rows, counting.columns(rows.types), kept, equal)


def _ahead(chunks: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same chunks, of which the next is read while one is counted."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = reader.submit(next, chunks, None)
            yield chunk
