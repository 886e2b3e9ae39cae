"""Tables that taxiway writes for people: CSV and Parquet, there whole or not at all."""

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

SUFFIXES = (".parquet", ".csv")

Add = Callable[[pl.DataFrame], None]
"""Takes further rows of a table; all frames of a table have the same columns."""


def require_writable(path: Path, *, overwrite: bool) -> None:
    """Raises what stands in the way of writing a table, before any work is done for it."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{path.name} has no known kind of table; expected a name that ends in"
            f" {' or '.join(SUFFIXES)}."
        )
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
def writing(path: Path, token: str) -> Iterator[Add]:
    """A table in the format that the name asks for, written a frame at a time.

    It takes its name when the block ends well; an exception leaves nothing behind. Memory does not
    grow with the rows. Raises `ConflictError` if another process is writing it with that token.
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
                with _store_errors(path):
                    pl.scan_parquet(sorted(parts.iterdir()), glob=False).sink_parquet(partial)
            os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
            shutil.rmtree(parts, ignore_errors=True)


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
