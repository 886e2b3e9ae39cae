"""What is told of a column: aggregates, in a form for terminals, pages and machines alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from taxiway.core.digest import utc_text
from taxiway.data.survey.bins import FEW_VALUES, finite
from taxiway.data.survey.counting import Column
from taxiway.data.survey.hidden import SHOWN_FROM
from taxiway.data.survey.rows import BOOLEAN, NUMBER, TEXT, TIME
from taxiway.data.survey.survey import Survey

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
TOP = 10
CELLS = 32
PERIODS = 64
LONGEST = 100

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars: what they are called, and the share of the rows with a value in each."""

    labels: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]
    """Of each source."""
    named: bool
    """Whether each bar has a value of its own; else labels are the ends and the middle."""


def summary(column: Column, sample: pl.DataFrame, hidden: str | None = None) -> dict[str, Any]:
    """A column as plain data. Of a hidden one no value is told, only how many there are."""
    told: dict[str, Any] = {
        "name": column.name,
        "kind": column.kind,
        "type": column.type,
        "rows": column.rows,
        "nulls": column.nulls,
        "not_finite": column.not_finite,
        "distinct": column.distinct,
        "hidden": hidden,
    }
    if hidden:
        return told
    if column.kind == NUMBER:
        values = finite(sample.get_column(column.name)) if column.rows else np.empty(0)
        found = np.quantile(values, QUANTILES, method="inverted_cdf") if len(values) else values
        told |= {
            "minimum": column.minimum,
            "maximum": column.maximum,
            "mean": column.mean,
            "std": column.std,
            "quantiles": {str(q): float(v) for q, v in zip(QUANTILES, found, strict=False)},
        }
    elif column.kind in {TEXT, BOOLEAN}:
        top = [(v, n) for v, n in column.values.items() if n >= SHOWN_FROM][:TOP]
        told["values"] = [{"value": value[:LONGEST], "rows": rows} for value, rows in top]
        told["others"] = column.rows - column.nulls - sum(rows for _, rows in top)
    elif column.kind == TIME:
        written = _day if column.type == "date" else utc_text
        told["first"] = written(column.first) if column.first else None
        told["last"] = written(column.last) if column.last else None
    pictured = picture([column], [sample])
    told["histogram"] = (
        {"labels": list(pictured.labels), "shares": list(pictured.shares[0])} if pictured else None
    )
    return told


def _day(at: datetime) -> str:
    """A day without the midnight that it is counted at."""
    return at.date().isoformat()


def summaries(of: Survey, hidden: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every column, in the source's order."""
    return [summary(c, of.sample, hidden.get(name)) for name, c in of.columns.items()]


def picture(columns: Sequence[Column], samples: Sequence[pl.DataFrame]) -> Picture | None:
    """The same column of one source or two, over the same bars; None if there is nothing to see."""
    kind = columns[0].kind
    if kind == NUMBER:
        return _of_numbers(
            [finite(s.get_column(c.name)) for c, s in zip(columns, samples, strict=True)]
        )
    if kind == TIME:
        return _of_times(columns)
    if kind in {TEXT, BOOLEAN}:
        return _of_values(columns)
    return None


def _of_numbers(sides: Sequence[Floats]) -> Picture | None:
    """Cells of equal width, from fair samples; what lies far out is in the first and the last."""
    if not any(map(len, sides)):
        return None
    distinct = np.unique(np.concatenate([np.unique(side)[: 4 * FEW_VALUES] for side in sides]))
    if all(len(np.unique(side)) <= FEW_VALUES for side in sides):
        shares = tuple(
            tuple(float((side == value).mean()) if len(side) else 0.0 for value in distinct)
            for side in sides
        )
        return Picture(tuple(f"{value:g}" for value in distinct), shares, named=True)
    ends = [np.quantile(side, [0.01, 0.99]) for side in sides if len(side)]
    low, high = float(min(e[0] for e in ends)), float(max(e[1] for e in ends))
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.linspace(low, high, CELLS + 1)
    if not (np.isfinite(edges).all() and low < high):
        return None
    whole = low == int(low) and high - low < 2 * CELLS
    if whole and all((side == np.round(side)).all() for side in sides):
        edges = np.arange(low - 0.5, high + 1)  # a cell for each whole number
    counted = [np.histogram(np.clip(side, low, high), edges)[0] for side in sides]
    shares = tuple(tuple((c / max(1, c.sum())).tolist()) for c in counted)
    return Picture((f"{low:.4g}", f"{(low + high) / 2:.4g}", f"{high:.4g}"), shares, named=False)


def _of_values(columns: Sequence[Column]) -> Picture | None:
    weights: dict[str, float] = {}
    for column in columns:
        for value, rows in list(column.values.items())[: 4 * TOP]:
            if rows >= SHOWN_FROM:
                weights[value] = weights.get(value, 0.0) + rows / max(1, column.rows)
    names = sorted(weights, key=lambda value: (-weights[value], value))[:TOP]
    if not names:
        return None
    shares = []
    for column in columns:
        rows = max(1, column.rows - column.nulls)
        known = [column.values.get(name, 0) / rows for name in names]
        shares.append((*known, max(0.0, 1 - sum(known))))
    if max(side[-1] for side in shares) < 0.0005:
        return Picture(tuple(names), tuple(side[:-1] for side in shares), named=True)
    return Picture((*names, "others"), tuple(shares), named=True)


def _of_times(columns: Sequence[Column]) -> Picture | None:
    ends = [at for c in columns if c.periods for at in (min(c.periods), max(c.periods))]
    if not ends:
        return None
    first, last = min(ends), max(ends)
    cells = min(PERIODS, max(len(c.periods) for c in columns) + 1)
    span = (last - first).total_seconds() or 1.0
    shares = []
    for column in columns:
        counts = [0.0] * cells
        for at, rows in column.periods.items():
            counts[min(cells - 1, int((at - first).total_seconds() / span * cells))] += rows
        shares.append(tuple(count / max(1.0, sum(counts)) for count in counts))
    middle = first + (last - first) / 2
    return Picture(
        tuple(f"{at:%Y-%m-%d}" for at in (first, middle, last)), tuple(shares), named=False
    )
