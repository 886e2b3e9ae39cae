"""Opening what lies in files on this machine: one, a folder of parts, or a pattern of names."""

from __future__ import annotations

import csv
import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from taxiway.core.errors import InputError, Problem, shortened
from taxiway.data.source.form import LOOKED_AT, NAMES, form_of
from taxiway.data.source.plain import new_place, plain
from taxiway.data.source.record import NULLS, Source, files_in, seen_now
from taxiway.data.source.widths import not_utf8

SCANS: dict[bytes, tuple[str, Callable[..., pl.LazyFrame]]] = {
    b"PAR1": ("parquet", pl.scan_parquet),
    b"ARROW1": ("arrow", pl.scan_ipc),
}
"""First bytes -> what the format is called, and what reads it."""
STREAM = b"\xff\xff\xff\xff"
FEATHER_1 = b"FEA1"
SQLITE = b"SQLite format 3\0"
NAMED = {".parquet": "Parquet", ".pq": "Parquet", ".arrow": "Arrow", ".feather": "Arrow"}


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of text files beforehand; what is None is found out."""

    nulls: tuple[str, ...] = NULLS
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None


def open_source(
    path: Path,
    *,
    nulls: Sequence[str] = NULLS,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
) -> Source:
    """The table in a file, in the files of a folder, or in those that a pattern of names finds.

    Raises `InputError` for whatever can't be read as a table with at least one row.
    """
    if separator is not None and len(separator.encode()) != 1:
        raise InputError(f"{separator!r} is no delimiter; expected one character, such as ';'.")
    if decimal not in {None, ".", ","}:
        raise InputError(f"{decimal!r} is no decimal sign; expected '.' or ','.")
    told = Told(tuple(nulls), separator, decimal, encoding)
    if path.is_dir():
        if (path / "_delta_log").is_dir():
            raise InputError(
                f"{path} is a folder with a Delta table, which can't be read here.",
                todo="`taxiway data check` and `taxiway score` read it.",
            )
        return _together(path, files_in(path), told, hive=path)
    if path.exists():
        return _file(path, told)
    if glob.has_magic(str(path)):
        found = glob.glob(str(path), recursive=True)  # noqa: PTH207 - it may begin anywhere
        return _together(path, [Path(name) for name in sorted(found)], told)
    raise InputError(
        f"There is no file {path}.", todo="Check the name, or the charter's `data.source`."
    )


def _file(path: Path, told: Told) -> Source:
    if not path.is_file():
        raise InputError(f"{path} is no regular file.", todo="Write the rows into a file first.")
    with path.open("rb") as file:
        start = file.read(len(SQLITE))
    if not start:
        raise InputError(f"{path} is empty.", todo="Check the job that writes it.")
    if start == SQLITE:
        raise InputError(
            f"{path} is a SQLite database.",
            todo=f"Name it as sqlite:///{path} and add --query 'SELECT ...', or a table's name.",
        )
    kind = NAMED.get(path.suffix.lower())
    if kind and not start.startswith((b"PAR1", b"ARRO", STREAM, FEATHER_1)):
        raise InputError(
            f"{path} is not {'an' if kind[0] == 'A' else 'a'} {kind} file: it starts"
            f" with {start[:4]!r}."
        )
    content, notes = plain(path, told.encoding)
    with content.open("rb") as file:
        start = file.read(6)
    if not start:
        raise InputError(f"{path} holds an empty file.", todo="Check the job that writes it.")
    if start.startswith(FEATHER_1):
        raise InputError(f"{path} is a Feather file of version 1.", todo="Write it as version 2.")
    if start.startswith(STREAM):
        content = _stream(path, content)
        start = b"ARROW1"
    for mark, (kind, scan) in SCANS.items():
        if start.startswith(mark):
            return _columnar(path, content, kind, scan(content, glob=False))
    return _csv(path, content, told, notes)


def _stream(path: Path, content: Path) -> Path:
    """An Arrow stream as a file, in which one can begin anywhere."""
    copy = new_place(path.name)
    try:
        pl.read_ipc_stream(content).write_ipc(copy)
    except pl.exceptions.PolarsError as error:
        raise unreadable(path, error) from None
    return copy


def _columnar(path: Path, content: Path, format: str, frame: pl.LazyFrame) -> Source:
    try:
        schema = frame.collect_schema()
        rows = frame.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise unreadable(path, error) from None
    if not rows:
        raise InputError(f"{path} has columns and no rows.", todo="Check the job that writes it.")
    return Source(path, format, schema, files=(content,), seen=(seen_now(content),))


def _csv(path: Path, content: Path, told: Told, notes: list[str]) -> Source:
    try:
        with content.open("rb") as file:
            text = file.read(LOOKED_AT).decode("utf-8-sig", errors="ignore")
        form = form_of(text, separator=told.separator, decimal=told.decimal)
        header, first = _head(content, form.separator)
    except UnicodeDecodeError:
        raise not_utf8(path, content) from None
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV file: {error}.") from None
    if not header:
        raise InputError(f"{path} holds blank lines only.", todo="Check the job that writes it.")
    twice = sorted({name for name in header if header.count(name) > 1} - {""})
    if twice:
        raise InputError(f"{path} has columns twice: {shortened(', '.join(twice))}.")
    if "" in header:
        raise InputError(
            f"{path} has a column without a name, number {header.index('') + 1}.",
            todo="Name it in the header; pandas leaves out an index with `index=False`.",
        )
    other = next(
        (mark for mark in NAMES if mark != form.separator and mark in "".join(header)), None
    )
    if told.separator and len(header) == 1 and other:
        raise InputError(
            f"{path} seems to be separated by {other!r}, and {told.separator!r} was expected.",
            todo="Leave the delimiter out, and it is found out.",
        )
    if first is None:
        raise InputError(f"{path} has a header and no rows.", todo="Check the job that writes it.")
    return Source(
        path,
        "csv",
        pl.Schema(dict.fromkeys(header, pl.String())),
        told.nulls,
        form.separator,
        decimal=form.decimal,
        files=(content,),
        seen=(seen_now(content),),
        notes=(*notes, *form.notes),
    )


def _head(content: Path, separator: str) -> tuple[list[str], list[str] | None]:
    """The header, and the first row if there is one."""
    with content.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=separator)
        header = next((line for line in lines if line), [])
        # A line without any value is no row, but where there is only one column.
        return header, next((x for x in lines if (x if len(header) < 2 else any(x))), None)


def _together(path: Path, found: list[Path], told: Told, *, hive: Path | None = None) -> Source:
    """Many files as one table. Raises `InputError` where they do not have the same columns."""
    if not found:
        raise InputError(
            f"{path} is a folder without files." if hive else f"There is no file {path}.",
            todo="Check the job that writes it.",
        )
    parts, empty = [], []
    for inner in found:
        if not inner.stat().st_size:
            empty.append(inner.name)
            continue
        parts.append(_file(inner, told))
    if not parts:
        raise InputError(f"{path} holds empty files only.", todo="Check the job that writes it.")
    first = parts[0]
    problems = [problem for part in parts[1:] for problem in _unlike(first, part)]
    if problems:
        raise InputError(f"The files of {path} are not parts of one table.", problems)
    notes = [f"{len(parts)} files are read as one table"] if len(parts) > 1 else []
    notes += [f"empty files are left out: {shortened(', '.join(empty))}"] if empty else []
    return Source(
        path,
        first.format,
        first.schema,
        first.nulls,
        first.separator,
        decimal=first.decimal,
        files=tuple(file for part in parts for file in part.files),
        seen=tuple(seen for part in parts for seen in part.seen),
        notes=tuple(dict.fromkeys([*notes, *(n for part in parts for n in part.notes)])),
    )


def _unlike(first: Source, part: Source) -> list[Problem]:
    """What keeps a file from being read with the one before it."""
    here = str(part.path)
    if part.format != first.format:
        return [Problem("is of another format", part.format, first.format, here)]
    if part.separator != first.separator or part.decimal != first.decimal:
        found, expected = (f"{s.separator!r} and {s.decimal!r}" for s in (part, first))
        return [Problem("has another delimiter or decimal sign", found, expected, here)]
    problems = [
        Problem(f"has no column {name}", where=here)
        for name in first.columns
        if name not in part.schema
    ]
    problems += [
        Problem(f"has a column {name} of another type", str(found), str(first.schema[name]), here)
        if name in first.schema
        else Problem(f"has a column {name}, which the first file has not", where=here)
        for name, found in part.schema.items()
        if first.schema.get(name) != found
    ]
    if not problems and part.columns != first.columns:
        problems = [Problem("has its columns in another order", where=here)]
    return problems


def unreadable(path: Path, error: Exception) -> InputError:
    """What polars says of a file, as an error of ours."""
    first = shortened(str(error).strip().split("\n", 1)[0])
    if isinstance(error, FileNotFoundError):
        return InputError(
            f"{path} can't be read: a file of it is gone.",
            todo="Was it cleaned up, or copied in part? Run it again when it is whole.",
        )
    return InputError(f"{path} can't be read: {first}.", todo="It may be cut off; write it again.")
