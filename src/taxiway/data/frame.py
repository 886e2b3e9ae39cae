"""Rows as plain records and as frames: what the decision log keeps, and what a model reads.

A plain record is JSON data: times and dates are text, as `core.digest` writes them, and a value of
a number column is a float. Both ways lose nothing, so that a logged decision can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.rows import Rows
from taxiway.data.column_types import DTYPES

UTC_TEXT = "%Y-%m-%dT%H:%M:%S%.6fZ"
"""How `core.digest.utc_text` writes a time."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def frame_of(records: Sequence[Mapping[str, Any]], contract: Contract) -> pl.DataFrame:
    """One row a record, one column a contract column; what a record does not hold is null."""
    schema = {column.name: DTYPES[column.type] for column in contract.columns}
    if not records:
        return pl.DataFrame(schema=schema)
    # Times and days as whole numbers, which polars takes a tenth of the time to read.
    counted = {c.name: COUNTED[c.type] for c in contract.columns if c.type in COUNTED}
    raw = schema | {name: number for name, (number, _) in counted.items()}
    if len(records) >= MANY and isinstance(records, Rows):
        columns = records.columns()
        for name, (_, count) in counted.items():
            columns[name] = _counts(columns[name], count)
        frame = pl.DataFrame([pl.Series(n, columns[n], dtype) for n, dtype in raw.items()])
    else:
        # Row by row, as making a series of one value costs as much as reading ten records.
        rows = [*map(dict, records)]
        for name, (_, count) in counted.items():
            for row, number in zip(
                rows, _counts([row.get(name) for row in rows], count), strict=True
            ):
                row[name] = number
        frame = pl.from_dicts(rows, schema=raw)
    for at, (name, dtype) in enumerate(schema.items()):
        if name in counted:
            frame.replace_column(at, frame.to_series(at).cast(dtype))
    return frame


MANY = 160
"""Rows from which making a series of each column takes less time."""


def _counts(
    texts: Sequence[str | None], count: Callable[[str | None], int | None]
) -> list[int | None]:
    """Times or days as numbers. Many come again."""
    known = {text: count(text) for text in set(texts)}
    return [known[text] for text in texts]


def _microseconds(text: str | None) -> int | None:
    """Microseconds from 1970 to a time, below zero before it."""
    if text is None:
        return None
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def _days(text: str | None) -> int | None:
    """Days from 1970 to a day, below zero before it."""
    return None if text is None else date.fromisoformat(text).toordinal() - EPOCH.toordinal()


COUNTED: Mapping[str, tuple[pl.DataType, Callable[[str | None], int | None]]] = {
    "timestamp": (pl.Int64(), _microseconds),
    "date": (pl.Int32(), _days),
}
"""Contract type -> what polars counts it in, and how a text becomes that number."""


def plain_records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a typed frame as plain records; the inverse of `frame_of`.

    >>> from datetime import UTC
    >>> plain_records(pl.DataFrame({"at": [datetime(2013, 3, 1, 5, tzinfo=UTC)], "flight": [11]}))
    [{'at': '2013-03-01T05:00:00.000000Z', 'flight': 11}]
    """
    return plain_frame(frame).to_dicts()


def plain_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """A typed frame with its times and dates as the text that plain records hold."""
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    days = [name for name, dtype in frame.schema.items() if dtype == pl.Date]
    return frame.with_columns(
        pl.col(times).dt.strftime(UTC_TEXT), pl.col(days).dt.strftime("%Y-%m-%d")
    )
