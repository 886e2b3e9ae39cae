"""The as-of join against a naive reference, which looks at every pair of rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.core.errors import InputError
from taxiway.data.features.asof import (
    Values,
    by_position,
    clock,
    compile_entities,
    gather,
    match,
)

HOUR = 3600 * 10**6
KEYS = st.sampled_from(["a", "b", "ü", None])
TIMES = st.integers(-6, 6)
ROW = st.tuples(KEYS, TIMES, st.integers(0, 4), st.integers(0, 2))
"""Key, event, hours until it was known, value."""
ASK = st.tuples(KEYS, st.one_of(st.none(), TIMES))


NUMBERS = {"a": -5, "b": -3, "ü": 9, None: None}
"""Keys as whole numbers, which lie close together, and so are their own codes."""


def keys_of(keys: list[Any], *, numbers: bool) -> pl.Series:
    if numbers:
        return pl.Series([NUMBERS[key] for key in keys], dtype=pl.Int64)
    return pl.Series(keys, dtype=pl.String)


def values_of(
    rows: list[tuple[Any, int, int, int]], scale: int, *, numbers: bool = False
) -> Values:
    frame = pl.DataFrame(
        {
            "key": keys_of([key for key, *_ in rows], numbers=numbers),
            "value": pl.Series([value for *_, value in rows], dtype=pl.Int64),
        }
    )
    event = np.array([at * scale for _, at, _, _ in rows], np.int64)
    late = np.array([wait * scale for _, _, wait, _ in rows], np.int64)
    steady = len({wait for _, _, wait, _ in rows}) == 1
    return Values(by_position(frame, ["key"]), event, event + late, frame.select("value"), steady)


def joined(
    asks: list[tuple[Any, int | None]],
    values: Values,
    ttl: int | None,
    scale: int,
    *,
    numbers: bool = False,
) -> list[int | None]:
    frame = pl.DataFrame(
        {
            "key": keys_of([key for key, _ in asks], numbers=numbers),
            "at": pl.Series(
                [None if at is None else at * scale for _, at in asks], dtype=pl.Int64
            ).cast(pl.Datetime("us", "UTC")),
        }
    )
    entities = compile_entities(by_position(frame, ["key"]), frame["at"])
    matched = match(entities, values, ttl)
    got = gather(values.features, matched.rows)["value"].to_list()
    assert matched.found == sum(one is not None for one in got)
    return got


def naive(
    asks: list[tuple[Any, int | None]],
    rows: list[tuple[Any, int, int, int]],
    ttl: int | None,
) -> list[int | None]:
    answers: list[int | None] = []
    for key, at in asks:
        newest = max(
            (
                (event, event + wait, value)
                for of, event, wait, value in rows
                if key is not None and at is not None and of == key and event + wait <= at
            ),
            default=None,
        )
        if newest is None or at is None or (ttl is not None and newest[0] < at - ttl):
            answers.append(None)
        else:
            answers.append(newest[2])
    return answers


@settings(max_examples=300, deadline=None)
@given(
    st.lists(ASK, max_size=12),
    st.lists(ROW, max_size=12),
    st.one_of(st.none(), st.integers(0, 6)),
    st.sampled_from([1, 1_000, HOUR, 10**15]),
    st.booleans(),
)
def test_every_row_gets_what_the_naive_reference_gives(
    asks: list[tuple[Any, int | None]],
    rows: list[tuple[Any, int, int, int]],
    ttl: int | None,
    scale: int,
    numbers: bool,
) -> None:
    within = None if ttl is None else ttl * scale
    values = values_of(rows, scale, numbers=numbers)
    assert joined(asks, values, within, scale, numbers=numbers) == naive(asks, rows, ttl)


@settings(max_examples=100, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=12), st.lists(ASK, max_size=6), st.randoms())
def test_the_order_of_the_rows_decides_nothing(
    rows: list[tuple[Any, int, int, int]], asks: list[tuple[Any, int | None]], random: Any
) -> None:
    shuffled = random.sample(rows, len(rows))
    assert joined(asks, values_of(rows, 1), 3, 1) == joined(asks, values_of(shuffled, 1), 3, 1)


@settings(max_examples=100, deadline=None)
@given(st.lists(ASK, max_size=12), st.lists(ROW, max_size=12))
def test_what_becomes_known_later_changes_nothing(
    asks: list[tuple[Any, int | None]], rows: list[tuple[Any, int, int, int]]
) -> None:
    """No value from the future: rows known after the newest ask can be anything, or missing."""
    last = max((at for _, at in asks if at is not None), default=0)
    known = [row for row in rows if row[1] + row[2] <= last]
    poisoned = known + [(key, last, 1, 99) for key, *_ in rows]
    assert joined(asks, values_of(known, 1), None, 1) == joined(
        asks, values_of(poisoned, 1), None, 1
    )


def test_many_keys_with_fine_times_need_more_than_one_number_holds() -> None:
    """Codes and microseconds of centuries do not fit into 62 bits: ranks do."""
    random = np.random.default_rng(3)
    rows = 3_000
    key = random.integers(0, 2_000, rows)
    event = random.integers(-(10**17), 10**17, rows)
    values = Values(
        pl.DataFrame({"0": key}),
        event,
        event + random.integers(0, 10**15, rows),
        pl.DataFrame({"value": np.arange(rows)}),
    )
    at = random.integers(-(10**17), 10**17, rows)
    asks = pl.DataFrame({"0": random.integers(0, 2_000, rows)})
    entities = compile_entities(asks, pl.Series(at).cast(pl.Datetime("us")))
    got = gather(values.features, match(entities, values, 10**16).rows)["value"].to_list()
    for row in range(0, rows, 7):
        may = np.flatnonzero((key == asks["0"][row]) & (values.known <= at[row]))
        best = max(may, key=lambda one: event[one], default=None)
        expected = None if best is None or event[best] < at[row] - 10**16 else best
        assert got[row] == expected


def test_ties_are_told_apart_by_their_values_and_counted() -> None:
    # Those of a key that nobody asks for are no ties, be they few or many.
    others: list[tuple[Any, int, int, int]] = [("b", 0, 0, 5), ("c", 0, 0, 5), ("c", 0, 0, 6)]
    tied = [("a", 0, 0, 1), ("a", 0, 0, 2), ("a", 0, 0, 0)]
    many = [*tied, *(("a", -n, 0, n) for n in range(1, 20)), *others]
    for some in (many, many[::-1], tied + others * 9):
        frame = pl.DataFrame({"0": ["a"]})
        entities = compile_entities(frame, pl.Series([0]).cast(pl.Datetime("us")))
        values = values_of(some, 1)
        matched = match(entities, values, None)
        assert gather(values.features, matched.rows)["value"].to_list() == [2]
        assert matched.tied == 2


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt32, pl.Int64])
def test_whole_numbers_of_any_width_are_the_same_key(dtype: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"k": pl.Series([1, 2], dtype=dtype)})
    entities = compile_entities(by_position(frame, ["k"]), pl.Series([5, 5]).cast(pl.Datetime))
    values = Values(
        pl.DataFrame({"0": [2]}), np.array([1]), np.array([1]), pl.DataFrame({"v": [7.5]})
    )
    rows = match(entities, values, None).rows
    assert gather(values.features, rows)["v"].to_list() == [None, 7.5]


def test_keys_of_other_types_are_an_error() -> None:
    frame = pl.DataFrame({"k": ["1"]})
    entities = compile_entities(by_position(frame, ["k"]), pl.Series([5]).cast(pl.Datetime))
    values = Values(
        pl.DataFrame({"0": [1]}), np.array([1]), np.array([1]), pl.DataFrame({"v": [1]})
    )
    with pytest.raises(InputError, match="keys of other types"):
        match(entities, values, None)


def test_a_clock_is_utc_in_microseconds() -> None:
    paris = timezone(timedelta(hours=1))
    noon = datetime(2025, 1, 1, 12, tzinfo=UTC)
    same = [
        pl.Series([noon]),
        pl.Series([noon.astimezone(paris)]).dt.convert_time_zone("Asia/Tokyo"),
        pl.Series([noon.replace(tzinfo=None)]),
        pl.Series([noon]).dt.cast_time_unit("ms"),
        pl.Series([noon]).dt.cast_time_unit("ns"),
    ]
    assert {clock(one).item() for one in same} == {int(noon.timestamp()) * 10**6}
    assert clock(pl.Series([noon.date()])).item() == int(noon.timestamp()) * 10**6 - 12 * HOUR


def test_what_is_finer_than_a_microsecond_is_never_known_too_early() -> None:
    fine = pl.Series([1_001]).cast(pl.Datetime("ns"))
    assert clock(fine).item() == 1
    assert clock(fine, up=True).item() == 2


def test_text_is_no_time() -> None:
    with pytest.raises(InputError, match="is no time"):
        clock(pl.Series("at", ["2025-01-01"]))
