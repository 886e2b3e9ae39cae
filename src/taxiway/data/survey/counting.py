"""Counts the columns of chunks, and adds the counts up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

import polars as pl

from taxiway.data.survey.bins import Bins
from taxiway.data.survey.rows import BOOLEAN, NUMBER, TEXT, TIME

MOST_VALUES = 10_000
"""So many values of a text, or periods of a time, are counted; beyond twice that the rare go."""
NEARLY_ALL_DIFFER = 0.5
"""A text of which the first rows have so large a share of distinct values is not counted."""
LEAST_TO_TELL = 1_000


@dataclass(frozen=True, slots=True)
class Column:
    """What was counted of one column. What its kind does not have is None or empty."""

    name: str
    kind: str
    type: str
    rows: int
    nulls: int
    bins: Bins = field(default_factory=Bins)
    counts: tuple[int, ...] = ()
    """Rows in each bin of a number."""
    not_finite: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    below: int = 0
    """Rows below the limits that were given, and above them."""
    above: int = 0
    values: Mapping[str, int] = field(default_factory=dict)
    """Text or boolean -> rows, most frequent first."""
    distinct: int | None = None
    """How many values there are; None where that was not counted."""
    nearly_all_differ: bool = False
    first: datetime | None = None
    last: datetime | None = None
    periods: Mapping[datetime, int] = field(default_factory=dict)

    @property
    def others(self) -> int:
        """Rows of a text with a value that is not among `values`."""
        return self.rows - self.nulls - sum(self.values.values())


class Counting:
    """Counts of chunks, added up as they come."""

    def __init__(self, kinds: Mapping[str, str], bins: Mapping[str, Bins]) -> None:
        self.kinds, self.bins = kinds, bins
        self.rows = 0
        self._parts: list[pl.DataFrame] = []
        self._values: dict[str, pl.DataFrame] = {}
        self._pruned: set[str] = set()
        self._differ: set[str] = set()
        self._nulls = [0] * len(kinds)
        self._finite = [
            _finite(pl.col(n)).alias(n) if k == NUMBER else pl.col(n) for n, k in kinds.items()
        ]
        self._figures = [pl.len().alias(":rows"), *_figures(kinds, bins)]

    def add(self, chunk: pl.DataFrame) -> None:
        if not chunk.height:
            return
        self.rows += chunk.height
        finite = chunk.lazy().select(self._finite)  # first, or it is worked out for every edge
        counted = finite.select(self._figures).collect(engine="streaming")
        nulls = [chunk.get_column(name).null_count() for name in self.kinds]
        self._nulls = [a + b for a, b in zip(self._nulls, nulls, strict=True)]
        self._parts.append(counted)
        if len(self._parts) >= 64:
            self._parts = [_added(self._parts)]
        for name, kind in self.kinds.items():
            if kind in {TEXT, BOOLEAN} and name not in self._differ:
                self._add_values(name, chunk.get_column(name).rename("value"))
            elif kind == TIME:
                period = self.bins[name].period
                self._add_values(name, chunk.get_column(name).rename("value").dt.truncate(period))

    def _add_values(self, name: str, column: pl.Series) -> None:
        counts = column.drop_nulls().value_counts(name="rows")
        rows = int(counts["rows"].sum())
        known = self._values.get(name)
        new = known is None and self.kinds[name] == TEXT and rows >= LEAST_TO_TELL
        if new and counts.height > rows * NEARLY_ALL_DIFFER:
            self._differ.add(name)
            return
        if known is not None and counts.height:
            both = pl.concat([known, counts])
            counts = both.group_by("value").agg(pl.col("rows").sum())
        elif known is not None:
            return
        if counts.height > 2 * MOST_VALUES:
            self._pruned.add(name)
            counts = counts.top_k(MOST_VALUES, by="rows")
        self._values[name] = counts

    def columns(self, types: Mapping[str, str]) -> dict[str, Column]:
        """What was counted, by column."""
        sums: dict[str, Any] = _added(self._parts).row(0, named=True) if self._parts else {}
        return {
            name: self._column(at, name, types[name], sums) for at, name in enumerate(self.kinds)
        }

    def _column(self, at: int, name: str, type: str, sums: dict[str, Any]) -> Column:
        kind, nulls, bins = self.kinds[name], self._nulls[at], self.bins.get(name, Bins())
        key = f"{at}:"
        about: dict[str, Any] = {}
        if kind == NUMBER:
            about = _numbers(key, bins, sums)
            about["not_finite"] = self.rows - nulls - sum(about["counts"])
        elif kind == TIME:
            periods = self._ordered(name, "value", descending=False)
            about = {"first": sums.get(f"{key}first"), "last": sums.get(f"{key}last")}
            about["periods"] = dict(periods)
        elif kind in {TEXT, BOOLEAN}:
            values = self._ordered(name, "rows", descending=True)
            counted = name not in self._pruned and name not in self._differ
            about = {
                "values": {_said(value): n for value, n in values},
                "distinct": len(values) if counted else None,
                "nearly_all_differ": name in self._differ,
            }
        return Column(name, kind, type, self.rows, nulls, bins, **about)

    def _ordered(self, name: str, by: str, *, descending: bool) -> list[tuple[Any, int]]:
        counts = self._values.get(name)
        if counts is None:
            return []
        order = [by] if by == "value" else [by, "value"]
        down = [descending] if by == "value" else [descending, False]
        return list(counts.sort(order, descending=down).iter_rows())


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _figures(kinds: Mapping[str, str], bins: Mapping[str, Bins]) -> Sequence[pl.Expr]:
    """One row of figures of a chunk; each is called by the column's place and what it is."""
    found: list[pl.Expr] = []
    for at, (name, kind) in enumerate(kinds.items()):
        column = pl.col(name)
        if kind == TIME:
            found += [column.min().alias(f"{at}:first"), column.max().alias(f"{at}:last")]
        elif kind == NUMBER:
            found += _of_number(f"{at}:", column, bins[name])
    return found


def _finite(column: pl.Expr) -> pl.Expr:
    number = column.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _of_number(key: str, number: pl.Expr, bins: Bins) -> list[pl.Expr]:
    count = number.count().cast(pl.Float64)
    found = {
        "finite": count,
        "minimum": number.min(),
        "maximum": number.max(),
        "mean": number.mean(),
        "squares": number.var(ddof=0) * count,
    }
    found |= {f"edge{place}": (number <= edge).sum() for place, edge in enumerate(bins.edges)}
    if bins.limits:
        low, high = bins.limits
        found |= {"below": (number < low).sum(), "above": (number > high).sum()}
    return [figure.alias(key + name) for name, figure in found.items()]


def _added(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Figures of several chunks as those of all their rows."""
    if len(parts) == 1:
        return parts[0]
    table = pl.concat(parts)
    added: list[pl.Expr] = []
    for name in table.columns:
        at, figure = name.split(":", 1)
        column = pl.col(name)
        match figure:
            case "minimum" | "first":
                added.append(column.min())
            case "maximum" | "last":
                added.append(column.max())
            case "mean":
                added.append(_mean(at).alias(name))
            case "squares":
                # Chan, Golub and LeVeque (1979): the variance of two parts from their own.
                apart = pl.col(f"{at}:finite") * (pl.col(f"{at}:mean") - _mean(at)) ** 2
                added.append((column.sum() + apart.sum()).alias(name))
            case _:
                added.append(column.sum())
    return table.select(added)


def _mean(at: str) -> pl.Expr:
    rows = pl.col(f"{at}:finite")
    return (pl.col(f"{at}:mean") * rows).sum() / rows.sum()


def _numbers(key: str, bins: Bins, sums: Mapping[str, Any]) -> dict[str, Any]:
    finite = int(sums.get(f"{key}finite") or 0)
    upto = [int(sums.get(f"{key}edge{place}", 0)) for place in range(len(bins.edges))]
    marks = [0, *upto, finite]
    squares = sums.get(f"{key}squares")
    spread = None
    if finite > 1 and squares is not None and math.isfinite(squares):
        spread = math.sqrt(squares / (finite - 1))
    return {
        "counts": tuple(after - before for before, after in pairwise(marks)),
        "minimum": sums.get(f"{key}minimum"),
        "maximum": sums.get(f"{key}maximum"),
        "mean": sums.get(f"{key}mean") if _is_figure(sums.get(f"{key}mean")) else None,
        "std": spread,
        "below": int(sums.get(f"{key}below", 0)),
        "above": int(sums.get(f"{key}above", 0)),
    }


def _is_figure(value: Any) -> bool:
    return value is not None and math.isfinite(value)
