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
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from taxiway.core.errors import InputError

Longs = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint32]

CODE = "\0code"
ROW = "\0row"
PLACED = "\0placed"
HAPPENED = "\0happened"
LARGEST = 2**62
COARSER = (1_000, 10**6, 60 * 10**6, 3600 * 10**6)
"""Microseconds of coarser clocks: times that all lie on one need fewer bits."""


@dataclass(frozen=True, slots=True)
class Entities:
    """The rows that ask, by code of their key and time, in the order of both."""

    keys: pl.DataFrame
    """Every key that is asked for, once, with its code; the columns are named by position."""
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
    distinct = keys.drop_nulls().unique(maintain_order=False).with_row_index(CODE)
    coded = _coded(keys, distinct)
    at = clock(times)
    asks = (coded.is_not_null() & at.is_not_null()).to_numpy()
    rows = np.flatnonzero(asks)
    codes = coded.cast(pl.Int64).fill_null(0).to_numpy()[rows]
    moments = at.fill_null(0).to_numpy()[rows]
    together = _together(codes, moments)
    order = np.argsort(together(codes, moments))
    return Entities(distinct, codes[order], moments[order], rows[order], len(keys))


def _coded(keys: pl.DataFrame, distinct: pl.DataFrame) -> pl.Series:
    """The code of each key; null for one that is not among `distinct`."""
    names = keys.columns
    differ = [
        f"{keys.schema[name]} and {distinct.schema[name]}"
        for name in names
        if keys.schema[name] != distinct.schema[name]
        and pl.Null not in {keys.schema[name], distinct.schema[name]}
    ]
    if differ:
        raise InputError(f"The two sides of the join have keys of other types: {differ[0]}.")
    if any(keys.schema[name] != distinct.schema[name] for name in names):  # all of one are null
        return pl.Series(CODE, [None], pl.UInt32).new_from_index(0, len(keys))
    return keys.join(distinct, on=names, how="left", maintain_order="left")[CODE]


def match(entities: Entities, values: Values, ttl: int | None) -> Matched:
    """For each row that asks, the newest row of a view that it may see."""
    height = len(values.event)
    rows = np.full(entities.rows, height, np.uint32)
    coded = _coded(values.keys, entities.keys)
    if not len(entities.order):
        return Matched(rows, 0, 0, 0)
    wanted = coded.is_not_null().to_numpy() & (values.known <= entities.times.max())
    if ttl is not None:
        wanted &= values.event >= entities.times.min() - ttl
    taken = np.flatnonzero(wanted)
    if not len(taken):
        return Matched(rows, 0, 0, 0)
    codes = coded.cast(pl.Int64).fill_null(0).to_numpy()[taken]
    event, known = values.event[taken], values.known[taken]

    together = _together(
        np.array([max(codes.max(), entities.codes.max())]), event, known, entities.times
    )
    placed, happened = together(codes, known), together(codes, event)
    order = np.argsort(placed)
    tied = 0
    if (placed[order[1:]] == placed[order[:-1]]).any():
        order = np.lexsort((happened, placed))
        tied = _settle(order, placed, happened, values.features, taken)
    placed = placed[order]
    newest = _newest(happened[order])

    asked = together(entities.codes, entities.times)
    place = np.searchsorted(placed, asked, side="right") - 1
    found = order[newest[np.maximum(place, 0)]]
    same = (place >= 0) & (codes[found] == entities.codes)
    holds = same if ttl is None else same & (event[found] >= entities.times - ttl)
    rows[entities.order] = np.where(holds, taken[found], height)
    held = int(holds.sum())
    return Matched(rows, held, int(same.sum()) - held, tied)


def _newest(happened: Longs) -> npt.NDArray[np.intp]:
    """For each place in the order of keys and knowing, where what happened last up to it lies.

    A later key is a larger number, so that the running maximum begins anew with each key.
    """
    places = np.arange(len(happened))
    if (happened[1:] >= happened[:-1]).all():
        return places
    last = np.maximum.accumulate(happened)
    return np.maximum.accumulate(np.where(happened == last, places, 0))


def _settle(
    order: npt.NDArray[np.intp],
    placed: Longs,
    happened: Longs,
    features: pl.DataFrame,
    taken: npt.NDArray[np.intp],
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
    frame = pl.concat([sides, features[taken[rows]]], how="horizontal")
    sorted_rows = frame.sort(PLACED, HAPPENED, *features.columns, maintain_order=True)[ROW]
    order[at] = sorted_rows.to_numpy()
    return tied


def _together(codes: Longs, *times: Longs) -> Any:
    """A function that puts code and time into one number that sorts as the two do.

    It takes the times it was made with, and codes up to the largest of those.
    """
    if not len(codes):
        return lambda codes, _: codes
    low = min(int(some.min()) for some in times)
    high = max(int(some.max()) for some in times)
    most = int(codes.max()) + 1
    for unit in (1, *COARSER):
        span = (high - low) // unit + 1
        if most * span < LARGEST and all(
            unit == 1 or not ((some - low) % unit).any() for some in times
        ):
            return lambda codes, at: codes * span + (at - low) // unit
    ranks = pl.concat([pl.Series(some) for some in times]).unique().sort().to_numpy()
    return lambda codes, at: codes * len(ranks) + np.searchsorted(ranks, at)


def gather(features: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """The features of each row that asks; nulls where it gets none."""
    with_none = pl.concat([features, features.clear(1)], rechunk=True)
    return with_none.select(pl.all().gather(pl.Series(rows)))
