"""Profiles: what the columns of a snapshot hold, in a form that new data can be counted against.

A profile is plain JSON data (protocol 1). Each column has `bins`:

- `values`: one bin a value, for text, booleans and numbers with few distinct values;
- `quantiles`: ten bins between the deciles, open at both ends, for other numbers; a value that is
  equal to an edge is in the bin below it;
- `none`: for times, of which only the first and the last are kept.

`counts` has one number a bin, then `other` (a value that is in no bin), then `null`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.digest import utc_text

PROTOCOL = 1
"""Raise it when a key changes its meaning, and keep a reader for the old number."""

FEW_VALUES = 20
"""Numbers with at most so many distinct values get one bin a value."""
TOP_VALUES = 30
LONGEST_VALUE = 100
"""Longer texts are counted as `other`."""
DECILES = tuple(tenth / 10 for tenth in range(1, 10))


def profile(frame: pl.DataFrame, contract: Contract) -> dict[str, Any]:
    """The profile of a typed frame: {protocol, rows, columns}, in the contract's order.

    Values of personal text columns are not kept, only how many there are.
    """
    there = contract.only(frame.columns)
    return profile_by_column(frame.get_column, there, rows=frame.height)


def profile_by_column(
    read: Callable[[str], pl.Series], contract: Contract, *, rows: int
) -> dict[str, Any]:
    """The profile of columns that are read one after the other: memory holds one of them."""
    columns = [
        column_profile(
            read(column.name),
            column.type,
            keep_values=not (column.personal and column.type == "string"),
        )
        for column in contract.columns
    ]
    return {"protocol": PROTOCOL, "rows": rows, "columns": columns}


def column_profile(series: pl.Series, type: str, *, keep_values: bool = True) -> dict[str, Any]:
    """The profile of one column of a contract type, named like the series.

    >>> found = column_profile(pl.Series("origin", ["JFK", "JFK", "EWR", None]), "string")
    >>> found["values"], found["counts"]
    (['JFK', 'EWR'], [2, 1, 0, 1])
    """
    found: dict[str, Any] = {
        "name": series.name,
        "type": type,
        "rows": series.len(),
        "nulls": series.null_count(),
    }
    if type in {"date", "timestamp"}:
        return found | _times(series)
    if type in {"integer", "number"}:
        found |= _numbers(series)
    else:
        found |= {"bins": "values", "values": _top(series) if keep_values else []}
        found["distinct"] = series.drop_nulls().n_unique()
    return found | {"counts": count_like(found, series)}


def count_like(column: Mapping[str, Any], series: pl.Series) -> list[int]:
    """How many values of a series fall into each bin of a column's profile, then other and null.

    The list is as long as the profile's `counts`, and empty for times.

    >>> known = column_profile(pl.Series("origin", ["JFK", "EWR"]), "string")
    >>> count_like(known, pl.Series(["EWR", "LGA", None]))
    [1, 0, 1, 1]
    """
    if column["bins"] == "none":
        return []
    nulls = series.null_count()
    values = series.drop_nulls()
    if column["bins"] == "quantiles":
        numbers = values.to_numpy().astype(np.float64)
        finite = numbers[np.isfinite(numbers)]
        places = np.searchsorted(column["edges"], finite, side="left")
        bins = np.bincount(places, minlength=len(column["edges"]) + 1).tolist()
    else:
        if isinstance(values.dtype, pl.Categorical | pl.Enum):
            values = values.cast(pl.String)
        counted = dict(values.value_counts().iter_rows())
        bins = [counted.get(value, 0) for value in column["values"]]
    return [*bins, len(values) - sum(bins), nulls]


def bin_labels(column: Mapping[str, Any]) -> list[str]:
    """What people call the entries of `counts`.

    >>> bin_labels({"bins": "quantiles", "edges": [1.0, 2.5]})
    ['up to 1', '1 to 2.5', 'above 2.5', 'other', 'null']
    """
    if column["bins"] == "none":
        return []
    if column["bins"] == "values":
        return [*(_text(value) for value in column["values"]), "other", "null"]
    edges = [_text(edge) for edge in column["edges"]]
    if not edges:
        return ["any", "other", "null"]
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]}", *between, f"above {edges[-1]}", "other", "null"]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _numbers(series: pl.Series) -> dict[str, Any]:
    finite = series.drop_nulls()
    if finite.dtype.is_float():
        finite = finite.filter(finite.is_finite())
    numbers = finite.cast(pl.Float64)
    distinct, deciles = finite.n_unique(), _deciles(numbers)
    found = {
        "distinct": distinct,
        "minimum": finite.min(),
        "maximum": finite.max(),
        "mean": _finite(numbers.mean()),
        "std": _finite(numbers.std()),
        "deciles": deciles,
    }
    if distinct <= FEW_VALUES:
        return found | {"bins": "values", "values": finite.unique().sort().to_list()}
    return found | {"bins": "quantiles", "edges": sorted(set(deciles))}


def _finite(value: Any) -> float | None:
    """A figure, or None where the numbers are too large for it."""
    return value if value is not None and np.isfinite(value) else None


def _deciles(numbers: pl.Series) -> list[float]:
    """Interpolated as numpy does by default; values of the sample where that would overflow."""
    if not len(numbers):
        return []
    values = numbers.to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        deciles = np.quantile(values, DECILES)
    if not np.isfinite(deciles).all():
        deciles = np.quantile(values, DECILES, method="inverted_cdf")
    return [float(decile) for decile in deciles]


def _top(series: pl.Series) -> list[Any]:
    """The most frequent values, most frequent first; equally frequent ones in their own order."""
    values = series.drop_nulls()
    if values.dtype == pl.Boolean:
        return sorted(values.unique().to_list())
    values = values.cast(pl.String)
    counts = values.rename("value").value_counts(name="rows")
    short = counts.filter(pl.col("value").str.len_chars() <= LONGEST_VALUE)
    ordered = short.sort(["rows", "value"], descending=[True, False])
    return ordered.head(TOP_VALUES).get_column("value").to_list()


def _times(series: pl.Series) -> dict[str, Any]:
    return {
        "bins": "none",
        "first": _time_text(series.min()),
        "last": _time_text(series.max()),
        "counts": [],
    }


def _time_text(value: Any) -> str | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time.min, UTC)
    return utc_text(value) if value is not None else None
