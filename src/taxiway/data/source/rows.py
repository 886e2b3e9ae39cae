"""The rows of a source: as they stand, in batches, and typed by a contract."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import polars as pl

from taxiway.core.contract import Column, Contract
from taxiway.core.errors import InputError
from taxiway.data.column_types import from_values, read_as
from taxiway.data.source.opening import unreadable
from taxiway.data.source.record import Source
from taxiway.data.source.widths import lone_quote, not_utf8, rows_of_other_width

BATCH_ROWS = 65_536
PIECE_BYTES = 8 << 20
"""How much of a CSV file is read at a time."""
PIECE_ROWS = 8 * BATCH_ROWS
"""How many rows of a Parquet file are. A piece that is smaller than a group of the file's rows is
read with the rest of its group, again and again; files have groups of 10,000 to a million rows."""
PIECE_CELLS = 12_000_000
"""Fewer rows are, of many columns, but never less than two batches."""
WIDE = 1000
"""Columns from which a source is read in another way."""
ROW = "\0row"
"""Name of the column with row numbers, counted from 1 after the header."""


def raw_frame(source: Source) -> pl.LazyFrame:
    """The source as it is: text for CSV (null where it spells none), values for Parquet.

    A CSV line without any value is no row.
    """
    if source.scan is not None:
        return source.scan()
    if source.format == "csv":
        return pl.concat([_text(source, path) for path in source.parts])
    return _columnar(source)


def _columnar(source: Source) -> pl.LazyFrame:
    if source.format == "arrow":
        return pl.scan_ipc(list(source.parts), glob=False)
    return pl.scan_parquet(list(source.parts), glob=False)


def _text(source: Source, content: Path | bytes) -> pl.LazyFrame:
    """The text of a CSV source: of the whole file, or of a piece that begins with its header."""
    text = pl.scan_csv(
        content,
        separator=source.separator,
        infer_schema=False,
        empty_string_is_null=False,
        glob=False,
    )
    if len(source.columns) > 1:
        text = text.filter(pl.any_horizontal(pl.all() != ""))
    return text.select(pl.when(~pl.all().is_in(source.nulls)).then(pl.all()))


def _wide(source: Source, piece: bytes) -> pl.LazyFrame:
    """As `_text`, step by step: over thousands of columns the planner of polars takes minutes."""
    text = pl.read_csv(
        piece, separator=source.separator, infer_schema=False, empty_string_is_null=False
    )
    held = text.filter(pl.any_horizontal(pl.all() != ""))
    return held.select(pl.when(~pl.all().is_in(source.nulls)).then(pl.all())).lazy()


def typed(source: Source, contract: Contract) -> list[pl.Expr]:
    """The contract's columns of a raw frame, each of its type; null where a value is not.

    A column that the source lacks is all null.
    """
    return [value_in(source, column).alias(column.name) for column in contract.columns]


def value_in(source: Source, column: Column, name: str | None = None) -> pl.Expr:
    """A column's values as its contract reads them; `name` is what it is called in the frame."""
    found = source.schema.get(column.name)
    if found is None:
        return from_values(pl.lit(None), pl.Null(), column.type)
    raw = pl.col(column.name if name is None else name)
    return read_as(column, raw, None if source.is_text else found, decimal=source.decimal)


def read_source(source: Source, contract: Contract) -> pl.LazyFrame:
    """The contract's columns, typed and lazy, of a source that has passed validation."""
    return raw_frame(source).select(typed(source, contract))


def batches(source: Source) -> Iterator[pl.DataFrame]:
    """Raw rows in the file's order, some ten thousand at a time, with their numbers in `ROW`.

    Memory does not grow with the file, however slowly the rows are used.
    """
    # Polars reads ahead as far as it can while its reader is busy; pieces keep that within bounds.
    rows = 0
    with reading(source):
        for piece in _texts(source) if source.format == "csv" else _slices(source):
            read = piece.with_row_index(ROW, offset=rows + 1).collect(engine="streaming")
            source.require_unchanged()
            yield from read.iter_slices(BATCH_ROWS)
            rows += read.height


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """Around what reads rows: what polars says of the file becomes an error of ours."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        source.require_unchanged()
        raise _unreadable(source, error) from None


def _slices(source: Source) -> Iterator[pl.LazyFrame]:
    frame = raw_frame(source)
    narrow = max(2 * BATCH_ROWS, PIECE_CELLS // max(1, len(source.columns)))
    size = min(PIECE_ROWS, narrow)
    for start in range(0, frame.select(pl.len()).collect().item(), size):
        yield frame.slice(start, size)


def _texts(source: Source) -> Iterator[pl.LazyFrame]:
    for path in source.parts:
        for piece in _pieces(path):
            yield _wide(source, piece) if len(source.columns) > WIDE else _text(source, piece)


def _pieces(path: Path) -> Iterator[bytes]:
    """A CSV file in pieces of whole records, each of which begins with the file's header."""
    header = rest = b""
    with path.open("rb") as file:
        while block := file.read(PIECE_BYTES):
            rest += block
            cut = _end_of_records(rest)
            if not header and cut:
                header = rest[: _end_of_header(rest)]
                rest, cut = rest[len(header) :], cut - len(header)
            if header and cut > 0:
                yield header + rest[:cut]
                rest = rest[cut:]
    if rest.strip():
        yield header + rest


def _end_of_records(text: bytes) -> int:
    """Where the last whole record ends: after a line break that stands in no quotes; 0 if none."""
    end, quotes = len(text), text.count(b'"')
    while True:
        cut = text.rfind(b"\n", 0, end) + 1
        quotes -= text.count(b'"', cut, end)
        if not cut or quotes % 2 == 0:
            return cut
        end = cut - 1


def _end_of_header(text: bytes) -> int:
    """Where the first record that is not empty ends; 0 if that is not to be seen yet."""
    start = len(text) - len(text.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n"))
    end = start
    while end := text.find(b"\n", end) + 1:
        if text.count(b'"', start, end) % 2 == 0:
            return end
    return 0


def _unreadable(source: Source, error: Exception) -> InputError:
    """What a person can do about an error of polars."""
    if source.format == "csv":
        if "utf-8" in str(error).lower():
            wrong = (path for path in source.parts if not _is_utf8(path))
            return not_utf8(source.path, next(wrong, source.parts[-1]))
        if "more fields" in str(error):
            row, fields = next(rows_of_other_width(source), (None, None))
            if row is not None:
                return InputError(
                    f"{source.path} has {fields} fields in row {row}, and its header has"
                    f" {len(source.columns)}.",
                    todo="Put text that holds the delimiter in quotes, or write it as Parquet.",
                )
        line = next(filter(None, map(lone_quote, repeat(source), source.parts)), None)
        if line is not None:
            return InputError(
                f"{source.path} has a quotation mark in its line {line} that opens or closes no"
                " value.",
                todo='Put the value in quotes and write the mark twice ("5"" pipe"), or write it as'
                " Parquet.",
            )
    return unreadable(source.path, error)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(PIECE_BYTES):
                decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True
