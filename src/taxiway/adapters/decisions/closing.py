"""Closing: what is in segments that nobody writes moves into Parquet files.

A segment is read whole, its files are written, synced and read back, and then one transaction of
the catalogue says that they hold what the segment did. Until then the segment is what is read; from
then on the files are. So whenever it is cut off, no decision is lost or there twice: what was begun
and is in no list is cleared away by whoever closes next.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing as ending
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.adapters.decisions import parquet, segment
from taxiway.adapters.decisions.catalogue import Catalogue, ClosedFile, store_errors
from taxiway.adapters.decisions.locks import FileLock
from taxiway.adapters.decisions.query import micros
from taxiway.adapters.decisions.writer import Place, due
from taxiway.core.errors import IntegrityError

if TYPE_CHECKING:
    import polars as pl

FILE_ROWS = 100_000
"""Rows that are taken from a segment at a time, and so the most that a closed file holds."""


@dataclass(slots=True)
class Closed:
    """What was closed."""

    segments: int = 0
    rows: int = 0
    files: list[str] = field(default_factory=list)
    in_use: int = 0
    """Segments that somebody writes."""
    waiting: int = 0
    """Segments that were left, because they are neither full nor old."""


def close_segments(
    place: Place,
    catalogue: Catalogue,
    folder: Path,
    *,
    only_due: bool,
    dry_run: bool,
    on_rows: Callable[[int], None],
) -> Closed:
    """Closes segments that nobody writes. The caller holds the lock on closing."""
    if not dry_run:
        clear(place, catalogue, folder)
    done = Closed()
    for name in place.names():
        lock = FileLock.take(place.lock(name))
        if lock is None:
            done.in_use += 1
            continue
        try:
            if only_due and not due(*_size(place, name), place.now()):
                done.waiting += 1
                continue
            if dry_run:
                done.segments += 1
                done.rows += _size(place, name)[1]
                continue
            with store_errors(place.path(name)):
                files = _closed(place, catalogue, folder, name, on_rows)
            done.segments += 1
            done.rows += sum(file.rows for file in files)
            done.files += [file.path for file in files]
        finally:
            lock.release(remove=not place.path(name).exists())
    return done


def clear(place: Place, catalogue: Catalogue, folder: Path) -> None:
    """Clears away what an earlier closing or removal left behind when it was cut off."""
    known = {file.path for file in catalogue.files()}
    for path in folder.glob("model=*/environment=*/day=*/*"):
        if str(path.relative_to(folder)) not in known:
            path.unlink()
    for name in catalogue.closed_segments() & set(place.names()):
        _unlink(place, name)
    for lock in place.folder.glob("*.lock"):
        if not place.path(lock.stem).exists():
            held = FileLock.take(lock)
            if held is not None:
                held.release(remove=not place.path(lock.stem).exists())


def _size(place: Place, name: str) -> tuple[int, int]:
    with store_errors(place.path(name)), ending(segment.connect(place.path(name))) as connection:
        return segment.size(connection)


def _closed(
    place: Place,
    catalogue: Catalogue,
    folder: Path,
    name: str,
    on_rows: Callable[[int], None],
) -> list[ClosedFile]:
    files: list[ClosedFile] = []
    now = micros(place.now())
    with ending(segment.connect(place.path(name))) as connection:
        connection.execute("BEGIN")
        (rows,) = connection.execute("SELECT count(*) FROM decision").fetchone()
        for frame in frames(connection, now):
            for part in frame.partition_by("model", "environment", "day"):
                fresh = _fresh(catalogue, folder, part.drop("day"))
                if fresh.height:
                    files.append(parquet.write(folder, fresh))
                rows -= part.height
            on_rows(frame.height)
        connection.execute("ROLLBACK")
    if rows:
        raise IntegrityError(
            f"Segment {place.path(name)} has {rows} rows that could not be read; it was kept.",
            todo="Restore the decision log from its backup.",
        )
    catalogue.replace(files, segment=name)
    _unlink(place, name)
    return files


def _unlink(place: Place, name: str) -> None:
    path = place.path(name)
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def frames(connection: sqlite3.Connection, now: int) -> Iterator[pl.DataFrame]:
    """A segment's rows in the order in which they were logged, with the day of each."""
    import polars as pl

    names = {number: source for source, number in segment.sources(connection).items()}
    mark = segment.mark(connection, now)
    rows = connection.execute(f"SELECT {segment.COLUMNS} FROM decision ORDER BY number")  # noqa: S608
    while taken := rows.fetchmany(FILE_ROWS):
        frame, mark = _frame(taken, names, mark, now)
        yield frame.with_columns(
            day=pl.from_epoch(
                pl.col("at").cast(pl.Int64) + pl.col("behind_us"), time_unit="us"
            ).dt.date()
        )


def _frame(
    rows: Sequence[segment.Row], names: dict[int, segment.Source], mark: int, now: int
) -> tuple[pl.DataFrame, int]:
    """Rows as a frame, and the latest moment up to their end that does not lie in the future."""
    import polars as pl

    columns: dict[str, list[Any]] = {name: [] for name in parquet.schema()}
    for row in rows:
        decision = segment.unpacked(row, names)
        _, identity, source, key, happened_at, at, inputs, output, latency_us = row
        mark = max(mark, at) if at <= now else mark
        values = segment.texts(names[source])
        said = decision.output.get("prediction")
        yes_or_no = isinstance(said, bool)
        probability = decision.output.get("probability")
        for name, value in zip(
            columns,
            (
                identity,
                *values,
                key,
                happened_at,
                at,
                max(mark - at, 0),
                said if yes_or_no else None,
                float(probability) if isinstance(probability, int | float) else None,
                float(said) if isinstance(said, int | float) and not yes_or_no else None,
                inputs,
                output,
                latency_us,
            ),
            strict=True,
        ):
            columns[name].append(value)
    numbers = dict.fromkeys(parquet.TIMES, pl.Int64())
    frame = pl.DataFrame(columns, schema=parquet.schema() | numbers)
    return frame.cast({name: parquet.schema()[name] for name in parquet.TIMES}), mark


def _fresh(catalogue: Catalogue, folder: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not in a closed file already. Raises `IntegrityError` if one is another."""
    ids = frame["id"]
    for file in catalogue.files_of_ids(str(ids.min()), str(ids.max())):
        there = parquet.rows_of_ids(folder, file, ids)
        if not there.height:
            continue
        same = [name for name in frame.columns if name != "behind_us"]
        both = frame.join(there, on=same, how="semi", nulls_equal=True)
        if both.height < there.height:
            raise IntegrityError(
                f"{there.height - both.height} decisions of this segment have ids that"
                f" {file.path} has for others, such as {there['id'][0]}; the segment was kept.",
                todo="Find out who made these ids; an id stands for one decision.",
            )
        frame = frame.join(both, on="id", how="anti")
    return frame
