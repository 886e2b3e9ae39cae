"""Sources: CSV and Parquet files, and what adapters open, read lazily and in batches.

CSV is read as text, so that "001" is still "001" when the contract is held against it. What can't
be a source at all (no file, a folder, no rows, broken bytes) is an `InputError` here; what is wrong
with single rows is for `validation`.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from taxiway.core.contract import Contract
from taxiway.core.digest import PREFIX
from taxiway.core.errors import ConflictError, InputError, shortened
from taxiway.data.column_types import from_text, from_values

NULLS = ("", "NA")
"""How a CSV file spells that there is no value."""

BATCH_ROWS = 65_536
PIECE_BYTES = 8 << 20
"""How much of a CSV file is read at a time."""
PIECE_ROWS = 2 * BATCH_ROWS
"""How many rows of a Parquet file are."""
ROW = "\0row"
"""Name of the column with row numbers, counted from 1 after the header."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was opened: its columns as it names them, and their polars types."""

    path: Path
    format: str
    """`csv`, `parquet`, `delta` or `sql`."""
    schema: pl.Schema
    nulls: tuple[str, ...] = NULLS
    separator: str = ","
    scan: Callable[[], pl.LazyFrame] | None = None
    """Its rows, always in the same order, if it is no single file that polars can read."""
    called: str = ""
    """What people call it, if that is not the name of its file."""

    @property
    def name(self) -> str:
        return self.called or self.path.name

    @property
    def is_text(self) -> bool:
        """Whether values stand in it as text, to be read by the contract."""
        return self.format in {"csv", "sql"}

    @property
    def columns(self) -> list[str]:
        return self.schema.names()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one version of a file from another."""

    bytes: int
    changed_ns: int
    digest: str


def fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of a file; it reads all of it."""
    with path.open("rb") as file:
        digest = PREFIX + hashlib.file_digest(file, "sha256").hexdigest()
    about = path.stat()
    return Fingerprint(about.st_size, about.st_mtime_ns, digest)


def require_unchanged(path: Path, known: Fingerprint) -> None:
    """Raises `ConflictError` if a file is not what it was when its fingerprint was taken.

    It looks at size and time only, so that it can be asked often.
    """
    about = path.stat()
    if (about.st_size, about.st_mtime_ns) != (known.bytes, known.changed_ns):
        raise ConflictError(
            f"{path} was changed while it was read.", todo="Run it again when it is whole."
        )


def open_source(path: Path, *, nulls: Sequence[str] = NULLS, separator: str = ",") -> Source:
    """The source in a CSV or Parquet file, told apart by their first bytes.

    Raises `InputError` for whatever can't be read as a table with at least one row.
    """
    if path.is_dir():
        raise InputError(
            f"{path} is a folder, not a CSV or Parquet file.",
            todo="`taxiway score` also reads the folder of a Delta table (one with a _delta_log).",
        )
    if not path.exists():
        raise InputError(f"There is no file {path}.", todo="Check the charter's `data.source`.")
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise InputError(f"{path} is empty.", todo="Check the job that writes it.")
    if start == b"PAR1":
        return _parquet(path)
    if path.suffix.lower() in {".parquet", ".pq"}:
        raise InputError(f"{path} is not a Parquet file: it starts with {start!r}.")
    if start[:2] in {b"\x1f\x8b", b"PK"} or start == b"\x28\xb5\x2f\xfd":
        raise InputError(f"{path} is compressed.", todo="Decompress it, or write it as Parquet.")
    return _csv(path, tuple(nulls), separator)


def _parquet(path: Path) -> Source:
    frame = pl.scan_parquet(path, glob=False)
    try:
        schema = frame.collect_schema()
        rows = frame.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, error) from None
    if not rows:
        raise InputError(f"{path} has columns and no rows.", todo="Check the job that writes it.")
    return Source(path, "parquet", schema)


def _csv(path: Path, nulls: tuple[str, ...], separator: str) -> Source:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, delimiter=separator)
            header = next((line for line in lines if line), [])
            first = next((line for line in lines if line), None)
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV file: {error}.") from None
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{path} has columns twice: {shortened(', '.join(twice))}.")
    if "" in header:
        raise InputError(f"{path} has a column without a name, number {header.index('') + 1}.")
    other = next((mark for mark in ";\t|," if mark != separator and mark in "".join(header)), None)
    if len(header) == 1 and other:
        raise InputError(
            f"{path} seems to be separated by {other!r}, and {separator!r} was expected.",
            todo="Write it with commas, or as Parquet.",
        )
    if first is None:
        raise InputError(f"{path} has a header and no rows.", todo="Check the job that writes it.")
    return Source(path, "csv", pl.Schema(dict.fromkeys(header, pl.String())), nulls, separator)


def raw_frame(source: Source) -> pl.LazyFrame:
    """The source as it is: text for CSV (null where it spells none), values for Parquet.

    A CSV line without any value is no row.
    """
    if source.scan is not None:
        return source.scan()
    if source.format != "csv":
        return pl.scan_parquet(source.path, glob=False)
    return _text(source, source.path)


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
    names = [pl.col(name) for name in source.columns]
    return text.select(pl.when(~name.is_in(source.nulls)).then(name) for name in names)


def typed(source: Source, contract: Contract) -> list[pl.Expr]:
    """The contract's columns of a raw frame, each of its type; null where a value is not.

    A column that the source lacks is all null.
    """
    expressions = []
    for column in contract.columns:
        raw, found = pl.col(column.name), source.schema.get(column.name)
        if found is None:
            value = from_values(pl.lit(None), pl.Null(), column.type)
        elif source.is_text:
            value = from_text(raw, column.type)
        else:
            value = from_values(raw, found, column.type)
        expressions.append(value.alias(column.name))
    return expressions


def read_source(source: Source, contract: Contract) -> pl.LazyFrame:
    """The contract's columns, typed and lazy, of a source that has passed validation."""
    return raw_frame(source).select(typed(source, contract))


def batches(source: Source) -> Iterator[pl.DataFrame]:
    """Raw rows in the file's order, some ten thousand at a time, with their numbers in `ROW`.

    Memory does not grow with the file, however slowly the rows are used.
    """
    # Polars reads ahead as far as it can while its reader is busy; pieces keep that within bounds.
    rows = 0
    try:
        for piece in _texts(source) if source.format == "csv" else _slices(source):
            read = piece.with_row_index(ROW, offset=rows + 1).collect(engine="streaming")
            yield from read.iter_slices(BATCH_ROWS)
            rows += read.height
    except pl.exceptions.PolarsError as error:
        raise _unreadable(source.path, error, source) from None


def _slices(source: Source) -> Iterator[pl.LazyFrame]:
    frame = raw_frame(source)
    for start in range(0, frame.select(pl.len()).collect().item(), PIECE_ROWS):
        yield frame.slice(start, PIECE_ROWS)


def _texts(source: Source) -> Iterator[pl.LazyFrame]:
    for piece in _pieces(source.path):
        yield _text(source, piece)


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


def rows_of_other_width(source: Source) -> Iterator[tuple[int, int]]:
    """Rows of a CSV source with more or fewer fields than its header: (row, fields).

    Polars fills short rows up with nothing; this reads the file again to tell them from rows that
    say nothing.
    """
    with source.path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=source.separator)
        next((line for line in lines if line), None)
        row = 0
        try:
            for line in lines:
                if any(line):
                    row += 1
                    if len(line) != len(source.columns):
                        yield row, len(line)
        except csv.Error as error:
            raise InputError(f"{source.path} can't be read after row {row}: {error}.") from None


def _unreadable(path: Path, error: Exception, source: Source | None = None) -> InputError:
    """What a person can do about an error of polars."""
    text = str(error)
    if "utf-8" in text.lower():
        return _not_utf8(path)
    if source and source.format == "csv" and "more fields" in text:
        row, fields = next(rows_of_other_width(source), (None, None))
        if row is not None:
            return InputError(
                f"{path} has {fields} fields in row {row}, and its header has"
                f" {len(source.columns)}.",
                todo="Put text that holds commas in quotes, or write it as Parquet.",
            )
    first = shortened(text.strip().split("\n", 1)[0])
    return InputError(f"{path} can't be read: {first}.", todo="It may be cut off; write it again.")


def _not_utf8(path: Path) -> InputError:
    """Names the line of the first byte that is not UTF-8."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    with path.open("rb") as file:
        for chunk in file:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                break
            line += 1
    return InputError(
        f"{path} is not UTF-8: its line {line} holds other bytes.",
        todo="Save it as UTF-8, or write it as Parquet.",
    )
