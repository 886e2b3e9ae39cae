"""The running tally of a validation: what each batch adds to what was seen before it.

A batch holds the row numbers, the typed columns, and the values as they stood (`raw_name`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from taxiway.core.contract import Column
from taxiway.core.errors import shortened
from taxiway.data.findings import Labels
from taxiway.data.rules import Rule, raw_name
from taxiway.data.source import ROW

SAMPLES = 5
SAMPLE_CHARACTERS = 60
BROKEN = "\0broken "


@dataclass
class Tally:
    """What has been seen so far; it grows by one hash of the key and one bit a row."""

    rows: int = 0
    broken: dict[int, int] = field(default_factory=dict)
    """Rule -> rows that break it."""
    samples: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    failed: list[pl.Series] = field(default_factory=list)
    """A mask a batch: rows that break any rule."""
    hashes: dict[tuple[str, ...], list[pl.Series]] = field(default_factory=dict)
    first_time: Any = None
    last_time: Any = None
    constant: dict[str, pl.Series] = field(default_factory=dict)
    """Column -> the one value that it holds, as a series: polars tells values of any type apart."""
    labels: Labels = field(default_factory=Labels)
    may_be_short: bool = False
    sentinels: dict[str, int] = field(default_factory=dict)
    """Column -> rows in which a value stands for none."""

    def add(self, batch: Tally) -> None:
        """Adds what was seen of the next batch."""
        for at, count in batch.broken.items():
            self.broken[at] = self.broken.get(at, 0) + count
            samples = self.samples.setdefault(at, [])
            samples += batch.samples[at][: SAMPLES - len(samples)]
        self.failed += batch.failed
        for columns, hashes in self.hashes.items():
            hashes.extend(batch.hashes[columns])
        self.first_time = min(_known(self.first_time, batch.first_time), default=None)
        self.last_time = max(_known(self.last_time, batch.last_time), default=None)
        if not self.rows:
            self.constant = batch.constant
        elif self.constant:
            held = batch.constant.items()
            own = self.constant
            self.constant = {n: v for n, v in held if n in own and v.eq_missing(own[n]).item()}
        for name, count in batch.sentinels.items():
            self.sentinels[name] = self.sentinels.get(name, 0) + count
        ends = (self.labels, batch.labels)
        self.labels = Labels(
            sum(one.rows for one in ends),
            min(_known(*(one.low for one in ends)), default=None),
            max(_known(*(one.high for one in ends)), default=None),
        )
        self.may_be_short |= batch.may_be_short
        self.rows += batch.rows


def _known(*values: Any) -> list[Any]:
    return [value for value in values if value is not None]


@dataclass(frozen=True, slots=True)
class Marks:
    """Which rows of a source break its contract, beyond what a look at one row alone can tell."""

    failed: pl.Series
    """True where a row breaks anything; a row's place is its number less one."""
    repeated: Mapping[tuple[str, ...], pl.Series]
    """Columns that have to be unique -> true where a row's values are there more than once."""
    short: Mapping[int, int]
    """Row that is cut off, or too long -> how many fields it has."""


def hold(batch: pl.DataFrame, rules: list[Rule], seen: Tally) -> None:
    """Holds the rules against a batch of which nothing was seen before."""
    broken = batch.select(
        rule.broken.fill_null(value=False).alias(f"{BROKEN}{at}") for at, rule in enumerate(rules)
    )
    counts = broken.sum().row(0)
    # Looking a column up in a frame of thousands takes as long as all that is done with it.
    masks = broken.get_columns()
    held = {column.name: column for column in batch.get_columns()} if any(counts) else {}
    for at, count in enumerate(counts):
        if not count:
            continue
        seen.broken[at] = count
        rows = masks[at].arg_true().head(SAMPLES)
        seen.samples[at] = _samples(held, rows, rules[at].columns)
    failing = [name for name, count in zip(broken.columns, counts, strict=True) if count]
    if failing:
        seen.failed.append(broken.select(pl.any_horizontal(failing)).to_series())
    else:
        seen.failed.append(pl.repeat(value=False, n=batch.height, eager=True))


def _samples(
    held: Mapping[str, pl.Series], rows: pl.Series, columns: tuple[Column, ...]
) -> list[dict[str, Any]]:
    """Row numbers with the values as they stood: alone, or each with its column's name."""
    names = (ROW, *(raw_name(column.name) for column in columns))
    found = zip(*(held[name].gather(rows).to_list() for name in names), strict=True)
    if len(columns) == 1:
        return [{"row": row, "value": shown_value(value, columns[0])} for row, value in found]
    return [
        {
            "row": row,
            "value": ", ".join(
                f"{column.name} {shown_value(value, column)}"
                for column, value in zip(columns, values, strict=True)
            ),
        }
        for row, *values in found
    ]


def shown_value(value: Any, column: Column) -> str:
    """A value for people: short, and nothing personal."""
    if value is None:
        return "nothing"
    if column.personal:
        return "(personal)"
    return repr(shortened(value, SAMPLE_CHARACTERS)) if isinstance(value, str) else str(value)


def notice(batch: pl.DataFrame, event_time: str, asked: list[Column], seen: Tally) -> None:
    """Gathers times, hashes of keys, and which of some columns hold one value."""
    if event_time in batch.columns:
        times = batch.get_column(event_time)
        seen.first_time, seen.last_time = times.min(), times.max()
    for columns, hashes in seen.hashes.items():
        full = pl.all_horizontal(pl.col(columns).is_not_null())
        known = pl.col(columns[0]) if len(columns) == 1 else pl.struct(columns)
        hashes.append(batch.select(pl.when(full).then(known.hash())).to_series())
    for column in asked if batch.height else ():
        held = batch.get_column(raw_name(column.name))
        first = held.head(1)
        if held.eq_missing(first).all():
            seen.constant[column.name] = first


def labels_in(label: pl.Series) -> Labels:
    """How many labels a batch has, the lowest and the highest."""
    ends: list[Any] = [label.min(), label.max()]
    return Labels(label.len() - label.null_count(), *ends)
