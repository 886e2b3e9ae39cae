"""What is known of a table's columns after one pass: forms, counts, sketches, and some rows.

A sketch holds the smallest hashes of a column's distinct values, so that two sketches hold the same
values where the columns do: how much of one column stands in another is read from them. Memory does
not grow with the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from taxiway.data.reconcile.forms import (
    NUMBER,
    TIME,
    Form,
    Hashes,
    exact,
    form_of,
    hashed,
    loose,
    times,
)

SKETCH = 4096
"""Hashes that a sketch holds at most."""
KEPT_ROWS = 20_000
"""Rows that are kept to look at distributions."""
LAST = np.uint64(2**64 - 1)

Rows = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Table:
    """A source that can be read more than once, in the same order."""

    name: str
    columns: tuple[str, ...]
    batches: Callable[[], Iterator[pl.DataFrame]]
    digest: str
    """Of its contract, or of its columns and their types if it has none."""
    personal: frozenset[str] = frozenset()
    """Columns of which no value is shown."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    place: int
    form: Form
    rows: int
    nulls: int
    distinct: int
    """An estimate from `SKETCH` values on."""
    hashes: Hashes
    """Of its distinct values in their loose form, smallest first."""
    limit: np.uint64
    """All of its hashes up to here are in `hashes`."""
    integral: bool
    low: float
    high: float
    unit: str = ""
    """The unit of time that it was cut to, for a column that is derived from another."""

    @property
    def uniqueness(self) -> float:
        return min(1.0, self.distinct / max(1, self.rows - self.nulls))

    @property
    def dense(self) -> bool:
        """Whether it counts: whole numbers of a range most of which is there."""
        return (
            self.integral
            and self.form.kind == NUMBER
            and self.distinct > 0.3 * (self.high - self.low + 1)
        )

    @property
    def counts(self) -> bool:
        """Whether it counts from the beginning, as anything may."""
        return self.dense and self.low <= 10

    @property
    def label(self) -> str:
        return f"{self.unit} of {self.name}" if self.unit else self.name


@dataclass(frozen=True, slots=True)
class Profile:
    """A table after one pass."""

    table: Table
    rows: int
    columns: tuple[Column, ...]
    sample: pl.DataFrame
    """Some of its rows, chosen without regard to what they hold."""

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


class _Sketch:
    """The smallest hashes of what was seen."""

    def __init__(self) -> None:
        self.hashes: Hashes = np.empty(0, np.uint64)
        self.limit = LAST
        self.nulls = 0

    def add(self, values: pl.Series, form: Form) -> None:
        self.nulls += values.null_count()
        distinct = values.drop_nulls().unique()
        found = hashed(loose(exact(distinct, form), form))
        self.merge(found[(found != 0) & (found <= self.limit)])

    def merge(self, found: Hashes) -> None:
        self.hashes = np.unique(np.concatenate([self.hashes, found]))
        if len(self.hashes) > SKETCH:
            self.hashes = self.hashes[:SKETCH]
            self.limit = self.hashes[-1]

    @property
    def distinct(self) -> int:
        if self.limit == LAST:
            return len(self.hashes)
        return int((len(self.hashes) - 1) / (float(self.limit) / 2.0**64))


def profile(table: Table, on_rows: Rows) -> Profile:
    """Reads a table once."""
    sketches = {name: _Sketch() for name in table.columns}
    forms: dict[str, Form] = {}
    kept: list[pl.DataFrame] = []
    rows, limit = 0, LAST
    for batch in table.batches():
        if not forms:
            forms = {name: form_of(batch[name]) for name in table.columns}
        for name, sketch in sketches.items():
            sketch.add(batch[name], forms[name])
        place = pl.int_range(rows, rows + batch.height, eager=True).hash(1)
        kept.append(batch.with_columns(place.alias(_PLACE)).filter(pl.col(_PLACE) <= int(limit)))
        rows += batch.height
        if sum(part.height for part in kept) > 2 * KEPT_ROWS:
            whole = pl.concat(kept)
            limit = np.uint64(whole[_PLACE].bottom_k(KEPT_ROWS).max())  # type: ignore[arg-type]
            kept = [whole.filter(pl.col(_PLACE) <= int(limit))]
        on_rows(batch.height)
    sample = pl.concat(kept).drop(_PLACE) if kept else pl.DataFrame({n: [] for n in table.columns})
    columns = tuple(
        _column(sample, name, place, rows, forms.get(name, Form("text")), sketch)
        for place, (name, sketch) in enumerate(sketches.items())
    )
    return Profile(table, rows, columns, sample)


_PLACE = "\0place"


def _column(
    sample: pl.DataFrame, name: str, place: int, rows: int, form: Form, sketch: _Sketch
) -> Column:
    from taxiway.data.reconcile.forms import numbers

    seen = numbers(sample[name], form)
    seen = seen[np.isfinite(seen)]
    return Column(
        name,
        place,
        form,
        rows,
        sketch.nulls,
        sketch.distinct,
        sketch.hashes,
        sketch.limit,
        bool(len(seen) and (seen == np.floor(seen)).all()),
        float(seen.min()) if len(seen) else np.nan,
        float(seen.max()) if len(seen) else np.nan,
    )


UNITS = {"hour": "1h", "day": "1d", "month": "1mo"}


def derived(profiled: Profile, column: Column, unit: str) -> Column:
    """A time column cut to a unit, as far as the sample shows it."""
    cut = cut_to(profiled.sample[column.name], column.form, unit)
    found = hashed(cut.drop_nulls().unique())
    sketch = _Sketch()
    sketch.merge(found)
    return Column(
        column.name,
        column.place,
        column.form,
        column.rows,
        column.nulls,
        sketch.distinct,
        sketch.hashes,
        sketch.limit,
        column.integral,
        column.low,
        column.high,
        unit,
    )


def cut_to(values: pl.Series, form: Form, unit: str) -> pl.Series:
    """Times cut to a unit, as text."""
    return exact(times(values, form).dt.truncate(UNITS[unit]), Form(TIME))


def grain_of(profiled: Profile, column: Column) -> str:
    """The unit that all times of a column are multiples of; empty if they are finer than hours."""
    at = times(profiled.sample[column.name], column.form).drop_nulls()
    for unit in ("month", "day", "hour"):
        if len(at) and bool((at.dt.truncate(UNITS[unit]) == at).all()):
            return unit
    return ""


def text_of(frame: pl.DataFrame, column: Column) -> pl.Series:
    """A column of rows in its loose form, cut to its unit if it has one."""
    if column.unit:
        return cut_to(frame[column.name], column.form, column.unit)
    return loose(exact(frame[column.name], column.form), column.form)
