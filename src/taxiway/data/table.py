"""Tables that taxiway writes for people: CSV, Parquet and Delta, there whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl

from taxiway.core.errors import ConflictError, InputError, StoreError, shortened

DELTA = ".delta"
SUFFIXES = (".parquet", ".csv", DELTA)

Add = Callable[[pl.DataFrame], None]
"""Takes further rows of a table; all frames of a table have the same columns."""

Commit = Callable[[pl.LazyFrame, Path], None]
"""Writes rows as the next version of the Delta table in a folder, at once."""


def is_delta(path: Path) -> bool:
    """Whether a path is, or will be, the folder of a Delta table."""
    return path.suffix.lower() == DELTA or (path / "_delta_log").is_dir()


def require_writable(path: Path, *, overwrite: bool) -> None:
    """Raises what stands in the way of writing a table, before any work is done for it."""
    if path.suffix.lower() not in SUFFIXES and not is_delta(path):
        raise InputError(
            f"{path.name} has no known kind of table; expected a name that ends in"
            f" {' or '.join(SUFFIXES)}."
        )
    if path.exists() and path.is_dir() != is_delta(path):
        raise InputError(f"{path} is {'a folder' if path.is_dir() else 'no folder'}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"There is no folder {path.absolute().parent} to write {path.name} into.")
    if path.exists() and not overwrite:
        raise ConflictError(
            f"{path} is already there.", todo="Choose another name, or add --overwrite."
        )


def partial_of(path: Path, token: str) -> Path:
    """Where a table grows until it is whole.

    `token` names who writes it: the same one finds what it left behind when it was killed, and
    takes its place.
    """
    return path.absolute().with_name(f".{path.name}.{token}.partial")


@contextmanager
def writing(path: Path, token: str, *, commit: Commit | None = None) -> Iterator[Add]:
    """A table in the format that the name asks for, written a frame at a time.

    It takes its name when the block ends well; an exception leaves nothing behind. Memory does not
    grow with the rows. A Delta table needs `commit`. Raises `ConflictError` if another process is
    writing it with that token.
    """
    partial = partial_of(path, token)
    parts = partial.with_suffix(".parts")
    with _held(partial) as file:
        try:
            shutil.rmtree(parts, ignore_errors=True)
            if path.suffix.lower() == ".csv":
                yield _csv(file)
                file.flush()
            else:
                # Polars writes a Parquet file in one go: parts, then all of them streamed into one.
                parts.mkdir()
                yield _parts(parts)
                rows = pl.scan_parquet(sorted(parts.iterdir()), glob=False)
                if commit is not None and is_delta(path):
                    _committed(rows, path, parts, commit)
                    return
                with _store_errors(path):
                    rows.sink_parquet(partial)
            os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
            shutil.rmtree(parts, ignore_errors=True)


def _committed(rows: pl.LazyFrame, path: Path, parts: Path, commit: Commit) -> None:
    """A new table grows among the parts until it is whole; another version is one commit anyway."""
    if path.exists():
        commit(rows, path)
        return
    table = parts / "table"
    commit(rows, table)
    table.rename(path)


def discard(path: Path, token: str) -> None:
    """Removes what a run that was cut off left of a table.

    Raises `ConflictError` if it is not cut off but still at it.
    """
    partial = partial_of(path, token)
    if partial.exists():
        with _held(partial):
            shutil.rmtree(partial.with_suffix(".parts"), ignore_errors=True)
            partial.unlink()


def _csv(file: BinaryIO) -> Add:
    begun = False

    def add(frame: pl.DataFrame) -> None:
        nonlocal begun
        frame.write_csv(file, include_header=not begun)
        begun = True

    return add


def _parts(folder: Path) -> Add:
    count = 0

    def add(frame: pl.DataFrame) -> None:
        nonlocal count
        with _store_errors(folder):
            frame.write_parquet(folder / f"{count:09}.parquet", compression="lz4")
        count += 1

    return add


@contextmanager
def _store_errors(path: Path) -> Iterator[None]:
    """What polars says of a disk that takes no more, as an error of ours."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise StoreError(
            f"{path} can't be written: {shortened(error)}.",
            todo="Check the disk's space; nothing half-written was kept.",
        ) from error


@contextmanager
def _held(partial: Path) -> Iterator[BinaryIO]:
    """The file, empty, and nobody else's for as long as the block runs or the process lives."""
    while True:
        with partial.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(
                    f"Another process is writing {partial.name}.",
                    todo="Wait until it is done.",
                ) from None
            # Whoever held it before may have given the file its name between opening and locking.
            if not _is(partial, file):
                continue
            file.truncate(0)
            yield file
            return


def _is(path: Path, file: BinaryIO) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
