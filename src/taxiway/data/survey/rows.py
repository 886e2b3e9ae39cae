"""Rows in chunks, each column as one of four kinds: a number, a text, a yes or no, or a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.errors import InputError, shortened
from taxiway.data.column_types import DTYPES
from taxiway.data.in_order import in_order
from taxiway.data.infer import draft
from taxiway.data.source import ROW, Source, batches, raw_frame
from taxiway.data.source.rows import value_in

NUMBER, TEXT, BOOLEAN, TIME, OTHER = "number", "text", "boolean", "time", "other"

CHUNK_CELLS = 8_000_000
"""How many values are held at a time: 64 MB of numbers."""
LEAST_ROWS, MOST_ROWS = 4_096, 524_288
BLOCKS, BLOCK_ROWS = 10, 8_000
"""How many stretches of a file are looked at, and how long, before its rows are counted."""
LOOKED_AT_CELLS = 4_000_000
LONGEST = 200
"""Characters of a text that are told apart."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that can be read more than once, in the same order."""

    name: str
    kinds: dict[str, str]
    """Column -> its kind."""
    types: dict[str, str]
    """Column -> what its type is called."""
    chunks: Callable[[], Iterator[pl.DataFrame]]
    looked_at: Callable[[Collection[str]], pl.DataFrame]
    """Some columns of rows from all over, to choose the bins by; not a fair sample."""


def rows_of_frame(frame: pl.DataFrame, name: str = "rows") -> Rows:
    """A frame in memory."""
    reading = _reading(frame.schema)
    size = chunk_rows(frame.width)

    def chunks() -> Iterator[pl.DataFrame]:
        for start in range(0, frame.height, size):
            yield frame.slice(start, size).select(reading.values())

    def looked_at(names: Collection[str]) -> pl.DataFrame:
        most = max(1, min(BLOCKS * BLOCK_ROWS, LOOKED_AT_CELLS // max(1, len(names))))
        chosen = [reading[name] for name in names]
        if frame.height <= most:
            return frame.select(chosen)
        return frame[np.linspace(0, frame.height - 1, most).astype(np.int64)].select(chosen)

    return Rows(name, _kinds(frame.schema), _types(frame.schema), chunks, looked_at)


def rows_of_source(source: Source, contract: Contract | None = None) -> Rows:
    """A source; text is read by the contract's types, or by those that most of its values have."""
    if source.is_text:
        return _text(source, contract)
    return rows_of_scan(raw_frame(source), source.name)


def rows_of_scan(frame: pl.LazyFrame, name: str) -> Rows:
    """Values that have types, read in slices of what polars can scan."""
    schema = frame.collect_schema()
    reading = _reading(schema)

    def read(start: int, size: int, names: Collection[str]) -> pl.DataFrame:
        try:
            return frame.slice(start, size).select([reading[name] for name in names]).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _unreadable(name, error) from None

    def height() -> int:
        try:
            return int(frame.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _unreadable(name, error) from None

    def chunks() -> Iterator[pl.DataFrame]:
        size = chunk_rows(len(schema))
        return (read(start, size, reading) for start in range(0, height(), size))

    def looked_at(names: Collection[str]) -> pl.DataFrame:
        if not names:
            return pl.DataFrame()
        rows = height()
        size = max(1, min(BLOCK_ROWS, LOOKED_AT_CELLS // BLOCKS // len(names)))
        if rows <= size * BLOCKS:
            return read(0, rows, names)
        starts = np.linspace(0, rows - size, BLOCKS).astype(int).tolist()
        return pl.concat(in_order(partial(read, size=size, names=names), starts))

    return Rows(name, _kinds(schema), _types(schema), chunks, looked_at)


def _unreadable(name: str, error: Exception) -> InputError:
    first = shortened(str(error).strip().split("\n", 1)[0])
    return InputError(f"{name} can't be read: {first}.", todo="It may be cut off; write it again.")


def chunk_rows(columns: int) -> int:
    """How many rows of so many columns are held at a time."""
    return min(MOST_ROWS, max(LEAST_ROWS, CHUNK_CELLS // max(1, columns)))


def kind_of(dtype: pl.DataType) -> str:
    """What is counted of a column of a polars type."""
    if dtype.is_numeric() or isinstance(dtype, pl.Duration):
        return NUMBER
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return TEXT
    if isinstance(dtype, pl.Date | pl.Datetime):
        return TIME
    return BOOLEAN if dtype == pl.Boolean() else OTHER


def _reading(schema: pl.Schema) -> dict[str, pl.Expr]:
    """Every column as its kind: whole numbers, floats, short texts, UTC times; or null or not."""
    return {name: _read(pl.col(name), dtype).alias(name) for name, dtype in schema.items()}


def _read(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    match kind_of(dtype):
        case "text":
            text = column if dtype == pl.String() else column.cast(pl.String)
            return text.str.head(LONGEST)
        case "time":
            if isinstance(dtype, pl.Datetime) and dtype.time_zone:
                return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
            return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        case "number" if isinstance(dtype, pl.Duration):
            return column.dt.total_microseconds() / 1e6
        case "number" if dtype.is_decimal():
            return column.cast(pl.Float64)
        case "other":
            return pl.when(column.is_not_null()).then(pl.lit(True))
    return column


def _kinds(schema: pl.Schema) -> dict[str, str]:
    return {name: kind_of(dtype) for name, dtype in schema.items()}


def _types(schema: pl.Schema) -> dict[str, str]:
    return {name: str(dtype) for name, dtype in schema.items()}


def _text(source: Source, contract: Contract | None) -> Rows:
    """Text: read as the contract says, or as a draft of one does."""
    known = {c.name: c for c in contract.columns} if contract else {}
    if not set(source.columns) <= set(known):
        known = {c.name: c for c in draft(source).contract.columns} | known
    columns = [known[name] for name in source.columns]
    typed = [value_in(source, column).alias(column.name) for column in columns]
    types = {column.name: column.type for column in columns}
    schema = pl.Schema({name: DTYPES[kind] for name, kind in types.items()})
    reading = _reading(schema)

    def chunks() -> Iterator[pl.DataFrame]:
        for batch in batches(source):
            yield batch.select(typed).select(reading.values())

    def looked_at(names: Collection[str]) -> pl.DataFrame:
        return _spread(source).select(typed).select([reading[name] for name in names])

    return Rows(source.name, _kinds(schema), types, chunks, looked_at)


def _spread(source: Source) -> pl.DataFrame:
    """Some rows of every part of a text, as text."""
    most = max(1, min(BLOCKS * BLOCK_ROWS, LOOKED_AT_CELLS // max(1, len(source.columns))))
    kept, step = pl.DataFrame(schema=source.schema), 1
    for batch in batches(source):
        # Every row at first, and every second, fourth, ... one when they become too many.
        kept = kept.vstack(batch.drop(ROW).gather_every(step))
        while kept.height > most:
            kept, step = kept.gather_every(2), step * 2
    return kept.rechunk()
