"""Rows as plain records and as frames: what the decision log keeps, and what a model reads.

A plain record is JSON data: times and dates are text, as `core.digest` writes them, and a value of
a number column is a float. Both ways lose nothing, so that a logged decision can be made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from taxiway.core.contract import Contract
from taxiway.data.column_types import DTYPES

UTC_TEXT = "%Y-%m-%dT%H:%M:%S%.6fZ"
"""How `core.digest.utc_text` writes a time."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def frame_of(records: Sequence[Mapping[str, Any]], contract: Contract) -> pl.DataFrame:
    """One row a record, one column a contract column; what a record does not hold is null."""
    series = []
    for column in contract.columns:
        values = [record.get(column.name) for record in records]
        if column.type == "timestamp":
            # As microseconds: polars takes eight times as long to read `datetime` objects.
            moments = [v if v is None else _microseconds(v) for v in values]
            whole = pl.Series(column.name, moments, dtype=pl.Int64())
            series.append(whole.cast(DTYPES[column.type]))
            continue
        if column.type == "date":
            values = [v if v is None else date.fromisoformat(v) for v in values]
        # Not strict: a whole number in a number column is JSON's way of writing it.
        series.append(pl.Series(column.name, values, dtype=DTYPES[column.type], strict=False))
    return pl.DataFrame(series)


def _microseconds(text: str) -> int:
    """Microseconds from 1970 to a time, below zero before it."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def plain_records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a typed frame as plain records; the inverse of `frame_of`.

    >>> from datetime import UTC
    >>> plain_records(pl.DataFrame({"at": [datetime(2013, 3, 1, 5, tzinfo=UTC)], "flight": [11]}))
    [{'at': '2013-03-01T05:00:00.000000Z', 'flight': 11}]
    """
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    days = [name for name, dtype in frame.schema.items() if dtype == pl.Date]
    return frame.with_columns(
        pl.col(times).dt.strftime(UTC_TEXT), pl.col(days).dt.strftime("%Y-%m-%d")
    ).to_dicts()
