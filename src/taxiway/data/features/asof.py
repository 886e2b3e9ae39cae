"""The as-of join: for each row, the newest value of its key that was known by the row's time.

A value counts from the moment it was known, whenever it happened, and the newest is the one that
happened last: a correction that arrived late replaces what it corrects, and a straggler from the
past replaces nothing. Both sides become whole numbers, once for all views: a code for the key and
microseconds, put together into one number by which rows are sorted and searched
(docs/adr/0025-features.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from taxiway.core.errors import InputError
from taxiway.data.features.codes import Codes, Longs, codes_of

Rows = npt.NDArray[np.uint32]

ROW = "\0row"
PLACED = "\0placed"
HAPPENED = "\0happened"
LARGEST = 2**62
MUCH = 0.75
COARSER = (1_000, 10**6, 60 * 10**6, 3600 * 10**6)
"""Microseconds of coarser clocks: times that all lie on one need fewer bits."""


@dataclass(frozen=True, slots=True)
class Entities:
    """The rows that ask, by code of their key and time, in the order of both."""

    known: Codes
    """Every key that is asked for."""
    codes: Longs
    times: Longs
    order: npt.NDArray[np.intp]
    """The row of each; rows without a key or a time are not among them."""
    rows: int
    """Of the frame that asks, whatever they hold."""


@dataclass(frozen=True, slots=True)
class Values:
    """The rows of a view: keys as columns named by position, times in microseconds, features."""

    keys: pl.DataFrame
    event: Longs
    known: Longs
    features: pl.DataFrame
    steady: bool = False
    """Whether all were known so long after their event: what is known last happened last."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Which row of the view each row that asks gets, and why others get none."""

    rows: Rows
    """A row of the view, or its height for none."""
    found: int
    expired: int
    """Rows whose newest known value is older than the time-to-live."""
    tied: int
    """Rows of the view that only the order of their values told apart."""


def clock(times: pl.Series, *, up: bool = False) -> pl.Series:
    """Times as microseconds of UTC; a time without a zone is UTC, a date begins its day.

    What is finer is rounded down, or `up`: nothing may be known earlier than it was.
    """
    if times.dtype == pl.Date:
        return times.cast(pl.Datetime("us")).to_physical()
    if not isinstance(times.dtype, pl.Datetime):
        raise InputError(
            f"The column {times.name!r} is no time: it holds {times.dtype}.",
            todo="Cast it to a timestamp or a date in the query.",
        )
    whole = times.to_physical()
    match times.dtype.time_unit:
        case "us":
            return whole
        case "ms":
            return whole * 1_000
    return -(-whole // 1_000) if up else whole // 1_000


def by_position(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Key columns under names that both sides of a join have in common."""
    return frame.select(_key(frame, name).alias(str(at)) for at, name in enumerate(columns))


def _key(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A key as one of few types, so that whole numbers of two widths are the same key."""
    dtype, column = frame.schema[name], pl.col(name)
    if dtype.is_integer():
        return column.cast(pl.Int64)
    if dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        zoned = column if dtype.time_zone else column.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if dtype in {pl.Boolean, pl.Date, pl.Null}:
        return column
    raise InputError(
        f"The column {name!r} can't be a key: it holds {dtype}.",
        todo="A key is text, a whole number, a date, a time, or true and false.",
    )


def compile_entities(keys: pl.DataFrame, times: pl.Series) -> Entities:
    """The rows that ask, ready for any number of views with the same key."""
    known = codes_of(keys)
    coded, at = known.of(keys), clock(times)
    rows = np.flatnonzero((coded >= 0) & at.is_not_null().to_numpy())
    codes, moments = coded[rows], at.fill_null(0).to_numpy()[rows]
    if not len(rows):
        return Entities(known, codes, moments, rows, len(keys))
    order = np.argsort(_line(int(codes.max()) + 1, moments).place(codes, moments))
    return Entities(known, codes[order], moments[order], rows[order], len(keys))


def match(entities: Entities, values: Values, ttl: int | None) -> Matched:
    """For each row that asks, the newest row of a view that it may see."""
    height = len(values.event)
    rows = np.full(entities.rows, height, np.uint32)
    coded = entities.known.of(values.keys)
    if not len(entities.order):
        return Matched(rows, 0, 0, 0)
    wanted = (coded >= 0) & (values.known <= entities.times.max())
    if ttl is not None:
        wanted &= values.event >= entities.times.min() - ttl
    many = int(np.count_nonzero(wanted))
    if not many:
        return Matched(rows, 0, 0, 0)
    # What nobody can get is never found anyway; most of it is left out where there is much of it.
    taken = np.flatnonzero(wanted) if many < MUCH * height else None
    codes, event, known = coded, values.event, values.known
    if taken is not None:
        codes, event, known = codes[taken], event[taken], known[taken]

    most = 1 + max(int(codes.max()), int(entities.codes.max()))
    line = _line(most, event, known, entities.times)
    placed = line.place(codes, known)
    order = np.argsort(placed)
    unasked = int(np.count_nonzero(codes < 0))  # their places are below zero, so they come first
    order = order[unasked:]
    tied, inside = 0, placed[order]
    if (inside[1:] == inside[:-1]).any():
        happened = line.place(codes, event)
        order = np.lexsort((happened, placed))[unasked:]
        features = values.features if taken is None else values.features[taken]
        tied = _settle(order, placed, happened, features)
    # From here on everything is in the order of the search, and read from front to back.
    first = line.start(entities.codes)
    asked = line.place(entities.codes, entities.times)
    place = np.searchsorted(inside, asked, side="right")
    place -= 1
    np.maximum(place, 0, out=place)
    seen = inside[place]
    same = (seen <= asked) & (seen >= first)
    event = event[order]
    newest = None if values.steady else _newest(line.place(codes[order], event))
    if newest is not None:
        place = newest[place]
    holds = same if ttl is None else same & (event[place] >= entities.times - ttl)
    found = order[place] if taken is None else taken[order[place]]
    rows[entities.order] = np.where(holds, found, height)
    held = int(holds.sum())
    return Matched(rows, held, int(same.sum()) - held, tied)


def _newest(happened: Longs) -> npt.NDArray[np.intp] | None:
    """For each place in the order of keys and knowing, where what happened last up to it lies.

    None if that is the place itself, everywhere. A later key is a larger number, so that the
    running maximum begins anew with each key.
    """
    if (happened[1:] >= happened[:-1]).all():
        return None
    last = np.maximum.accumulate(happened)
    return np.maximum.accumulate(np.where(happened == last, np.arange(len(happened)), 0))


def _settle(
    order: npt.NDArray[np.intp],
    placed: Longs,
    happened: Longs,
    features: pl.DataFrame,
) -> int:
    """Sorts rows of one key and both times by their values, in place: no order of files decides.

    Answers how many rows these were.
    """
    known, event = placed[order], happened[order]
    alike = np.zeros(len(order), bool)
    alike[1:] = (known[1:] == known[:-1]) & (event[1:] == event[:-1])
    tied = int(alike.sum())
    alike[:-1] |= alike[1:]
    at = np.flatnonzero(alike)
    if not tied:
        return 0
    rows = order[at]
    sides = pl.DataFrame({PLACED: known[at], HAPPENED: event[at], ROW: rows})
    frame = pl.concat([sides, features[rows]], how="horizontal")
    sorted_rows = frame.sort(PLACED, HAPPENED, *features.columns, maintain_order=True)[ROW]
    order[at] = sorted_rows.to_numpy()
    return tied


@dataclass(frozen=True, slots=True)
class Line:
    """Keys and times on one line of whole numbers: key after key, and within a key by time."""

    low: int
    unit: int
    span: int
    """How far one key lies from the next."""
    ranks: Longs | None = None
    """Every time there is, where the times themselves would need too many bits."""

    def start(self, codes: Longs) -> Longs:
        """Where each key begins."""
        return codes * self.span

    def place(self, codes: Longs, times: Longs) -> Longs:
        placed = self.start(codes)
        # Into the same numbers: fetching memory for others takes as long as the sums.
        if self.ranks is not None:
            placed += np.searchsorted(self.ranks, times)
        elif self.unit == 1:
            placed += times
            placed -= self.low
        else:
            placed += (times - self.low) // self.unit
        return placed


def _line(most: int, *times: Longs) -> Line:
    """The line for so many keys and these times."""
    low = min(int(some.min()) for some in times)
    high = max(int(some.max()) for some in times)
    for unit in (1, *COARSER):
        span = (high - low) // unit + 1
        whole = unit == 1 or not any(((some - low) % unit).any() for some in times)
        if most * span < LARGEST and whole:
            return Line(low, unit, span)
    ranks = pl.concat([pl.Series(some) for some in times]).unique().sort().to_numpy()
    return Line(low, 1, len(ranks), ranks)


def gather(features: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """The features of each row that asks; nulls where it gets none."""
    wanted = pl.Series(rows)
    # In one piece: a search through pieces takes five times as long as copying them together.
    return features.rechunk()[wanted.set(wanted == features.height, None)]
